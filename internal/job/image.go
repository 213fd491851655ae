package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Making an image from another one or from a file, as copies, updates and imports are.
//
//	1  a custom import stays in each stage for as long as --limits asks for
//	2  make the image in the engine, in the third stage of a custom import    undo: remove it there
//	3  AVAILABLE, or in ERROR where step 2 was given up
//
// An image that is captured from a WorkSpace is made by the WorkSpace's turns: see capture_workspace.go.
//
// Deleting an image: the operation has forgotten the row.
//
//	1  remove the image from the engine, once nothing is being made of it. Where that fails or has to
//	   wait, reconcile finds an image that is nobody's.

var errNothingToCapture = errors.New("the WorkSpace that it was to be captured from has gone or was given up")

func (r *Runner) image(ctx context.Context, ref workspaces.Ref) error {
	var i *workspaces.Image
	var captures bool // its WorkSpace is at it
	err := r.Store.View(func(tx *store.Tx) error {
		found, exists, err := tx.Image(ctx, ref.Scope, ref.ID)
		if err != nil || !exists {
			return err
		}
		i = found
		w, exists, err := tx.WorkSpace(ctx, i.Scope, i.Origin.WorkSpaceID)
		captures = exists && w.IsBeingCaptured()
		return err
	})
	switch {
	case err != nil:
		return err
	case i == nil:
		return r.removeImage(ctx, workspaces.EngineImage(r.Installation, ref.ID))
	case i.Generation != ref.Generation || i.State != workspaces.ImagePending:
		return nil
	case captures:
		return r.putImageOff(ctx, i, r.Clock.Now().Add(workspaces.Waits), false)
	}
	_, err = r.attempt(ctx, i, r.makeImage)
	return err
}

// makeImage takes steps 1 and 2.
func (r *Runner) makeImage(ctx context.Context, i *workspaces.Image) (again time.Time, err error) {
	switch {
	case i.Origin.WorkSpaceID != "":
		return time.Time{}, errNothingToCapture
	case i.Import.SourceID == "":
		return r.makeInEngine(ctx, i)
	}
	now := r.Clock.Now()
	for {
		if until := i.Import.StageChangedAt.Add(r.Limits.ImportStage); waits(now, i.Import.StageChangedAt, until) {
			return until, nil
		}
		if i.Import.Stage == workspaces.ImportProcessing {
			if again, err := r.makeInEngine(ctx, i); err != nil || !again.IsZero() {
				return again, err
			}
		}
		next, more := i.Import.Stage.Next()
		if !more {
			return time.Time{}, nil
		}
		i.EnterImportStage(next, now)
		if next == workspaces.ImportProcessing {
			return now, nil // to be seen before the engine takes its time
		}
	}
}

func (r *Runner) makeInEngine(ctx context.Context, i *workspaces.Image) (again time.Time, err error) {
	return r.Driver.MakeImage(ctx, i.Engine, compute.ImageSource{Image: i.Origin.Image, RootFS: i.Origin.RootFS, Update: i.Origin.Update})
}

// attempt has the engine make an image, and writes what came of it: when to come back, which it
// returns, or the end. Its error is one of ours, not the engine's.
func (r *Runner) attempt(
	ctx context.Context, i *workspaces.Image, do func(context.Context, *workspaces.Image) (time.Time, error),
) (again time.Time, err error) {
	engine, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	before := *i
	again, err = do(engine, i)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err() // told to stop: says nothing about the engine
	}
	if err != nil && engine.Err() != nil {
		err = fmt.Errorf("%w within %v: %w", compute.ErrUnavailable, turnTimeout, err)
	}
	now := r.Clock.Now()
	t := trial{scale: r.Clock.Scale(), since: i.ChangedAt, deadline: i.Deadline, overdue: i.Overdue(now), attempts: i.Attempts, final: isFinalForImage}
	again, err = t.judge(now, again, err)
	i.Deadline, i.Attempts = t.deadline, t.attempts
	if err != nil || again.IsZero() {
		return time.Time{}, r.concludeImage(ctx, i, err)
	}
	wake := again
	if i.Origin.WorkSpaceID != "" {
		wake = now.Add(workspaces.Waits) // it is the WorkSpace that comes back
	}
	noted := i.Attempts != before.Attempts || !i.Deadline.Equal(before.Deadline) || i.Import != before.Import
	return again, r.putImageOff(ctx, i, wake, noted)
}

// isFinalForImage reports whether trying again cannot help.
func isFinalForImage(err error) bool {
	return isLacking(err) || errors.Is(err, compute.ErrNotFound) || errors.Is(err, errNothingToCapture)
}

// putImageOff writes when to come back, and what has been noted in the image where anything has.
func (r *Runner) putImageOff(ctx context.Context, i *workspaces.Image, until time.Time, noted bool) error { //nolint:revive // the rare case writes more
	i.WakeAt = until
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		if !noted {
			return tx.PutOff(ctx, workspaces.KindImage, i.Ref(), until)
		}
		_, err := tx.SaveImage(ctx, i, i.Generation)
		return err
	})
}

// concludeImage writes that the image is AVAILABLE, or why it is not to be. What the engine has of
// one that is not is removed.
func (r *Runner) concludeImage(ctx context.Context, i *workspaces.Image, failed error) error {
	generation, now := i.Generation, r.Clock.Now()
	if failed == nil {
		i.Finish(now)
	} else {
		r.Log.WarnContext(ctx, "gave up", "action", "make an image", "id", i.ID, "error", failed)
		code, message := explain(failed)
		i.Fail(now, code, message)
	}
	err := r.Store.Update(ctx, func(tx *store.Tx) error {
		saved, err := tx.SaveImage(ctx, i, generation)
		if err != nil || !saved || failed != nil || i.Origin.WorkSpaceID == "" {
			return err
		}
		return noteApplications(ctx, tx, i)
	})
	if err != nil || failed == nil {
		return err
	}
	return r.removeImage(ctx, i.Engine)
}

// RemoveOrphanImage removes an image from the engine that no image of ours is, unless somebody
// is at it or needs it. What is not of this installation is left alone.
func (r *Runner) RemoveOrphanImage(ctx context.Context, engine string) error {
	id, ours := strings.CutPrefix(engine, workspaces.EngineImages(r.Installation))
	on := thing{workspaces.KindImage, id}
	if !ours || !r.busy.begin(on, workspaces.Ref{ID: id}) {
		return nil
	}
	defer func() {
		for more := true; more; {
			_, more = r.busy.done(on) // a ref that was left meanwhile asks for the same, or comes again
		}
	}()
	return r.removeImage(ctx, engine)
}

// removeImage removes an image from the engine that nobody needs.
func (r *Runner) removeImage(ctx context.Context, engine string) error {
	var needed bool
	err := r.Store.View(func(tx *store.Tx) (err error) {
		needed, err = tx.EngineImageIsNeeded(ctx, engine)
		return err
	})
	if err != nil || needed {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if _, err := r.Driver.DeleteImage(patience, engine); err != nil { // where it takes its time, reconcile looks again
		r.Log.WarnContext(ctx, "an image that nobody needs cannot be removed yet", "image", engine, "error", err)
	}
	return nil
}
