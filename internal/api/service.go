package api

// Protocol is the way a service puts its operations on HTTP.
type Protocol string

const (
	// JSON11 is AWS JSON 1.1: POST / with the operation in X-Amz-Target.
	JSON11 Protocol = "json-1.1"
	// JSON10 is AWS JSON 1.0, which differs in its content type only.
	JSON10 Protocol = "json-1.0"
	// RESTJSON is AWS REST-JSON: each operation has a method and path of its own.
	RESTJSON Protocol = "rest-json"
	// Query is AWS Query: a form with Action and Version, answered in XML.
	Query Protocol = "query"
	// RPCCBOR is Smithy's RPC v2 with CBOR: POST /service/SERVICE/operation/OPERATION.
	RPCCBOR Protocol = "rpc-v2-cbor"
)

// Service describes a service as its model does. Generated packages hold one each, named Service.
type Service struct {
	// Name is the service's name in a SigV4 credential scope.
	Name string
	// Protocol is how its requests arrive.
	Protocol Protocol
	// Also is how else they may, where the service speaks more than one. A service that speaks Query among others has
	// two names for an exception, and tells both: see ExceptionShape.Code.
	Also []Protocol
	// TargetPrefix stands before the operation's name in X-Amz-Target (JSON10 and JSON11), and is the service in the path
	// (RPCCBOR).
	TargetPrefix string
	// Version is the API version, a date; Query requests carry it.
	Version string
	// Namespace is the XML namespace of replies (Query only).
	Namespace string
	// MessageMember is the JSON name of an exception's text: "message" or "Message".
	MessageMember string
	// Operations are all operations of the model, in its order, including those known by name only.
	Operations []AnyOperation
	// Exceptions are all exceptions that the typed operations declare, by name.
	Exceptions []ExceptionShape
}

// Operation returns the operation of that name.
func (s *Service) Operation(name string) (AnyOperation, bool) {
	for _, op := range s.Operations {
		if op.Spec().Name == name {
			return op, true
		}
	}
	return nil, false
}

// Exception returns the shape of the exception of that name.
func (s *Service) Exception(name string) (ExceptionShape, bool) {
	for _, shape := range s.Exceptions {
		if shape.Name == name {
			return shape, true
		}
	}
	return ExceptionShape{}, false
}
