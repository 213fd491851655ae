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
	case workspaces.ActionCapture:
		return (*Runner).captureWorkSpace
	case workspaces.ActionRebuild:
		return (*Runner).rebuildWorkSpace
	case workspaces.ActionRestore:
		return (*Runner).restoreWorkSpace
	case workspaces.ActionMigrate:
		return (*Runner).migrateWorkSpace
	case workspaces.ActionModify, workspaces.ActionGrow:
		return (*Runner).modifyWorkSpace
	case workspaces.ActionReplicate:
		return (*Runner).replicateWorkSpace
	case workspaces.ActionMaintain:
		return (*Runner).maintainWorkSpace
	case workspaces.ActionUpdate:
		return (*Runner).updateWorkSpace
	case workspaces.ActionTerminate:
		return (*Runner).terminateWorkSpace
	default:
		return nil
	}
}

// workSpace takes a turn on a WorkSpace: the step of whatever is running, and then what came of
// it. One that rests may have a snapshot to be taken, or applications to be deployed.
func (r *Runner) workSpace(ctx context.Context, ref workspaces.Ref) error {
	var w *workspaces.WorkSpace
	var found bool
	err := r.Store.View(func(tx *store.Tx) (err error) {
		w, found, err = tx.WorkSpace(ctx, ref.Scope, ref.ID)
		return err
	})
	if err != nil || !found || w.Generation != ref.Generation {
		return err // gone or moved on: the turn is stale
	}
	if w.HasEnded() {
		return r.forgetWorkSpace(ctx, w)
	}
	action, running := w.Running()
	if !running {
		return errors.Join(r.keep(ctx, w), r.deploy(ctx, w))
	}
	before := *w
	again, err := r.step(ctx, w, action)
	if ctx.Err() != nil {
		return ctx.Err() // told to stop: says nothing about the engine
	}
	again, err = r.judge(w, action, again, err)
	if err != nil && action == workspaces.ActionMaintain {
		again, err = r.stopAnyway(ctx, w, err)
	}
	if err == nil && !again.IsZero() {
		return r.putOff(ctx, w, again, w.Attempts != before.Attempts || w.Phase != before.Phase || !w.Deadline.Equal(before.Deadline))
	}
	if err != nil {
		r.Log.WarnContext(ctx, "gave up", "action", action, "id", w.ID, "error", err)
	}
	return r.conclude(ctx, w, action, err)
}

// step takes the action's step, within the time that a turn may take.
func (r *Runner) step(ctx context.Context, w *workspaces.WorkSpace, action workspaces.Action) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	again, err = stepOf(action)(r, ctx, w)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w within %v: %w", compute.ErrUnavailable, turnTimeout, err)
	}
	return again, err
}

// putOff writes when to come back, and what the step or judge has noted where they have.
func (r *Runner) putOff(ctx context.Context, w *workspaces.WorkSpace, again time.Time, noted bool) error { //nolint:revive // the rare case writes more
	w.WakeAt = again
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		if !noted {
			return tx.PutOff(ctx, workspaces.KindWorkSpace, w.Ref(), again)
		}
		_, err := tx.SaveWorkSpace(ctx, w, w.Generation)
		return err
	})
}

const (
	// maxAttempts is how often an engine may fail at an action before it is given up.
	maxAttempts = 3
	// shortestPause and longestPause bound how long an engine is left alone after it did not
	// answer or failed. In between it is an eighth of the time that the action has had.
	shortestPause = 3 * time.Second
	longestPause  = time.Minute
	// unforeseen is how long after its deadline an action must be looked at for the deadline
	// not to count: there is a turn at the deadline, so somebody has advanced the clock since the
	// last, or Carrel has been down. The engine, which lives in real time, gets overtime then.
	unforeseen = time.Minute
	overtime   = 5 * time.Minute
	// leastSeconds is how many of the machine's seconds an engine has for anything, however fast the clock runs.
	leastSeconds = 10
)

var errOverdue = errors.New("it was not ready within the time that the service allows")

