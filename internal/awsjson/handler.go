package awsjson

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"carrel/internal/api"
)

// Handler answers the requests of all services. It is safe for concurrent use.
type Handler struct {
	authenticator Authenticator
	now           func() time.Time
	logger        *slog.Logger
	observe       func(Exchange)
	unknown       http.Handler
	secure        func(*http.Request) bool
	routes        routes
}

// ServeHTTP implements http.Handler: route, authenticate, decode, invoke, reply, and one line in the log.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.unknown != nil && h.routes.foreign(r) {
		h.unknown.ServeHTTP(w, r)
		return
	}
	x := h.begin()
	body, release, exception := readBody(w, r)
	defer release()
	if exception != nil {
		x.err = exception
		h.finish(w, r, x)
		return
	}
	found, ours := h.routes.find(r, body)
	if !ours && h.unknown != nil {
		h.unknown.ServeHTTP(w, withBody(r, bytes.Clone(body))) // a copy: a proxy may read on after it returns
		return
	}
	if !ours {
		x.endpoint.dialect = foreignDialect(r)
		x.err = h.routes.refuseForeign(r)
		h.finish(w, r, x)
		return
	}
	x.endpoint = found.endpoint
	x.Service = found.service.Name
	if found.handlers[found.operation] != nil { // what does not exist stays out of logs and metrics
		x.Operation = found.operation
	}
	if h.unknown != nil && found.passOn && found.handlers[found.operation] == nil {
		h.unknown.ServeHTTP(w, withBody(r, bytes.Clone(body)))
		return
	}
	x.output, x.err = h.answer(r, body, x)
	if h.unknown != nil && errors.Is(x.err, api.ErrElsewhere) {
		h.unknown.ServeHTTP(w, withBody(r, bytes.Clone(body)))
		return
	}
	h.finish(w, r, x)
}

// Signed returns a handler that passes on to next what is signed for the service, with the api.Caller in its context, and
// refuses the rest as an AWS JSON service does. It is for signed endpoints that are no operations of a service; their
// bodies are bounded by MaxBody too.
func (h *Handler) Signed(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := h.begin()
		body, release, exception := readBody(w, r)
		defer release()
		if exception != nil {
			x.err = exception
		} else {
			x.Caller, x.err = h.authenticator.Authenticate(r, body, service)
		}
		if x.err != nil {
			h.finish(w, r, x)
			return
		}
		x.Caller.RequestID = x.RequestID
		w.Header().Set(requestIDHeader, x.RequestID)
		next.ServeHTTP(w, withBody(r, bytes.Clone(body)).WithContext(api.WithCaller(r.Context(), x.Caller)))
	})
}

// exchange is a request on its way through the handler.
type exchange struct {
	Exchange
	started  time.Time
	endpoint *endpoint
	output   any
	err      error
	stack    []byte // of a panic
}

// begin starts an exchange that belongs to no service yet; it is refused as AWS JSON 1.1.
func (h *Handler) begin() *exchange {
	service := &api.Service{Protocol: api.JSON11, MessageMember: "message"}
	return &exchange{
		Exchange: Exchange{RequestID: uuid.NewString()},
		started:  h.now(),
		endpoint: &endpoint{service: service, protocol: service.Protocol, dialect: dialectOf(service, service.Protocol)},
	}
}

// finish answers the client and records the exchange.
func (h *Handler) finish(w http.ResponseWriter, r *http.Request, x *exchange) {
	h.reply(w, r, x)
	x.Duration = h.now().Sub(x.started)
	h.record(r.Context(), x)
}

// endpointOf is the address that a request was sent to.
func (h *Handler) endpointOf(r *http.Request) string {
	secure := r.TLS != nil
	if h.secure != nil {
		secure = h.secure(r)
	}
	if secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// answer runs the operation. It returns the operation's output, or an error that reply turns into an exception; a panic
// becomes an error.
func (h *Handler) answer(r *http.Request, body []byte, x *exchange) (output any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			x.stack = debug.Stack()
			output, err = nil, fmt.Errorf("panic: %v", cause)
		}
	}()
	caller, err := h.authenticator.Authenticate(r, body, x.Service)
	if err != nil {
		return nil, err
	}
	caller.RequestID, caller.Endpoint = x.RequestID, h.endpointOf(r)
	x.Caller = caller
	handler, ok := x.endpoint.handlers[x.Operation]
	if !ok {
		return nil, refuse(unknownOperation, "This endpoint does not answer the requested operation.")
	}
	payload, err := x.endpoint.payload(r, body)
	if err != nil {
		return nil, err
	}
	input, err := handler.Decode(payload)
	if err != nil {
		return nil, err
	}
	return handler.Invoke(api.WithCaller(r.Context(), x.Caller), input)
}

