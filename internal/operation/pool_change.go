package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// UpdateWorkspacesPool changes what a pool is. One that runs takes another description, another
// capacity, and other timeouts and application settings, which hold for sessions that begin from then
// on; everything else needs it to be STOPPED. Less capacity takes no desktop from a session.
//
// Effect: desktop. Desktops are made or removed until there are as many as desired.
func (s WorkSpaces) UpdateWorkspacesPool(ctx context.Context, in *wsapi.UpdateWorkspacesPoolRequest) (*wsapi.UpdateWorkspacesPoolResult, error) {
	p, size, err := s.changePool(ctx, in.PoolId, func(tx *store.Tx, p *workspaces.Pool) error {
		change := workspaces.PoolChange{Description: in.Description, RunningMode: in.RunningMode}
		if in.Capacity != nil {
			change.Desired = new(int(deref(in.Capacity.DesiredUserSessions)))
			if err := s.checkPoolCapacity(*change.Desired); err != nil {
				return err
			}
		}
		if in.TimeoutSettings != nil {
			change.Timeouts = new(poolTimeouts(in.TimeoutSettings, p.Timeouts))
		}
		if in.ApplicationSettings != nil {
			change.Settings = new(settingsGroup(in.ApplicationSettings, p.ID))
		}
		// What is as it is already is no change: clients send all that they know.
		if in.DirectoryId != nil && *in.DirectoryId != p.DirectoryID {
			change.DirectoryID = in.DirectoryId
			if err := checkPoolDirectory(ctx, tx, *in.DirectoryId); err != nil {
				return err
			}
		}
		if in.RunningMode != nil && *in.RunningMode == p.RunningMode {
			change.RunningMode = nil
		}
		if in.BundleId != nil && *in.BundleId != p.BundleID {
			change.BundleID = in.BundleId
			var err error
			if change.Design, err = s.poolDesign(ctx, tx, *in.BundleId); err != nil {
				return err
			}
		}
		return p.Change(change, s.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.UpdateWorkspacesPoolResult{WorkspacesPool: new(describePool(p, size))}, nil
}

// StartWorkspacesPool makes the desktops of a STOPPED pool, of its bundle's image as it is now.
//
// Effect: desktop. As many are made as are desired, and those that stop answering are replaced.
func (s WorkSpaces) StartWorkspacesPool(ctx context.Context, in *wsapi.StartWorkspacesPoolRequest) (*wsapi.StartWorkspacesPoolResult, error) {
	_, _, err := s.changePool(ctx, in.PoolId, func(tx *store.Tx, p *workspaces.Pool) error {
		if err := p.BeginStart(s.Clock.Now()); err != nil {
			return err
		}
		design, err := s.poolDesign(ctx, tx, p.BundleID)
		p.Design = design
		return err
	})
	return &wsapi.StartWorkspacesPoolResult{}, err
}

// StopWorkspacesPool ends the sessions of a RUNNING pool and removes its desktops.
//
// Effect: desktop. They are removed from the engine.
func (s WorkSpaces) StopWorkspacesPool(ctx context.Context, in *wsapi.StopWorkspacesPoolRequest) (*wsapi.StopWorkspacesPoolResult, error) {
	_, _, err := s.changePool(ctx, in.PoolId, func(_ *store.Tx, p *workspaces.Pool) error { return p.BeginStop(s.Clock.Now()) })
	return &wsapi.StopWorkspacesPoolResult{}, err
}

// TerminateWorkspacesPool takes a pool away with its sessions, its desktops and what it keeps of users'
// settings, whatever it is at. Asked again while it runs, it changes nothing.
//
// Effect: desktop. They are removed from the engine, and the pool is gone when they are.
func (s WorkSpaces) TerminateWorkspacesPool(ctx context.Context, in *wsapi.TerminateWorkspacesPoolRequest) (*wsapi.TerminateWorkspacesPoolResult, error) {
	_, _, err := s.changePool(ctx, in.PoolId, func(_ *store.Tx, p *workspaces.Pool) error {
		p.BeginTerminate(s.Clock.Now())
		return nil
	})
	return &wsapi.TerminateWorkspacesPoolResult{}, err
}

// changePool changes a pool of the caller's, and asks for a turn on it. It also returns how many
// desktops it has.
func (s WorkSpaces) changePool(
	ctx context.Context, id *string, change func(*store.Tx, *workspaces.Pool) error,
) (p *workspaces.Pool, size store.PoolSize, err error) {
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		page, err := tx.Pools(ctx, store.PoolFilter{Scope: Scope(ctx), IDs: []string{deref(id)}})
		if err != nil {
			return err
		}
		if len(page.Pools) == 0 {
			return noPool(deref(id))
		}
		p = page.Pools[0]
		size = page.Sizes[p.ID]
		read := p.Generation
		if err := change(tx, p); err != nil {
			return err
		}
		if _, err := tx.SavePool(ctx, p, read); err != nil {
			return err
		}
		return enqueuePool(ctx, tx, p)
	})
	if err == nil {
		Started(ctx, workspaces.KindPool, p.Ref())
	}
	return p, size, err
}

func noPool(id string) error {
	return workspaces.Errorf(workspaces.CodeNotFound, "The pool %s could not be found.", id).About(id)
}

func enqueuePool(ctx context.Context, tx *store.Tx, p *workspaces.Pool) error {
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPool, Refs: []workspaces.Ref{p.Ref()}})
}