// judge decides what a step's outcome means: come back (a time), give up (an error), or
// done. It notes failures and overtime in w.
func (r *Runner) judge(w *workspaces.WorkSpace, action workspaces.Action, again time.Time, err error) (time.Time, error) {
	now := r.Clock.Now()
	t := trial{
		scale: r.Clock.Scale(),
		since: w.ChangedAt, deadline: w.Deadline, overdue: w.Overdue(now), attempts: w.Attempts,
		// A desktop that cannot be removed would be left behind: that is given up only at its deadline.
		untilDeadline: action == workspaces.ActionTerminate,
		final:         func(err error) bool { return isFinal(action, err) },
	}
	again, err = t.judge(now, again, err)
	w.Deadline, w.Attempts = t.deadline, t.attempts
	return again, err
}

// trial is what has been tried so far, of whatever it is that the engine is to do.
type trial struct {
	scale         float64 // how fast the clock runs
	since         time.Time
	deadline      time.Time // zero: none
	overdue       bool
	attempts      int  // that the engine has failed at
	untilDeadline bool // any number of failures is borne until then
	final         func(error) bool
}

// judge is the function of that name, and notes failures and overtime in t.
func (t *trial) judge(now, again time.Time, err error) (time.Time, error) {
	held, isHeld := errors.AsType[*compute.HeldError](err)
	switch {
	case isHeld:
		t.deadline = held.Until.Add(overtime)
		return held.Until, nil
	case err == nil && again.IsZero():
		return time.Time{}, nil
	case err == nil && t.overdue && t.foreseen(now):
		return time.Time{}, errOverdue
	case err == nil && t.overdue:
		t.deadline = now.Add(overtime)
	case err == nil:
		// The engine is at it.
	case t.overdue, t.final(err):
		return time.Time{}, err
	case errors.Is(err, compute.ErrUnavailable), errors.Is(err, errNotKnown):
		again = now.Add(t.pause(now))
	default:
		if t.attempts++; t.attempts >= maxAttempts && !t.untilDeadline {
			return time.Time{}, err
		}
		again = now.Add(t.pause(now))
	}
	if again.After(t.deadline) && !t.deadline.IsZero() {
		again = t.deadline
	}
	return again, nil
}

// foreseen reports whether this is the look at the deadline that everything gets. Where the clock runs
// so fast that a turn comes late by any measure, the engine has its least time by the machine's.
func (t *trial) foreseen(now time.Time) bool {
	second := time.Duration(max(t.scale, 1) * float64(time.Second))
	return now.Sub(t.deadline) < max(unforeseen, second) && now.Sub(t.since) >= leastSeconds*second
}

func (t *trial) pause(now time.Time) time.Duration {
	return min(max(now.Sub(t.since)/8, shortestPause), longestPause)
}

// isFinal reports whether trying again cannot help.
func isFinal(action workspaces.Action, err error) bool {
	if _, refused := errors.AsType[*compute.RefusalError](err); refused {
		return true
	}
	if errors.Is(err, compute.ErrNotFound) {
		// What makes or removes a desktop needs none; it has met another's traces.
		return action != workspaces.ActionCreate && action != workspaces.ActionTerminate
	}
	return isLacking(err) || errors.Is(err, compute.ErrScript) || errors.Is(err, errNoSubnet) || errors.Is(err, errTargetGone) || errors.Is(err, errSourceGone)
}

// isLacking reports whether the engine lacks what it would need, now and at the next attempt.
func isLacking(err error) bool {
	return errors.Is(err, compute.ErrImage) || errors.Is(err, compute.ErrSnapshot) || errors.Is(err, compute.ErrCapacity) ||
		errors.Is(err, compute.ErrInvalid)
}

// conclude writes the end of an action: success where failed is nil, else its failure.
func (r *Runner) conclude(ctx context.Context, w *workspaces.WorkSpace, action workspaces.Action, failed error) error {
	if failed != nil {
		r.undoModification(ctx, w)
	}
	if failed != nil && action == workspaces.ActionReplicate {
		r.undoReplication(ctx, w)
	}
	var end workspaces.WorkSpace
	var saved, stays bool
	err := r.Store.Update(ctx, func(tx *store.Tx) (err error) {
		end = *w
		if w.Migrating != "" {
			saved, err = r.endMigration(ctx, tx, &end, failed)
		} else {
			saved, err = r.end(ctx, tx, &end, action, failed)
		}
		if err != nil || saved {
			return err
		}
		instead, found, err := tx.WorkSpace(ctx, w.Scope, w.ID)
		stays = found && !instead.IsEnding()
		return err
	})
	switch {
	case err != nil:
		return err
	case saved && end.HasEnded() && r.Limits.TerminatedStays == 0:
		return r.forgetWorkSpace(ctx, &end)
	case saved || stays || action != workspaces.ActionCreate && action != workspaces.ActionRebuild:
		return nil
	}
	// The WorkSpace was terminated while its desktop was made, by another process that may not
	// have found everything yet. Where this fails, reconcile finds a desktop that is nobody's.
	if err := r.remove(ctx, w.ID); err != nil {
		r.Log.WarnContext(ctx, "a desktop that was terminated while it was made cannot be removed yet", "id", w.ID, "error", err)
	}
	return nil
}

