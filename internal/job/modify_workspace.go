package job

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// Modifying a WorkSpace. Its row knows what it is to become.
//
//	1  UPDATE_IN_PROGRESS is seen                           undo: nothing to undo
//	2  the desktop gets the processors, memory and volumes  undo: those that it had; volumes stay as they are
//	3  it is rebooted, if it ran and its compute type was changed
//	4  the row has what was wanted
//
// A protocol is only noted: Carrel's desktops are reached the same way whatever it is.

// The steps of a modification that are done, as the row's phase.
const (
	initiated = iota
	inProgress
	resized
)

func (r *Runner) modifyWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	if w.Phase == initiated {
		w.Phase = inProgress
		return r.Clock.Now(), nil
	}
	if w.Modification.Resource == workspaces.ModifiesProtocol {
		return time.Time{}, nil
	}
	if w.Phase == inProgress {
		if again, err := r.resize(ctx, w, w.Wanted()); err != nil || !again.IsZero() {
			return again, err
		}
		w.Phase = resized
	}
	if w.Modification.Resource != workspaces.ModifiesCompute || !w.RanBefore() {
		return time.Time{}, nil
	}
	return r.Driver.Reboot(ctx, w.ID)
}

// resize makes the desktop as large as the properties say.
func (r *Runner) resize(ctx context.Context, w *workspaces.WorkSpace, p workspaces.Properties) (time.Time, error) {
	as := *w
	as.Properties = p
	desktop, err := r.desktop(ctx, &as)
	if err != nil {
		return time.Time{}, err
	}
	return r.Driver.Resize(ctx, desktop)
}

// undoModification gives a desktop the processors and memory back that it had. Where even that
// fails, it has those that were wanted until it is next modified or rebuilt.
func (r *Runner) undoModification(ctx context.Context, w *workspaces.WorkSpace) {
	if w.Modification.Resource != workspaces.ModifiesCompute || w.Phase == initiated {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if _, err := r.resize(ctx, w, w.Properties); err != nil {
		r.Log.WarnContext(ctx, "a desktop keeps the size of a modification that failed", "id", w.ID, "error", err)
	}
}
