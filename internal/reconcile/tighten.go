package reconcile

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
)

// tightenEvery is how often the engine is asked to keep desktops from addresses that the
// machine has got since, in real time.
const tightenEvery = 5 * time.Minute

// tighten keeps what desktops may not reach up to date, on an engine that has to be asked to.
func (r *Reconciler) tighten(ctx context.Context) error {
	engine, ok := r.Driver.(compute.Tightener)
	if !ok {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		if err := engine.Tighten(ctx); err != nil && !errors.Is(err, compute.ErrUnavailable) {
			return err
		}
		if err := r.Real.Sleep(ctx, tightenEvery); err != nil {
			return err
		}
	}
}
