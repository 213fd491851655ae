package workspaces

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The users that a Simple AD and a Microsoft AD are made with.
const (
	Administrator          = "Administrator"
	MicrosoftAdministrator = "Admin"
)

// AdministratorRID is the last part of the administrator's SID in every domain.
// Source: the well-known security identifiers of Windows.
const AdministratorRID = 500

// User is a person in a directory.
type User struct {
	Scope
	DirectoryID  string
	Name         string // SAMAccountName as first written; unique without regard to case
	SID          string
	GivenName    string
	Surname      string
	EmailAddress string
	Attributes   map[string][]string // by LDAP display name
	Enabled      bool
	PasswordHash string // argon2id in its usual notation; "": no password, cannot sign in
	CreatedAt    time.Time
}

// UserKey is what makes two spellings of a user name the same user.
// Source: CreateWorkspaces and Active Directory compare user names without case.
func UserKey(name string) string { return strings.ToLower(name) }

// CheckUserName refuses names of dots and dashes alone, which the model's pattern allows and
// no machine has a home for. Source: Active Directory's rules for SAM-Account-Name.
func CheckUserName(name string) error {
	if !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return Errorf(CodeInvalidParameter, "The user name %s has neither a letter nor a digit.", name)
	}
	return nil
}

// FullName is the user's name as a person writes it, or the user name.
func (u *User) FullName() string {
	if full := strings.TrimSpace(u.GivenName + " " + u.Surname); full != "" {
		return full
	}
	return u.Name
}

// UserSID returns the security identifier that the directory gives to the user with the
// relative id. The domain's three numbers follow from the directory's id, which is never
// used twice, so that they need no place of their own.
func UserSID(directoryID string, rid int64) string {
	sum := sha256.Sum256([]byte(directoryID))
	return fmt.Sprintf("S-1-5-21-%d-%d-%d-%d", binary.BigEndian.Uint32(sum[0:]), binary.BigEndian.Uint32(sum[4:]),
		binary.BigEndian.Uint32(sum[8:]), rid)
}

// PrincipalName returns the user's internet-style name in the directory: alice@corp.example.com.
func (d *Directory) PrincipalName(u *User) string { return u.Name + "@" + d.Name }

// DistinguishedName returns the user's place in the directory's tree. A Simple AD has its
// users in the container Users, a Microsoft AD in a unit of that name below its own. User
// names hold nothing that would need to be escaped.
func (d *Directory) DistinguishedName(u *User) string {
	users := ",CN=Users"
	if d.Type == MicrosoftAD {
		users = ",OU=Users,OU=" + d.ShortName
	}
	return "CN=" + u.Name + users + ",DC=" + strings.ReplaceAll(d.Name, ".", ",DC=")
}

// CheckPassword applies the directory's policy: 8 to 64 characters of at least three
// of the four classes, and not the user's own name. Source: CreateDirectory, Password.
func CheckPassword(user, password string) error {
	classes := 0
	for _, class := range []func(rune) bool{
		func(r rune) bool { return r >= 'a' && r <= 'z' },
		func(r rune) bool { return r >= 'A' && r <= 'Z' },
		func(r rune) bool { return r >= '0' && r <= '9' },
		func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') }, //nolint:staticcheck // reads as: none of these
	} {
		if strings.ContainsFunc(password, class) {
			classes++
		}
	}
	if n := utf8.RuneCountInString(password); n < 8 || n > 64 || classes < 3 {
		return Errorf(CodeInvalidPassword, "A password has 8 to 64 characters of at least three of these: lower case, upper case, digits, others.")
	}
	if len(user) > 2 && strings.Contains(strings.ToLower(password), strings.ToLower(user)) {
		return Errorf(CodeInvalidPassword, "A password does not contain the user name.")
	}
	return nil
}
