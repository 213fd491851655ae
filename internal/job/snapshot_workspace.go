package job

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Keeping a WorkSpace that rests in a snapshot.
//
//	1  write the snapshot's row, for as many WorkSpaces at once as are due    undo: 2, anew
//	2  keep the volumes in the engine                                        undo: drop the snapshot
//	3  the snapshot is AVAILABLE, and older ones that nothing needs DROPPING
//	4  drop those in the engine, then forget their rows                      undo: none
//
// Whatever happens to the WorkSpace in between wins: the snapshot is then taken anew, later. What
// cannot be dropped is dropped with the next ones.

// takenTogether is how many WorkSpaces' snapshots one transaction begins.
const takenTogether = 50

// KeepDue takes the snapshots that are due, some at a time, and returns of how many WorkSpaces; they
// are due again at the watchdog's time, should this process die.
func (r *Runner) KeepDue(ctx context.Context, watchdog time.Duration) (taken int, err error) {
	r.work.begin()
	defer r.work.done()
	var work store.Work
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		now := r.Clock.Now()
		due, err := tx.TakeSnapshotsDue(ctx, now, now.Add(watchdog), takenTogether)
		work, taken = store.Work{Resource: workspaces.KindWorkSpace}, len(due)
		for _, ref := range due {
			if err != nil {
				break
			}
			var begun bool
			if begun, err = r.beginSnapshot(ctx, tx, ref, now); begun {
				work.Refs = append(work.Refs, ref)
			}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return taken, r.Do(ctx, work)
}

// beginSnapshot takes step 1 for a WorkSpace whose state has snapshots.
func (*Runner) beginSnapshot(ctx context.Context, tx *store.Tx, ref workspaces.Ref, now time.Time) (begun bool, err error) {
	w, found, err := tx.WorkSpace(ctx, ref.Scope, ref.ID)
	if err != nil || !found {
		return false, err
	}
	root, keeps := w.State.Keeps()
	if !keeps {
		_, err := tx.PutSnapshotOff(ctx, ref, time.Time{})
		return false, err
	}
	all, err := tx.Snapshots(ctx, w.Scope, w.ID)
	if err != nil {
		return false, err
	}
	return true, tx.PutSnapshot(ctx, w.Scope, w.ID, w.BeginSnapshot(all, root, now))
}

// keep takes steps 2 to 4 for a WorkSpace that rests, if step 1 was taken.
func (r *Runner) keep(ctx context.Context, w *workspaces.WorkSpace) error {
	var all workspaces.Snapshots
	err := r.Store.View(func(tx *store.Tx) (err error) {
		all, err = tx.Snapshots(ctx, w.Scope, w.ID)
		return err
	})
	if err != nil {
		return err
	}
	s, found := all.Unfinished()
	if !found || s.Generation != w.Generation {
		return nil
	}
	again, err := r.snapshot(ctx, w, s)
	if ctx.Err() != nil {
		return ctx.Err() // told to stop: says nothing about the engine
	}
	if err != nil {
		r.Log.WarnContext(ctx, "a snapshot failed and is tried again", "id", w.ID, "snapshot", s.Name, "error", err)
		now := r.Clock.Now()
		again = now.Add(min(max(now.Sub(s.TakenAt), shortestSnapshotPause), longestSnapshotPause))
	}
	if !again.IsZero() {
		return r.Store.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.PutSnapshotOff(ctx, w.Ref(), again)
			return err
		})
	}
	outdated, err := r.noteSnapshot(ctx, w, s)
	if err != nil {
		return err
	}
	return r.drop(ctx, w, outdated)
}

// How long an engine that failed at a snapshot is left alone: as long as it has been tried.
const (
	shortestSnapshotPause = time.Minute
	longestSnapshotPause  = time.Hour
)

// snapshot takes step 2. What the engine has of an earlier attempt at another time goes first.
func (r *Runner) snapshot(ctx context.Context, w *workspaces.WorkSpace, s workspaces.Snapshot) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if s.State == workspaces.SnapshotRedo {
		if again, err = r.Driver.DropSnapshot(ctx, w.ID, s.Name); err != nil || !again.IsZero() {
			return again, err
		}
		s.State = workspaces.SnapshotPending
		err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutSnapshot(ctx, w.Scope, w.ID, s) })
		if err != nil {
			return time.Time{}, errors.Join(errNotKnown, err)
		}
	}
	return r.Driver.Snapshot(ctx, w.ID, compute.Snapshot{Name: s.Name, Root: s.Root})
}

// noteSnapshot takes step 3, if the WorkSpace is still as it was, and returns what is to be dropped.
func (r *Runner) noteSnapshot(ctx context.Context, w *workspaces.WorkSpace, s workspaces.Snapshot) (dropping workspaces.Snapshots, err error) {
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		dropping = nil
		current, err := tx.PutSnapshotOff(ctx, w.Ref(), s.TakenAt.Add(workspaces.SnapshotEvery))
		if err != nil || !current {
			return err
		}
		s.State = workspaces.SnapshotAvailable
		if err := tx.PutSnapshot(ctx, w.Scope, w.ID, s); err != nil {
			return err
		}
		all, err := tx.Snapshots(ctx, w.Scope, w.ID)
		if err != nil {
			return err
		}
		dropping = all.Dropping()
		for _, old := range all.Outdated() {
			old.State = workspaces.SnapshotDropping
			if err := tx.PutSnapshot(ctx, w.Scope, w.ID, old); err != nil {
				return err
			}
			dropping = append(dropping, old)
		}
		return nil
	})
	return dropping, err
}

// drop takes step 4 as far as the engine goes along.
func (r *Runner) drop(ctx context.Context, w *workspaces.WorkSpace, dropping workspaces.Snapshots) error {
	engine, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	for _, s := range dropping {
		again, err := r.Driver.DropSnapshot(engine, w.ID, s.Name)
		if err != nil {
			r.Log.WarnContext(ctx, "an old snapshot cannot be removed yet", "id", w.ID, "snapshot", s.Name, "error", err)
		}
		if err != nil || !again.IsZero() {
			return nil
		}
		if err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSnapshot(ctx, w.Scope, w.ID, s.Seq) }); err != nil {
			return err
		}
	}
	return nil
}
