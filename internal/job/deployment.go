package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Installing applications in a WorkSpace and removing them, one after the other. The WorkSpace's own
// turns do the work while it is AVAILABLE, so that nothing else is done to the desktop meanwhile; in every
// other state the work waits until it is AVAILABLE again.
//
//	1  INSTALLING or UNINSTALLING                     undo: none, a deployment is asked for anew
//	2  run the application's script in the desktop    undo: the script's own
//	3  COMPLETED or REMOVED, or ERROR with the reason
//	4  the next application, from 1
//
// Each deployment of an application is a run of its own, by which the desktop knows whether it has
// made it: a turn that comes twice, or after a crash, hears what came of it.

// deployment has the WorkSpace's turn taken, unless there is nothing to do or one that will ask for it.
func (r *Runner) deployment(ctx context.Context, ref workspaces.Ref) error {
	var w *workspaces.WorkSpace
	err := r.Store.Update(ctx, func(tx *store.Tx) error {
		w = nil
		d, found, err := tx.Deployment(ctx, ref.Scope, ref.ID)
		if err != nil || !found || d.Generation != ref.Generation {
			return err
		}
		w, found, err = tx.WorkSpace(ctx, ref.Scope, ref.ID)
		if err != nil || !found {
			return err
		}
		if _, running := w.Running(); running || w.State != workspaces.Available {
			w = nil
			d.Rest() // what makes it AVAILABLE asks for it again
			_, err = tx.SaveDeployment(ctx, d, ref.Generation)
		}
		return err
	})
	if err != nil || w == nil {
		return err
	}
	return r.one(ctx, r.workSpace, thing{workspaces.KindWorkSpace, w.ID}, w.Ref())
}

// deploy takes steps 1 to 4 for a WorkSpace that rests, as far as they go in one turn.
func (r *Runner) deploy(ctx context.Context, w *workspaces.WorkSpace) error {
	if w.State != workspaces.Available {
		return nil
	}
	for {
		d, a, err := r.nextToDeploy(ctx, w)
		if err != nil || a == nil {
			return err
		}
		again, err := r.deployOne(ctx, w, d, a)
		if err != nil || !again.IsZero() {
			return err
		}
	}
}

// nextToDeploy takes step 1: it returns the application at hand, nil where there is none.
func (r *Runner) nextToDeploy(ctx context.Context, w *workspaces.WorkSpace) (d *workspaces.Deployment, a *workspaces.Association, err error) {
	err = r.Store.View(func(tx *store.Tx) (err error) {
		d, a, err = deploying(ctx, tx, w)
		return err
	})
	rests := d == nil || a == nil && d.WakeAt.IsZero()
	if err != nil || rests || a != nil && isUnderWay(a) && !d.Deadline.IsZero() {
		return d, a, err
	}
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		if d, a, err = deploying(ctx, tx, w); err != nil || d == nil {
			return err
		}
		read := d.Generation
		if a == nil {
			d.Rest()
		} else {
			d.Begin(r.Clock.Now())
			if !isUnderWay(a) {
				a.Begin(r.Clock.Now())
			}
			if err := tx.PutAssociation(ctx, a); err != nil {
				return err
			}
		}
		_, err = tx.SaveDeployment(ctx, d, read)
		return err
	})
	return d, a, err
}

// deploying returns the work on the WorkSpace's applications, and the one that is to be worked on: the
// one that is under way, else the first that waits.
func deploying(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) (d *workspaces.Deployment, a *workspaces.Association, err error) {
	d, found, err := tx.Deployment(ctx, w.Scope, w.ID)
	if err != nil || !found {
		return nil, nil, err
	}
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
	if i := slices.IndexFunc(all, isUnderWay); i >= 0 {
		return d, all[i], err
	}
	if i := slices.IndexFunc(all, (*workspaces.Association).IsDeployed); i >= 0 {
		return d, all[i], err
	}
	return d, nil, err
}

func isUnderWay(a *workspaces.Association) bool {
	return a.State == workspaces.Installing || a.State == workspaces.Uninstalling
}

