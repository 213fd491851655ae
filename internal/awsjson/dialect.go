package awsjson

import (
	"bytes"
	"net/http"

	"carrel/internal/api"
)

// dialect is how a protocol writes replies. Both methods write the body into the buffer and headers of their own.
type dialect interface {
	// output writes the output of an operation, a pointer to a generated type.
	output(body *bytes.Buffer, header http.Header, reply reply) error
	// exception writes an exception and returns the HTTP status to send it with.
	exception(body *bytes.Buffer, header http.Header, reply reply) int
}

// reply is what there is to say.
type reply struct {
	operation string
	requestID string
	output    any
	exception *api.Exception
}

func dialectOf(service *api.Service) dialect {
	switch service.Protocol {
	case api.JSON11:
		return jsonDialect{service: service, contentType: contentTypeJSON11, typeInBody: true}
	case api.RESTJSON:
		return jsonDialect{service: service, contentType: "application/json"}
	case api.Query:
		return queryDialect{service: service}
	default:
		return nil
	}
}
