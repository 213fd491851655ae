package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxAccountName is the longest name that Linux's own tools accept.
const maxAccountName = 32

// AccountName makes the Linux account name of a directory user name: jane.doe of Jane.Doe, CORP\Jane.Doe and
// Jane.Doe@corp.example.com, muller of Müller.
//
// Directories compare names without regard to case and allow almost every character; Linux tools expect lower-case
// ASCII. So the domain goes, letters lose case and accents, what has no ASCII counterpart becomes "_", and a name that
// would begin with anything but a letter gets "u" before it. A name that lost characters for good, or that is too long,
// ends in six digits of a hash of the whole, so that the same user always has the same home directory and different
// users of one directory hardly ever do. The result depends on nothing but the name. It is not empty, also for "".
func AccountName(user string) string {
	name := strings.ToLower(withoutDomain(user))
	var account strings.Builder
	lost := false
	for _, r := range norm.NFKD.String(name) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
			account.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the accent of the letter before it
		default:
			ascii, known := asciiOf(r)
			account.WriteString(ascii)
			lost = lost || !known
		}
	}
	result := account.String()
	if result == "" || result[0] < 'a' || result[0] > 'z' {
		result = "u" + result
	}
	// A dot at the end is legal in passwd, but shells and archives stumble over it.
	result = strings.TrimRight(result, ".")
	if lost || len(result) > maxAccountName {
		sum := sha256.Sum256([]byte(name))
		suffix := "-" + hex.EncodeToString(sum[:3])
		result = result[:min(len(result), maxAccountName-len(suffix))] + suffix
	}
	return result
}

func withoutDomain(user string) string {
	if _, name, found := strings.Cut(user, `\`); found {
		user = name
	}
	if name, _, found := strings.Cut(user, "@"); found && name != "" {
		user = name
	}
	return user
}

// asciiOf spells the Latin letters that do not decompose into a letter and an accent. Anything else is "_", and unknown.
func asciiOf(r rune) (ascii string, known bool) {
	switch r {
	case 'ß':
		return "ss", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'ø':
		return "o", true
	case 'đ', 'ð':
		return "d", true
	case 'ł':
		return "l", true
	case 'þ':
		return "th", true
	case 'ı':
		return "i", true
	default:
		return "_", false
	}
}
