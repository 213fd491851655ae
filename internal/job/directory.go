package job

import (
	"context"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Making and deleting a directory of Directory Service. An embedded directory has no
// machines: its users are rows, so the stages are waits that --limits aws makes as long as
// the service's.
//
//	1  Requested, Creating, Created, Active    undo: Deleting
//	2  Deleting, then the row, its users and its tags are forgotten

func (r *Runner) directory(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		d, found, err := tx.Directory(ctx, ref.Scope, ref.ID)
		if err != nil || !found || d.Generation != ref.Generation {
			return err
		}
		now := r.Clock.Now()
		for {
			next, passing := d.Stage.Next()
			if !passing {
				return nil
			}
			if until := d.StageChangedAt.Add(r.Limits.DirectoryStage); waits(now, d.StageChangedAt, until) {
				return tx.PutOff(ctx, workspaces.KindDirectory, d.Ref(), until)
			}
			if next == workspaces.StageDeleted {
				_, err := tx.DeleteDirectory(ctx, d.Ref())
				return err
			}
			read := d.Generation
			d.Enter(next, now)
			if _, err := tx.SaveDirectory(ctx, d, read); err != nil {
				return err
			}
		}
	})
}
