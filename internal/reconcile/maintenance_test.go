package reconcile_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute/simulated"
	"carrel/internal/job"
	"carrel/internal/job/jobtest"
	"carrel/internal/reconcile"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// upkept makes stopped WorkSpaces that are old enough for their windows.
func upkept(t *testing.T, url string, users ...string) (*jobtest.World, []string) {
	t.Helper()
	w := jobtest.New(t, url, engine(0))
	ids := w.Create(users...)
	w.Settle()
	for _, id := range ids {
		w.Must(workspaces.ActionStop, id)
	}
	w.Settle()
	for _, id := range ids {
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			found, _, err := tx.WorkSpace(ctx, jobtest.Scope(), id)
			if err != nil {
				return err
			}
			found.Properties.RunningMode, found.Properties.AutoStopMinutes = workspaces.AutoStop, 60
			_, err = tx.SaveWorkSpace(ctx, found, found.Generation)
			return err
		})
	}
	w.Advance(workspaces.MaintainedFrom)
	w.Driver.Calls()
	return w, ids
}

// runs counts how often a script was begun or asked for in each desktop.
func runs(w *jobtest.World) map[string]int {
	count := make(map[string]int)
	for _, call := range w.Driver.Calls() {
		if call.Method == "Run" {
			count[call.ID]++
		}
	}
	return count
}

// atPeace returns when nothing is left to be maintained now.
func atPeace(w *jobtest.World) {
	w.Await("everything is maintained", func() (done bool) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			next, err := tx.NextMaintenance(ctx)
			if err != nil {
				return err
			}
			n, err := tx.CountMaintained(ctx)
			done = n == 0 && (next.IsZero() || next.After(w.Clock.Now()))
			return err
		})
		return done
	})
}

// TestMaintenance has several processes look at one database: each WorkSpace is maintained once, however far the clock jumps.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w, ids := upkept(t, url, "a", "b", "c", "d", "e")
		for range 2 {
			start(t, &reconcile.Reconciler{
				Store: w.Store, Clock: w.Clock, Real: clock.New(), Driver: w.Driver, Runner: w.NewRunner(), DriftEvery: time.Hour,
				Log: slog.New(slog.DiscardHandler),
			})
		}
		living(t, w)
		for range 2 {
			w.Advance(100 * 24 * time.Hour)
			atPeace(w)
			runs(w)
			w.ToNight(jobtest.LastNight)
			atPeace(w)
			w.Advance(time.Minute)
			atPeace(w)
			for _, id := range ids {
				w.Want(id, workspaces.Stopped)
			}
			got := runs(w)
			for _, id := range ids {
				if n := got[id]; n < 1 {
					t.Errorf("the script was asked for %d times in %s", n, id)
				}
				if text, err := w.Engine.ReadFile(t.Context(), id, simulated.Root, "note"); string(text) != "updated" {
					t.Errorf("%s: %q, %v", id, text, err)
				}
			}
		}
	})
}

// TestMaintenanceIsOff touches nothing.
func TestMaintenanceIsOff(t *testing.T) {
	t.Parallel()
	w, ids := upkept(t, storetest.SQLite(t), "jane")
	w.Maintain(func(m *job.Maintenance) { m.On = false })
	living(t, w)
	w.ToNight(jobtest.LastNight)
	w.Must(workspaces.ActionStart, ids[0]) // and the loops have looked by the time that it runs
	w.Await("it runs", func() bool { return w.State(ids[0]) == workspaces.Available })
	if got := runs(w); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestMaintenanceAfterTheClockWentBack is not put off until the clock is there again.
func TestMaintenanceAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	w, ids := upkept(t, storetest.SQLite(t), "jane")
	living(t, w)
	w.Advance(5 * 365 * 24 * time.Hour)
	w.ToNight(jobtest.LastNight)
	atPeace(w)
	runs(w)
	w.Clock.Reset()
	w.Clock.Freeze()
	w.Await("it has been looked at", func() (done bool) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			next, err := tx.NextMaintenance(ctx)
			done = next.Before(w.Clock.Now().Add(60 * 24 * time.Hour))
			return err
		})
		return done
	})
	w.Advance(60 * 24 * time.Hour)
	w.ToNight(jobtest.LastNight)
	atPeace(w)
	w.Want(ids[0], workspaces.Stopped)
	if got := runs(w); got[ids[0]] == 0 {
		t.Error("it waits for a time long past")
	}
}
