package job_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// resting makes WorkSpaces with a running mode, which are stopped unless they are always on.
func resting(t *testing.T, w *jobtest.World, mode string, users ...string) (ids []string) {
	t.Helper()
	ids = w.Create(users...)
	w.Settle()
	for _, id := range ids {
		setMode(w, id, mode)
		if mode != workspaces.AlwaysOn {
			w.Must(workspaces.ActionStop, id)
		}
	}
	w.Settle()
	w.Driver.Calls()
	return ids
}

func setMode(w *jobtest.World, id, mode string) {
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		found, _, err := tx.WorkSpace(ctx, jobtest.Scope(), id)
		if err != nil {
			return err
		}
		found.Properties.RunningMode = mode
		if mode == workspaces.AutoStop {
			found.Properties.AutoStopMinutes = 60
		}
		_, err = tx.SaveWorkSpace(ctx, found, found.Generation)
		return err
	})
}

// maintainedIn lets the maintenances that are due come about, and returns how many were.
func maintainedIn(w *jobtest.World) (n int) {
	for {
		_, waiting := w.MaintainDue()
		for _, found := range w.All() {
			if found.IsMaintained() {
				n++
			}
		}
		w.Settle()
		if !waiting {
			return n
		}
	}
}

func TestMaintain(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		id := resting(t, w, workspaces.AutoStop, "jane")[0]
		next, _ := w.MaintainDue()
		if w.Advance(workspaces.MaintainedFrom); w.State(id) != workspaces.Stopped || next.Before(w.Clock.Now().Add(-time.Hour)) {
			t.Errorf("a young one is looked at at %v", next)
		}
		next, _ = w.MaintainDue()
		w.Advance(next.Sub(w.Clock.Now()) - time.Second)
		w.MaintainDue()
		w.Want(id, workspaces.Stopped)
		w.Advance(2 * time.Second)
		w.MaintainDue()
		w.Want(id, workspaces.Maintenance)
		for _, action := range []workspaces.Action{
			workspaces.ActionStart, workspaces.ActionStop, workspaces.ActionReboot, workspaces.ActionRebuild, workspaces.ActionRestore,
			workspaces.ActionMigrate, workspaces.ActionModify, workspaces.ActionGrow, workspaces.ActionLock,
		} {
			if w.Ask(action, id) {
				t.Errorf("%s is accepted", action)
			}
		}
		w.Settle()
		w.Want(id, workspaces.Stopped)
		wantFile(t, w, id, simulated.Root, "updated")
		if got, want := methods(w), []string{"Start", "Run", "Stop"}; !slices.Equal(got, want) {
			t.Errorf("%v, not %v", got, want)
		}
		if got := w.WorkSpace(id); got.ErrorCode != "" {
			t.Errorf("%+v", got)
		}
		// Once in a window, however long it is, and again in the next, or in the one after that.
		if again, _ := w.MaintainDue(); again.Sub(w.Clock.Now()) < 14*24*time.Hour {
			t.Errorf("after %v it is maintained at %v", w.Clock.Now(), again)
		}
		w.Advance(100 * 24 * time.Hour)
		w.ToNight(jobtest.LastNight)
		if n := maintainedIn(w); n != 1 {
			t.Errorf("maintained %d times for several windows", n)
		}
		w.Sound()
	})
}

// TestMaintainWhereItRuns does not touch the state, and keeps out of the way of whatever else is going on.
func TestMaintainWhereItRuns(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{workspaces.AlwaysOn, workspaces.AutoStop} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			config := engine(0)
			config.Run = simulated.Behaviour{Min: time.Minute, Max: time.Minute}
			w := jobtest.New(t, storetest.SQLite(t), config)
			id := resting(t, w, workspaces.AlwaysOn, "jane")[0]
			setMode(w, id, mode)
			w.Advance(workspaces.MaintainedFrom)
			w.ToNight(jobtest.LastNight)
			w.MaintainDue()
			got := w.WorkSpace(id)
			if got.State != workspaces.Available || got.Aside != workspaces.ActionUpdate || !got.AutoStopsAt(time.Time{}).IsZero() {
				t.Fatalf("%+v", got)
			}
			for _, action := range []workspaces.Action{workspaces.ActionReboot, workspaces.ActionGrow, workspaces.ActionLock} {
				if w.Ask(action, id) {
					t.Errorf("%s is accepted", action)
				}
			}
			w.Settle()
			w.Want(id, workspaces.Available)
			wantFile(t, w, id, simulated.Root, "updated")
			if n := maintainedIn(w); n != 0 {
				t.Errorf("and again")
			}
		})
	}
}

