// Package awsjson is the wire: it takes an HTTP request, checks its SigV4 signature, finds the operation, has the input
// decoded and checked, calls the operation and writes the reply or the exception in the service's protocol (AWS JSON 1.0
// and 1.1, REST-JSON, AWS Query, or Smithy's RPC with CBOR; a service may speak several).
//
// It knows services only as api.Service values and operations only as api.Handler; it imports package api, the AWS SDK's
// request signer, a JSON, a CBOR and a UUID library, and nothing else of Carrel.
//
// No request may cause a panic, a hang or a status of 500 and above: bodies are bounded, whatever cannot be understood has
// an exception of its own, and a panic in operation code is caught, logged and answered. How long a client may take to send
// a body is up to the http.Server's ReadTimeout.
//
// Start reading at Handler.ServeHTTP; sigv4.go holds the verification of signatures.
package awsjson
