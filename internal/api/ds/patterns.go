package ds

import (
	"strings"
	"unicode/utf8"
)

// This file is written by hand: it matches the three patterns of the model that need look-ahead, which Go's regular
// expressions do not have. The generated rules name these functions; the pattern itself stays in the message. Like every
// pattern, each is a statement about the whole string, and its dot matches no line terminator.

const lineTerminators = "\n\r\u0085\u2028\u2029"

// matchAliasName: letters, digits and inner hyphens; not the beginning of a directory id (d-).
//
//	^(?!D-|d-)([\da-zA-Z]+)([-]*[\da-zA-Z])*
func matchAliasName(s string) bool {
	if s == "" || strings.HasPrefix(s, "d-") || strings.HasPrefix(s, "D-") || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, r := range s {
		if r != '-' && !isDigit(r) && !isLower(r) && !isUpper(r) {
			return false
		}
	}
	return true
}

// matchCustomerUserName: anything but the characters that Windows forbids in a user name. The pattern is a look-ahead for
// each of them, and .* after it.
func matchCustomerUserName(s string) bool {
	return !strings.ContainsAny(s, `\"/[]:;|=,+*?<>@`+lineTerminators)
}

// IsPassword reports whether s matches the pattern of a directory's password: 8 to 64 characters on one line, from at least three of: digits, capitals, small letters, and the rest
// except white space. The pattern spells out the four ways to choose three.
func IsPassword(s string) bool {
	length := utf8.RuneCountInString(s)
	if length < 8 || length > 64 || strings.ContainsAny(s, lineTerminators) {
		return false
	}
	classes := 0
	for _, class := range []func(rune) bool{isDigit, isUpper, isLower, isSpecial} {
		if strings.ContainsFunc(s, class) {
			classes++
		}
	}
	return classes >= 3
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }
func isLower(r rune) bool { return r >= 'a' && r <= 'z' }

func isSpecial(r rune) bool {
	return !isDigit(r) && !isUpper(r) && !isLower(r) && !strings.ContainsRune(" \t\n\v\f\r", r)
}
