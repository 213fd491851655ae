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
	var silent map[string]silence
	for {
		began := r.Real.Now()
		heard, err := r.look(ctx, silent)
		switch {
		case err == nil:
			silent = heard
		case !errors.Is(err, compute.ErrUnavailable): // whose jobs will tell of it
			return err
		}
		took := r.Real.Now().Sub(began)
		if err := r.rest(ctx, max(every, driftShare*took)); err != nil {
			return err
		}
	}
}

// rest returns when d of the real time has passed, or sooner where a look is asked for.
func (r *Reconciler) rest(ctx context.Context, d time.Duration) error {
	sleeping, wake := context.WithCancel(ctx)
	defer wake()
	slept := make(chan error, 1)
	go func() { slept <- r.Real.Sleep(sleeping, d) }()
	select {
	case err := <-slept:
		return err
	case <-r.Looks:
		return ctx.Err()
	}
}

// silence is how often in a row a desktop has been found silent in one state of its WorkSpace.
type silence struct {
	generation int64
	looks      int
}

// look takes one look, and returns which desktops were silent. The engine is asked before
// the store: a desktop's row is written before the desktop is made, so one without a row
// then is nobody's, and will never be anybody's.
func (r *Reconciler) look(ctx context.Context, before map[string]silence) (silent map[string]silence, err error) {
	machines, err := r.Driver.List(ctx)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]compute.Machine, len(machines))
	for _, m := range machines {
		seen[m.ID] = m
	}
	silent = make(map[string]silence)
	var changed []*workspaces.WorkSpace
	var dead []*workspaces.PoolDesktop
	err = r.Store.View(func(tx *store.Tx) error {
		pooled, err := tx.EveryPoolDesktop(ctx)
		if err != nil {
			return err
		}
		dead = deadOfPools(pooled, seen, before, silent)
		return tx.EveryWorkSpace(ctx, func(w *workspaces.WorkSpace) {
			m, there := seen[w.ID]
			delete(seen, w.ID)
			if s := before[w.ID]; !m.Answers && workspaces.ActionSicken.Allowed(w.State) {
				if s.generation != w.Generation {
					s = silence{generation: w.Generation}
				}
				s.looks++
				silent[w.ID] = s
			}
			if r.judge(w, m, there, silent[w.ID].looks) {
				changed = append(changed, w)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for _, w := range changed {
		if err := r.save(ctx, w); err != nil {
			return nil, err
		}
	}
	for _, d := range dead {
		r.Log.WarnContext(ctx, "replacing a desktop of a pool that does not answer", "id", d.ID, "pool", d.PoolID)
		if err := r.Runner.ReplacePoolDesktop(ctx, d); err != nil {
			return nil, err
		}
	}
	for id := range seen {
		r.Log.WarnContext(ctx, "removing a desktop that belongs to no WorkSpace", "id", id)
		if err := r.Runner.RemoveOrphan(ctx, id); err != nil {
			r.Log.WarnContext(ctx, "a desktop that belongs to no WorkSpace cannot be removed", "id", id, "error", err)
		}
	}
	return silent, nil
}

// deadOfPools takes the desktops of pools out of what was seen, notes which are silent, and returns
// those that have been for too long.
func deadOfPools(
	pooled []*workspaces.PoolDesktop, seen map[string]compute.Machine, before, silent map[string]silence,
) (dead []*workspaces.PoolDesktop) {
	for _, d := range pooled {
		answers := seen[d.ID].Answers
		delete(seen, d.ID)
		if answers || !d.Runs() {
			continue
		}
		s := before[d.ID]
		if s.generation != d.Generation {
			s = silence{generation: d.Generation}
		}
		s.looks++
		silent[d.ID] = s
		if s.looks >= strikes {
			dead = append(dead, d)
		}
	}
	return dead
}

// judge moves a WorkSpace to where its desktop is, and reports whether it moved.
func (r *Reconciler) judge(w *workspaces.WorkSpace, m compute.Machine, there bool, looks int) bool {
	now := r.Clock.Now()
	switch {
	case m.Answers:
		w.ErrorCode, w.ErrorMessage = "", ""
		return w.Begin(workspaces.ActionRecover, now) == nil
	case looks >= strikes:
		w.ErrorCode, w.ErrorMessage = "DesktopUnresponsive", symptom(m, there)
		return w.Begin(workspaces.ActionSicken, now) == nil
	default:
		return false
	}
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
