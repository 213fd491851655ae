package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateAlias gives a directory the name of its access URL. An alias is unique among all
// accounts and regions, and is never given again.
func (s *Service) CreateAlias(ctx context.Context, in *ds.CreateAliasRequest) (*ds.CreateAliasResult, error) {
	alias := value(in.Alias)
	err := s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := find(ctx, tx, value(in.DirectoryId))
		if err != nil {
			return err
		}
		if err := d.CheckActive(); err != nil {
			return err
		}
		if err := d.TakeAlias(alias); err != nil {
			return err
		}
		free, err := tx.ReserveDirectoryAlias(ctx, alias)
		if err != nil {
			return err
		}
		if !free {
			return workspaces.Errorf(workspaces.CodeAlreadyExists, "Alias '%s' already exists.", alias)
		}
		if err := save(ctx, tx, d, d.Generation); err != nil {
			return err
		}
		return renameRegistration(ctx, tx, d)
	})
	if err != nil {
		return nil, err
	}
	return &ds.CreateAliasResult{DirectoryId: in.DirectoryId, Alias: &alias}, nil
}

// renameRegistration shows a directory's alias in its registration with WorkSpaces too, if it has one.
func renameRegistration(ctx context.Context, tx *store.Tx, d *workspaces.Directory) error {
	r, registered, err := tx.WorkspaceDirectory(ctx, d.Scope, d.ID)
	if err != nil || !registered {
		return err
	}
	r.Alias = d.Alias
	_, err = tx.SaveWorkspaceDirectory(ctx, r, r.Generation)
	return err
}

// EnableSso switches single sign-on for a directory on, which needs an alias. There are no
// web applications that it would be for: it is a record.
func (s *Service) EnableSso(ctx context.Context, in *ds.EnableSsoRequest) (*ds.EnableSsoResult, error) {
	return &ds.EnableSsoResult{}, s.changeActive(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if d.Alias == d.ID {
			return workspaces.Errorf(workspaces.CodeInvalidState, "An alias is required before enabling SSO. DomainId=%s", d.ID).About(d.ID)
		}
		d.SSOEnabled = true
		return nil
	})
}

// DisableSso switches single sign-on for a directory off.
func (s *Service) DisableSso(ctx context.Context, in *ds.DisableSsoRequest) (*ds.DisableSsoResult, error) {
	return &ds.DisableSsoResult{}, s.changeActive(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		d.SSOEnabled = false
		return nil
	})
}

// changeActive changes a directory that is Active.
func (s *Service) changeActive(ctx context.Context, id string, change func(*workspaces.Directory) error) error {
	return s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := d.CheckActive(); err != nil {
			return err
		}
		if err := change(d); err != nil {
			return err
		}
		return save(ctx, tx, d, d.Generation)
	})
}

// aliasExceptions is the table of the operations that declare no exception of their own for a
// directory that cannot be used now.
func aliasExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeUnavailable] = ds.ClientException
	return table
}
