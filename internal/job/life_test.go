package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// engine is a simulated engine whose every method takes so long.
func engine(takes time.Duration) simulated.Config {
	b := simulated.Behaviour{Min: takes, Max: takes}
	return simulated.Config{
		Create: b, Start: b, Stop: b, Reboot: b, Rebuild: b, Restore: b, Resize: b, Delete: b, Capture: b, MakeImage: b, DeleteImage: b,
	}
}

// step is one action of a life and where it leads.
type step struct {
	action workspaces.Action
	during workspaces.State
	done   workspaces.State
}

// life is everything that can happen to a WorkSpace, in one go.
func life() []step {
	return []step{
		{workspaces.ActionCreate, workspaces.Pending, workspaces.Available},
		{workspaces.ActionStop, workspaces.Stopping, workspaces.Stopped},
		{workspaces.ActionStart, workspaces.Starting, workspaces.Available},
		{workspaces.ActionReboot, workspaces.Rebooting, workspaces.Available},
		{workspaces.ActionRebuild, workspaces.Rebuilding, workspaces.Available},
		{workspaces.ActionRestore, workspaces.Restoring, workspaces.Available},
		{workspaces.ActionModify, workspaces.Updating, workspaces.Available},
		{workspaces.ActionGrow, workspaces.Available, workspaces.Available},
		{workspaces.ActionTerminate, workspaces.Terminating, workspaces.Absent},
	}
}

// waits is how many times an action has to wait for the engine.
func waits(action workspaces.Action) int {
	if action == workspaces.ActionModify {
		return 2 // resized, rebooted
	}
	return 1
}

// begin asks for a step's action.
func begin(w *jobtest.World, s step, id string) string {
	if s.action == workspaces.ActionCreate {
		return w.Create("jane")[0]
	}
	if s.action == workspaces.ActionRebuild || s.action == workspaces.ActionRestore {
		w.Keep(id) // there is no way back without
		w.Driver.Calls()
	}
	w.Must(s.action, id)
	return id
}

func TestLife(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			storetest.OnEach(t, func(t *testing.T, url string) {
				t.Helper()
				w := jobtest.New(t, url, engine(takes))
				var id string
				for _, s := range life() {
					id = begin(w, s, id)
					w.Want(id, s.during)
					if s.action == workspaces.ActionModify || s.action == workspaces.ActionGrow {
						w.Turn(id) // which only shows that it has begun
					}
					for range waits(s.action) {
						w.Turn(id)
						if takes > 0 {
							w.Want(id, s.during) // until the engine's time has come, however often one asks
							w.Advance(takes - 1)
							w.Turn(id)
							w.Want(id, s.during)
							w.Advance(1)
						}
					}
					w.Turn(id)
					if s.done == workspaces.Absent {
						w.Want(id, workspaces.Terminated)
						w.Turn(id)
						w.Want(id, workspaces.Terminated)
						w.Advance(workspaces.OpenLimits().TerminatedStays)
						w.Turn(id)
					}
					w.Want(id, s.done)
					if next := w.NextDue(); !next.IsZero() {
						t.Errorf("it rests, and a turn is due at %v", next)
					}
				}
				w.Sound()
			})
		})
	}
}

// Where TERMINATED is not to be seen, the id goes with the desktop.
func TestTerminatedIsSkipped(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	w.Limit(workspaces.OpenLimits().Instantly())
	id := w.Create("jane")[0]
	w.Turn(id)
	w.Must(workspaces.ActionTerminate, id)
	w.Turn(id)
	w.Want(id, workspaces.Absent)
}

// TestEveryTurnTwice has each turn of a life taken twice, and all turns of the past once more
// after every step: nothing comes of it.
func TestEveryTurnTwice(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(takes))
			var id string
			var past []workspaces.Ref
			for _, s := range life() {
				id = begin(w, s, id)
				for w.Running(id) || w.State(id) == workspaces.Terminated {
					ref := w.WorkSpace(id).Ref()
					past = append(past, ref)
					w.Do(ref)
					w.Do(ref)
					w.Advance(time.Second)
				}
				w.Driver.Calls()
				w.Do(past...)
				if calls := w.Driver.Calls(); len(calls) > 0 {
					t.Errorf("after %s, stale turns call the engine: %v", s.action, calls)
				}
				w.Want(id, s.done)
			}
			w.Sound()
		})
	}
}

// crash is where the process dies.
type crash struct {
	call int    // in which of the engine's calls, counted from 1…
	when string // …and when: before it, after it, or in the job after all was written
}

// death has the process die at a crash, counting the engine's calls over many runs.
type death struct {
	at    crash
	calls int
}

// run takes turns one after the other until the process dies, and reports whether it has.
func (d *death) run(t *testing.T, w *jobtest.World, turns ...func(context.Context) error) (died bool) {
	t.Helper()
	ctx, kill := context.WithCancel(w.Context())
	defer kill()
	w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (again time.Time, err error) {
		d.calls++
		mine := d.calls == d.at.call
		if !mine || d.at.when != "before the call" {
			again, err = do(ctx)
		}
		if died = died || mine; died {
			kill()
		}
		return again, err
	})
	for _, turn := range turns {
		if err := turn(ctx); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			t.Fatal(err)
		}
		if died {
			break // nobody takes the next
		}
	}
	w.Driver.Do(nil)
	if died {
		w.Crash()
	}
	return died
}

