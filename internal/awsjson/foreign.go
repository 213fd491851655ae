package awsjson

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"carrel/internal/api"
)

// foreign reports whether a request is certainly for a service that is not ours, from its headers alone: such a request
// is passed on unread, whatever its size.
func (t *routes) foreign(r *http.Request) bool {
	prefix, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	_, path := t.byPath[r.Method+" "+r.URL.Path]
	service := ServiceOf(r)
	return service != "" && t.byName[service] == nil && t.byTarget[prefix] == nil && !path
}

// ServiceOf returns the service that a request was signed for, in whatever way, and else the one that its target names;
// "" where it names none.
func ServiceOf(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if credential == "" {
		credential = r.URL.Query().Get("X-Amz-Credential") // presigned
	}
	credential, _, _ = strings.Cut(credential, ",")
	// KEY/DATE/REGION/SERVICE/aws4_request, without the region in signatures for several.
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if n := len(parts); n >= 4 && parts[n-1] == "aws4_request" {
		return parts[n-2]
	}
	target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	service, _, _ := strings.Cut(target, "_")
	return service
}

// refuseForeign is what a request is answered that is for none of our services.
func (t *routes) refuseForeign(r *http.Request) *api.Exception {
	switch service := ServiceOf(r); {
	case service != "" && t.byName[service] == nil:
		exception := refuse(unknownOperation, fmt.Sprintf(
			"This endpoint does not answer the service %s. Started with --forward URL, it passes such requests on to an endpoint that does.", printable(service)))
		exception.Status = http.StatusNotFound
		return exception
	default:
		return refuse(unknownOperation, "This endpoint does not answer the requested operation.")
	}
}

// printable keeps what a stranger wrote short and free of control characters.
func printable(s string) string {
	return strings.Trim(strconv.QuoteToASCII(s[:min(len(s), 64)]), `"`)
}

// Refuse answers a request that reached no service of ours with an exception, in the protocol that the request seems to
// be in, so that its client can read the reply.
func Refuse(w http.ResponseWriter, r *http.Request, exception *api.Exception) {
	var body bytes.Buffer
	id := uuid.NewString()
	status := foreignDialect(r).exception(&body, w.Header(), reply{requestID: id, exception: exception})
	w.Header().Set(requestIDHeader, id)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // fails when the client is gone, and then there is no one to tell
}

// foreignDialect is how the service that a request is for writes its errors, as far as can be told.
func foreignDialect(r *http.Request) dialect {
	service := &api.Service{Protocol: api.JSON11, MessageMember: "message"}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := err == nil && kind == "application/x-www-form-urlencoded"
	switch name := ServiceOf(r); {
	case name == "ec2":
		return xmlDialect{root: "Response>Errors>Error"}
	case name == "s3" || name == "s3express":
		return xmlDialect{root: "Error"}
	case form || name == "route53" || name == "cloudfront":
		return queryDialect{service: service}
	default:
		return errorTyped{jsonDialect{service: service, contentType: contentTypeJSON11, typeInBody: true}}
	}
}

// errorTyped also names the exception in a header, where REST-JSON has it.
type errorTyped struct{ jsonDialect }

func (d errorTyped) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	header.Set(errorTypeHeader, reply.exception.Name)
	return d.jsonDialect.exception(body, header, reply)
}

// xmlDialect writes the errors of services that have an XML of their own.
type xmlDialect struct{ root string }

func (xmlDialect) output(*bytes.Buffer, http.Header, reply) error {
	return fmt.Errorf("awsjson: these services have no operations here")
}

func (d xmlDialect) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	header.Set("Content-Type", "text/xml")
	code, status := queryCode(new(api.Service), reply.exception)
	if d.root == "Error" && status == http.StatusNotFound {
		// To a client of S3 a plain 404 would say that the bucket or the object does not exist.
		code, status = "NotImplemented", http.StatusNotImplemented
	}
	elements := strings.Split(d.root, ">")
	for _, e := range elements {
		body.WriteString("<" + e + ">")
	}
	body.WriteString("<Code>" + code + "</Code><Message>")
	_ = xml.EscapeText(body, []byte(reply.exception.Message)) // a bytes.Buffer takes every write
	body.WriteString("</Message>")
	for i, e := range slices.Backward(elements) {
		if i == 0 {
			body.WriteString("<RequestId>" + reply.requestID + "</RequestId>")
		}
		body.WriteString("</" + e + ">")
	}
	return status
}
