package reconcile

import (
	"context"
	"slices"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	// autoStopEvery is the longest, in the clock's time, that a due time goes unseen that another process has
	// written. No timeout is shorter than an hour, and the service itself is a few minutes late.
	autoStopEvery = time.Minute
	// autoStopPause is the least that the loop rests between two looks, in real time, where the clock runs fast or
	// the store changes all the time.
	autoStopPause = 50 * time.Millisecond
	// autoStopBatch is how many WorkSpaces one transaction stops or puts off.
	autoStopBatch = 100
)

// autoStop stops WorkSpaces with the running mode AUTO_STOP when nobody has been connected for
// their timeout, by the same action and job as StopWorkspaces.
func (r *Reconciler) autoStop(ctx context.Context) error {
	var last time.Time
	for begun := false; ; begun = true {
		storeChanged, changed, now := r.Store.Changed(), r.Clock.Changed(), r.Clock.Now()
		// The clock may have gone back: while this process watched, or between the last and this one.
		if !begun || now.Before(last) {
			if err := r.restartIdle(ctx, now); err != nil {
				return err
			}
		}
		last = now
		next, err := r.stopIdle(ctx, now)
		if err != nil {
			return err
		}
		if err := r.await(ctx, earlier(next, now.Add(autoStopEvery)), storeChanged, changed); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, autoStopPause); err != nil {
			return err
		}
	}
}

// restartIdle makes those due to be looked at that have been idle since a time to come.
func (r *Reconciler) restartIdle(ctx context.Context, now time.Time) error {
	var ahead []workspaces.Ref
	err := r.Store.View(func(tx *store.Tx) (err error) {
		ahead, err = tx.AutoStopsAhead(ctx, now)
		return err
	})
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ahead, autoStopBatch) {
		err := r.Store.Update(ctx, func(tx *store.Tx) error {
			for _, ref := range batch {
				if err := tx.PutOffAutoStop(ctx, ref, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stopIdle stops what is due, and returns when the next is, the zero time where nothing waits.
func (r *Reconciler) stopIdle(ctx context.Context, now time.Time) (next time.Time, err error) {
	for {
		err := r.Store.View(func(tx *store.Tx) (err error) {
			next, err = tx.NextAutoStop(ctx)
			return err
		})
		if err != nil || next.IsZero() || next.After(now) {
			return next, err
		}
		var stopped []workspaces.Ref
		err = r.Store.Update(ctx, func(tx *store.Tx) error {
			stopped = nil
			due, err := tx.AutoStopsDue(ctx, now, autoStopBatch)
			if err != nil {
				return err
			}
			for _, idle := range due {
				stops, err := stopOrPutOff(ctx, tx, idle, now)
				if err != nil {
					return err
				}
				if stops {
					stopped = append(stopped, idle.Ref())
				}
			}
			return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: stopped})
		})
		if err != nil {
			return next, err
		}
		for _, ref := range stopped {
			r.Log.InfoContext(ctx, "stopping a WorkSpace that nobody is connected to", "id", ref.ID)
		}
	}
}

// stopOrPutOff begins to stop a WorkSpace if its time has come, and reports whether it does;
// else it writes when to look again.
func stopOrPutOff(ctx context.Context, tx *store.Tx, idle store.IdleWorkSpace, now time.Time) (stops bool, err error) {
	w := idle.WorkSpace
	// A WorkSpace from before there was AutoStop, or whose times the clock has gone back before.
	if w.ReadyAt.IsZero() || idle.Ahead(now) {
		if err := tx.RestartIdleness(ctx, w, now); err != nil {
			return false, err
		}
		idle.DisconnectedAt = time.Time{}
	}
	due := w.AutoStopsAt(idle.LastKnown(now))
	if due.IsZero() || due.After(now) {
		return false, tx.PutOffAutoStop(ctx, w.Ref(), due)
	}
	read := w.Generation
	if err := w.Begin(workspaces.ActionStop, now); err != nil {
		return false, err
	}
	return tx.SaveWorkSpace(ctx, w, read)
}
