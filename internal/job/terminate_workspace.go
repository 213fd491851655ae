package job

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Terminating a WorkSpace, from whatever a create, or a crash in one, has left.
//
//	1  remove the desktop and its volumes from the engine   undo: none
//	2  TERMINATED, which is seen briefly
//	3  forget the row and its tags                          undo: none
//
// The row outlives the desktop, so that nothing can be left behind without a name.

func (r *Runner) terminateWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	return r.Driver.Delete(ctx, w.ID)
}

// forgetWorkSpace takes step 3 once the WorkSpace has been seen TERMINATED for long enough.
func (r *Runner) forgetWorkSpace(ctx context.Context, w *workspaces.WorkSpace) error {
	now := r.Clock.Now()
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		if until := w.ChangedAt.Add(r.Limits.TerminatedStays); waits(now, w.ChangedAt, until) {
			return tx.PutOff(ctx, workspaces.KindWorkSpace, w.Ref(), until)
		}
		if deleted, err := tx.DeleteWorkSpace(ctx, w.Ref()); err != nil || !deleted {
			return err
		}
		return r.noteEmpty(ctx, tx, w)
	})
}

// waits reports whether now lies in a wait. One that has not even begun is over: the clock
// was set back.
func waits(now, since, until time.Time) bool { return now.Before(until) && !now.Before(since) }

// noteEmpty begins the 30 days after which a directory without WorkSpaces is deregistered.
func (r *Runner) noteEmpty(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	if has, err := tx.DirectoryHasWorkSpaces(ctx, w.Scope, w.DirectoryID); err != nil || has {
		return err
	}
	d, found, err := tx.WorkspaceDirectory(ctx, w.Scope, w.DirectoryID)
	if err != nil || !found {
		return err
	}
	d.EmptySince = r.Clock.Now()
	_, err = tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
	return err
}
