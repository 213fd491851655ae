// Package directorydata is AWS Directory Service Data (ds-data): the users of a directory.
// It is built like package operation, with which it shares Core and Bind: a file per
// resource, a method per operation. Start reading at Service.Handlers, the table.
//
// It differs from the service on purpose in three places, because there is no Windows machine
// beside an embedded directory to do by other means what the API does not:
//
//   - It works on Simple AD directories, where the service has it for Managed Microsoft AD
//     only, and their data access is Enabled from the start.
//   - A new user is enabled at once, without a password. The service makes users disabled
//     until Directory Service's ResetUserPassword gives them a password; here as there they
//     cannot sign in before that. But a WorkSpace is made only for an enabled user, and
//     whoever makes users and WorkSpaces by API would have to invent passwords first.
//   - It works on directories of WorkSpaces' own (wsd-…), for pools, whose users sign in by SAML there.
//
// Groups are not kept; the operations on them say so.
package directorydata

import (
	"context"
	"strings"

	"carrel/internal/api"
	"carrel/internal/api/dsdata"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Service answers the operations of Directory Service Data.
type Service struct{ core *operation.Core }

// New returns the service.
func New(core *operation.Core) *Service { return &Service{core: core} }

// Handlers returns a handler for every operation. Those that Carrel does not carry out check
// their input like the others and then refuse; the golden list of them in testdata may only
// shrink.
func (s *Service) Handlers() []api.Handler {
	handlers := s.bound()
	done := make(map[string]bool, len(handlers))
	for _, h := range handlers {
		done[h.Spec().Name] = true
	}
	for _, op := range dsdata.Service.Operations {
		if !done[op.Spec().Name] {
			handlers = append(handlers, op.Refuse(invalid(dsdata.ValidationExceptionReasonLdapUnsupportedOperation,
				"Carrel does not carry out %s: an embedded directory has users and no groups.", op.Spec().Name)))
		}
	}
	return handlers
}

// bound are the operations that Carrel carries out: routing's one table.
func (s *Service) bound() []api.Handler {
	t := exceptions()
	return []api.Handler{
		operation.Bind(t, dsdata.CreateUser, s.CreateUser),
		operation.Bind(t, dsdata.DeleteUser, s.DeleteUser),
		operation.Bind(t, dsdata.DescribeUser, s.DescribeUser),
		operation.Bind(t, dsdata.DisableUser, s.DisableUser),
		operation.Bind(t, dsdata.ListUsers, s.ListUsers),
		operation.Bind(t, dsdata.SearchUsers, s.SearchUsers),
		operation.Bind(t, dsdata.UpdateUser, s.UpdateUser),
	}
}

// open returns the caller's directory with the id if its users can be worked with.
func open(ctx context.Context, tx *store.Tx, id string) (*workspaces.Directory, error) {
	d, found, err := tx.DirectoryOfUsers(ctx, operation.Scope(ctx), id)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, denied(dsdata.AccessDeniedReasonDirectoryAuth, "The directory %s does not exist, or you have no access to it.", id)
	case !d.KeepsUsers():
		return nil, invalid(dsdata.ValidationExceptionReasonInvalidDirectoryType,
			"The directory %s is of the type %s, whose users are kept elsewhere.", id, d.Type)
	case d.Stage != workspaces.StageActive:
		return nil, unavailable(dsdata.DirectoryUnavailableReasonInvalidDirectoryState,
			"The directory %s is in the stage %s; it must be %s.", id, d.Stage, workspaces.StageActive)
	case d.DataAccess != workspaces.DataAccessEnabled:
		return nil, denied(dsdata.AccessDeniedReasonDataDisabled,
			"Data access of the directory %s is %s; EnableDirectoryDataAccess of Directory Service switches it on.", id, d.DataAccess)
	}
	return d, nil
}

// openRealm is open for requests that can name a realm: the directory's own, and no other.
func openRealm(ctx context.Context, tx *store.Tx, id string, realm *string) (*workspaces.Directory, error) {
	d, err := open(ctx, tx, id)
	if err == nil && realm != nil && !strings.EqualFold(strings.TrimSuffix(*realm, "."), d.Name) {
		err = invalid(dsdata.ValidationExceptionReasonInvalidRealm, "The realm of the directory %s is %s; it trusts no other.", id, d.Name)
	}
	return d, err
}

// findUser returns a user of the directory, or refuses with CodeUserNotFound.
func findUser(ctx context.Context, tx *store.Tx, d *workspaces.Directory, name string) (*workspaces.User, error) {
	user, found, err := tx.User(ctx, d.Scope, d.ID, name)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeUserNotFound, "The user %s does not exist in the directory %s.", name, d.ID).About(name)
	}
	return user, err
}

// value is a member's value, the zero value where it is absent.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
