package job

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Migrating a WorkSpace: two rows, the source in MAINTENANCE and the target PENDING, and each has its
// own turns. The operation has written both, and the row of the snapshot.
//
//	1  source: keep its user volume in a snapshot            undo: none; it is one more to rebuild from
//	2  target: make the desktop, its user volume from there  undo: terminate_workspace.go
//	3  target AVAILABLE and source TERMINATING, in one transaction
//
// Where either cannot go on, or is terminated, the source returns to the state that it had, and
// the target is terminated: its id is never used.

var (
	errTargetGone = errors.New("the WorkSpace that it was being migrated to was terminated")
	errSourceGone = errors.New("the WorkSpace that was being migrated is not there any more")
)

// kept is the phase of a source whose snapshot is complete.
const kept = 1

// migrateWorkSpace takes step 1, and then watches over the target.
func (r *Runner) migrateWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	target, err := r.other(ctx, w)
	if err != nil {
		return time.Time{}, err
	}
	if target == nil || !w.IsMigratedTo(target) {
		return time.Time{}, errTargetGone
	}
	if w.Phase < kept {
		again, err := r.keepSource(ctx, w, target)
		if err != nil || !again.IsZero() {
			return again, err
		}
	}
	// The target decides; should it be lost, this one ends a little later.
	w.Deadline = target.Deadline.Add(workspaces.Watchdog)
	return r.Clock.Now().Add(workspaces.Waits), nil
}

// other reads the other WorkSpace of a migration, nil where it is gone.
func (r *Runner) other(ctx context.Context, w *workspaces.WorkSpace) (other *workspaces.WorkSpace, err error) {
	err = r.Store.View(func(tx *store.Tx) (err error) {
		other, _, err = tx.WorkSpace(ctx, w.Scope, w.Migrating)
		return err
	})
	if err != nil {
		return nil, errors.Join(errNotKnown, err)
	}
	return other, nil
}

// keepSource takes step 1, and lets the target go on.
func (r *Runner) keepSource(ctx context.Context, w, target *workspaces.WorkSpace) (again time.Time, err error) {
	var all workspaces.Snapshots
	err = r.Store.View(func(tx *store.Tx) (err error) {
		all, err = tx.Snapshots(ctx, w.Scope, w.ID)
		return err
	})
	if err != nil {
		return time.Time{}, errors.Join(errNotKnown, err)
	}
	s, found := all.Unfinished()
	if !found || s.Name != w.FromSnapshot {
		return time.Time{}, compute.ErrSnapshot
	}
	if again, err = r.snapshot(ctx, w, s); err != nil || !again.IsZero() {
		return again, err
	}
	w.Phase, s.State = kept, workspaces.SnapshotAvailable
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		if saved, err := tx.SaveWorkSpace(ctx, w, w.Generation); err != nil || !saved {
			return err
		}
		if err := tx.PutSnapshot(ctx, w.Scope, w.ID, s); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{target.Ref()}})
	})
	if err != nil {
		w.Phase = 0
		return time.Time{}, errors.Join(errNotKnown, err)
	}
	return time.Time{}, nil
}

// homeOf says what the user volume of a target is made from. A time above zero asks to come back:
// the source has not been kept yet.
func (r *Runner) homeOf(ctx context.Context, w *workspaces.WorkSpace) (home *compute.Home, again time.Time, err error) {
	source, err := r.other(ctx, w)
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case source == nil || !source.IsMigratedTo(w):
		return nil, time.Time{}, errSourceGone
	case source.Phase < kept:
		return nil, r.Clock.Now().Add(workspaces.Waits), nil
	}
	return &compute.Home{Desktop: source.ID, Snapshot: source.FromSnapshot}, time.Time{}, nil
}

// endMigration writes the end of a migration in both rows. W is one of them; its step failed, or
// has nothing more to do. It reports whether w was still as it had been.
func (r *Runner) endMigration(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, failed error) (saved bool, err error) {
	if current, found, err := tx.WorkSpace(ctx, w.Scope, w.ID); err != nil || !found || current.Generation != w.Generation {
		return false, err
	}
	other, _, err := tx.WorkSpace(ctx, w.Scope, w.Migrating)
	if err != nil {
		return false, err
	}
	m, now := workspaces.MigrationOf(w, other), r.Clock.Now()
	var both []*workspaces.WorkSpace // the source gives its user's place up before the target takes it
	var read []int64
	for _, one := range []*workspaces.WorkSpace{m.Source, m.Target} {
		if one != nil {
			both, read = append(both, one), append(read, one.Generation)
		}
	}
	if failed == nil {
		err = m.Succeed(r.Limits, now)
	} else {
		err = m.Fail(failed.Error(), now)
	}
	if err != nil {
		return false, err
	}
	work := store.Work{Resource: workspaces.KindWorkSpace}
	for i, one := range both {
		if _, err := tx.SaveWorkSpace(ctx, one, read[i]); err != nil {
			return false, err
		}
		if one.IsEnding() {
			work.Refs = append(work.Refs, one.Ref())
		}
	}
	return true, tx.Enqueue(ctx, work)
}
