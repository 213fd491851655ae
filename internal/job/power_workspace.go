package job

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// Starting, stopping and rebooting a WorkSpace: one step each, which the driver takes as
// often as it needs to. Undo: none; giving up leaves the desktop as the engine has it, and
// reconcile tells how it is.

func (r *Runner) startWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	return r.Driver.Start(ctx, w.ID)
}

func (r *Runner) stopWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	return r.Driver.Stop(ctx, w.ID)
}

func (r *Runner) rebootWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	return r.Driver.Reboot(ctx, w.ID)
}
