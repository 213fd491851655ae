package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	// autoStopEvery is the longest, in the clock's time, that a new due time goes unseen. No
	// timeout is shorter than an hour, and the service itself is a few minutes late.
	autoStopEvery = time.Minute
	// autoStopPause is the least that the loop rests between two looks, in real time, where the clock runs fast.
	autoStopPause = 50 * time.Millisecond
	// autoStopBatch is how many WorkSpaces one transaction stops or puts off.
	autoStopBatch = 100
	// farAutoStop is how far ahead a due time makes the loop doubt it at its start: an earlier
	// process's clock may have been moved ahead of this one's.
	farAutoStop = 24 * time.Hour
)

// autoStop stops WorkSpaces with the running mode AUTO_STOP when nobody has been connected for
// their timeout, by the same action and job as StopWorkspaces.
func (r *Reconciler) autoStop(ctx context.Context) error {
	last, doubt := r.Clock.Now(), farAutoStop
	for {
		changed, now := r.Clock.Changed(), r.Clock.Now()
		if now.Before(last) {
			doubt = 0
		}
		if doubt >= 0 {
			after := now.Add(doubt)
			if err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.HastenAutoStops(ctx, after, now) }); err != nil {
				return err
			}
		}
		last, doubt = now, -1
		next, err := r.stopIdle(ctx, now)
		if err != nil {
			return err
		}
		if err := r.await(ctx, earlier(next, now.Add(autoStopEvery)), nil, changed); err != nil {
			return err
		}
		if err := r.Real.Sleep(ctx, autoStopPause); err != nil {
			return err
		}
	}
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
	if w.ReadyAt.IsZero() || w.ReadyAt.After(now) || idle.DisconnectedAt.After(now) {
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
