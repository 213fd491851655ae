package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Info is what the model says about an operation, without its Go types.
type Info struct {
	// Service is the SigV4 name of the service, such as "workspaces".
	Service string
	// Name is the operation's name in the model, such as "CreateWorkspaces".
	Name string
	// Method and Path are where the operation is called: always POST and / except for REST-JSON services.
	Method, Path string
	// Exceptions are the names of the exceptions that the operation declares. A service also answers with some that
	// no operation declares, such as ValidationException and AccessDeniedException.
	Exceptions []string
}

// Spec returns the operation's description itself; it makes everything that embeds an Info an AnyOperation in part.
func (i Info) Spec() Info { return i }

// IsRead reports whether the operation only tells what is there: its name begins with what such operations begin with.
func (i Info) IsRead() bool {
	return slices.ContainsFunc([]string{"Describe", "List", "Get", "Search"}, func(verb string) bool { return strings.HasPrefix(i.Name, verb) })
}

// Declares reports whether the model lists the exception for this operation.
func (i Info) Declares(exception string) bool { return slices.Contains(i.Exceptions, exception) }

// Operation is one operation of a service with the Go types of its input and output. The generated packages hold one
// value of it per operation; Bind ties it to code.
type Operation[I, O any] struct {
	Info
	// Check notes every constraint of the model that the input violates; nil where the model has none.
	Check func(*I, *Checker)
	// Missing is the exception for a required member that is absent; nil where that breaks the model like anything else.
	Missing *ExceptionShape
	// Query copies members that travel in the URL's query into the input; nil where there are none.
	Query func(*I, url.Values)
}

// Unmodelled is the input and output of an operation that is known by name only. It decodes any JSON object.
type Unmodelled struct{}

// AnyOperation is an Operation without its type parameters, for tables and loops over all operations of a service.
type AnyOperation interface {
	// Spec returns what the model says about the operation.
	Spec() Info
	// Refuse returns a handler that decodes and checks the input like any other and then answers with the exception,
	// so that a client's mistakes are reported the same way before and after the operation has code. The exception must
	// not be nil.
	Refuse(exception *Exception) Handler
}

// Payload is the part of a request that an operation's input is made from.
type Payload struct {
	// Body is one JSON object; empty counts as {}.
	Body []byte
	// Query holds the URL's query for REST-JSON services.
	Query url.Values
	// Form holds the parameters of the Query protocol, in the place of a body; nil in all others.
	Form url.Values
	// Judge, if set, is asked about the input before the model's constraints are.
	Judge Judge
}

// Judge looks at an input for clients that expect other constraints and other words than the model's. It refuses the input,
// or says at which texts the model's constraints do not count, by their path in a message; nil: they count at all.
type Judge func(input any) (excused func(path string) bool, refusal *Exception)

// Handler is an operation bound to code, without its types: what the wire calls. Middleware wraps it by embedding.
// A Handler is safe for concurrent use.
type Handler interface {
	// Spec returns what the model says about the operation.
	Spec() Info
	// Decode makes the operation's input (a pointer to its input type) and checks it against the model. Its errors are
	// *Exception: SerializationException for what cannot be read, ValidationException for what breaks a constraint.
	Decode(payload Payload) (input any, err error)
	// Invoke runs the operation on an input that Decode returned; the output is a pointer to the output type. An error
	// that is no *Exception is a fault of ours and is not shown to the client.
	Invoke(ctx context.Context, input any) (output any, err error)
}

// Middleware wraps a handler with work that concerns many operations, such as metrics.
type Middleware func(Handler) Handler

// Bind ties an operation to the function that carries it out. A nil output without an error answers an empty object.
func Bind[I, O any](op Operation[I, O], fn func(context.Context, *I) (*O, error)) Handler {
	return bound[I, O]{Operation: op, fn: fn}
}

// Refuse implements AnyOperation.
func (op Operation[I, O]) Refuse(exception *Exception) Handler {
	return Bind(op, func(context.Context, *I) (*O, error) { return nil, exception })
}

type bound[I, O any] struct {
	Operation[I, O]
	fn func(context.Context, *I) (*O, error)
}

func (b bound[I, O]) Decode(payload Payload) (any, error) {
	input := new(I)
	if payload.Form != nil {
		if err := decodeForm(payload.Form, input); err != nil {
			return nil, err
		}
	} else if err := decodeObject(payload.Body, input); err != nil {
		return nil, err
	}
	if b.Query != nil {
		b.Query(input, payload.Query)
	}
	var checker Checker
	if payload.Judge != nil {
		excused, refusal := payload.Judge(input)
		if refusal != nil {
			return nil, refusal
		}
		checker.excused = excused
	}
	if b.Check == nil {
		return input, nil
	}
	b.Check(input, &checker)
	if checker.missing != "" && b.Missing != nil {
		return nil, b.Missing.New("The parameter " + Clip(strings.ToUpper(checker.missing[:1])+checker.missing[1:]) + " is required.")
	}
	if exception := checker.Exception(); exception != nil {
		return nil, exception
	}
	return input, nil
}

func (b bound[I, O]) Invoke(ctx context.Context, input any) (any, error) {
	typed, ok := input.(*I)
	if !ok {
		return nil, fmt.Errorf("api: %s was given a %T, not a %T", b.Name, input, typed)
	}
	output, err := b.fn(ctx, typed)
	if err != nil {
		return nil, err
	}
	if output == nil {
		output = new(O)
	}
	return output, nil
}

// QueryString returns the first value of a query parameter, nil where the request has none. Generated code calls it.
func QueryString(query url.Values, name string) *string {
	values, ok := query[name]
	if !ok || len(values) == 0 {
		return nil
	}
	return &values[0]
}
