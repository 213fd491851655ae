package job_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// available makes a WorkSpace of jane's.
func available(t *testing.T, w *jobtest.World) string {
	t.Helper()
	id := w.Create("jane")[0]
	w.Settle()
	w.Want(id, workspaces.Available)
	w.Driver.Calls()
	return id
}

// methods are those of the engine's that were called.
func methods(w *jobtest.World) (names []string) {
	for _, call := range w.Driver.Calls() {
		names = append(names, call.Method)
	}
	return names
}

// write writes a file on a desktop's volume.
func write(t *testing.T, w *jobtest.World, id string, v simulated.Volume, text string) {
	t.Helper()
	if err := w.Engine.WriteFile(t.Context(), id, v, "note", []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// wantFile fails the test unless a file on a desktop's volume has the text; "": there must be none.
func wantFile(t *testing.T, w *jobtest.World, id string, v simulated.Volume, text string) {
	t.Helper()
	got, err := w.Engine.ReadFile(t.Context(), id, v, "note")
	if string(got) != text || (err == nil) != (text != "") {
		t.Errorf("%s of %s has %q, not %q (%v)", v, id, got, text, err)
	}
}

// summary is what there is of a WorkSpace's snapshots, as in "AVAILABLE both".
func summary(w *jobtest.World, id string) (lines []string) {
	for _, s := range w.Snapshots(id) {
		line := string(s.State) + " user"
		if s.Root {
			line = string(s.State) + " both"
		}
		lines = append(lines, line)
	}
	return lines
}

func wantSnapshots(t *testing.T, w *jobtest.World, id string, want ...string) {
	t.Helper()
	if got := summary(w, id); !slices.Equal(got, want) {
		t.Errorf("there are %v, not %v: %+v", got, want, w.Snapshots(id))
	}
}

// The first pair comes within a minute, the next every 12 hours, and of those no more is kept than
// what a rebuild and a restore would take.
func TestKeep(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		id := available(t, w)
		if first := w.WorkSpace(id).NextSnapshotAt.Sub(w.Clock.Now()); first <= 0 || first > time.Minute {
			t.Errorf("the first is taken after %v", first)
		}
		w.KeepDue()
		wantSnapshots(t, w, id)
		w.Advance(time.Minute)
		generation := w.WorkSpace(id).Generation
		w.KeepDue()
		wantSnapshots(t, w, id, "AVAILABLE both")
		if got := w.WorkSpace(id); got.Generation != generation || got.NextSnapshotAt.Sub(w.Clock.Now()).Round(time.Second) != workspaces.SnapshotEvery {
			t.Errorf("%+v", got)
		}
		w.KeepDue() // no more than once
		if got := methods(w); !slices.Equal(got, []string{"Snapshot"}) {
			t.Errorf("%v", got)
		}
		w.Must(workspaces.ActionStop, id)
		w.Settle()
		w.Advance(workspaces.SnapshotEvery)
		w.Driver.Calls()
		w.KeepDue()
		wantSnapshots(t, w, id, "AVAILABLE both")
		if got := methods(w); !slices.Equal(got, []string{"Snapshot", "DropSnapshot"}) {
			t.Errorf("%v", got)
		}
		w.Must(workspaces.ActionStart, id)
		w.Settle()
		sicken(w, id)
		w.Advance(workspaces.SnapshotEvery)
		w.KeepDue()
		wantSnapshots(t, w, id, "AVAILABLE both", "AVAILABLE user")
		w.Advance(workspaces.SnapshotEvery)
		w.KeepDue()
		wantSnapshots(t, w, id, "AVAILABLE both", "AVAILABLE user")
		w.Must(workspaces.ActionReboot, id)
		w.Settle()
		w.Advance(workspaces.SnapshotEvery)
		w.KeepDue()
		wantSnapshots(t, w, id, "AVAILABLE both")
		w.Must(workspaces.ActionTerminate, id)
		w.Settle()
		wantSnapshots(t, w, id)
	})
}

// sicken makes a WorkSpace UNHEALTHY.
func sicken(w *jobtest.World, id string) {
	beginUnasked(w, jobtest.Scope(), id, workspaces.ActionSicken)
}

// beginUnasked begins an action that nobody has asked for, as reconcile does.
func beginUnasked(w *jobtest.World, scope workspaces.Scope, id string, action workspaces.Action) {
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		found, _, err := tx.WorkSpace(ctx, scope, id)
		if err != nil {
			return err
		}
		read := found.Generation
		if err := found.Begin(action, w.Clock.Now()); err != nil {
			return err
		}
		_, err = tx.SaveWorkSpace(ctx, found, read)
		return err
	})
}

