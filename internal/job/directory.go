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
//	2  LDAPS Enabling, Enabled; settings Requested, Updated
//	3  Deleting, then the row, its users, trusts and tags are forgotten

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
				return r.directoryDetails(ctx, tx, d)
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

// directoryDetails applies what was asked for while the directory rests in its stage.
func (r *Runner) directoryDetails(ctx context.Context, tx *store.Tx, d *workspaces.Directory) error {
	since, pending := d.DetailsPending()
	if !pending {
		return nil
	}
	now := r.Clock.Now()
	if until := since.Add(r.Limits.DirectoryStage); waits(now, since, until) {
		return tx.PutOff(ctx, workspaces.KindDirectory, d.Ref(), until)
	}
	read := d.Generation
	d.ApplyDetails(now)
	_, err := tx.SaveDirectory(ctx, d, read)
	return err
}
