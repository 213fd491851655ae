package sidechannel

import (
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name that Linux file systems take, in bytes.
const maxName = 255

// ValidName tells whether a file of this name can be put or taken: any text of at most 255 bytes of UTF-8, without
// slashes and control characters, that names no folder.
func ValidName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || unicode.IsControl(r) })
}

// check returns ErrNoFile for a folder that is none, and ErrName for a name that cannot be.
func check(folder Folder, name string) error {
	switch {
	case !folder.Valid():
		return ErrNoFile
	case !ValidName(name):
		return ErrName
	}
	return nil
}

// Listed tells whether a file of this name is shown to whoever takes files: hidden ones are not, as in a file manager.
func Listed(name string) bool { return ValidName(name) && !strings.HasPrefix(name, ".") }

// Composed returns the name as Linux programs spell it: with é as one character, where a Mac sends two.
func Composed(name string) string { return norm.NFC.String(name) }

// Numbered returns the nth name to try where a name is taken: report.pdf, report (2).pdf, report (3).pdf. It is never
// longer than a name can be.
func Numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	stem, extension := splitExtension(name)
	number := " (" + strconv.Itoa(n) + ")"
	room := max(maxName-len(number)-len(extension), 0)
	for len(stem) > room {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return stem + number + extension
}

// splitExtension cuts a name before its extension, which may be .tar.gz and is none where it would be most of the name.
func splitExtension(name string) (stem, extension string) {
	const longest = 16
	extension = path.Ext(name)
	stem = strings.TrimSuffix(name, extension)
	if before, found := strings.CutSuffix(stem, ".tar"); found {
		stem, extension = before, ".tar"+extension
	}
	if stem == "" || len(extension) > longest {
		return name, ""
	}
	return stem, extension
}
