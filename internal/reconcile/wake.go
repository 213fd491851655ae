package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// wakeBatch is how many things one job of the wake loop carries.
const wakeBatch = 250

// idleWake is how long the wake loop sleeps where nothing waits, in the clock's time. A
// change in this process or of the clock wakes it sooner.
const idleWake = time.Minute

// wake asks for the next turn of work on everything whose time has come: what waits for
// the engine, for an artificial delay or for the end of a pause after a failure, and what
// has not been heard of because its process died. Waiting costs a row, not a worker.
func (r *Reconciler) wake(ctx context.Context) error {
	if r.Store.Alone() {
		// What was in work when the last process ended is in nobody's hands now.
		if err := r.hasten(ctx); err != nil {
			return err
		}
	}
	for {
		storeChanged, clockChanged := r.Store.Changed(), r.Clock.Changed()
		next, err := r.wakeDue(ctx)
		if err != nil {
			return err
		}
		if err := r.await(ctx, next, storeChanged, clockChanged); err != nil {
			return err
		}
	}
}

func kinds() []workspaces.Kind {
	return []workspaces.Kind{workspaces.KindWorkSpace, workspaces.KindDirectory, workspaces.KindWorkspaceDirectory}
}

func (r *Reconciler) hasten(ctx context.Context) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		for _, kind := range kinds() {
			if err := tx.HastenAll(ctx, kind, r.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakeDue enqueues all that is due and returns when there will be more, at the latest
// after idleWake.
func (r *Reconciler) wakeDue(ctx context.Context) (next time.Time, err error) {
	now := r.Clock.Now()
	next = now.Add(idleWake)
	for _, kind := range kinds() {
		due, err := r.nextDue(ctx, kind)
		for err == nil && !due.IsZero() && !due.After(now) {
			if err = r.wakeSome(ctx, kind, now); err == nil {
				due, err = r.nextDue(ctx, kind)
			}
		}
		if err != nil {
			return next, err
		}
		if !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next, nil
}

func (r *Reconciler) nextDue(ctx context.Context, kind workspaces.Kind) (due time.Time, err error) {
	err = r.Store.View(func(tx *store.Tx) (err error) {
		due, err = tx.NextDue(ctx, kind)
		return err
	})
	return due, err
}

func (r *Reconciler) wakeSome(ctx context.Context, kind workspaces.Kind, now time.Time) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		refs, err := tx.TakeDue(ctx, kind, now, now.Add(workspaces.Watchdog), wakeBatch)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: kind, Refs: refs})
	})
}

// await returns when the clock shows t, when the clock was changed, or soon after the store
// was: a change may bring something that is due earlier.
func (r *Reconciler) await(ctx context.Context, t time.Time, storeChanged, clockChanged <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slept := make(chan error, 1)
	go func() { slept <- r.Clock.SleepUntil(ctx, t) }()
	select {
	case err := <-slept:
		return err
	case <-clockChanged:
		return ctx.Err()
	case <-storeChanged:
		// Under load the store changes all the time; looking once in a while is enough.
		return r.Real.Sleep(ctx, wakePause)
	}
}

// wakePause is how long, in real time, the wake loop lets changes gather.
const wakePause = 20 * time.Millisecond
