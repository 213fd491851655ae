package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Making and removing a desktop of a pool. Its row, with its address, was written by the pool's turn.
//
//	1  MAKING: make the desktop and its volumes, start it, hear it answer   undo: 3
//	2  READY, then IN_USE by a session (see pool_session.go)
//	3  REMOVING: remove the desktop and its volumes, however often that fails; then forget the row
//
// One that cannot be made is removed, the pool notes why, and tries another later.

func (r *Runner) poolDesktop(ctx context.Context, ref workspaces.Ref) error {
	var d *workspaces.PoolDesktop
	var found bool
	err := r.Store.View(func(tx *store.Tx) (err error) {
		d, found, err = tx.PoolDesktop(ctx, ref.Scope, ref.ID)
		return err
	})
	if err != nil || !found || d.Generation != ref.Generation || d.Runs() {
		return err
	}
	making := d.State == workspaces.PoolDesktopMaking
	again, failed := r.stepPoolDesktop(ctx, d)
	if ctx.Err() != nil {
		return ctx.Err() // told to stop: says nothing about the engine
	}
	now := r.Clock.Now()
	t := trial{
		scale: r.Clock.Scale(), since: d.ChangedAt, deadline: d.Deadline, overdue: !d.Deadline.IsZero() && !now.Before(d.Deadline),
		attempts: d.Attempts, untilDeadline: !making,
		final: func(err error) bool { return making && (isLacking(err) || errors.Is(err, errNoSubnet)) },
	}
	again, failed = t.judge(now, again, failed)
	d.Deadline, d.Attempts = t.deadline, t.attempts
	if failed == nil && !again.IsZero() {
		d.WakeAt = again
		return r.Store.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.SavePoolDesktop(ctx, d, d.Generation)
			return err
		})
	}
	if failed != nil {
		r.Log.WarnContext(ctx, "gave up", "action", "make a desktop of a pool", "id", d.ID, "pool", d.PoolID, "error", failed)
	}
	return r.concludePoolDesktop(ctx, d, failed)
}

// stepPoolDesktop does what is to be done on the engine, within the time that a turn may take.
func (r *Runner) stepPoolDesktop(ctx context.Context, d *workspaces.PoolDesktop) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if d.State == workspaces.PoolDesktopRemoving {
		again, err = r.Driver.Delete(ctx, d.ID)
	} else {
		var spec compute.Desktop
		if spec, err = r.poolDesktopSpec(ctx, d); err == nil {
			again, err = r.Driver.Create(ctx, spec)
		}
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w within %v: %w", compute.ErrUnavailable, turnTimeout, err)
	}
	return again, err
}

// concludePoolDesktop writes what has become of a desktop, and has its pool look at it.
func (r *Runner) concludePoolDesktop(ctx context.Context, d *workspaces.PoolDesktop, failed error) error {
	read, now := d.Ref(), r.Clock.Now()
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		end := *d
		var done bool
		var err error
		switch {
		case end.State == workspaces.PoolDesktopRemoving:
			done, err = tx.DeletePoolDesktop(ctx, read)
		case failed != nil:
			end.Remove(now)
			done, err = tx.SavePoolDesktop(ctx, &end, read.Generation)
		default:
			end.Made(now)
			done, err = tx.SavePoolDesktop(ctx, &end, read.Generation)
		}
		if err != nil || !done {
			return err
		}
		if failed != nil {
			if err := tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPoolDesktop, Refs: []workspaces.Ref{end.Ref()}}); err != nil {
				return err
			}
		}
		return r.tellPool(ctx, tx, &end, failed)
	})
}

// tellPool notes in the pool how it went with its desktop, and asks for a turn on it.
func (r *Runner) tellPool(ctx context.Context, tx *store.Tx, d *workspaces.PoolDesktop, failed error) error {
	p, found, err := tx.Pool(ctx, d.Scope, d.PoolID)
	if err != nil || !found {
		return err
	}
	switch {
	case failed != nil:
		code, message := explainPool(failed)
		p.Failed(r.Clock.Now(), code, message)
	case d.State == workspaces.PoolDesktopReady:
		p.Succeeded()
	}
	p.WakeAt = r.Clock.Now().Add(workspaces.Watchdog)
	if _, err := tx.SavePool(ctx, p, p.Generation); err != nil {
		return err
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPool, Refs: []workspaces.Ref{p.Ref()}})
}

// explainPool is explain in the words that pools have for what may go wrong.
func explainPool(err error) (code, message string) {
	switch {
	case errors.Is(err, compute.ErrImage):
		code = "IMAGE_NOT_FOUND"
	case errors.Is(err, errNoSubnet):
		code = "SUBNET_NOT_FOUND"
	case isLacking(err), errors.Is(err, errOverdue):
		code = "WORKSPACES_POOL_INSTANCE_PROVISIONING_FAILURE"
	default:
		code = "INTERNAL_SERVICE_ERROR"
	}
	return code, err.Error()
}

// ReplacePoolDesktop removes a desktop that has stopped answering, and the session that it was in use by;
// its pool makes another. It does nothing where the desktop is not any more what it was.
func (r *Runner) ReplacePoolDesktop(ctx context.Context, d *workspaces.PoolDesktop) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		s, found, err := tx.PoolSessionOn(ctx, d.Scope, d.ID)
		if err != nil {
			return err
		}
		end := *d
		replaced, err := r.replace(ctx, tx, &end)
		if err == nil && replaced && found {
			_, err = tx.DeletePoolSession(ctx, s.Ref())
		}
		return err
	})
}

// replace has a desktop removed, and its pool make another; false: the desktop is not any more what it was.
func (r *Runner) replace(ctx context.Context, tx *store.Tx, d *workspaces.PoolDesktop) (replaced bool, err error) {
	read := d.Generation
	d.Remove(r.Clock.Now())
	saved, err := tx.SavePoolDesktop(ctx, d, read)
	if err != nil || !saved {
		return false, err
	}
	if err := tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPoolDesktop, Refs: []workspaces.Ref{d.Ref()}}); err != nil {
		return false, err
	}
	return true, r.tellPool(ctx, tx, d, nil)
}