// TestMaintenanceReboots what is always on where that is asked for, unless somebody is connected.
func TestMaintenanceReboots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode      string
		connected bool
		script    string
		reboots   bool
	}{
		"always on":            {workspaces.AlwaysOn, false, jobtest.UpdatesNote, true},
		"somebody is there":    {workspaces.AlwaysOn, true, jobtest.UpdatesNote, false},
		"nothing was done":     {workspaces.AlwaysOn, false, "exit 1", false},
		"stops and begins new": {workspaces.AutoStop, false, jobtest.UpdatesNote, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			w.Maintain(func(m *job.Maintenance) { m.Reboot, m.Script = true, c.script })
			id := resting(t, w, workspaces.AlwaysOn, "jane")[0]
			setMode(w, id, c.mode)
			if c.connected {
				w.Update(func(ctx context.Context, tx *store.Tx) error {
					return tx.OpenStream(ctx, store.Stream{Scope: jobtest.Scope(), WorkSpaceID: id, ID: "1", OpenedAt: w.Clock.Now()})
				})
			}
			w.Advance(workspaces.MaintainedFrom)
			w.ToNight(jobtest.LastNight)
			w.MaintainDue()
			w.Settle()
			w.Want(id, workspaces.Available)
			if got := slices.Contains(methods(w), "Reboot"); got != c.reboots {
				t.Errorf("rebooted: %v", got)
			}
		})
	}
}

// TestMaintenanceWaits for what is going on, and leaves alone what is none of its business.
func TestMaintenanceWaits(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := resting(t, w, workspaces.AutoStop, "starts", "locked", "installs", "off", "manual")
	starts, locked, installs, off, manual := ids[0], ids[1], ids[2], ids[3], ids[4]
	w.Maintain(func(m *job.Maintenance) { m.Parallel = 10 })
	setMode(w, manual, workspaces.Manual)
	for _, id := range []string{locked, installs} {
		w.Must(workspaces.ActionStart, id)
	}
	w.Settle()
	w.Must(workspaces.ActionLock, locked)
	w.Advance(workspaces.MaintainedFrom)
	w.ToNight(jobtest.LastNight)
	w.Must(workspaces.ActionStart, starts)
	w.Associate(installs, notes)
	w.Deploy(installs)
	directory := func(on bool) {
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			d, _, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
			if err != nil {
				return err
			}
			d.Settings.Creation.MaintenanceMode = on
			_, err = tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
			return err
		})
	}
	w.MaintainDue()
	for id, want := range map[string]workspaces.State{
		starts: workspaces.Starting, locked: workspaces.AdminMaintenance, installs: workspaces.Available, off: workspaces.Maintenance,
		manual: workspaces.Stopped,
	} {
		if w.Want(id, want); id != off && w.WorkSpace(id).IsMaintained() {
			t.Errorf("%+v", w.WorkSpace(id))
		}
	}
	w.Settle()
	w.Advance(30 * time.Minute) // in which all but the lock has ended
	if n := maintainedIn(w); n != 2 {
		t.Errorf("%d are maintained later in the night", n)
	}
	w.Must(workspaces.ActionUnlock, locked)
	w.ToNight(jobtest.LastNight)
	directory(false)
	if n := maintainedIn(w); n != 0 {
		t.Errorf("%d are maintained although their directory has it switched off", n)
	}
	w.ToNight(jobtest.LastNight)
	directory(true)
	if n := maintainedIn(w); n != 4 {
		t.Errorf("%d are maintained", n)
	}
	w.Sound()
}

// TestMaintenanceRoom has few be maintained at once, whatever waits.
func TestMaintenanceRoom(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		resting(t, w, workspaces.AutoStop, "a", "b", "c", "d", "e")
		w.Advance(workspaces.MaintainedFrom)
		w.ToNight(jobtest.LastNight)
		for _, want := range []int{2, 2, 1, 0} {
			_, waiting := w.MaintainDue()
			_, _ = w.MaintainDue()
			n := 0
			for _, found := range w.All() {
				if found.IsMaintained() {
					n++
				}
			}
			if n != want || waiting != (want == 2) {
				t.Errorf("%d at once, not %d; more wait: %v", n, want, waiting)
			}
			w.Settle()
		}
		w.Sound()
	})
}

// TestMaintenanceFails ends well, tells why, and comes again in another night where it was not the script's fault.
func TestMaintenanceFails(t *testing.T) {
	t.Parallel()
	for what, c := range failures() {
		for _, method := range []string{"Start", "Run"} {
			t.Run(method+"/"+what, func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := resting(t, w, workspaces.AutoStop, "jane")[0]
				w.Advance(workspaces.MaintainedFrom)
				w.ToNight(jobtest.LastNight - 1)
				w.Driver.Fail(method, c.err)
				w.MaintainDue()
				w.Settle()
				if got := w.WorkSpace(id); got.State != workspaces.Stopped || got.ErrorCode != c.code {
					t.Fatalf("%+v", got)
				}
				w.Sound()
				w.Driver.Fail("", nil)
				if n := maintainedIn(w); n != 0 {
					t.Error("it is tried again in the same night")
				}
				w.Advance(24 * time.Hour)
				if n := maintainedIn(w); n != 1 || w.WorkSpace(id).ErrorCode != "" {
					t.Errorf("maintained %d times in the next night: %+v", n, w.WorkSpace(id))
				}
				wantFile(t, w, id, simulated.Root, "updated")
			})
		}
	}
}

