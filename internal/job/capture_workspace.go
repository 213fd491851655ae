package job

import (
	"context"
	"errors"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Capturing a WorkSpace, SUSPENDED, as an image, PENDING. The operation has written both rows. The
// WorkSpace's turns do the work, so that nothing else is done to the desktop meanwhile.
//
//	1  make an image of the root volume       undo: remove what the engine has of the image
//	2  the image is AVAILABLE, or in ERROR where step 1 was given up
//	3  start the desktop, which step 1 stops and where it fails may leave so
//	4  the WorkSpace is AVAILABLE again

func (r *Runner) captureWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	var i *workspaces.Image
	var found bool
	err := r.Store.View(func(tx *store.Tx) (err error) {
		i, found, err = tx.ImageBeingCaptured(ctx, w.Scope, w.ID)
		return err
	})
	if err != nil {
		return time.Time{}, errors.Join(errNotKnown, err)
	}
	if found {
		again, err := r.attempt(ctx, i, func(ctx context.Context, i *workspaces.Image) (time.Time, error) {
			return r.Driver.Capture(ctx, w.ID, i.Engine)
		})
		if err != nil {
			return time.Time{}, errors.Join(errNotKnown, err)
		}
		if !again.IsZero() {
			return again, nil
		}
	}
	return r.Driver.Start(ctx, w.ID)
}
