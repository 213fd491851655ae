package job_test

import (
	"context"
	"testing"
	"time"

	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// longer than any action may take.
const longer = 3 * time.Hour

// An engine that takes longer than the service allows is not waited for.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		t.Run(string(s.action), func(t *testing.T) {
			t.Parallel()
			slow := simulated.Behaviour{Min: longer, Max: longer}
			config := engine(0)
			for action, behaviour := range map[workspaces.Action]*simulated.Behaviour{
				workspaces.ActionCreate: &config.Create, workspaces.ActionStop: &config.Stop, workspaces.ActionStart: &config.Start,
				workspaces.ActionReboot: &config.Reboot, workspaces.ActionTerminate: &config.Delete, workspaces.ActionRebuild: &config.Rebuild,
				workspaces.ActionRestore: &config.Restore, workspaces.ActionModify: &config.Resize, workspaces.ActionGrow: &config.Resize,
			} {
				if action == s.action {
					*behaviour = slow
				}
			}
			w := jobtest.New(t, storetest.SQLite(t), config)
			id := reach(t, w, s.action)
			began := w.Clock.Now()
			w.Turn(id)
			w.Settle()
			row := s.action.Lookup()
			if got := w.WorkSpace(id); got.State != failed(s.action) || got.ErrorCode != "Timeout" {
				t.Errorf("%+v", got)
			}
			if took := w.Clock.Now().Sub(began); took < row.Within || took > row.Within+time.Second {
				t.Errorf("it was given up after %v, not %v", took, row.Within)
			}
		})
	}
}

// realEngine makes the driver one that lives in real time, whatever the clock shows: it is
// done when it has been asked so often.
func realEngine(w *jobtest.World, method string, asked int) {
	n := 0
	w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if n++; call.Method == method && n < asked {
			return w.Clock.Now().Add(time.Second), nil
		}
		return do(ctx)
	})
}

// The clock is advanced by hours while a sound engine is at work: the turn that is under
// way decides, and if it does not, the engine gets overtime.
func TestAdvancedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		t.Run(string(s.action), func(t *testing.T) {
			t.Parallel()
			t.Run("in a turn", func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
					w.Advance(longer)
					return do(ctx)
				})
				w.Turn(id)
				w.Settle()
				w.Want(id, s.done)
			})
			t.Run("between turns", func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				realEngine(w, method(s.action), 20)
				w.Turn(id)
				w.Advance(longer)
				w.WakeDue()
				w.Want(id, s.during)
				w.Settle()
				w.Want(id, s.done)
			})
			t.Run("again and again", func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				realEngine(w, method(s.action), 20)
				for range 10 {
					w.Turn(id)
					w.Advance(longer)
				}
				w.Settle()
				w.Want(id, s.done)
			})
			t.Run("for nothing", func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				realEngine(w, method(s.action), 100_000)
				w.Turn(id)
				w.Advance(longer)
				began := w.Clock.Now()
				for range 1000 {
					if !w.Running(id) {
						break
					}
					w.WakeDue()
					w.Advance(time.Second)
				}
				if got := w.WorkSpace(id); got.State != failed(s.action) || got.ErrorCode != "Timeout" {
					t.Errorf("%+v", got)
				}
				if took := w.Clock.Now().Sub(began); took > 6*time.Minute {
					t.Errorf("overtime took %v", took)
				}
			})
		})
	}
}

// A Carrel that was down over a deadline gives the engine its chance at the next start.
func TestDownOverDeadline(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		t.Run(string(s.action), func(t *testing.T) {
			t.Parallel()
			config := engine(5 * time.Second)
			config.Dir = t.TempDir()
			w := jobtest.New(t, storetest.SQLite(t), config)
			id := w.Create("jane")[0]
			w.Settle()
			switch s.action {
			case workspaces.ActionCreate:
				id = w.Create("joe")[0]
			case workspaces.ActionStart:
				w.Must(workspaces.ActionStop, id)
				w.Settle()
				w.Must(s.action, id)
			case workspaces.ActionRebuild, workspaces.ActionRestore:
				w.Keep(id)
				w.Must(s.action, id)
			default:
				w.Must(s.action, id)
			}
			w.Advance(24 * time.Hour)
			w.Crash()
			w.Settle()
			w.Want(id, s.done)
			w.Sound()
		})
	}
}
