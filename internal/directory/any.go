package directory

import (
	"context"
	"errors"

	"carrel/internal/workspaces"
)

// Any returns directories in which every user name but the empty one exists, as an enabled
// user whom any password but the empty one lets in, for test suites that make WorkSpaces for
// users they never made. Users that really exist are found as they are, and those who were
// given a password need it.
func Any(real Directories) Directories { return anyDirectories{real} }

type anyDirectories struct{ real Directories }

// Of returns the directory with its strangers.
func (a anyDirectories) Of(scope workspaces.Scope, id string) Directory {
	return anyDirectory{Directory: a.real.Of(scope, id), scope: scope, id: id}
}

type anyDirectory struct {
	Directory
	scope workspaces.Scope
	id    string
}

// Lookup returns the user with the name, or a stranger of that name.
func (a anyDirectory) Lookup(ctx context.Context, name string) (*workspaces.User, error) {
	user, err := a.Directory.Lookup(ctx, name)
	if errors.Is(err, ErrNoUser) && name != "" {
		return &workspaces.User{Scope: a.scope, DirectoryID: a.id, Name: name, Enabled: true}, nil
	}
	return user, err
}

// Authenticate returns the user with the password, or somebody who has none with any.
func (a anyDirectory) Authenticate(ctx context.Context, name, password string) (*workspaces.User, error) {
	user, err := a.Directory.Authenticate(ctx, name, password)
	if !errors.Is(err, ErrNoUser) || password == "" {
		return user, err
	}
	user, err = a.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	if !user.Enabled || user.PasswordHash != "" {
		return nil, ErrNoUser
	}
	return user, nil
}
