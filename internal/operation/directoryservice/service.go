// Package directoryservice is AWS Directory Service (ds) as far as WorkSpaces and its clients
// need it: directories of three types with their tags, limits and data access, the passwords
// of their users, and what rests on a directory: alias, single sign-on, trusts, LDAPS, log
// subscription, settings. It is built like package operation, with which it shares Core and
// Bind: a file per resource, a method per operation. Start reading at Service.Handlers, the
// table.
//
// A Simple AD is made with its data access Enabled, which the service has for Managed
// Microsoft AD only. That is Carrel's one widening of this API: without it nobody but a
// Windows machine in the network could make users. See package directorydata.
package directoryservice

import (
	"context"
	"errors"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/directory/embedded"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Service answers the operations of Directory Service.
type Service struct {
	core   *operation.Core
	hasher *embedded.Hasher
}

// New returns the service. The hasher is the one that the whole process shares.
func New(core *operation.Core, hasher *embedded.Hasher) *Service {
	return &Service{core: core, hasher: hasher}
}

// Handlers returns a handler for every operation that has types. The others, known by name
// only, are left to the wire.
func (s *Service) Handlers() []api.Handler {
	handlers := s.bound()
	for i, h := range handlers {
		handlers[i] = traced{h}
	}
	return handlers
}

// bound are the operations that Carrel carries out: routing's one table.
func (s *Service) bound() []api.Handler {
	return []api.Handler{
		operation.Bind(tagExceptions(), ds.AddTagsToResource, s.AddTagsToResource),
		operation.Bind(exceptions(), ds.ConnectDirectory, s.ConnectDirectory),
		operation.Bind(aliasExceptions(), ds.CreateAlias, s.CreateAlias),
		operation.Bind(exceptions(), ds.CreateConditionalForwarder, s.CreateConditionalForwarder),
		operation.Bind(exceptions(), ds.CreateDirectory, s.CreateDirectory),
		operation.Bind(logExceptions(), ds.CreateLogSubscription, s.CreateLogSubscription),
		operation.Bind(exceptions(), ds.CreateMicrosoftAD, s.CreateMicrosoftAD),
		operation.Bind(trustExceptions(), ds.CreateTrust, s.CreateTrust),
		operation.Bind(exceptions(), ds.DeleteConditionalForwarder, s.DeleteConditionalForwarder),
		operation.Bind(exceptions(), ds.DeleteDirectory, s.DeleteDirectory),
		operation.Bind(logExceptions(), ds.DeleteLogSubscription, s.DeleteLogSubscription),
		operation.Bind(trustExceptions(), ds.DeleteTrust, s.DeleteTrust),
		operation.Bind(exceptions(), ds.DescribeConditionalForwarders, s.DescribeConditionalForwarders),
		operation.Bind(exceptions(), ds.DescribeDirectories, s.DescribeDirectories),
		operation.Bind(dataAccessExceptions(), ds.DescribeDirectoryDataAccess, s.DescribeDirectoryDataAccess),
		operation.Bind(exceptions(), ds.DescribeDomainControllers, s.DescribeDomainControllers),
		operation.Bind(ldapsExceptions(), ds.DescribeLDAPSSettings, s.DescribeLDAPSSettings),
		operation.Bind(settingExceptions(), ds.DescribeSettings, s.DescribeSettings),
		operation.Bind(trustExceptions(), ds.DescribeTrusts, s.DescribeTrusts),
		operation.Bind(dataAccessExceptions(), ds.DisableDirectoryDataAccess, s.DisableDirectoryDataAccess),
		operation.Bind(ldapsExceptions(), ds.DisableLDAPS, s.DisableLDAPS),
		operation.Bind(aliasExceptions(), ds.DisableSso, s.DisableSso),
		operation.Bind(dataAccessExceptions(), ds.EnableDirectoryDataAccess, s.EnableDirectoryDataAccess),
		operation.Bind(ldapsExceptions(), ds.EnableLDAPS, s.EnableLDAPS),
		operation.Bind(aliasExceptions(), ds.EnableSso, s.EnableSso),
		operation.Bind(exceptions(), ds.GetDirectoryLimits, s.GetDirectoryLimits),
		operation.Bind(logExceptions(), ds.ListLogSubscriptions, s.ListLogSubscriptions),
		operation.Bind(tagExceptions(), ds.ListTagsForResource, s.ListTagsForResource),
		operation.Bind(tagExceptions(), ds.RemoveTagsFromResource, s.RemoveTagsFromResource),
		operation.Bind(exceptions(), ds.ResetUserPassword, s.ResetUserPassword),
		operation.Bind(exceptions(), ds.UpdateConditionalForwarder, s.UpdateConditionalForwarder),
		operation.Bind(controllerExceptions(), ds.UpdateNumberOfDomainControllers, s.UpdateNumberOfDomainControllers),
		operation.Bind(settingExceptions(), ds.UpdateSettings, s.UpdateSettings),
		operation.Bind(trustExceptions(), ds.UpdateTrust, s.UpdateTrust),
		operation.Bind(trustExceptions(), ds.VerifyTrust, s.VerifyTrust),
	}
}

// exceptions is the service's table from the domain's codes.
func exceptions() operation.Exceptions {
	return operation.Exceptions{
		workspaces.CodeInvalidParameter:  ds.InvalidParameterException,
		workspaces.CodeNotFound:          ds.EntityDoesNotExistException,
		workspaces.CodeAlreadyExists:     ds.EntityAlreadyExistsException,
		workspaces.CodeInvalidState:      ds.ClientException,
		workspaces.CodeAssociated:        ds.ClientException,
		workspaces.CodeUnsupportedConfig: ds.ClientException,
		workspaces.CodeUnavailable:       ds.DirectoryUnavailableException,
		workspaces.CodeDirectoryType:     ds.UnsupportedOperationException,
		workspaces.CodeInvalidPassword:   ds.InvalidPasswordException,
		workspaces.CodeUserNotFound:      ds.UserDoesNotExistException,
		workspaces.CodeInvalidNextToken:  ds.InvalidNextTokenException,
		workspaces.CodeLimitExceeded:     ds.DirectoryLimitExceededException,
	}
}

// tagExceptions is the table of the operations on tags, whose limit is another.
func tagExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeLimitExceeded] = ds.TagLimitExceededException
	return table
}

