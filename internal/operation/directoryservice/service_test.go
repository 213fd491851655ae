package directoryservice_test

import (
	"slices"
	"testing"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation"
	ds "carrel/internal/operation/directoryservice"
	"carrel/internal/operation/directoryservice/dstest"
)

// TestEveryTypedOperationIsCarriedOut holds the service's table against the generated one.
func TestEveryTypedOperationIsCarriedOut(t *testing.T) {
	t.Parallel()
	handlers := ds.New(&operation.Core{}, nil).Handlers()
	for _, op := range dsapi.Service.Operations {
		_, untyped := op.(api.Operation[api.Unmodelled, api.Unmodelled])
		handled := slices.ContainsFunc(handlers, func(h api.Handler) bool { return h.Spec().Name == op.Spec().Name })
		if handled == untyped {
			t.Errorf("%s has types: %v, is carried out: %v", op.Spec().Name, !untyped, handled)
		}
	}
}

// TestExceptionsNameTheRequest: the model has the request's id as a member of each exception.
func TestExceptionsNameTheRequest(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	for _, h := range ds.New(s.Core, nil).Handlers() {
		if h.Spec().Name != "DeleteTrust" {
			continue
		}
		in, err := h.Decode(api.Payload{Body: []byte(`{"TrustId": "t-0123456789"}`)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Invoke(dstest.Context(t), in)
		exception, ok := err.(*api.Exception) //nolint:errorlint // it is returned as it is
		if !ok || exception.Name != "EntityDoesNotExistException" || exception.Members["RequestId"] != "request" {
			t.Errorf("%v", err)
		}
	}
}
