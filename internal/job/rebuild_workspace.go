package job

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Rebuilding a WorkSpace. The operation has chosen the image, the snapshot and the new address.
//
//	1  look up what is to be made, as for a new one          undo: nothing to undo
//	2  a new root volume, the user volume from its snapshot,
//	   the new address, started and heard                    undo: none; a rebuild that failed can be asked for again
//	3  AVAILABLE; the old address is free, and no snapshot has a root volume any more
//
// Restoring one: both volumes from their snapshot, started and heard. Undo: as above.

func (r *Runner) rebuildWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	desktop, err := r.desktop(ctx, w)
	if err != nil {
		return time.Time{}, err
	}
	return r.Driver.Rebuild(ctx, desktop, w.FromSnapshot)
}

func (r *Runner) restoreWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	return r.Driver.Restore(ctx, w.ID, w.FromSnapshot)
}

// forgetRoots notes that the snapshots of a root volume went with it.
func forgetRoots(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	all, err := tx.Snapshots(ctx, w.Scope, w.ID)
	for _, s := range all {
		if s.Root && err == nil {
			s.Root = false
			err = tx.PutSnapshot(ctx, w.Scope, w.ID, s)
		}
	}
	return err
}
