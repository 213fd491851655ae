package job

import (
	"context"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Making, associating and deleting a connection alias. What it needs was chosen by the
// operations, so all are waits that --limits aws makes as long as the service's.
//
//	1  CREATING, CREATED                        undo: DELETING
//	2  PENDING_ASSOCIATION, ASSOCIATED_WITH_…   undo: PENDING_DISASSOCIATION
//	3  PENDING_DISASSOCIATION, NOT_ASSOCIATED
//	4  DELETING, then the row and its tags are forgotten; the connection string stays reserved

func (r *Runner) connectionAlias(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.ConnectionAlias(ctx, ref.Scope, ref.ID)
		if err != nil || !found || a.Generation != ref.Generation || !a.Passing() {
			return err
		}
		now := r.Clock.Now()
		if until := a.ChangedAt.Add(r.Limits.AliasChange); waits(now, a.ChangedAt, until) {
			return tx.PutOff(ctx, workspaces.KindConnectionAlias, a.Ref(), until)
		}
		if gone := a.Proceed(now); gone {
			_, err = tx.DeleteConnectionAlias(ctx, ref)
		} else {
			_, err = tx.SaveConnectionAlias(ctx, a, ref.Generation)
		}
		return err
	})
}
