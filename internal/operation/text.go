package operation

import (
	"bytes"
	"slices"
	"strings"

	"carrel/internal/api"
)

// Keepable returns a handler that refuses text which not every database can keep.
func Keepable(h api.Handler) api.Handler { return keepable{h} }

// keepable refuses text that not every database can keep: the character U+0000. The model
// allows it in members that have no pattern; no name, tag or key of anybody's has it.
type keepable struct{ api.Handler }

// Decode decodes and checks the input.
func (k keepable) Decode(payload api.Payload) (any, error) {
	zero := hasZero(payload.Body)
	for _, values := range payload.Form {
		zero = zero || slices.ContainsFunc(values, func(v string) bool { return strings.ContainsRune(v, 0) })
	}
	if zero {
		return nil, &api.Exception{
			Name: api.ValidationException, Message: "1 validation error detected: A value holds the character U+0000, which none may have.",
		}
	}
	return k.Handler.Decode(payload)
}

// hasZero reports whether a string of the JSON text has the character U+0000. As a byte JSON
// does not allow it, so that it is there only as an escape, of which the backslash is not
// itself escaped.
func hasZero(text []byte) bool {
	escape := []byte(`\u0000`)
	for {
		i := bytes.Index(text, escape)
		if i < 0 {
			return false
		}
		before := len(text[:i]) - len(bytes.TrimRight(text[:i], `\`))
		if before%2 == 0 {
			return true
		}
		text = text[i+len(escape):]
	}
}
