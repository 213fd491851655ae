package reconcile

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	driftEvery = 10 * time.Second
	// strikes is how many looks in a row must find a desktop silent before it is UNHEALTHY.
	strikes = 2
	// driftShare bounds the loop's cost: it rests at least this many times as long as a look took.
	driftShare = 20
)

// drift holds the store against the engine, again and again: removes desktops that no
// WorkSpace owns, and notes which desktops have stopped or begun to answer.
func (r *Reconciler) drift(ctx context.Context) error {
	every := r.DriftEvery
	if every == 0 {
		every = driftEvery
	}
	silent := make(map[string]int)
	for {
		began := r.Real.Now()
		if err := r.look(ctx, silent); err != nil && !errors.Is(err, compute.ErrUnavailable) {
			return err
		}
		took := r.Real.Now().Sub(began)
		if err := r.Real.Sleep(ctx, max(every, driftShare*took)); err != nil {
			return err
		}
	}
}

// look takes one look. The engine is asked before the store: a desktop's row is written
// before the desktop is made, so one without a row then is nobody's.
func (r *Reconciler) look(ctx context.Context, silent map[string]int) error {
	machines, err := r.Driver.List(ctx)
	if err != nil {
		return err
	}
	seen := make(map[string]compute.Machine, len(machines))
	for _, m := range machines {
		seen[m.ID] = m
	}
	var changed []*workspaces.WorkSpace
	err = r.Store.View(func(tx *store.Tx) error {
		return tx.EveryWorkSpace(ctx, func(w *workspaces.WorkSpace) {
			m, there := seen[w.ID]
			delete(seen, w.ID)
			if r.judge(w, m, there, silent) {
				changed = append(changed, w)
			}
		})
	})
	if err != nil {
		return err
	}
	for _, w := range changed {
		if err := r.save(ctx, w); err != nil {
			return err
		}
	}
	for id := range seen {
		delete(silent, id)
		if err := r.removeOrphan(ctx, id); err != nil {
			r.Log.WarnContext(ctx, "a desktop that belongs to no WorkSpace cannot be removed", "id", id, "error", err)
		}
	}
	return nil
}

// judge moves a WorkSpace to where its desktop is, and reports whether it moved.
func (r *Reconciler) judge(w *workspaces.WorkSpace, m compute.Machine, there bool, silent map[string]int) bool {
	now := r.Clock.Now()
	switch {
	case m.Answers && workspaces.ActionRecover.Allowed(w.State):
		delete(silent, w.ID)
		w.ErrorCode, w.ErrorMessage = "", ""
		return w.Begin(workspaces.ActionRecover, now) == nil
	case m.Answers || !workspaces.ActionSicken.Allowed(w.State):
		delete(silent, w.ID)
		return false
	}
	if silent[w.ID]++; silent[w.ID] < strikes {
		return false
	}
	delete(silent, w.ID)
	w.ErrorCode, w.ErrorMessage = "DesktopUnresponsive", symptom(m, there)
	return w.Begin(workspaces.ActionSicken, now) == nil
}

// symptom says what is wrong with a silent desktop, for the administrator.
func symptom(m compute.Machine, there bool) string {
	switch {
	case !there:
		return "The desktop does not exist on the engine. Terminate the WorkSpace, or rebuild it."
	case !m.Running:
		return "The desktop has been shut down. Reboot the WorkSpace to start it again."
	case m.Detail != "":
		return "The desktop does not answer: " + m.Detail + ". Reboot the WorkSpace."
	default:
		return "The desktop runs and does not answer. Reboot the WorkSpace."
	}
}

// save writes a WorkSpace that judge has moved, unless somebody else was quicker.
func (r *Reconciler) save(ctx context.Context, w *workspaces.WorkSpace) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		saved, err := tx.SaveWorkSpace(ctx, w, w.Generation-1)
		if saved {
			r.Log.WarnContext(ctx, "the health of a desktop changed", "id", w.ID, "state", w.State, "error", w.ErrorMessage)
		}
		return err
	})
}

// removeOrphan deletes a desktop that has no row, once no turn of work is taken on it.
func (r *Reconciler) removeOrphan(ctx context.Context, id string) error {
	return r.Runner.Alone(ctx, id, func() error {
		r.Log.WarnContext(ctx, "removing a desktop that belongs to no WorkSpace", "id", id)
		for {
			again, err := r.Driver.Delete(ctx, id)
			if err != nil || again.IsZero() {
				return err
			}
			if err := r.Clock.SleepUntil(ctx, again); err != nil {
				return err
			}
		}
	})
}
