package api

import (
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encoded is an output that is JSON already, as EncodeTo writes it: a handler may return it
// in place of its output type, where the wire speaks JSON.
type Encoded []byte

// EncodeTo writes an output as JSON. Text that came in through a URL may hold bytes that are
// no UTF-8; they go out as U+FFFD rather than as a failure.
func EncodeTo(w io.Writer, output any) error {
	return json.MarshalWrite(w, output, jsontext.AllowInvalidUTF8(true))
}
