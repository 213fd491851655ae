package job

import (
	"context"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Registering a directory and taking its registration away. What a registration needs (its
// code, group and subnets) was chosen by the operation, so both are waits that --limits
// aws makes as long as the service's.
//
//	1  REGISTERING, REGISTERED          undo: DEREGISTERING
//	2  DEREGISTERING, then the row and its tags are forgotten

func (r *Runner) workspaceDirectory(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		d, found, err := tx.WorkspaceDirectory(ctx, ref.Scope, ref.ID)
		if err != nil || !found || d.Generation != ref.Generation || !d.State.Passing() {
			return err
		}
		now := r.Clock.Now()
		if until := d.ChangedAt.Add(r.Limits.Registration); waits(now, d.ChangedAt, until) {
			return tx.PutOff(ctx, workspaces.KindWorkspaceDirectory, d.Ref(), until)
		}
		if d.State == workspaces.Deregistering {
			_, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			return err
		}
		read := d.Generation
		d.Enter(workspaces.Registered, now)
		d.RegisteredAt, d.EmptySince = now, now
		_, err = tx.SaveWorkspaceDirectory(ctx, d, read)
		return err
	})
}
