// Package reconcile is the repair that neither a request nor a job can do: it wakes work
// that waits or has been lost, holds the store against the engine, and applies the
// service's rules that time alone sets off. One file per loop.
//
// Every loop may run in several processes at once and at any moment: what it writes is
// guarded by generations, and what it does to the engine is idempotent.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/job"
	"carrel/internal/store"
)

// Reconciler runs the loops.
type Reconciler struct {
	Store  *store.Store
	Clock  *clock.Clock // the service's time: what is due, and since when
	Real   *clock.Clock // the machine's time: how often to look at the engine
	Driver compute.Driver
	Runner *job.Runner
	Log    *slog.Logger

	// DriftEvery is how often the engine is looked at, in real time; 0: 10 seconds.
	DriftEvery time.Duration
	// Looks has the engine looked at sooner, whenever it is sent something; nil: never.
	Looks <-chan struct{}
}

// retryAfter is how long a loop rests after an error, in real time.
const retryAfter = time.Second

// Run runs all loops until the context ends.
func (r *Reconciler) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, loop := range map[string]func(context.Context) error{
		"wake":             r.wake,
		"peers":            r.peers,
		"drift":            r.drift,
		"images":           r.images,
		"snapshots":        r.snapshots,
		"replications":     r.replications,
		"idle directories": r.idleDirectories,
		"tighten":          r.tighten,
		"auto stop":        r.autoStop,
		"maintenance":      r.maintenance,
		"streams":          r.streams,
		"metrics":          r.metrics,
	} {
		group.Go(func() error {
			for {
				err := loop(ctx)
				if ctx.Err() != nil {
					return nil //nolint:nilerr // told to stop
				}
				r.Log.ErrorContext(ctx, "a reconcile loop failed and goes on", "loop", name, "error", err)
				if r.Real.Sleep(ctx, retryAfter) != nil {
					return nil //nolint:nilerr // told to stop
				}
			}
		})
	}
	return group.Wait()
}