// Each volume is as the table says that rebuild and restore make it.
func TestVolumes(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := available(t, w)
	old := w.WorkSpace(id)
	write(t, w, id, simulated.Root, "program")
	write(t, w, id, simulated.Home, "letter")
	w.Keep(id)
	write(t, w, id, simulated.Root, "broken program")
	write(t, w, id, simulated.Home, "torn letter")
	w.Must(workspaces.ActionRestore, id)
	w.Settle()
	wantFile(t, w, id, simulated.Root, "program")
	wantFile(t, w, id, simulated.Home, "letter")
	if got := w.WorkSpace(id); got.IPAddress != old.IPAddress || got.ComputerName != old.ComputerName {
		t.Errorf("a restored WorkSpace is another: %+v", got)
	}
	fresh(t, w, id)

	sicken(w, id)
	write(t, w, id, simulated.Home, "longer letter")
	w.Keep(id)
	write(t, w, id, simulated.Home, "lost")
	wantSnapshots(t, w, id, "AVAILABLE both", "AVAILABLE user")
	w.Must(workspaces.ActionRebuild, id)
	if got := w.WorkSpace(id); got.HeldOffset != old.AddressOffset || got.IPAddress == old.IPAddress {
		t.Errorf("the old address is not held: %+v", got)
	}
	w.Settle()
	wantFile(t, w, id, simulated.Root, "")
	wantFile(t, w, id, simulated.Home, "longer letter")
	got := w.WorkSpace(id)
	if got.IPAddress == old.IPAddress || got.HeldOffset != 0 || got.ComputerName != old.ComputerName || got.ID != old.ID {
		t.Errorf("%+v", got)
	}
	if desktop, _ := w.Engine.Desktop(id); desktop.Address.String() != got.IPAddress {
		t.Errorf("the desktop has %v, not %s", desktop.Address, got.IPAddress)
	}
	wantSnapshots(t, w, id, "AVAILABLE user", "AVAILABLE user")
	if w.Ask(workspaces.ActionRestore, id) {
		t.Error("it is restored from a root volume that is gone")
	}
	fresh(t, w, id)
	wantSnapshots(t, w, id, "AVAILABLE both")
	w.Sound()
}

// fresh fails the test unless a snapshot is taken within a minute.
func fresh(t *testing.T, w *jobtest.World, id string) {
	t.Helper()
	before := w.Snapshots(id)
	w.Advance(time.Minute)
	w.KeepDue()
	if after := w.Snapshots(id); slices.Equal(before, after) {
		t.Errorf("there is no fresh one: %+v", after)
	}
}

// TestKeepCrash has the process die in every place of two snapshots in a row, the second of which
// drops the first.
func TestKeepCrash(t *testing.T) {
	t.Parallel()
	dieEverywhere(t, keepAndDie, "before the call", "after the call")
}

func keepAndDie(t *testing.T, takes time.Duration, at crash) (died bool) {
	t.Helper()
	config := engine(0)
	config.Dir = t.TempDir()
	config.Snapshot = simulated.Behaviour{Min: takes, Max: takes}
	config.DropSnapshot = config.Snapshot
	w := jobtest.New(t, storetest.SQLite(t), config)
	id := available(t, w)
	d := death{at: at}
	for _, text := range []string{"first", "second"} {
		write(t, w, id, simulated.Home, text)
		w.Advance(workspaces.SnapshotEvery)
		for range 20 { // until nothing is due any more
			if w.WorkSpace(id).NextSnapshotAt.After(w.Clock.Now().Add(time.Hour)) {
				break
			}
			died = d.run(t, w, func(ctx context.Context) error {
				_, err := w.Runner.KeepDue(ctx, workspaces.Watchdog)
				return err
			}) || died
			w.Advance(workspaces.Watchdog)
		}
		latest, found := w.Snapshots(id).ForRestore()
		if !found {
			t.Fatalf("died %s %d: there is none: %+v", at.when, at.call, w.Snapshots(id))
		}
		if age := w.Clock.Now().Sub(latest.TakenAt); age > time.Hour {
			t.Errorf("died %s %d: the latest is of %v ago", at.when, at.call, age)
		}
	}
	write(t, w, id, simulated.Home, "lost")
	w.Must(workspaces.ActionRestore, id)
	w.Settle()
	wantFile(t, w, id, simulated.Home, "second")
	w.Keep(id)
	w.Advance(workspaces.Watchdog)
	w.KeepDue()
	w.Advance(time.Hour)
	w.Keep(id) // at last, what could not be dropped
	w.Advance(workspaces.Watchdog)
	w.KeepDue()
	if n := len(w.Snapshots(id)); n > 3 { // the latest, one that is being dropped, and one that waits for it
		t.Errorf("died %s %d: %d are left", at.when, at.call, n)
	}
	w.Sound()
	return died
}

