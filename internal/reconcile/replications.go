package reconcile

import (
	"context"
	"time"
)

// replicationPause is the least that the loop rests between two looks, in real time.
const replicationPause = 250 * time.Millisecond

// replications brings standby WorkSpaces up to date whenever their primary has been kept anew: every 12 hours.
func (r *Reconciler) replications(ctx context.Context) error {
	for {
		storeChanged, clockChanged := r.Store.Changed(), r.Clock.Changed()
		next, err := r.Runner.ReplicateDue(ctx)
		if err != nil {
			return err
		}
		if err := r.await(ctx, next, storeChanged, clockChanged); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, replicationPause); err != nil {
			return err
		}
	}
}