// TestMaintenanceScriptFails has had its turn.
func TestMaintenanceScriptFails(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{workspaces.AutoStop, workspaces.AlwaysOn} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			w.Maintain(func(m *job.Maintenance) { m.Script = "exit 7" })
			id := resting(t, w, mode, "jane")[0]
			before := w.State(id)
			w.Advance(workspaces.MaintainedFrom)
			w.ToNight(map[string]int{workspaces.AutoStop: jobtest.LastNight - 1, workspaces.AlwaysOn: jobtest.LastNight}[mode])
			w.MaintainDue()
			w.Settle()
			got := w.WorkSpace(id)
			if got.State != before || got.ErrorCode != "MaintenanceFailed" || !strings.HasSuffix(got.ErrorMessage, "installed: it ended with status 7") {
				t.Errorf("%+v", got)
			}
			w.Advance(24 * time.Hour)
			if n := maintainedIn(w); n != 0 {
				t.Error("it is tried again in the same window")
			}
			w.Sound()
		})
	}
}

// TestMaintenanceCannotStop is in ERROR, as after StopWorkspaces.
func TestMaintenanceCannotStop(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := resting(t, w, workspaces.AutoStop, "jane")[0]
	w.Advance(workspaces.MaintainedFrom)
	w.ToNight(jobtest.LastNight)
	w.Driver.Fail("Stop", compute.ErrFailed)
	w.MaintainDue()
	w.Settle()
	w.Want(id, workspaces.Errored)
	w.Driver.Fail("", nil)
	w.Must(workspaces.ActionStop, id)
	w.Settle()
	w.Want(id, workspaces.Stopped)
	w.Sound()
}

// TestMaintenanceIsSlow is given up in time, whichever step takes for ever.
func TestMaintenanceIsSlow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slow func(*simulated.Config) *simulated.Behaviour
		end  workspaces.State
	}{
		"start": {func(c *simulated.Config) *simulated.Behaviour { return &c.Start }, workspaces.Stopped},
		"run":   {func(c *simulated.Config) *simulated.Behaviour { return &c.Run }, workspaces.Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := engine(0)
			*c.slow(&config) = simulated.Behaviour{Min: longer, Max: longer}
			w := jobtest.New(t, storetest.SQLite(t), config)
			id := resting(t, w, workspaces.AutoStop, "jane")[0]
			w.Advance(workspaces.MaintainedFrom)
			w.ToNight(jobtest.LastNight)
			began := w.Clock.Now()
			w.MaintainDue()
			w.Settle()
			took := w.Clock.Now().Sub(began)
			if got := w.WorkSpace(id); got.State != c.end || got.ErrorCode != "Timeout" || took > workspaces.ActionMaintain.Lookup().Within+10*time.Minute {
				t.Errorf("after %v: %+v", took, got)
			}
		})
	}
}

// TestMaintenanceTerminated is terminated in the middle.
func TestMaintenanceTerminated(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(5*time.Second))
	ids := resting(t, w, workspaces.AutoStop, "jane", "joe")
	w.Must(workspaces.ActionStart, ids[1])
	w.Settle()
	w.Advance(workspaces.MaintainedFrom)
	w.ToNight(jobtest.LastNight)
	w.MaintainDue()
	stale := []workspaces.Ref{w.WorkSpace(ids[0]).Ref(), w.WorkSpace(ids[1]).Ref()}
	for _, id := range ids {
		if !w.WorkSpace(id).IsMaintained() {
			t.Fatalf("%+v", w.WorkSpace(id))
		}
		w.Must(workspaces.ActionTerminate, id)
	}
	w.Do(stale...)
	w.Settle()
	if left := w.All(); len(left) > 0 || len(w.Machines()) > 0 {
		t.Errorf("%+v are left", left)
	}
}

// TestMaintenanceCrash has the process die in every place.
func TestMaintenanceCrash(t *testing.T) {
	t.Parallel()
	dieEverywhere(t, maintainAndDie, "before the call", "after the call")
}

func maintainAndDie(t *testing.T, takes time.Duration, at crash) (died bool) {
	t.Helper()
	config := engine(takes)
	config.Dir, config.Run = t.TempDir(), config.Start
	w := jobtest.New(t, storetest.SQLite(t), config)
	stopped := resting(t, w, workspaces.AutoStop, "jane")[0]
	runs := resting(t, w, workspaces.AlwaysOn, "joe")[0]
	w.Advance(workspaces.MaintainedFrom)
	w.ToNight(jobtest.LastNight)
	w.MaintainDue()
	d := death{at: at}
	for range 100 {
		turn := func(id string) func(context.Context) error {
			return func(ctx context.Context) error {
				return w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{w.WorkSpace(id).Ref()}})
			}
		}
		died = d.run(t, w, turn(stopped), turn(runs)) || died
		w.MaintainDue() // as the loop does when a process begins
		w.Advance(time.Second)
	}
	w.Settle()
	for id, want := range map[string]workspaces.State{stopped: workspaces.Stopped, runs: workspaces.Available} {
		w.Want(id, want)
		wantFile(t, w, id, simulated.Root, "updated")
	}
	if n := maintainedIn(w); n != 0 {
		t.Error("they are maintained once more")
	}
	w.Sound()
	return died
}
