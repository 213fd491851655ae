package workspaces

import (
	"regexp"
	"strings"
	"time"
)

// Directory is a directory of AWS Directory Service: where users are. To have
// WorkSpaces it must also be registered; see WorkspaceDirectory.
type Directory struct {
	Scope
	ID          string
	Type        string // SimpleAD, ADConnector, MicrosoftAD
	Name        string // fully qualified, e.g. corp.example.com
	ShortName   string // NetBIOS name, e.g. CORP
	Size        string // Small or Large; "" for MicrosoftAD
	Edition     string // Standard or Enterprise for MicrosoftAD, else ""
	Description string
	Alias       string // the id until CreateAlias
	NetworkType string

	Stage          Stage
	StageReason    string
	StageChangedAt time.Time
	LaunchedAt     time.Time
	Generation     int64
	Deadline       time.Time
	WakeAt         time.Time

	VPCID           string
	SubnetIDs       []string
	Zones           []string // availability zones of the subnets, in their order
	SecurityGroupID string
	DNSAddresses    []string
	SSOEnabled      bool
	DataAccess      string // Disabled, Enabling, Enabled, Disabling, Failed
}

// Ref names the directory as it is now.
func (d *Directory) Ref() Ref { return Ref{Scope: d.Scope, ID: d.ID, Generation: d.Generation} }

// The types of directories.
const (
	SimpleAD    = "SimpleAD"
	ADConnector = "ADConnector"
	MicrosoftAD = "MicrosoftAD"
)

// The states of a directory's data access.
const (
	DataAccessDisabled = "Disabled"
	DataAccessEnabled  = "Enabled"
)

// Stage is where a directory is in its life.
type Stage string

// The stages that Carrel enters, as the API spells them.
const (
	StageRequested Stage = "Requested"
	StageCreating  Stage = "Creating"
	StageCreated   Stage = "Created"
	StageActive    Stage = "Active"
	StageFailed    Stage = "Failed"
	StageDeleting  Stage = "Deleting"
	StageDeleted   Stage = "Deleted"
)

// Next returns the stage that follows a passing one by itself, false for a resting one.
func (s Stage) Next() (Stage, bool) {
	switch s {
	case StageRequested:
		return StageCreating, true
	case StageCreating:
		return StageCreated, true
	case StageCreated:
		return StageActive, true
	case StageDeleting:
		return StageDeleted, true
	default:
		return "", false
	}
}

// directoryWork is how long a directory may take to reach a resting stage.
// The service says 5 to 10 minutes for a Simple AD.
const directoryWork = 30 * time.Minute

// Begin asks for a directory: it is Requested, and passes on by itself.
func (d *Directory) Begin(now time.Time) {
	d.LaunchedAt = now
	d.Enter(StageRequested, now)
}

// Enter moves the directory to a stage.
func (d *Directory) Enter(s Stage, now time.Time) {
	d.Stage, d.StageChangedAt = s, now
	d.Deadline, d.WakeAt = time.Time{}, time.Time{}
	if _, passing := s.Next(); passing {
		d.Deadline, d.WakeAt = now.Add(directoryWork), now.Add(Watchdog)
	}
	d.Generation++
}

// Administrator is the user that a Simple AD is made with.
const Administrator = "Administrator"

// User is a person in a directory.
type User struct {
	Scope
	DirectoryID  string
	Name         string // SAMAccountName as first written; unique without regard to case
	SID          string
	GivenName    string
	Surname      string
	EmailAddress string
	Attributes   map[string][]string
	Enabled      bool
	PasswordHash string // argon2id in its usual notation; "": no password, cannot sign in
	CreatedAt    time.Time
}

// UserKey is what makes two spellings of a user name the same user.
// Source: CreateWorkspaces and Active Directory compare user names without case.
func UserKey(name string) string { return strings.ToLower(name) }

// FullName is the user's name as a person writes it, or the user name.
func (u *User) FullName() string {
	if full := strings.TrimSpace(u.GivenName + " " + u.Surname); full != "" {
		return full
	}
	return u.Name
}

var passwordClasses = []*regexp.Regexp{
	regexp.MustCompile(`[a-z]`), regexp.MustCompile(`[A-Z]`), regexp.MustCompile(`[0-9]`), regexp.MustCompile(`[^a-zA-Z0-9]`),
}

// CheckPassword applies the directory's policy: 8 to 64 characters of at least three
// of the four classes, and not the user's own name. Source: CreateDirectory, Password.
func CheckPassword(user, password string) error {
	classes := 0
	for _, c := range passwordClasses {
		if c.MatchString(password) {
			classes++
		}
	}
	if n := len([]rune(password)); n < 8 || n > 64 || classes < 3 {
		return Errorf(CodeInvalidPassword, "A password has 8 to 64 characters of at least three of these: lower case, upper case, digits, others.")
	}
	if len(user) > 2 && strings.Contains(strings.ToLower(password), strings.ToLower(user)) {
		return Errorf(CodeInvalidPassword, "A password does not contain the user name.")
	}
	return nil
}