// dataAccessExceptions is the table of the operations on data access, for which the model has
// names of their own.
func dataAccessExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeNotFound] = ds.DirectoryDoesNotExistException
	table[workspaces.CodeInvalidState] = ds.DirectoryInDesiredStateException
	return table
}

// traced gives every exception the id of its request, which the service's model has as a
// member of each.
type traced struct{ api.Handler }

// Invoke runs the operation.
func (t traced) Invoke(ctx context.Context, input any) (any, error) {
	output, err := t.Handler.Invoke(ctx, input)
	if exception, ok := errors.AsType[*api.Exception](err); ok {
		return nil, exception.With("RequestId", api.CallerFrom(ctx).RequestID)
	}
	return output, err
}

// find returns the caller's directory with the id, or refuses with CodeNotFound.
func find(ctx context.Context, tx *store.Tx, id string) (*workspaces.Directory, error) {
	d, found, err := tx.Directory(ctx, operation.Scope(ctx), id)
	if err == nil && !found {
		err = unknown(id)
	}
	return d, err
}

func unknown(id string) error {
	return workspaces.Errorf(workspaces.CodeNotFound, "Directory %s does not exist.", id).About(id)
}

// save writes a directory that was read in the same transaction, at that generation.
func save(ctx context.Context, tx *store.Tx, d *workspaces.Directory, read int64) error {
	saved, err := tx.SaveDirectory(ctx, d, read)
	if err == nil && !saved {
		err = errors.New("directoryservice: directory " + d.ID + " changed within a transaction")
	}
	return err
}

// value is a member's value, the zero value where it is absent.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
