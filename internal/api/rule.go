package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// StringRule holds the constraints of a string shape. The zero value allows everything.
type StringRule struct {
	// Min and Max bound the length in Unicode code points; a Max of 0 means that there is none.
	Min, Max int
	// Pattern must match the whole string; nil matches everything.
	Pattern *Pattern
	// Enum lists the values allowed; empty allows every value.
	Enum []string
	// Sensitive strings, such as passwords, are never repeated in messages.
	Sensitive bool
}

// SizeRule bounds the size of a list, map or blob, ends included.
type SizeRule struct{ Min, Max int }

// IntRule bounds a number, ends included.
type IntRule struct{ Min, Max int64 }

func (r *StringRule) satisfied(value string) bool {
	ok := true
	r.violations(value, func(string) { ok = false })
	return ok
}

// violations reports each constraint that value breaks, in the services' wording. A value that is too long is not matched
// against the pattern as well: it is refused already, and the time that takes is the client's to choose.
func (r *StringRule) violations(value string, report func(constraint string)) {
	tooLong := false
	if r.Min > 0 || r.Max > 0 {
		length := utf8.RuneCountInString(value)
		if length < r.Min {
			report(fmt.Sprintf("Member must have length greater than or equal to %d", r.Min))
		}
		if tooLong = r.Max > 0 && length > r.Max; tooLong {
			report(fmt.Sprintf("Member must have length less than or equal to %d", r.Max))
		}
	}
	if r.Pattern != nil && !tooLong && !r.Pattern.Matches(value) {
		report("Member must satisfy regular expression pattern: " + r.Pattern.anchored())
	}
	if len(r.Enum) > 0 && !slices.Contains(r.Enum, value) {
		report("Member must satisfy enum value set: [" + strings.Join(r.Enum, ", ") + "]")
	}
}

// Broken returns the first constraint that value breaks, in the services' wording; "" where there is none.
func (r *StringRule) Broken(value string) (constraint string) {
	r.violations(value, func(c string) {
		if constraint == "" {
			constraint = c
		}
	})
	return constraint
}

func (r *StringRule) echo(value string) string {
	if r.Sensitive {
		return "***"
	}
	return Clip(value)
}

// Pattern is a regular expression of the model. The models write Java's dialect and mean that the whole string matches.
type Pattern struct {
	source  string
	matches func(string) bool
}

// NewPattern returns the pattern that the model writes as source and that expr says in Go's dialect, or widens. The expression is
// compiled when it is first used, which for most patterns is never; a broken one would panic then, so apigen compiles
// every expression before it writes it.
func NewPattern(source, expr string) *Pattern {
	compile := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A(?:` + expr + `)\z`) })
	return &Pattern{source: source, matches: func(s string) bool { return compile().MatchString(s) }}
}

// NewPatternFunc returns a pattern whose source Go's regular expressions cannot say (they have no look-ahead), so that a
// function does the matching.
func NewPatternFunc(source string, matches func(string) bool) *Pattern {
	return &Pattern{source: source, matches: matches}
}

// Matches reports whether the whole of s matches.
func (p *Pattern) Matches(s string) bool { return p.matches(s) }

// anchored is the pattern as the services print it: with the anchors of what it is matched against, the whole of a value,
// which many of the models leave out. A pattern of alternatives is printed as the model has it.
func (p *Pattern) anchored() string {
	source := p.source
	if hasAlternatives(source) {
		return source
	}
	if !strings.HasPrefix(source, "^") {
		source = "^" + source
	}
	if !strings.HasSuffix(source, "$") {
		source += "$"
	}
	return source
}

// hasAlternatives reports whether a regular expression has a | outside of all its groups and sets.
func hasAlternatives(source string) bool {
	depth, inSet := 0, false
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\':
			i++
		case inSet:
			inSet = c != ']'
		case c == '[':
			inSet = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return true
		}
	}
	return false
}
