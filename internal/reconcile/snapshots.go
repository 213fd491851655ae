package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// snapshots has the volumes of every WorkSpace kept every 12 hours: what is due is begun in
// batches, and the loop works a batch itself before it takes the next, so that snapshots, which
// nobody waits for, never take more than their share of the engine.
func (r *Reconciler) snapshots(ctx context.Context) error {
	var last time.Time // zero: an earlier process's clock may have been ahead of this one's
	for {
		storeChanged, clockChanged := r.Store.Changed(), r.Clock.Changed()
		now := r.Clock.Now()
		if last.IsZero() || now.Before(last) {
			if err := r.bringSnapshotsForward(ctx, now); err != nil {
				return err
			}
		}
		last = now
		next, err := r.keepDue(ctx, now)
		if err != nil {
			return err
		}
		if err := r.await(ctx, next, storeChanged, clockChanged); err != nil {
			return err
		}
	}
}

// keepDue takes all snapshots that are due now and returns when there will be more; the zero
// time where none is to come.
func (r *Reconciler) keepDue(ctx context.Context, now time.Time) (next time.Time, err error) {
	for {
		err := r.Store.View(func(tx *store.Tx) (err error) {
			next, err = tx.NextSnapshotDue(ctx)
			return err
		})
		if err != nil || next.IsZero() || next.After(now) {
			return next, err
		}
		if _, err := r.Runner.KeepDue(ctx, r.watchdog()); err != nil {
			return next, err
		}
	}
}

// bringSnapshotsForward is for a clock that was set back: what would be due at times long past
// is due as after a snapshot that was taken now.
func (r *Reconciler) bringSnapshotsForward(ctx context.Context, now time.Time) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.BringSnapshotsForward(ctx, now, now.Add(workspaces.SnapshotEvery))
	})
}