// deployOne takes steps 2 and 3 for one application. A time above zero: its script runs.
func (r *Runner) deployOne(
	ctx context.Context, w *workspaces.WorkSpace, d *workspaces.Deployment, a *workspaces.Association,
) (again time.Time, err error) {
	again, failed := r.runScript(ctx, w, a)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err() // told to stop: says nothing about the engine
	}
	now, before := r.Clock.Now(), *d
	t := trial{
		scale: r.Clock.Scale(), since: d.Since, deadline: d.Deadline, overdue: !now.Before(d.Deadline), attempts: d.Attempts,
		final: isFinalForScript,
	}
	again, failed = t.judge(now, again, failed)
	d.Deadline, d.Attempts = t.deadline, t.attempts
	if failed == nil && !again.IsZero() {
		d.WakeAt = again
		return again, r.Store.Update(ctx, func(tx *store.Tx) error {
			if d.Attempts == before.Attempts && d.Deadline.Equal(before.Deadline) {
				return tx.PutOff(ctx, workspaces.KindDeployment, d.Ref(), again)
			}
			_, err := tx.SaveDeployment(ctx, d, d.Generation)
			return err
		})
	}
	code, message := "", ""
	if failed != nil {
		r.Log.WarnContext(ctx, "gave up", "action", "deploy an application", "id", w.ID, "application", a.ApplicationID, "error", failed)
		code, message = explainDeployment(failed)
	}
	return time.Time{}, r.concludeDeployment(ctx, d, a, code, message)
}

// concludeDeployment takes step 3, if nobody has asked for another deployment meanwhile.
func (r *Runner) concludeDeployment(ctx context.Context, d *workspaces.Deployment, a *workspaces.Association, code, message string) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		read, now := d.Generation, r.Clock.Now()
		next := *d
		next.Begin(now)
		next.Deadline = time.Time{} // of the application at hand, and there is none
		saved, err := tx.SaveDeployment(ctx, &next, read)
		if err != nil || !saved {
			return err
		}
		ended := *a
		ended.Conclude(code, message, now)
		return tx.PutAssociation(ctx, &ended)
	})
}

// runScript takes step 2.
func (r *Runner) runScript(ctx context.Context, w *workspaces.WorkSpace, a *workspaces.Association) (again time.Time, err error) {
	i := slices.IndexFunc(r.Applications, func(known workspaces.Application) bool { return known.ID == a.ApplicationID })
	if i < 0 {
		return time.Time{}, fmt.Errorf("%w: the catalogue does not have %s any more", compute.ErrInvalid, a.ApplicationID)
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	argument := workspaces.ScriptInstall
	if a.Removing {
		argument = workspaces.ScriptRemove
	}
	again, err = r.Driver.Run(ctx, w.ID, compute.Script{
		Name: fmt.Sprintf("%s-%d", a.ApplicationID, a.Runs), Text: r.Applications[i].Script, Argument: argument,
	})
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w within %v: %w", compute.ErrUnavailable, turnTimeout, err)
	}
	return again, err
}

// isFinalForScript reports whether trying again cannot help.
func isFinalForScript(err error) bool {
	return isLacking(err) || errors.Is(err, compute.ErrScript) || errors.Is(err, compute.ErrNotFound)
}

// explainDeployment turns what came of a script into what the API shows of it. Source: the model's
// AssociationErrorCode.
func explainDeployment(err error) (code, message string) {
	switch {
	case errors.Is(err, compute.ErrCapacity), strings.Contains(err.Error(), "No space left on device"):
		code = "ValidationError.InsufficientDiskSpace"
	case errors.Is(err, compute.ErrNotRunning), errors.Is(err, compute.ErrUnavailable), errors.Is(err, compute.ErrNotFound), errors.Is(err, errOverdue):
		code = "DeploymentError.WorkspaceUnreachable"
	default:
		code = "DeploymentError.InternalServerError"
	}
	return code, err.Error()
}

// redeploy has what was installed in a WorkSpace installed once more: its root volume is another one.
func (r *Runner) redeploy(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, action workspaces.Action) error {
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
	if err != nil {
		return err
	}
	for _, a := range all {
		if !a.Redeploy(action == workspaces.ActionRebuild, r.Clock.Now()) {
			continue
		}
		if err := tx.PutAssociation(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// noteApplications notes what is in an image that was made of a WorkSpace.
func noteApplications(ctx context.Context, tx *store.Tx, i *workspaces.Image) error {
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: i.Scope, ResourceID: i.Origin.WorkSpaceID})
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.State != workspaces.InstallCompleted && a.State != workspaces.PendingUninstall {
			continue
		}
		a.ResourceID, a.InImage, a.State = i.ID, true, workspaces.InstallCompleted
		if err := tx.PutAssociation(ctx, a); err != nil {
			return err
		}
	}
	return nil
}