// end moves the WorkSpace to where its action has led, and writes it if it is still as it was.
func (r *Runner) end(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, action workspaces.Action, failed error) (saved bool, err error) {
	generation, now, takenAt := w.Generation, r.Clock.Now(), w.FromTakenAt
	switch {
	case failed == nil && action == workspaces.ActionMaintain:
		code, message := w.ErrorCode, w.ErrorMessage // what came of it before it was stopped
		w.Finish(now)
		w.ErrorCode, w.ErrorMessage = code, message
	case failed == nil:
		w.Finish(now)
	default:
		code, message := explain(failed)
		w.Fail(now, code, message)
	}
	if failed == nil && action == workspaces.ActionReplicate {
		if err := noteReplication(ctx, tx, w, takenAt); err != nil {
			return false, err
		}
	}
	if w.HasEnded() {
		w.WakeAt = now.Add(r.Limits.TerminatedStays)
	}
	anew := action == workspaces.ActionCreate || action == workspaces.ActionRebuild || action == workspaces.ActionRestore
	if failed == nil && anew {
		w.ScheduleSnapshot(r.Limits, now)
	}
	if failed == nil && action == workspaces.ActionRebuild {
		w.HeldOffset = 0
		if err := forgetRoots(ctx, tx, w); err != nil {
			return false, err
		}
	}
	if saved, err = tx.SaveWorkSpace(ctx, w, generation); err != nil || !saved {
		return false, err
	}
	if failed == nil && (action == workspaces.ActionRebuild || action == workspaces.ActionRestore) {
		err = r.redeploy(ctx, tx, w, action)
	}
	if action == workspaces.ActionMaintain || action == workspaces.ActionUpdate {
		err = r.endMaintenance(ctx, tx, w)
	}
	return true, err
}

// RemoveOrphan removes a desktop that belongs to no WorkSpace, or a part of it: it is to be
// called again while the engine has the desktop. It does nothing while a turn is taken on it.
func (r *Runner) RemoveOrphan(ctx context.Context, id string) error {
	on := thing{workspaces.KindWorkSpace, id}
	if !r.busy.begin(on, workspaces.Ref{ID: id}) {
		return nil
	}
	defer func() {
		for more := true; more; {
			_, more = r.busy.done(on) // a ref to a WorkSpace that is gone asks for nothing
		}
	}()
	return r.remove(ctx, id)
}

func (r *Runner) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	_, err := r.Driver.Delete(ctx, id) // where the engine takes its time, reconcile looks again
	return err
}

// explain turns an engine's error into what the API shows of it. The engine's own words
// are shown: whoever sees them runs the engine.
func explain(err error) (code, message string) {
	if refusal, ok := errors.AsType[*compute.RefusalError](err); ok {
		return refusal.Code, refusal.Message
	}
	switch {
	case errors.Is(err, compute.ErrImage):
		code = "ResourceNotFound.Image"
	case errors.Is(err, compute.ErrCapacity):
		code = "InsufficientCapacity"
	case errors.Is(err, compute.ErrInvalid):
		code = "InvalidConfiguration"
	case errors.Is(err, compute.ErrNotFound):
		code = "ResourceNotFound.Desktop"
	case errors.Is(err, compute.ErrSnapshot):
		code = "ResourceNotFound.Snapshot"
	case errors.Is(err, errNoSubnet):
		code = "ResourceNotFound.Subnet"
	case errors.Is(err, compute.ErrUnavailable), errors.Is(err, errNotKnown):
		code = "ServiceUnavailable"
	case errors.Is(err, errOverdue):
		code = "Timeout"
	case errors.Is(err, compute.ErrScript):
		return maintenanceFailed, "The updates of the maintenance window were not all installed: " + said(err)
	default:
		code = "InternalFailure"
	}
	return code, err.Error()
}
