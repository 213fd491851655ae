package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds that keep a reply small whatever the request holds.
const (
	maxEcho     = 200 // code points of a value or a path that a message repeats
	maxMessages = 10  // violations that are spelled out; all are counted
)

// Checker collects the violations of an input. Generated code walks the input and calls it for every constraint of the
// model; it knows where in the input the walk is. Its zero value is ready to use, by one goroutine.
//
// The wording is the services' own: "Value 'x' at 'workspaces.1.member.userName' failed to satisfy constraint: Member
// must …". Paths start members in lower case and count list elements from 1.
type Checker struct {
	path     []string
	count    int
	messages []string
	missing  string                 // the path of the first required member that is absent
	excused  func(path string) bool // reports whether a text may be any; nil: none may
}

// Exception returns a ValidationException that lists the violations, nil when there are none.
func (c *Checker) Exception() *Exception {
	if c.count == 0 {
		return nil
	}
	noun := "errors"
	if c.count == 1 {
		noun = "error"
	}
	return &Exception{
		Name:    ValidationException,
		Message: fmt.Sprintf("%d validation %s detected: %s", c.count, noun, strings.Join(c.messages, "; ")),
		Status:  http.StatusBadRequest,
	}
}

// Enter goes down into a member that is a structure; Leave comes back.
func (c *Checker) Enter(member string) { c.path = append(c.path, member) }

// EnterItem goes down into the element of a list member at index (from 0); Leave comes back.
func (c *Checker) EnterItem(member string, index int) {
	c.path = append(c.path, member+"."+strconv.Itoa(index+1)+".member")
}

// EnterValue goes down into the value of a map member under key; Leave comes back.
func (c *Checker) EnterValue(member, key string) {
	c.path = append(c.path, member+"."+Clip(key)+".member")
}

// Leave undoes the last Enter, EnterItem or EnterValue.
func (c *Checker) Leave() { c.path = c.path[:len(c.path)-1] }

// Required notes a violation when a required member is absent.
func (c *Checker) Required(member string, value Presence) {
	if !value {
		if c.missing == "" {
			c.missing = strings.Join(append(slices.Clone(c.path), member), ".")
		}
		c.add(func() string { return "Value null at " + c.at(member) + failed + "Member must not be null" })
	}
}

// Presence tells whether a member was sent.
type Presence bool

// String checks a string member; an absent one (nil) passes.
func (c *Checker) String(member string, value *string, rule *StringRule) {
	if value != nil {
		c.text(member, *value, rule)
	}
}

// Strings checks each element of a list of strings.
func (c *Checker) Strings(member string, values []string, rule *StringRule) {
	for i, value := range values {
		if !rule.satisfied(value) {
			c.text(member+"."+strconv.Itoa(i+1)+".member", value, rule)
		}
	}
}

// Value checks the value of a map of strings under key.
func (c *Checker) Value(member, key, value string, rule *StringRule) {
	if !rule.satisfied(value) {
		c.text(member+"."+Clip(key)+".member", value, rule)
	}
}

// Key checks a key of a map.
func (c *Checker) Key(member, key string, rule *StringRule) {
	rule.violations(key, func(constraint string) {
		c.add(func() string {
			return "Value '" + rule.echo(key) + "' at " + c.at(member) + failed +
				"Map keys must satisfy constraint: [" + constraint + "]"
		})
	})
}

func (c *Checker) text(member, value string, rule *StringRule) {
	if c.excused != nil && c.excused(strings.Join(append(slices.Clone(c.path), member), ".")) {
		return
	}
	rule.violations(value, func(constraint string) {
		c.add(func() string {
			if rule.Sensitive {
				return "Value at " + c.at(member) + failed + constraint
			}
			return "Value '" + rule.echo(value) + "' at " + c.at(member) + failed + constraint
		})
	})
}

// Int checks the range of a number; an absent one (nil) passes.
func (c *Checker) Int(member string, value *int32, rule IntRule) {
	switch {
	case value == nil:
	case int64(*value) < rule.Min:
		c.number(member, *value, "greater", rule.Min)
	case int64(*value) > rule.Max:
		c.number(member, *value, "less", rule.Max)
	}
}

func (c *Checker) number(member string, value int32, relation string, bound int64) {
	c.add(func() string {
		return fmt.Sprintf("Value '%d' at %s%sMember must have value %s than or equal to %d",
			value, c.at(member), failed, relation, bound)
	})
}

// Size checks the number of elements of a list, entries of a map or bytes of a blob, and reports whether it is in range;
// the elements of a list that is too long are not looked at. Callers do not check the size of absent members.
func (c *Checker) Size(member string, size int, rule SizeRule) bool {
	switch {
	case size < rule.Min:
		c.length(member, size, "greater", rule.Min)
		return false
	case size > rule.Max:
		c.length(member, size, "less", rule.Max)
		return false
	}
	return true
}

func (c *Checker) length(member string, size int, relation string, bound int) {
	shown := "[…]"
	if size == 0 {
		shown = "[]"
	}
	c.add(func() string {
		return fmt.Sprintf("Value '%s' at %s%sMember must have length %s than or equal to %d",
			shown, c.at(member), failed, relation, bound)
	})
}

// ExactlyOne checks the union that the walk is in: one of its members must be set, and no more.
func (c *Checker) ExactlyOne(members ...Presence) {
	set := 0
	for _, present := range members {
		if present {
			set++
		}
	}
	if set != 1 {
		c.add(func() string {
			return "Value at '" + strings.Join(c.path, ".") + "'" + failed + "Member must have exactly one member set"
		})
	}
}

const failed = " failed to satisfy constraint: "

// add counts a violation; the text is made only while there is room for it.
func (c *Checker) add(message func() string) {
	c.count++
	if len(c.messages) < maxMessages {
		c.messages = append(c.messages, message())
	}
}

func (c *Checker) at(member string) string {
	if len(c.path) == 0 {
		return "'" + member + "'"
	}
	return "'" + strings.Join(c.path, ".") + "." + member + "'"
}

// Clip cuts what a message repeats of a request to 200 code points and marks the cut.
func Clip(s string) string {
	if len(s) <= maxEcho || utf8.RuneCountInString(s) <= maxEcho {
		return s
	}
	limit := maxEcho
	for i := range s {
		if limit == 0 {
			return s[:i] + "…"
		}
		limit--
	}
	return s
}