// payload is what a request's input is made from.
func (e *endpoint) payload(r *http.Request, body []byte) (payload api.Payload, err error) {
	switch e.protocol {
	case api.RESTJSON:
		return api.Payload{Body: body, Query: r.URL.Query()}, nil
	case api.Query:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return payload, refuse(api.SerializationException, "The request is no form.")
		}
		return api.Payload{Form: form}, nil
	case api.RPCCBOR:
		body, err = jsonOf(body)
		return api.Payload{Body: body}, err
	default:
		return api.Payload{Body: body}, nil
	}
}

// reply writes the outcome of an exchange and notes the status and the exception in it.
func (*Handler) reply(w http.ResponseWriter, r *http.Request, x *exchange) {
	buffer := newBuffer()
	defer freeBuffer(buffer)
	said := reply{operation: x.Operation, requestID: x.RequestID, output: x.output}
	x.Status = http.StatusOK
	if x.err == nil {
		if err := x.endpoint.dialect.output(buffer, w.Header(), said); err != nil {
			x.err = fmt.Errorf("encode: %w", err)
			buffer.Reset()
		}
	}
	if x.err != nil {
		said.exception = x.endpoint.complete(visible(x.err, x.RequestID))
		x.Exception = said.exception.Name
		x.Status = x.endpoint.dialect.exception(buffer, w.Header(), said)
	}
	w.Header().Set(requestIDHeader, x.RequestID)
	w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.WriteHeader(x.Status)
	writeWhole(w, r, buffer.Bytes())
}

const requestIDHeader = "X-Amzn-Requestid"

// visible is what the client sees of an error: an exception as it is, anything else as a request id.
func visible(err error, requestID string) *api.Exception {
	if exception, ok := errors.AsType[*api.Exception](err); ok {
		return exception
	}
	return &api.Exception{
		Name:    api.InternalServerException,
		Message: "The request failed for a reason inside of the service. Its request id is " + requestID + ".",
		Status:  http.StatusInternalServerError,
	}
}

// complete gives an exception without a status that of its model.
func (e *endpoint) complete(exception *api.Exception) *api.Exception {
	if exception.Status != 0 {
		return exception
	}
	completed := *exception
	shape, _ := e.service.Exception(exception.Name)
	completed.Status = shape.Status
	return &completed
}

func withBody(r *http.Request, body []byte) *http.Request {
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// record writes the line in the log and tells the observer.
func (h *Handler) record(ctx context.Context, x *exchange) {
	if h.observe != nil {
		h.observe(x.Exchange)
	}
	level := slog.LevelDebug
	_, said := errors.AsType[*api.Exception](x.err)
	switch {
	case x.Status >= http.StatusInternalServerError && !said && ctx.Err() == nil: // else the client went away
		level = slog.LevelError
	case x.err != nil:
		level = slog.LevelInfo
	}
	if !h.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("service", x.Service), slog.String("operation", x.Operation),
		slog.String("account", x.Caller.Account), slog.String("region", x.Caller.Region),
		slog.Int("status", x.Status), slog.Duration("duration", x.Duration), slog.String("request_id", x.RequestID),
	}
	if x.Exception != "" {
		attrs = append(attrs, slog.String("exception", x.Exception))
	}
	if x.Status >= http.StatusInternalServerError {
		attrs = append(attrs, slog.Any("error", x.err))
	}
	if x.stack != nil {
		attrs = append(attrs, slog.String("stack", string(x.stack)))
	}
	h.logger.LogAttrs(ctx, level, "request", attrs...)
}

// Exchange is what can be said of a request when its reply is complete.
type Exchange struct {
	// Service and Operation say what was asked for; empty where that does not exist.
	Service, Operation string
	// Caller is who asked; zero when the request was not authenticated.
	Caller api.Caller
	// Status is the HTTP status of the reply and Exception the name of the exception in it, if any.
	Status    int
	Exception string
	// Duration is the time from reading the request to having written the reply.
	Duration time.Duration
	// RequestID is the id in the reply's x-amzn-RequestId header.
	RequestID string
}
