package job

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// step does an action's work on the engine. A time above zero asks to come back then.
type step func(r *Runner, ctx context.Context, w *workspaces.WorkSpace) (again time.Time, err error)

// stepOf returns the step of an action that has one.
func stepOf(a workspaces.Action) step {
	switch a {
	case workspaces.ActionCreate:
		return (*Runner).createWorkSpace
	case workspaces.ActionStart:
		return (*Runner).startWorkSpace
	case workspaces.ActionStop:
		return (*Runner).stopWorkSpace
	case workspaces.ActionReboot:
		return (*Runner).rebootWorkSpace
	case workspaces.ActionTerminate:
		return (*Runner).terminateWorkSpace
	default:
		return nil
	}
}

// workSpace takes a turn on a WorkSpace: the step of whatever is running, and then what came of it.
func (r *Runner) workSpace(ctx context.Context, ref workspaces.Ref) error {
	var w *workspaces.WorkSpace
	err := r.Store.View(func(tx *store.Tx) (err error) {
		w, _, err = tx.WorkSpace(ctx, ref.Scope, ref.ID)
		return err
	})
	if err != nil || w == nil || w.Generation != ref.Generation {
		return err // gone or moved on: the turn is stale
	}
	if w.HasEnded() {
		return r.forgetWorkSpace(ctx, w)
	}
	action, running := w.State.Running()
	if !running {
		return nil
	}
	again, err := stepOf(action)(r, ctx, w)
	if ctx.Err() != nil {
		return ctx.Err() // cut off: says nothing about the engine
	}
	if again, err = r.judge(w, again, err); err == nil && !again.IsZero() {
		return r.Store.Update(ctx, func(tx *store.Tx) error { return r.putOff(ctx, tx, w, again) })
	}
	if err != nil {
		r.Log.WarnContext(ctx, "gave up", "action", action, "id", w.ID, "error", err)
	}
	return r.conclude(ctx, w, action, err)
}

// putOff notes when to come back and how often the engine has failed.
func (r *Runner) putOff(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, again time.Time) error {
	if w.Attempts == 0 {
		return tx.PutOff(ctx, workspaces.KindWorkSpace, w.Ref(), again)
	}
	w.WakeAt = again
	_, err := tx.SaveWorkSpace(ctx, w, w.Generation)
	return err
}

const (
	// maxAttempts is how often an engine may fail at an action before it is given up.
	maxAttempts = 3
	// betweenAttempts is how long an engine is left alone after it failed or did not answer.
	betweenAttempts = 3 * time.Second
)

// judge decides what a step's outcome means: come back (a time), give up (an error), or done.
func (r *Runner) judge(w *workspaces.WorkSpace, again time.Time, err error) (time.Time, error) {
	now := r.Clock.Now()
	switch {
	case err == nil && again.IsZero():
		return time.Time{}, nil
	case w.Overdue(now):
		if err == nil {
			err = errOverdue
		}
		return time.Time{}, err
	case err == nil:
		return again, nil
	case errors.Is(err, compute.ErrUnavailable):
		return now.Add(betweenAttempts), nil
	case isFinal(err):
		return time.Time{}, err
	}
	if w.Attempts++; w.Attempts >= maxAttempts {
		return time.Time{}, err
	}
	return now.Add(betweenAttempts), nil
}

var errOverdue = errors.New("the desktop was not ready within the time that the service allows")

// isFinal reports whether trying again cannot help.
func isFinal(err error) bool {
	return errors.Is(err, compute.ErrImage) || errors.Is(err, compute.ErrCapacity) || errors.Is(err, compute.ErrInvalid) ||
		errors.Is(err, compute.ErrNotFound) || errors.Is(err, errNoSubnet)
}

// conclude writes the end of an action: success where err is nil, else its failure.
func (r *Runner) conclude(ctx context.Context, w *workspaces.WorkSpace, action workspaces.Action, err error) error {
	generation, now := w.Generation, r.Clock.Now()
	if err == nil {
		w.Finish(now)
	} else {
		code, message := explain(err)
		w.Fail(now, code, message)
	}
	if w.HasEnded() {
		w.WakeAt = now.Add(r.Limits.TerminatedStays)
	}
	var saved, there bool
	err = r.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if saved, err = tx.SaveWorkSpace(ctx, w, generation); err != nil || saved {
			return err
		}
		_, there, err = tx.WorkSpace(ctx, w.Scope, w.ID)
		return err
	})
	if err != nil || saved {
		return err
	}
	// Somebody moved the WorkSpace on while the engine worked. If it is gone, what a create
	// has made since belongs to nobody.
	if action == workspaces.ActionCreate && !there {
		_, err = r.Driver.Delete(ctx, w.ID)
	}
	return err
}

// explain turns an engine's error into what the API shows of it. The engine's own words
// are shown: whoever sees them runs the engine.
func explain(err error) (code, message string) {
	switch {
	case errors.Is(err, compute.ErrImage):
		code = "ResourceNotFound.Image"
	case errors.Is(err, compute.ErrCapacity):
		code = "InsufficientCapacity"
	case errors.Is(err, compute.ErrInvalid):
		code = "InvalidConfiguration"
	case errors.Is(err, compute.ErrNotFound):
		code = "ResourceNotFound.Desktop"
	case errors.Is(err, errNoSubnet):
		code = "ResourceNotFound.Subnet"
	case errors.Is(err, errOverdue):
		code = "Timeout"
	default:
		code = "InternalFailure"
	}
	return code, err.Error()
}
