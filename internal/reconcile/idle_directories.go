package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// idleEvery is how often directories are looked at, in the clock's time.
const idleEvery = time.Hour

// idleDirectories deregisters Simple AD and AD Connector directories that have had no
// WorkSpaces for 30 consecutive days. Source: DeregisterWorkspaceDirectory.
func (r *Reconciler) idleDirectories(ctx context.Context) error {
	for {
		changed := r.Clock.Changed()
		var all []*workspaces.WorkspaceDirectory
		err := r.Store.View(func(tx *store.Tx) (err error) {
			all, err = tx.EveryWorkspaceDirectory(ctx)
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range all {
			if r.isIdle(d) {
				if err := r.deregisterIdle(ctx, d); err != nil {
					return err
				}
			}
		}
		if err := r.await(ctx, r.Clock.Now().Add(idleEvery), nil, changed); err != nil {
			return err
		}
	}
}

func (r *Reconciler) isIdle(d *workspaces.WorkspaceDirectory) bool {
	return d.EndsWhenIdle() && !d.EmptySince.IsZero() && r.Clock.Now().Sub(d.EmptySince) >= workspaces.IdleDirectoryAfter
}

// deregisterIdle looks again within the transaction: a WorkSpace may have come since.
func (r *Reconciler) deregisterIdle(ctx context.Context, seen *workspaces.WorkspaceDirectory) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		d, found, err := tx.WorkspaceDirectory(ctx, seen.Scope, seen.ID)
		if err != nil || !found || !r.isIdle(d) {
			return err
		}
		has, err := tx.DirectoryHasWorkSpaces(ctx, d.Scope, d.ID)
		if err != nil || has {
			return err
		}
		read := d.Generation
		if d.BeginDeregister(r.Clock.Now()) != nil {
			return nil // on its way already
		}
		if _, err := tx.SaveWorkspaceDirectory(ctx, d, read); err != nil {
			return err
		}
		r.Log.InfoContext(ctx, "deregistering a directory that has had no WorkSpaces for 30 days", "id", d.ID)
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkspaceDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
}
