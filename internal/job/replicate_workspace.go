package job

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Bringing a standby WorkSpace up to date, beside its state. That the latest snapshot of its primary is not what it has
// says what is to be done, so that nothing can be lost on the way.
//
//	1  note the snapshot, for some WorkSpaces at once        undo: 5
//	2  the user volume holds what the snapshot holds         undo: none; the next replication does it anew
//	3  start the desktop, if it ran
//	4  the state as before, and from when its files are
//	5  where it was given up: start the desktop, if it ran; it is tried again after a while
//
// Nobody waits for a replication. It never comes while somebody is connected, nor while either region is down.

// replicatedTogether is how many replications are begun at once.
const replicatedTogether = 10

// received is the phase of a standby WorkSpace whose user volume is up to date.
const received = 1

// ReplicateDue brings standby WorkSpaces up to date, some at a time, and returns when to look again for what can
// not be done yet; the zero time: when something has changed.
func (r *Runner) ReplicateDue(ctx context.Context) (next time.Time, err error) {
	for {
		var due []store.Replication
		err := r.Store.View(func(tx *store.Tx) error {
			due, next, err = tx.ReplicationsDue(ctx, r.Clock.Now(), replicatedTogether)
			return err
		})
		if err != nil || len(due) == 0 {
			return next, err
		}
		if err := r.replicate(ctx, due); err != nil {
			return next, err
		}
	}
}

// replicate begins replications, and takes the first turn on each.
func (r *Runner) replicate(ctx context.Context, due []store.Replication) error {
	r.work.begin()
	defer r.work.done()
	work := store.Work{Resource: workspaces.KindWorkSpace}
	err := r.Store.Update(ctx, func(tx *store.Tx) error {
		work.Refs = nil
		for _, one := range due {
			ref, err := r.beginReplication(ctx, tx, one)
			if err != nil {
				return err
			}
			if ref != nil {
				work.Refs = append(work.Refs, *ref)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.Do(ctx, work)
}

// beginReplication takes step 1, unless something has happened meanwhile.
func (r *Runner) beginReplication(ctx context.Context, tx *store.Tx, one store.Replication) (*workspaces.Ref, error) {
	w, found, err := tx.WorkSpace(ctx, one.Standby.Scope, one.Standby.ID)
	if err != nil || !found {
		return nil, err
	}
	tie, read := *one.Standby, w.Generation
	if err := w.Replicate(&tie, one.Snapshot, one.TakenAt, r.Clock.Now()); err != nil {
		return nil, nil //nolint:nilerr // it is busy by now
	}
	if saved, err := tx.SaveWorkSpace(ctx, w, read); err != nil || !saved {
		return nil, err
	}
	return new(w.Ref()), tx.SaveStandby(ctx, &tie)
}

// replicateWorkSpace takes steps 2 and 3.
func (r *Runner) replicateWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	if w.Phase < received {
		tie, found, err := r.tieOf(ctx, w)
		if err != nil || !found {
			return time.Time{}, errors.Join(errNotKnown, err)
		}
		again, err := r.Driver.Receive(ctx, w.ID, compute.Home{Desktop: tie.PrimaryID, Snapshot: w.FromSnapshot})
		if err != nil || !again.IsZero() {
			return again, err
		}
		w.Phase = received
		return r.Clock.Now(), nil
	}
	if !w.RanBefore() {
		return time.Time{}, nil
	}
	return r.Driver.Start(ctx, w.ID)
}

func (r *Runner) tieOf(ctx context.Context, w *workspaces.WorkSpace) (tie *workspaces.Standby, found bool, err error) {
	err = r.Store.View(func(tx *store.Tx) error {
		tie, found, err = tx.Standby(ctx, w.Scope, w.ID)
		return err
	})
	return tie, found, err
}

// noteReplication writes from when the files of a standby WorkSpace are, and how large its user volume is by now.
func noteReplication(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, takenAt time.Time) error {
	tie, found, err := tx.Standby(ctx, w.Scope, w.ID)
	if err != nil || !found {
		return err
	}
	primary, found, err := tx.WorkSpace(ctx, tie.Primary(), tie.PrimaryID)
	if err != nil {
		return err
	}
	if found {
		w.Properties.UserGiB = max(w.Properties.UserGiB, primary.Properties.UserGiB)
	}
	tie.RecoveredAt, tie.RetryAt = takenAt, time.Time{}
	return tx.SaveStandby(ctx, tie)
}

// undoReplication starts a desktop that ran before a replication that was given up. One that cannot be started is
// found to be silent.
func (r *Runner) undoReplication(ctx context.Context, w *workspaces.WorkSpace) {
	if !w.RanBefore() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if _, err := r.Driver.Start(ctx, w.ID); err != nil {
		r.Log.WarnContext(ctx, "a desktop does not start after a replication that failed", "id", w.ID, "error", err)
	}
}
