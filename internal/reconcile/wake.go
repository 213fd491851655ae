package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// wakeBatch is how many things one job of the wake loop carries.
const wakeBatch = 250

// idleWake is the longest that the wake loop sleeps, in real time. A change in this process
// or of the clock wakes it sooner.
const idleWake = time.Minute

// wake asks for the next turn of work on everything whose time has come: what waits for
// the engine, for an artificial delay or for the end of a pause after a failure, and what
// has not been heard of for so long that it must be lost. Waiting costs a row, not a worker.
func (r *Reconciler) wake(ctx context.Context) error {
	var last time.Time
	for {
		storeChanged, clockChanged := r.Store.Changed(), r.Clock.Changed()
		now := r.Clock.Now()
		// Where the clock was set back, what waits would wait for times long past.
		if now.Before(last) {
			if err := r.hasten(ctx, now); err != nil {
				return err
			}
		}
		last = now
		next, err := r.wakeDue(ctx, now)
		if err != nil {
			return err
		}
		if err := r.await(ctx, next, storeChanged, clockChanged); err != nil {
			return err
		}
	}
}

func (r *Reconciler) hasten(ctx context.Context, now time.Time) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		for _, kind := range workspaces.Kinds() {
			if err := tx.HastenAll(ctx, kind, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakeDue enqueues all that is due now and returns when there will be more; the zero time
// where nothing waits.
func (r *Reconciler) wakeDue(ctx context.Context, now time.Time) (next time.Time, err error) {
	for _, kind := range workspaces.Kinds() {
		due, err := r.nextDue(ctx, kind)
		for err == nil && !due.IsZero() && !due.After(now) {
			if err = r.wakeSome(ctx, kind, now); err == nil {
				due, err = r.nextDue(ctx, kind)
			}
		}
		if err != nil {
			return next, err
		}
		next = earlier(next, due)
	}
	return next, nil
}

// earlier returns the earlier of two times of which the zero time stands for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (r *Reconciler) nextDue(ctx context.Context, kind workspaces.Kind) (due time.Time, err error) {
	err = r.Store.View(func(tx *store.Tx) (err error) {
		due, err = tx.NextDue(ctx, kind)
		return err
	})
	return due, err
}

// patience is the least that a turn of work is given, in real time, before another is
// asked for: where the clock runs fast, the watchdog's time is over before a turn has begun.
const patience = 10 * time.Second

// watchdog is after how long, of the clock's time, a turn that was asked for is asked for again.
func (r *Reconciler) watchdog() time.Duration {
	return max(workspaces.Watchdog, time.Duration(r.Clock.Scale()*float64(patience)))
}

func (r *Reconciler) wakeSome(ctx context.Context, kind workspaces.Kind, now time.Time) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		refs, err := tx.TakeDue(ctx, kind, now, now.Add(r.watchdog()), wakeBatch)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: kind, Refs: refs})
	})
}

// await returns when the clock shows t, when the clock was changed, or soon after the store
// was: a change may bring something that is due earlier. The zero time never comes; but
// after idleWake another process may have left something.
func (r *Reconciler) await(ctx context.Context, t time.Time, storeChanged, clockChanged <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slept := make(chan error, 2)
	go func() { slept <- r.Real.Sleep(ctx, idleWake) }()
	if !t.IsZero() {
		go func() { slept <- r.Clock.SleepUntil(ctx, t) }()
	}
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
