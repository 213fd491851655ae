package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// migrate begins to migrate a WorkSpace and returns the id of the target.
func migrate(w *jobtest.World, id string) string {
	w.Must(workspaces.ActionMigrate, id)
	return w.WorkSpace(id).Migrating
}

// TestMigrate goes through a migration, and sees that the target has what it should have.
func TestMigrate(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(5*time.Second))
		id := available(t, w)
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			return tx.PutTags(ctx, jobtest.Scope(), id, []workspaces.Tag{{Key: "k", Value: "v"}})
		})
		old := w.WorkSpace(id)
		write(t, w, id, simulated.Root, "program")
		write(t, w, id, simulated.Home, "letter")
		target := migrate(w, id)
		w.Want(id, workspaces.Maintenance)
		w.Want(target, workspaces.Pending)
		w.Turn(target) // it has to wait for the source
		w.Want(target, workspaces.Pending)
		w.Turn(id)
		w.Turn(target)
		w.Advance(5 * time.Second)
		w.Turn(target)
		w.Want(target, workspaces.Available)
		w.Want(id, workspaces.Terminating)
		got := w.WorkSpace(target)
		if got.StandIn || got.Migrating != "" || !w.WorkSpace(id).StandIn {
			t.Errorf("%+v", got)
		}
		w.Settle()
		w.Want(id, workspaces.Absent)
		wantFile(t, w, target, simulated.Root, "")
		wantFile(t, w, target, simulated.Home, "letter")
		if got.IPAddress == old.IPAddress || got.ComputerName == old.ComputerName || got.UserName != old.UserName ||
			got.Properties.RunningMode != old.Properties.RunningMode || got.Properties.UserGiB != 50 || got.Properties.ComputeType != "STANDARD" {
			t.Errorf("%+v", got)
		}
		w.View(func(ctx context.Context, tx *store.Tx) error {
			tags, err := tx.Tags(ctx, jobtest.Scope(), target)
			if len(tags) != 1 {
				t.Errorf("%v", tags)
			}
			return err
		})
		fresh(t, w, target)
		w.Sound()
	})
}

// TestMigrateStopped has a source that does not run, and goes back to that where it fails.
func TestMigrateStopped(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := available(t, w)
			w.Must(workspaces.ActionStop, id)
			w.Settle()
			if fails {
				w.Driver.Fail("Create", compute.ErrCapacity)
			}
			target := migrate(w, id)
			w.Settle()
			if fails {
				w.Want(id, workspaces.Stopped)
				w.Want(target, workspaces.Absent)
				if got := w.WorkSpace(id); got.ErrorCode != "MigrationFailed" || got.ErrorMessage == "" {
					t.Errorf("%+v", got)
				}
				w.Driver.Fail("", nil)
				target = migrate(w, id)
				w.Settle()
			}
			w.Want(id, workspaces.Absent)
			w.Want(target, workspaces.Available)
			w.Sound()
		})
	}
}

// TestMigrateFails fails each of its calls in every way, for ever: the source is as it was, and
// nothing of the target is left.
func TestMigrateFails(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Snapshot", "Create"} {
		for name, failure := range failures() {
			t.Run(method+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := available(t, w)
				w.Driver.Fail(method, fmt.Errorf("%w: of the test's", failure.err))
				began := w.Clock.Now()
				target := migrate(w, id)
				w.Settle()
				w.Want(id, workspaces.Available)
				w.Want(target, workspaces.Absent)
				if got := w.WorkSpace(id); got.ErrorCode != "MigrationFailed" || got.Migrating != "" {
					t.Errorf("%+v", got)
				}
				if took := w.Clock.Now().Sub(began); errors.Is(failure.err, compute.ErrUnavailable) != (took > 50*time.Minute) || took > 70*time.Minute {
					t.Errorf("it was given up after %v", took)
				}
				w.Driver.Fail("", nil)
				target = migrate(w, id)
				w.Settle()
				w.Want(id, workspaces.Absent)
				w.Want(target, workspaces.Available)
				w.Sound()
			})
		}
	}
}

// Either of the two is terminated in the middle: the other ends as it should.
func TestMigrateTerminated(t *testing.T) {
	t.Parallel()
	for _, terminated := range []string{"source", "target"} {
		for turns := range 4 {
			t.Run(fmt.Sprintf("%s/%d", terminated, turns), func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(5*time.Second))
				id := available(t, w)
				target := migrate(w, id)
				for i := range turns {
					w.Turn([]string{id, target}[i%2])
				}
				if terminated == "source" {
					w.Must(workspaces.ActionTerminate, id)
				} else {
					w.Must(workspaces.ActionTerminate, target)
				}
				w.Settle()
				w.Want(target, workspaces.Absent)
				want := workspaces.Available
				if terminated == "source" {
					want = workspaces.Absent
				}
				w.Want(id, want)
				w.Sound()
			})
		}
	}
}

// TestMigrateCrash has the process die in every place of a migration.
func TestMigrateCrash(t *testing.T) {
	t.Parallel()
	dieEverywhere(t, migrateAndDie, "before the call", "after the call")
}

func migrateAndDie(t *testing.T, takes time.Duration, at crash) (died bool) {
	t.Helper()
	config := engine(takes)
	config.Dir = t.TempDir()
	config.Snapshot = config.Create
	w := jobtest.New(t, storetest.SQLite(t), config)
	id := available(t, w)
	write(t, w, id, simulated.Home, "letter")
	target := migrate(w, id)
	d := death{at: at}
	for range 100 {
		if w.State(id) == workspaces.Absent && !w.Running(target) {
			break
		}
		for _, one := range []string{id, target} {
			found := w.WorkSpace(one)
			if found == nil {
				continue
			}
			died = d.run(t, w, func(ctx context.Context) error {
				return w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{found.Ref()}})
			}) || died
		}
		w.Advance(time.Second)
	}
	w.Want(id, workspaces.Absent)
	w.Want(target, workspaces.Available)
	wantFile(t, w, target, simulated.Home, "letter")
	w.Sound()
	return died
}

// The clock is advanced by hours in the middle: a healthy engine is not given up.
func TestMigrateAdvanced(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := available(t, w)
	realEngine(w, "Create", 20)
	target := migrate(w, id)
	for range 10 {
		w.Turn(id)
		w.Turn(target)
		w.Advance(longer)
	}
	w.Settle()
	w.Want(target, workspaces.Available)
	w.Want(id, workspaces.Absent)
}
