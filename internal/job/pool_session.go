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

// A user's session on a desktop of a pool. The operation that let the user in has written its row, and
// assigned it the desktop, in one transaction.
//
//	1  PREPARING: bring what is kept of the user's settings, and begin the desktop's session anew (see
//	   pool_settings.go)                                   undo: none, they stay kept
//	2  ACTIVE: until the user ends it, or has been away for too long, or the time is up. Only the store is
//	   asked, and the turn for the next end that is foreseen is put off until then
//	3  ENDING: keep the user's settings; then, in one transaction, have the desktop removed and its pool make
//	   another, and forget the row
//
// Settings that cannot be brought are left as they are kept, and the session begins and ends without them.

func (r *Runner) poolSession(ctx context.Context, ref workspaces.Ref) error {
	var s *workspaces.PoolSession
	var found bool
	err := r.Store.View(func(tx *store.Tx) (err error) {
		s, found, err = tx.PoolSession(ctx, ref.Scope, ref.ID)
		return err
	})
	if err != nil || !found || s.Generation != ref.Generation {
		return err
	}
	if s.State == workspaces.PoolSessionActive {
		return r.watchPoolSession(ctx, ref)
	}
	archive, again, failed := r.stepPoolSession(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err() // told to stop: says nothing about the engine
	}
	now := r.Clock.Now()
	t := trial{
		scale: r.Clock.Scale(), since: s.ChangedAt, deadline: s.Deadline, overdue: !now.Before(s.Deadline), attempts: s.Attempts,
		final: func(err error) bool {
			return isLacking(err) || errors.Is(err, compute.ErrScript) || errors.Is(err, compute.ErrNotFound) ||
				errors.Is(err, compute.ErrNotRunning) || errors.Is(err, errSettings)
		},
	}
	again, failed = t.judge(now, again, failed)
	s.Deadline, s.Attempts = t.deadline, t.attempts
	switch {
	case failed != nil:
		r.Log.WarnContext(ctx, "the settings of a pool's user are left as they were kept", "session", s.ID, "user", s.UserName,
			"state", s.State, "error", failed)
	case !again.IsZero():
		s.WakeAt = again
		return r.savePoolSession(ctx, s, s.Generation)
	}
	if s.State == workspaces.PoolSessionEnding {
		return r.finishPoolSession(ctx, s, archive)
	}
	if failed != nil {
		s.SettingsGroup = ""
	}
	s.Prepared(now)
	return r.savePoolSession(ctx, s, s.Generation-1)
}

// stepPoolSession takes step 1, or the part of step 3 that is the desktop's, within the time that a turn may take.
func (r *Runner) stepPoolSession(ctx context.Context, s *workspaces.PoolSession) (archive []byte, again time.Time, err error) {
	if s.SettingsGroup == "" {
		return nil, time.Time{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if s.State == workspaces.PoolSessionEnding {
		archive, again, err = r.takeSettings(ctx, s)
	} else {
		again, err = r.bringSettings(ctx, s)
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w within %v: %w", compute.ErrUnavailable, turnTimeout, err)
	}
	return archive, again, err
}

// watchPoolSession takes step 2.
func (r *Runner) watchPoolSession(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		s, found, err := tx.PoolSession(ctx, ref.Scope, ref.ID)
		if err != nil || !found || s.Generation != ref.Generation {
			return err
		}
		connections, err := tx.Connections(ctx, s.Scope, []string{s.DesktopID})
		if err != nil {
			return err
		}
		now := r.Clock.Now()
		if s.WakeAt = s.EndsAt(connections[s.DesktopID]); !now.Before(s.WakeAt) {
			return tx.EndPoolSession(ctx, s, now)
		}
		_, err = tx.SavePoolSession(ctx, s, s.Generation)
		return err
	})
}

func (r *Runner) savePoolSession(ctx context.Context, s *workspaces.PoolSession, read int64) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.SavePoolSession(ctx, s, read)
		return err
	})
}

// finishPoolSession ends step 3. archive is what is to be kept of the user; nil: what is kept already.
func (r *Runner) finishPoolSession(ctx context.Context, s *workspaces.PoolSession, archive []byte) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		deleted, err := tx.DeletePoolSession(ctx, s.Ref())
		if err != nil || !deleted {
			return err
		}
		if archive != nil {
			if err := tx.PutPoolSettings(ctx, s, archive, r.Clock.Now()); err != nil {
				return err
			}
		}
		d, found, err := tx.PoolDesktop(ctx, s.Scope, s.DesktopID)
		if err != nil || !found || d.State != workspaces.PoolDesktopInUse {
			return err
		}
		_, err = r.replace(ctx, tx, d)
		return err
	})
}
