package awsjson

import (
	"bytes"
	"net/http"
	"slices"

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

// dialectOf is how a service writes in a protocol. One that speaks Query among others also names exceptions as Query does,
// which is what its clients know them by.
func dialectOf(service *api.Service, protocol api.Protocol) dialect {
	d := plainDialectOf(service, protocol)
	if d != nil && protocol != api.Query && slices.Contains(service.Also, api.Query) {
		return queryCompatible{dialect: d, service: service}
	}
	return d
}

func plainDialectOf(service *api.Service, protocol api.Protocol) dialect {
	switch protocol {
	case api.JSON10:
		return jsonDialect{service: service, contentType: contentTypeJSON10, typeInBody: true}
	case api.RPCCBOR:
		return cborDialect{service: service}
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

// queryCompatible adds the name that an exception has in the Query protocol, for clients that were written for that.
// Source: the trait aws.protocols#awsQueryCompatible.
type queryCompatible struct {
	dialect
	service *api.Service
}

func (d queryCompatible) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	code, blame, _ := queryError(d.service, reply.exception)
	header.Set("X-Amzn-Query-Error", code+";"+blame)
	return d.dialect.exception(body, header, reply)
}
