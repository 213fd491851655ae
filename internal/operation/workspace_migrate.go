package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// MigrateWorkspace makes a WorkSpace of another bundle, with an id, a name and an address of its own
// and the user volume of the source, and terminates the source once it is there. The service allows
// it between Windows bundles only; a Linux desktop keeps its user's files in any bundle.
//
// Effect: desktop, network. A new machine takes over a copy of the user volume; the old one is
// removed.
func (s WorkSpaces) MigrateWorkspace(ctx context.Context, in *wsapi.MigrateWorkspaceRequest) (*wsapi.MigrateWorkspaceResult, error) {
	var source, target *workspaces.WorkSpace
	err := s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if source, err = workSpace(ctx, tx, deref(in.SourceWorkspaceId)); err != nil {
			return err
		}
		if target, err = s.migrate(ctx, tx, source, deref(in.BundleId)); err != nil {
			return as(workspaces.CodeNotSupported, err, workspaces.CodeInvalidState)
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{source.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkSpace, target.Ref(), source.Ref())
	return &wsapi.MigrateWorkspaceResult{SourceWorkspaceId: &source.ID, TargetWorkspaceId: &target.ID}, nil
}

// migrate begins the migration and writes both WorkSpaces and the snapshot that is to be taken.
func (s WorkSpaces) migrate(ctx context.Context, tx *store.Tx, source *workspaces.WorkSpace, bundleID string) (target *workspaces.WorkSpace, err error) {
	if tie, found, err := tx.StandbyOf(ctx, source.Scope, source.ID); err != nil {
		return nil, err
	} else if found {
		return nil, workspaces.Errorf(workspaces.CodeNotSupported,
			"The WorkSpace %s has the standby WorkSpace %s in %s, which follows it by its id; terminate that first.", source.ID, tie.ID, tie.Region)
	}
	bundle, found, err := s.Bundle(ctx, tx, bundleID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, workspaces.Errorf(workspaces.CodeNotFound, "The bundle %s does not exist.", bundleID).About(bundleID)
	}
	all, err := tx.Snapshots(ctx, source.Scope, source.ID)
	if err != nil {
		return nil, err
	}
	read, now := source.Generation, s.Clock.Now()
	target, snapshot, err := source.Migrate(Chance(ctx), bundle, all, now)
	if err != nil {
		return nil, err
	}
	if err := s.place(ctx, tx, target); err != nil {
		return nil, err
	}
	if _, err := tx.SaveWorkSpace(ctx, source, read); err != nil {
		return nil, err
	}
	if err := tx.InsertWorkSpace(ctx, target); err != nil {
		return nil, err
	}
	if err := bringApplications(ctx, tx, target, bundle); err != nil {
		return nil, err
	}
	if err := tx.PutSnapshot(ctx, source.Scope, source.ID, snapshot); err != nil {
		return nil, err
	}
	tags, err := tx.Tags(ctx, source.Scope, source.ID)
	if err != nil {
		return nil, err
	}
	return target, tx.PutTags(ctx, target.Scope, target.ID, tags)
}

// place gives a WorkSpace an address of one of its directory's subnets.
func (s WorkSpaces) place(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	d, found, err := tx.WorkspaceDirectory(ctx, w.Scope, w.DirectoryID)
	if err != nil {
		return err
	}
	if found {
		addresses := addressBook{core: s.Core, free: make(map[string][]int64), wanted: 1}
		if found, err = addresses.assign(ctx, tx, d, w, Chance(ctx)); err != nil {
			return err
		}
	}
	if !found {
		return workspaces.Errorf(workspaces.CodeUnavailable, "The subnets of the directory %s have no free address left.", w.DirectoryID).About(w.DirectoryID)
	}
	return nil
}
