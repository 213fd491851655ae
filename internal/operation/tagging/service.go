// Package tagging is the AWS Resource Groups Tagging API (tagging) over everything that Carrel
// keeps tags for, whichever service it belongs to: store.Taggables is the table of it. It is
// built like package operation, with which it shares Core and Bind. Reports and tag policies,
// the service's other half, are left to the wire, which refuses them.
package tagging

import (
	"carrel/internal/api"
	"carrel/internal/api/tagging"
	"carrel/internal/operation"
	"carrel/internal/workspaces"
)

// Service answers the operations of the tagging API.
type Service struct {
	core *operation.Core
}

// New returns the service.
func New(core *operation.Core) *Service { return &Service{core: core} }

// Handlers returns a handler for every operation that has types: routing's one table.
func (s *Service) Handlers() []api.Handler {
	t := exceptions()
	handlers := []api.Handler{
		operation.Bind(t, tagging.GetResources, s.GetResources),
		operation.Bind(t, tagging.GetTagKeys, s.GetTagKeys),
		operation.Bind(t, tagging.GetTagValues, s.GetTagValues),
		operation.Bind(t, tagging.TagResources, s.TagResources),
		operation.Bind(t, tagging.UntagResources, s.UntagResources),
	}
	for i, h := range handlers {
		handlers[i] = operation.Keepable(h)
	}
	return handlers
}

// exceptions is the service's table from the domain's codes.
func exceptions() operation.Exceptions {
	return operation.Exceptions{
		workspaces.CodeInvalidParameter: tagging.InvalidParameterException,
		workspaces.CodeLimitExceeded:    tagging.InvalidParameterException,
		workspaces.CodeInvalidNextToken: tagging.PaginationTokenExpiredException,
	}
}

// value is a member's value, the zero value where it is absent.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// unlessEmpty is a token as it is passed on: the service takes an empty one for none.
func unlessEmpty(token *string) *string {
	if value(token) == "" {
		return nil
	}
	return token
}

// orEmpty is a token as it is answered: empty on the last page.
func orEmpty(token *string) *string {
	if token == nil {
		return new("")
	}
	return token
}
