package api

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep a request may nest. The deepest input of the models nests 7 levels; 64 leaves room for members
// that a newer client sends and fits the one word that scan keeps its stack in.
const maxDepth = 64

// decodeObject reads one JSON object into a generated input type. Member names are case-sensitive, unknown members are
// ignored (a newer client may send them), null is the same as absent, and everything doubtful is refused: duplicate names,
// invalid UTF-8, a null inside a list, deep nesting, anything after the object.
func decodeObject(body []byte, into any) error {
	if len(body) == 0 {
		return nil
	}
	if err := scan(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unreadable(err)
	}
	return nil
}

// scan refuses what json.Unmarshal would accept: a top level that is no object, nesting beyond maxDepth, and null as an
// element of a list, which would become an empty value that nobody sent. It trusts nothing about the syntax and leaves
// judging it to json.Unmarshal.
func scan(body []byte) error {
	var depth int
	var lists uint64 // bit n is set when the value open at depth n is a list
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '}', ']':
			depth = max(depth-1, 0)
			continue
		}
		if depth == 0 && c != '{' {
			return serializationException("The request must be a JSON object.")
		}
		switch c {
		case '"':
			i = skipString(body, i)
		case '{', '[':
			if depth == maxDepth {
				return serializationException(fmt.Sprintf("The request nests deeper than %d levels.", maxDepth))
			}
			lists &^= 1 << depth
			if c == '[' {
				lists |= 1 << depth
			}
			depth++
		case 'n':
			if lists&(1<<(depth-1)) != 0 {
				return serializationException("A list must not contain null.")
			}
		}
	}
	return nil
}

// skipString returns the index of the quote that ends the string that starts at i, or the last index when none does.
func skipString(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(body) - 1
}

// unreadable explains why a body could not be decoded, in words that hold no value of the request: it may be a secret.
func unreadable(err error) *Exception {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return serializationException(fmt.Sprintf("The value at %s cannot be read from a JSON %s.",
			Clip(string(semantic.JSONPointer)), kindName(semantic.JSONKind)))
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return serializationException(fmt.Sprintf("The member at %s is given twice.",
				Clip(string(syntax.JSONPointer))))
		}
		return serializationException(fmt.Sprintf("The request is no valid JSON (at byte %d).", syntax.ByteOffset))
	}
	return serializationException("The request is no valid JSON.")
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '0':
		return "number"
	case '{':
		return "object"
	case '[':
		return "list"
	default:
		return "value"
	}
}