// TestCrash lives a life again and again, and has the process die in another place each time,
// until there is none left: before and after each call of the engine, and after each write.
func TestCrash(t *testing.T) {
	t.Parallel()
	dieEverywhere(t, liveAndDie, "before the call", "after the call", "after the write")
}

// dieEverywhere has a life with one crash in it lived again and again, on a quick engine and on a slow one, with the crash
// in another of the engine's calls each time, until life reports that there were not so many.
func dieEverywhere(t *testing.T, life func(t *testing.T, takes time.Duration, at crash) (died bool), whens ...string) {
	t.Helper()
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		for _, when := range whens {
			t.Run(fmt.Sprintf("%v/%s", takes, when), func(t *testing.T) {
				t.Parallel()
				call := 1
				for ; life(t, takes, crash{call, when}); call++ {
					if call > 150 {
						t.Fatal("it has no end")
					}
				}
				if call == 1 {
					t.Error("it never died")
				}
			})
		}
	}
}

// liveAndDie lives one life with one crash, and reports whether the crash's place was reached.
func liveAndDie(t *testing.T, takes time.Duration, at crash) (died bool) {
	t.Helper()
	config := engine(takes)
	config.Dir = t.TempDir()
	w := jobtest.New(t, storetest.SQLite(t), config)
	calls := 0
	die := func(ctx context.Context, id string) {
		ctx, kill := context.WithCancel(ctx)
		defer kill()
		w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (again time.Time, err error) {
			calls++
			mine := calls == at.call
			died = died || mine
			if !mine || at.when != "before the call" {
				again, err = do(ctx)
			}
			if mine && at.when != "after the write" {
				kill()
			}
			return again, err
		})
		ref := w.WorkSpace(id).Ref()
		before := calls
		err := w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{ref}})
		if ctx.Err() == nil && err != nil {
			t.Fatal(err)
		}
		if before < at.call && calls >= at.call {
			w.Crash()
			w.Do(ref) // River hands the job out again
		}
	}
	var id string
	for _, s := range life() {
		w.Driver.Do(nil)
		id = begin(w, s, id)
		for range 20 {
			if !w.Running(id) && w.State(id) != workspaces.Terminated {
				break
			}
			die(context.WithoutCancel(t.Context()), id)
			w.Advance(time.Second)
		}
		if got := w.State(id); got != s.done {
			t.Fatalf("the process died %s %d: after %s the WorkSpace is %q, not %q", at.when, at.call, s.action, got, s.done)
		}
	}
	w.Sound()
	if machines, err := w.Engine.List(t.Context()); err != nil || len(machines) > 0 {
		t.Fatalf("the process died %s %d: the engine still has %v (%v)", at.when, at.call, machines, err)
	}
	return died
}

// Work that was asked for and never handed out is asked for again by the watchdog.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := w.Create("jane", "joe", "jim")
	w.Advance(workspaces.Watchdog - time.Microsecond)
	w.WakeDue()
	w.Want(ids[0], workspaces.Pending)
	w.Advance(2 * time.Microsecond)
	w.WakeDue()
	for _, id := range ids {
		w.Want(id, workspaces.Available)
	}
	w.Sound()
}

// The clock is set back to the real time: nothing waits for a time long past.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(5*time.Second))
	w.Advance(24 * time.Hour)
	ids := w.Create("jane", "joe")
	w.Settle()
	w.Must(workspaces.ActionTerminate, ids[0])
	w.Turn(ids[0])
	w.Advance(5 * time.Second)
	w.Turn(ids[0])
	w.Want(ids[0], workspaces.Terminated)
	w.Must(workspaces.ActionReboot, ids[1])
	w.Turn(ids[1])
	w.Clock.Reset()
	w.Clock.Freeze()
	began := w.Clock.Now()
	w.Settle()
	w.Want(ids[0], workspaces.Absent)
	w.Want(ids[1], workspaces.Available)
	if took := w.Clock.Now().Sub(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// Twenty-five at once and then all away: no two have one address.
func TestMany(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(time.Second))
		var users []string
		for i := range 25 {
			users = append(users, fmt.Sprintf("user-%d", i))
		}
		ids := w.Create(users...)
		w.Settle()
		var addresses []string
		for _, ws := range w.All() {
			w.Want(ws.ID, workspaces.Available)
			addresses = append(addresses, ws.IPAddress)
		}
		slices.Sort(addresses)
		if n := len(slices.Compact(addresses)); n != 25 {
			t.Errorf("25 WorkSpaces have %d addresses", n)
		}
		for _, id := range ids {
			w.Must(workspaces.ActionTerminate, id)
		}
		w.Settle()
		w.Sound()
		if left := w.All(); len(left) > 0 {
			t.Errorf("%d are left", len(left))
		}
	})
}

// TestLocalAdministrators makes a WorkSpace before and after its directory's users lose that right.
func TestLocalAdministrators(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	create := func(user string) (administers bool) {
		id := w.Create(user)[0]
		w.Turn(id)
		w.Want(id, workspaces.Available)
		return w.Driver.Made(id).User.LocalAdministrator
	}
	if !create("jane") {
		t.Error("jane does not administer her desktop")
	}
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
		if err == nil {
			d.Settings.Creation.LocalAdministrator = false
			_, err = tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
		}
		return err
	})
	if create("john") {
		t.Error("john administers his desktop")
	}
}
