package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"carrel/internal/job/jobtest"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// latest is when the volumes of a WorkSpace were last kept together, the zero time for never.
func latest(w *jobtest.World, id string) time.Time {
	s, _ := w.Snapshots(id).ForRestore()
	return s.TakenAt
}

// TestSnapshots follows the clock: the first within a minute, then one every 12 hours however far it
// jumps, and none of those in between.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		var users []string
		for i := range 25 {
			users = append(users, fmt.Sprintf("user-%d", i))
		}
		ids := w.Create(users...)
		living(t, w)
		w.Await("all are AVAILABLE", func() bool { return states(w)[workspaces.Available] == len(ids) })
		for _, jump := range []time.Duration{time.Minute, workspaces.SnapshotEvery, 30 * 24 * time.Hour} {
			before := w.Clock.Now()
			w.Advance(jump)
			w.Await("all are kept", func() bool {
				for _, id := range ids {
					if !latest(w, id).After(before) || len(w.Snapshots(id)) != 1 {
						return false
					}
				}
				return true
			})
		}
		for _, call := range w.Driver.Calls() {
			if call.Method == "Reboot" || call.Method == "Stop" {
				t.Errorf("%v", call)
			}
		}
		w.Must(workspaces.ActionRestore, ids[0])
		w.Await("it is AVAILABLE", func() bool { return w.State(ids[0]) == workspaces.Available })
		before := w.Clock.Now()
		w.Advance(time.Minute)
		w.Await("it is kept anew", func() bool { return latest(w, ids[0]).After(before) })
		w.Sound()
	})
}

// The clock is set back: nobody waits for a time that has not come in months.
func TestSnapshotsAfterClockSetBack(t *testing.T) {
	t.Parallel()
	for name, restarted := range map[string]bool{"meanwhile": false, "before the start": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			w.Advance(90 * 24 * time.Hour)
			id := w.Create("jane")[0]
			w.Settle()
			w.Keep(id)
			future := latest(w, id)
			if !restarted {
				living(t, w)
			}
			w.Clock.Reset()
			w.Clock.Freeze()
			if restarted {
				living(t, w)
			}
			w.Await("it is kept now", func() bool { return latest(w, id).Before(future) })
			w.Advance(workspaces.SnapshotEvery + time.Minute)
			w.Await("it is kept again", func() bool { return w.Clock.Now().Sub(latest(w, id)) < time.Hour })
			if n := len(w.Snapshots(id)); n > 2 {
				t.Errorf("there are %d", n)
			}
		})
	}
}

// A snapshot whose process died is taken after the watchdog's time.
func TestSnapshotOfDeadProcess(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := w.Create("jane")[0]
	w.Settle()
	w.Advance(time.Minute)
	w.Driver.Fail("Snapshot", fmt.Errorf("of the test's"))
	w.KeepDue()
	w.Driver.Fail("", nil)
	w.Crash()
	living(t, w)
	w.Advance(workspaces.Watchdog)
	w.Await("it is kept", func() bool { return !latest(w, id).IsZero() })
	if n := len(w.Snapshots(id)); n != 1 {
		t.Errorf("there are %d", n)
	}
}

// A desktop that is locked for maintenance is not ill, however long it is silent, and not stopped.
func TestLockedIsNotIll(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	id := r.Create("jane")[0]
	r.Settle()
	r.Must(workspaces.ActionLock, id)
	if err := r.Engine.Break(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		r.look()
	}
	r.Want(id, workspaces.AdminMaintenance)
	r.Must(workspaces.ActionUnlock, id)
	r.look()
	r.look()
	r.Want(id, workspaces.Unhealthy)
}
