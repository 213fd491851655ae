package api

import (
	"errors"
	"maps"
	"net/http"
	"strings"
)

// Names of the exceptions that every service answers with although no operation has to declare them.
const (
	// SerializationException says that a request could not be read: broken JSON, or a value of the wrong type.
	SerializationException = "SerializationException"
	// ValidationException says that a request breaks a constraint of the model.
	ValidationException = "ValidationException"
	// InternalServerException says that the service failed; its text names the request, never the cause.
	InternalServerException = "InternalServerException"
)

// ErrElsewhere says that a request is for somebody else than us. The wire passes it on, where it can.
var ErrElsewhere = errors.New("the request is for another endpoint")

// Exception is an error in the API's own terms: what a client sees. Operation code returns it from the one table that
// turns inner errors into exceptions; the wire writes it in the protocol of the service.
type Exception struct {
	// Name is the exception's name in the model, such as "ResourceNotFoundException".
	Name string
	// Message is the text for the client.
	Message string
	// Status is the HTTP status; 0 counts as 400.
	Status int
	// Members are further modelled members by their JSON name, such as ResourceId. Values must marshal to JSON.
	Members map[string]any
}

// Error implements error.
func (e *Exception) Error() string {
	if e.Message == "" {
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// HTTPStatus returns the status to answer with, 400 where none is set.
func (e *Exception) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// With returns a copy of the exception that carries one more member.
func (e *Exception) With(member string, value any) *Exception {
	changed := *e
	changed.Members = maps.Clone(e.Members)
	if changed.Members == nil {
		changed.Members = make(map[string]any, 1)
	}
	changed.Members[member] = value
	return &changed
}

// ExceptionShape is what the model says about an exception. Generated packages hold one value per exception.
type ExceptionShape struct {
	// Name is the exception's name.
	Name string
	// Code is the exception's name in the Query protocol where that is another, such as "InvalidParameterValue".
	Code string
	// Status is the HTTP status: the model's, else 500 for faults of the service and 400 for the rest.
	Status int
	// Members are the modelled members, the message's included. Some exceptions model none.
	Members []ExceptionMember
}

// ExceptionMember is one modelled member of an exception.
type ExceptionMember struct {
	// Name is the member's JSON name.
	Name string
	// Header is the HTTP header that carries the member instead of the body; empty for most.
	Header string
}

// New returns an exception of this shape with a text for the client.
func (s ExceptionShape) New(message string) *Exception {
	return &Exception{Name: s.Name, Message: message, Status: s.Status}
}

// Header returns the HTTP header that carries the member, or "" when it belongs into the body.
func (s ExceptionShape) Header(member string) string {
	for _, m := range s.Members {
		if m.Name == member {
			return m.Header
		}
	}
	return ""
}

// MessageOf returns the JSON name of the text of an exception of the service.
func (s *Service) MessageOf(exception string) string {
	shape, _ := s.Exception(exception)
	for _, m := range shape.Members {
		if strings.EqualFold(m.Name, s.MessageMember) {
			return m.Name
		}
	}
	return s.MessageMember
}

func serializationException(message string) *Exception {
	return &Exception{Name: SerializationException, Message: message, Status: http.StatusBadRequest}
}
