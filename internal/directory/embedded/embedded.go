// Package embedded is the directory that Carrel itself keeps: the users of a Simple AD, in
// the store, with their passwords as argon2id hashes. It reads; the operations of Directory
// Service and its data API write. It imports the domain, the store and package directory.
package embedded

import (
	"context"
	"fmt"

	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// New returns the directories that the store keeps.
func New(s *store.Store, hasher *Hasher) directory.Directories {
	return directories{store: s, hasher: hasher}
}

type directories struct {
	store  *store.Store
	hasher *Hasher
}

// Of returns the directory with the id.
func (d directories) Of(scope workspaces.Scope, id string) directory.Directory {
	return embedded{directories: d, scope: scope, id: id}
}

type embedded struct {
	directories
	scope workspaces.Scope
	id    string
}

// Lookup returns the user with the name, enabled or not.
func (e embedded) Lookup(ctx context.Context, name string) (*workspaces.User, error) {
	user, found, err := e.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, directory.ErrNoUser
	}
	return user, nil
}

// Authenticate returns the user if the password is theirs and they are enabled. Whatever
// the reason for a refusal, a password has been hashed before.
func (e embedded) Authenticate(ctx context.Context, name, password string) (*workspaces.User, error) {
	user, found, err := e.find(ctx, name)
	if err != nil {
		return nil, err
	}
	hash := nobodysHash
	if found && user.PasswordHash != "" {
		hash = user.PasswordHash
	}
	right, err := e.hasher.Verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	switch { // the words are for the log; whoever signs in is not told which it was
	case !found:
		return nil, directory.ErrNoUser
	case !user.Enabled:
		return nil, fmt.Errorf("%w who is enabled", directory.ErrNoUser)
	case !right:
		return nil, fmt.Errorf("%w with this password", directory.ErrNoUser)
	}
	return user, nil
}

func (e embedded) find(ctx context.Context, name string) (user *workspaces.User, found bool, err error) {
	err = e.store.View(func(tx *store.Tx) error {
		user, found, err = tx.User(ctx, e.scope, e.id, name)
		return err
	})
	return user, found, err
}
