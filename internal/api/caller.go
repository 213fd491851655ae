package api

import "context"

// Caller is who sent a request and where to: the partition that everything an operation touches belongs to.
type Caller struct {
	// Account is the 12-digit account of the access key.
	Account string
	// Region is the region of the credential scope.
	Region string
	// AccessKeyID is the key that the request was signed with.
	AccessKeyID string
	// UserARN and UserID name the user behind the key, as sts GetCallerIdentity reports them.
	UserARN, UserID string
	// Endpoint is the address that the request was sent to, such as https://desks.example.com: where addresses in a reply
	// begin. It has no path.
	Endpoint string
	// RequestID is the id that the reply carries in x-amzn-RequestId.
	RequestID string
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerFrom returns the caller that WithCaller put into the context, or the zero Caller outside of a request.
func CallerFrom(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller) // the zero Caller is the documented answer
	return caller
}
