package awsjson

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"carrel/internal/api"
)

const (
	contentTypeJSON10 = "application/x-amz-json-1.0"
	contentTypeJSON11 = "application/x-amz-json-1.1"
)

// errorTypeHeader names the exception where the body does not; SDKs read both.
const errorTypeHeader = "X-Amzn-Errortype"

// jsonDialect writes AWS JSON 1.0 and 1.1, and REST-JSON, which differ in their content type and in where an exception is named.
type jsonDialect struct {
	service     *api.Service
	contentType string
	typeInBody  bool
}

func (d jsonDialect) output(body *bytes.Buffer, header http.Header, reply reply) error {
	header.Set("Content-Type", d.contentType)
	if encoded, ok := reply.output.(api.Encoded); ok {
		body.Write(encoded)
		return nil
	}
	return api.EncodeTo(body, reply.output)
}

func (d jsonDialect) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	header.Set("Content-Type", d.contentType)
	exception := reply.exception
	shape, _ := d.service.Exception(exception.Name)
	members := make([]member, 0, 2+len(exception.Members))
	if d.typeInBody {
		members = append(members, member{"__type", exception.Name})
	} else {
		header.Set(errorTypeHeader, exception.Name)
	}
	if exception.Message != "" {
		members = append(members, member{d.service.MessageOf(exception.Name), exception.Message})
	}
	for _, name := range slices.Sorted(maps.Keys(exception.Members)) {
		if h := shape.Header(name); h != "" {
			header.Set(h, fmt.Sprint(exception.Members[name]))
			continue
		}
		members = append(members, member{name, exception.Members[name]})
	}
	writeObject(body, members)
	return exception.HTTPStatus()
}

type member struct {
	name  string
	value any
}

// writeObject writes members in the order given. A value that JSON cannot hold is left out: an exception has to arrive.
func writeObject(body *bytes.Buffer, members []member) {
	body.WriteByte('{')
	first := true
	for _, m := range members {
		name, nameErr := json.Marshal(m.name, jsontext.AllowInvalidUTF8(true))
		value, valueErr := json.Marshal(m.value, jsontext.AllowInvalidUTF8(true))
		if nameErr != nil || valueErr != nil {
			continue
		}
		if !first {
			body.WriteByte(',')
		}
		first = false
		body.Write(name)
		body.WriteByte(':')
		body.Write(value)
	}
	body.WriteByte('}')
}
