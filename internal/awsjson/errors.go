package awsjson

import (
	"net/http"

	"carrel/internal/api"
)

// Exceptions of the wire itself. No model names them; every AWS service answers with them. JSON services use status 400
// for all, and SDKs look at the name.
const (
	missingToken        = "MissingAuthenticationTokenException"
	incompleteSignature = "IncompleteSignatureException"
	invalidSignature    = "InvalidSignatureException"
	unrecognizedClient  = "UnrecognizedClientException"
	unknownOperation    = "UnknownOperationException"
)

func refuse(name, message string) *api.Exception {
	return &api.Exception{Name: name, Message: message, Status: http.StatusBadRequest}
}
