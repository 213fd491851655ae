package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ResetUserPassword sets a user's password and enables the user.
func (s *Service) ResetUserPassword(ctx context.Context, in *ds.ResetUserPasswordRequest) (*ds.ResetUserPasswordResult, error) {
	id, name, password := value(in.DirectoryId), value(in.UserName), value(in.NewPassword)
	// Who asks for the impossible is told before the work of hashing.
	err := s.core.Store.View(func(tx *store.Tx) error {
		_, err := findUser(ctx, tx, id, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := workspaces.CheckPassword(name, password); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	return &ds.ResetUserPasswordResult{}, s.core.Store.Update(ctx, func(tx *store.Tx) error {
		user, err := findUser(ctx, tx, id, name)
		if err != nil {
			return err
		}
		user.PasswordHash, user.Enabled = hash, true
		return tx.PutUser(ctx, user)
	})
}

// findUser returns a user whose password can be set now.
func findUser(ctx context.Context, tx *store.Tx, id, name string) (*workspaces.User, error) {
	d, found, err := tx.DirectoryOfUsers(ctx, operation.Scope(ctx), id)
	if err == nil && !found {
		err = unknown(id)
	}
	if err != nil {
		return nil, err
	}
	if !d.KeepsUsers() {
		return nil, workspaces.Errorf(workspaces.CodeDirectoryType,
			"The passwords of a directory of the type %s are set in the directory that it connects to.", d.Type).About(id)
	}
	if err := d.CheckActive(); err != nil {
		return nil, err
	}
	user, found, err := tx.User(ctx, operation.Scope(ctx), id, name)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeUserNotFound, "The user %s does not exist in the directory %s.", name, id).About(id)
	}
	return user, err
}
