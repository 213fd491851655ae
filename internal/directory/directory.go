// Package directory answers for a directory: who may have a desktop, and is this their
// password. Directory is the seam; package embedded keeps the users in Carrel's own store,
// and Any (for test suites) lets every user name exist. Package directorytest is the suite
// that every Directory must pass. It imports the domain.
package directory

import (
	"context"
	"errors"

	"carrel/internal/workspaces"
)

// Directory knows the users of one directory. User names are compared without regard to
// case, passwords with. Its methods change nothing and may be called from any goroutine.
// An error that is not ErrNoUser means that the directory could not be asked.
type Directory interface {
	// Lookup returns the user with the name, enabled or not. Errors: ErrNoUser.
	Lookup(ctx context.Context, name string) (*workspaces.User, error)
	// Authenticate returns the user if the password is theirs and they are enabled. It takes
	// as long for a missing user as for a wrong password. No password is anybody's "".
	// Errors: ErrNoUser for all of it.
	Authenticate(ctx context.Context, name, password string) (*workspaces.User, error)
}

// Directories finds the Directory of a directory id. A directory that does not exist has no users.
type Directories interface {
	Of(scope workspaces.Scope, id string) Directory
}

// ErrNoUser says that a directory has no such user, or will not let them in.
var ErrNoUser = errors.New("directory: no such user")
