// Package plainjson reads JSON that people write by hand, and says in words that they know what is
// wrong with it: their members and their values, and nothing of Go. It imports the standard library only.
package plainjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Valued is a type that says what its values look like, in words that "is" can stand before: a colour such
// as "red".
type Valued interface{ Values() string }

// Members returns the members of a JSON object. Errors say what the text is instead.
func Members(text []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := decode(text, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, fmt.Errorf("it is %s", brief(text))
	}
	return members, nil
}

// List returns the elements of a JSON list.
func List(text []byte) (elements []json.RawMessage, err error) {
	return elements, decode(text, &elements)
}

// Object reads a JSON object into the struct that into points to, by the names in its tags. Errors name the member
// that is wrong, and what it takes.
func Object(text []byte, into any) error {
	members, err := Members(text)
	if err != nil {
		return err
	}
	fields := make(map[string]reflect.Value)
	collect(reflect.ValueOf(into).Elem(), fields)
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	for name := range members {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no member %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	for _, name := range known {
		if raw, given := members[name]; given && json.Unmarshal(raw, fields[name].Addr().Interface()) != nil {
			return fmt.Errorf("%s is %s, not %s", name, values(fields[name].Type()), brief(raw))
		}
	}
	return nil
}

// collect finds the members of a struct.
func collect(v reflect.Value, fields map[string]reflect.Value) {
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = value
	}
}

// decode reads one JSON value.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	broken, isBroken := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("there is nothing")
	case errors.Is(err, io.ErrUnexpectedEOF), isBroken && broken.Offset >= int64(len(text)):
		return errors.New("it ends too soon")
	case isBroken:
		return fmt.Errorf("it is no JSON from its character %d on: %s", broken.Offset, brief(text[broken.Offset-1:]))
	default:
		return fmt.Errorf("it is %s", brief(text))
	}
}

// values says what values a member of a type takes.
func values(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if valued, is := reflect.TypeAssert[Valued](reflect.Zero(t)); is {
		return valued.Values()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return `a time such as "2026-03-01T12:00:00Z"`
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a text in quotes"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "a whole number from 0 on"
	default:
		return "a whole number"
	}
}

// longest is how much is shown of what somebody wrote, in bytes.
const longest = 40

// brief is what somebody wrote, or its beginning.
func brief(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) <= longest {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:longest]), "") + "…"
}
