package operation

import (
	"context"
	"errors"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// RebuildWorkspaces gives a WorkSpace a new root volume of its bundle's image as it is now, its user
// volume as the latest snapshot has it, and a new address. Its directory's settings are read anew.
//
// Effect: desktop, network. A new root volume; the user volume is taken back to its snapshot, and
// applications are installed again.
func (s WorkSpaces) RebuildWorkspaces(ctx context.Context, in *wsapi.RebuildWorkspacesRequest) (*wsapi.RebuildWorkspacesResult, error) {
	var ids []string
	for _, r := range in.RebuildWorkspaceRequests {
		ids = append(ids, deref(r.WorkspaceId))
	}
	missing, err := s.usersMissing(ctx, ids)
	if err != nil {
		return nil, err
	}
	failed, err := s.change(ctx, workspaces.ActionRebuild, ids, func(tx *store.Tx, w *workspaces.WorkSpace) error {
		if missing[w.ID] {
			return workspaces.Refusef("InvalidUserConfiguration.Workspace", "The user was either not found or is misconfigured.")
		}
		return s.prepareRebuild(ctx, tx, w)
	})
	return &wsapi.RebuildWorkspacesResult{FailedRequests: failed}, err
}

// usersMissing looks up which WorkSpaces have a user that their directory does not know any more.
// A directory may be a server elsewhere, so it is asked before the transaction.
func (s WorkSpaces) usersMissing(ctx context.Context, ids []string) (map[string]bool, error) {
	var page store.WorkSpacePage
	err := s.Store.View(func(tx *store.Tx) (err error) {
		page, err = tx.WorkSpaces(ctx, store.WorkSpaceFilter{Scope: Scope(ctx), IDs: ids})
		return err
	})
	missing := make(map[string]bool)
	for _, w := range page.WorkSpaces {
		if err != nil || w.UserName == workspaces.Undefined {
			continue
		}
		_, err = s.Directories.Of(w.Scope, w.DirectoryID).Lookup(ctx, w.UserName)
		if errors.Is(err, directory.ErrNoUser) {
			missing[w.ID], err = true, nil
		}
	}
	return missing, err
}

// prepareRebuild chooses what the WorkSpace is rebuilt from, and its new address.
func (s WorkSpaces) prepareRebuild(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	all, err := tx.Snapshots(ctx, w.Scope, w.ID)
	if err != nil {
		return err
	}
	from, found := all.ForRebuild()
	if !found {
		return workspaces.Errorf(workspaces.CodeNotSupported,
			"The WorkSpace %s cannot be rebuilt before there is a snapshot of its user volume; DescribeWorkspaceSnapshots shows those that there are.", w.ID)
	}
	w.FromSnapshot = from.Name
	bundle, found, err := s.Bundle(ctx, tx, w.BundleID)
	if err != nil {
		return err
	}
	if found {
		w.Image = bundle.Image
	}
	if w.HeldOffset != 0 {
		return nil // an earlier rebuild failed: the address that it took will do
	}
	subnet, err := s.Subnet(ctx, tx, w.SubnetID)
	if err != nil {
		return err
	}
	free, err := tx.TakeAddresses(ctx, subnet, 1)
	if len(free) > 0 { // a full subnet is no reason to go without a rebuild
		w.HeldOffset, w.AddressOffset, w.IPAddress = w.AddressOffset, free[0], subnet.Address(free[0]).String()
	}
	return err
}

// RestoreWorkspace takes both volumes of a WorkSpace back to the latest snapshot of a time at which
// it was well.
//
// Effect: desktop. Both volumes are taken back in the engine.
func (s WorkSpaces) RestoreWorkspace(ctx context.Context, in *wsapi.RestoreWorkspaceRequest) (*wsapi.RestoreWorkspaceResult, error) {
	var ref *workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		ref, err = s.begin(ctx, tx, workspaces.ActionRestore, deref(in.WorkspaceId), func(tx *store.Tx, w *workspaces.WorkSpace) error {
			all, err := tx.Snapshots(ctx, w.Scope, w.ID)
			from, found := all.ForRestore()
			if err == nil && !found {
				err = workspaces.Errorf(workspaces.CodeNotSupported,
					"The WorkSpace %s cannot be restored before there is a snapshot of both its volumes; DescribeWorkspaceSnapshots shows those that there are.", w.ID)
			}
			w.FromSnapshot = from.Name
			return err
		})
		if err != nil {
			return as(workspaces.CodeNotSupported, err, workspaces.CodeInvalidState, workspaces.CodeInProgress)
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{*ref}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkSpace, *ref)
	return &wsapi.RestoreWorkspaceResult{}, nil
}

// as gives an error of one of the codes another, for an operation whose model lacks its exception.
func as(code workspaces.Code, err error, of ...workspaces.Code) error {
	for _, c := range of {
		if e, ok := errors.AsType[*workspaces.Error](err); ok && e.Code == c {
			return &workspaces.Error{Code: code, Message: e.Message, ResourceID: e.ResourceID}
		}
	}
	return err
}

// DescribeWorkspaceSnapshots tells from when the volumes are that RebuildWorkspaces and
// RestoreWorkspace would take: one time each, none where there is no snapshot yet.
//
// Effect: answer. Snapshots are the engine's, taken every 12 hours of the clock.
func (s WorkSpaces) DescribeWorkspaceSnapshots(
	ctx context.Context, in *wsapi.DescribeWorkspaceSnapshotsRequest,
) (*wsapi.DescribeWorkspaceSnapshotsResult, error) {
	out := &wsapi.DescribeWorkspaceSnapshotsResult{RebuildSnapshots: []wsapi.Snapshot{}, RestoreSnapshots: []wsapi.Snapshot{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		w, err := workSpace(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		all, err := tx.Snapshots(ctx, w.Scope, w.ID)
		if n, found := all.ForRebuild(); found {
			out.RebuildSnapshots = append(out.RebuildSnapshots, wsapi.Snapshot{SnapshotTime: api.At(n.TakenAt)})
		}
		if n, found := all.ForRestore(); found {
			out.RestoreSnapshots = append(out.RestoreSnapshots, wsapi.Snapshot{SnapshotTime: api.At(n.TakenAt)})
		}
		return err
	})
}