// An engine that fails at a snapshot is asked again and again, less and less often, and the
// WorkSpace knows nothing of it.
func TestKeepFails(t *testing.T) {
	t.Parallel()
	for name, failure := range failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := available(t, w)
			before := w.WorkSpace(id)
			w.Driver.Fail("Snapshot", failure.err)
			w.Advance(time.Minute)
			for range 60 {
				w.KeepDue()
				w.Advance(time.Minute)
			}
			if calls := len(w.Driver.Calls()); calls < 6 || calls > 40 {
				t.Errorf("within an hour the engine was asked %d times", calls)
			}
			if got := w.WorkSpace(id); got.State != before.State || got.Generation != before.Generation || got.ErrorCode != "" {
				t.Errorf("%+v", got)
			}
			if n := len(w.Snapshots(id)); n != 1 {
				t.Errorf("%+v", w.Snapshots(id))
			}
			w.Driver.Fail("", nil)
			w.Advance(time.Hour)
			w.KeepDue()
			wantSnapshots(t, w, id, "AVAILABLE both")
			taken := w.Snapshots(id)[0].TakenAt
			if age := w.Clock.Now().Sub(taken); age > 10*time.Minute {
				t.Errorf("it is said to be of %v ago", age)
			}
		})
	}
}

// What cannot be dropped goes with the next.
func TestDropFails(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := available(t, w)
	w.Keep(id)
	w.Driver.Fail("DropSnapshot", compute.ErrFailed)
	w.Advance(workspaces.SnapshotEvery)
	w.KeepDue()
	wantSnapshots(t, w, id, "DROPPING both", "AVAILABLE both")
	w.Advance(workspaces.SnapshotEvery)
	w.KeepDue()
	wantSnapshots(t, w, id, "DROPPING both", "DROPPING both", "AVAILABLE both")
	w.Driver.Fail("", nil)
	w.Advance(workspaces.SnapshotEvery)
	w.KeepDue()
	wantSnapshots(t, w, id, "AVAILABLE both")
}

// Something begins on a WorkSpace while it is kept: the snapshot counts for nothing, and is
// taken anew afterwards.
func TestKeptMeanwhile(t *testing.T) {
	t.Parallel()
	for _, action := range []workspaces.Action{
		workspaces.ActionStop, workspaces.ActionReboot, workspaces.ActionRebuild, workspaces.ActionRestore, workspaces.ActionGrow,
		workspaces.ActionTerminate, workspaces.ActionMigrate, workspaces.ActionLock,
	} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := available(t, w)
			w.Keep(id)
			write(t, w, id, simulated.Home, "new")
			w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
				again, err := do(ctx)
				if call.Method == "Snapshot" && !w.Running(id) {
					w.Driver.Do(nil)
					w.Must(action, id)
				}
				return again, err
			})
			w.Advance(workspaces.SnapshotEvery)
			w.KeepDue()
			w.Driver.Do(nil)
			if action != workspaces.ActionTerminate {
				if got := summary(w, id); len(got) < 2 || got[0] != "AVAILABLE both" || got[1] == "AVAILABLE both" {
					t.Errorf("%v", got)
				}
			}
			w.Settle()
			w.Sound()
			if found := w.WorkSpace(id); found == nil {
				return
			}
			w.Ask(workspaces.ActionUnlock, id)
			w.Advance(time.Hour)
			w.KeepDue()
			wantSnapshots(t, w, id, "AVAILABLE both")
			if w.Snapshots(id)[0].Generation != w.WorkSpace(id).Generation {
				t.Errorf("%+v", w.Snapshots(id))
			}
		})
	}
}

// Nothing is due of WorkSpaces whose state has no snapshots, however long they are in it, and all of
// them is when it ends.
func TestNotKept(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := available(t, w)
	w.Must(workspaces.ActionLock, id)
	w.Advance(workspaces.SnapshotEvery)
	w.KeepDue()
	if got := w.WorkSpace(id).NextSnapshotAt; !got.IsZero() || len(w.Driver.Calls()) > 0 {
		t.Errorf("one is due at %v", got)
	}
	w.Must(workspaces.ActionUnlock, id)
	w.KeepDue()
	wantSnapshots(t, w, id, "AVAILABLE both")
}

// Ten thousand wait in a column; a batch of those that are due is begun in one transaction.
func TestKeepMany(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	for i := range 5 {
		var users []string
		for j := range 25 {
			users = append(users, fmt.Sprintf("user-%d-%d", i, j))
		}
		w.Create(users...)
	}
	w.Settle()
	due := make(map[time.Time]bool)
	for _, found := range w.All() {
		due[found.NextSnapshotAt] = true
	}
	if len(due) < 50 {
		t.Errorf("125 are kept at %d times", len(due))
	}
	w.Advance(time.Minute)
	for range 3 {
		w.KeepDue()
	}
	for _, found := range w.All() {
		wantSnapshots(t, w, found.ID, "AVAILABLE both")
	}
}
