package reconcile

import (
	"context"
	"time"
)

// How long the loop rests between two looks, in real time: so many times as long as the last took, which is
// longer the more standby WorkSpaces there are, within these bounds.
const (
	replicationShare = 20
	replicationPause = 250 * time.Millisecond
	longestPause     = 10 * time.Second
)

// replications brings standby WorkSpaces up to date whenever their primary has been kept anew: every 12 hours.
func (r *Reconciler) replications(ctx context.Context) error {
	for {
		storeChanged, clockChanged, began := r.Store.Changed(), r.Clock.Changed(), r.Real.Now()
		next, err := r.Runner.ReplicateDue(ctx)
		if err != nil {
			return err
		}
		rest := replicationShare * r.Real.Now().Sub(began)
		if err := r.await(ctx, next, storeChanged, clockChanged); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, min(max(rest, replicationPause), longestPause)); err != nil {
			return err
		}
	}
}
