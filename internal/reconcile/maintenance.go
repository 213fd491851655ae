package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
)

const (
	// maintenanceEvery is the longest, in the clock's time, that the loop rests: other processes, and operations, may have
	// written that something is to be looked at sooner.
	maintenanceEvery = time.Hour
	// maintenancePause is the least that the loop rests between two looks, in real time.
	maintenancePause = 250 * time.Millisecond
	// maintenanceHorizon is farther off than any next maintenance: a month and the two weeks of a window.
	maintenanceHorizon = 60 * 24 * time.Hour
)

// maintenance keeps WorkSpaces up to date in their windows, where that is configured. What is due is found by an index, and
// what has no room waits for a change: somebody else's maintenance has ended.
func (r *Reconciler) maintenance(ctx context.Context) error {
	if !r.Runner.Maintenance.On {
		<-ctx.Done()
		return ctx.Err()
	}
	var last time.Time // zero: an earlier process's clock may have been ahead of this one's
	for {
		storeChanged, clockChanged, now := r.Store.Changed(), r.Clock.Changed(), r.Clock.Now()
		if last.IsZero() || now.Before(last) {
			err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.HastenMaintenances(ctx, now, now.Add(maintenanceHorizon)) })
			if err != nil {
				return err
			}
		}
		last = now
		next, waiting, err := r.Runner.MaintainDue(ctx)
		if err != nil {
			return err
		}
		if waiting {
			next = time.Time{}
		} else {
			storeChanged = nil
		}
		if err := r.await(ctx, earlier(next, now.Add(maintenanceEvery)), storeChanged, clockChanged); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, maintenancePause); err != nil {
			return err
		}
	}
}
