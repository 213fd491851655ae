package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// idleEvery is how often directories are looked at, in the clock's time, beside the
// moments at which one of them becomes too idle.
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
		now := r.Clock.Now()
		next := now.Add(idleEvery)
		for _, d := range all {
			ends, does := idleEnd(d)
			switch {
			case !does:
			case ends.After(now):
				next = earlier(next, ends)
			default:
				if err := r.deregisterIdle(ctx, d); err != nil {
					return err
				}
			}
		}
		if err := r.await(ctx, next, nil, changed); err != nil {
			return err
		}
	}
}

// idleEnd returns when a directory will have been idle for too long; false: not as it is.
func idleEnd(d *workspaces.WorkspaceDirectory) (time.Time, bool) {
	return d.EmptySince.Add(workspaces.IdleDirectoryAfter), d.EndsWhenIdle() && !d.EmptySince.IsZero() && d.State == workspaces.Registered
}

// deregisterIdle looks again within the transaction: a WorkSpace may have come since.
func (r *Reconciler) deregisterIdle(ctx context.Context, seen *workspaces.WorkspaceDirectory) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		d, found, err := tx.WorkspaceDirectory(ctx, seen.Scope, seen.ID)
		if err != nil || !found {
			return err
		}
		if ends, does := idleEnd(d); !does || ends.After(r.Clock.Now()) {
			return nil
		}
		has, err := tx.DirectoryHasWorkSpaces(ctx, d.Scope, d.ID)
		if err != nil || has {
			return err
		}
		read := d.Generation
		if d.BeginDeregister(r.Clock.Now()) != nil {
			return nil //nolint:nilerr // on its way already
		}
		if _, err := tx.SaveWorkspaceDirectory(ctx, d, read); err != nil {
			return err
		}
		r.Log.InfoContext(ctx, "deregistering a directory that has had no WorkSpaces for 30 days", "id", d.ID)
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkspaceDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
}
