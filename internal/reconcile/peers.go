package reconcile

import (
	"context"
	"slices"
	"time"
)

// peersEvery is how often a process looks after the others on its database, in real time.
const peersEvery = 2 * time.Second

// peers asks for a turn of work on everything when another process on the database has gone,
// and at the start of one that is alone: what the other had in work is in nobody's hands now.
// Nobody knows what that was; a turn too many is harmless.
func (r *Reconciler) peers(ctx context.Context) error {
	before, err := r.Store.Peers(ctx)
	if err != nil {
		return err
	}
	if len(before) == 0 {
		if err := r.hasten(ctx, r.Clock.Now()); err != nil {
			return err
		}
	}
	for {
		if err := r.Real.Sleep(ctx, peersEvery); err != nil {
			return err
		}
		now, err := r.Store.Peers(ctx)
		if err != nil {
			return err
		}
		gone := func(peer int) bool { return !slices.Contains(now, peer) }
		if slices.ContainsFunc(before, gone) {
			if err := r.hasten(ctx, r.Clock.Now()); err != nil {
				return err
			}
		}
		before = now
	}
}
