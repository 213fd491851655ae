package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
)

// metricsEvery is how often old metrics are looked for, in the clock's time.
const metricsEvery = 6 * time.Hour

// metrics forgets the metrics that are too old to be kept.
func (r *Reconciler) metrics(ctx context.Context) error {
	var next time.Time
	for {
		changed, now := r.Clock.Changed(), r.Clock.Now()
		if !now.Before(next) || next.Sub(now) > metricsEvery { // the clock may have gone back
			if err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.PruneMetrics(ctx, now) }); err != nil {
				return err
			}
			next = now.Add(metricsEvery)
		}
		if err := r.await(ctx, next, nil, changed); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, wakePause); err != nil { // where the clock runs fast
			return err
		}
	}
}
