package job

import (
	"context"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Making, verifying, changing and deleting a trust. No domain is asked: the states are waits
// that --limits aws makes as long as the service's.
//
//	1  Creating, Created, Verifying, Verified   undo: Deleting
//	2  Updating, Updated
//	3  Deleting, then the row is forgotten

func (r *Runner) trust(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		t, found, err := tx.Trust(ctx, ref.Scope, ref.ID)
		if err != nil || !found || t.Generation != ref.Generation {
			return err
		}
		now := r.Clock.Now()
		for next, passing := t.State.Next(); passing; next, passing = t.State.Next() {
			if until := t.StateChangedAt.Add(r.Limits.DirectoryStage); waits(now, t.StateChangedAt, until) {
				return tx.PutOff(ctx, workspaces.KindTrust, t.Ref(), until)
			}
			if next == workspaces.TrustDeleted {
				_, err := tx.DeleteTrust(ctx, t.Ref())
				return err
			}
			read := t.Generation
			t.Enter(next, now)
			if _, err := tx.SaveTrust(ctx, t, read); err != nil {
				return err
			}
		}
		return nil
	})
}
