package job_test

import (
	"context"
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

// stoodBy makes a WorkSpace of jane's and one that follows it.
func stoodBy(t *testing.T, w *jobtest.World) (primary, standby string) {
	t.Helper()
	primary = available(t, w)
	standby = w.StandBy(primary, workspaces.PrimaryAsSource)
	w.Settle()
	write(t, w, standby, simulated.Home, "its own")
	w.Driver.Calls()
	return primary, standby
}

// wantRecovered fails the test unless a standby WorkSpace rests in the state, with the files of the primary's latest snapshot.
func wantRecovered(t *testing.T, w *jobtest.World, primary, standby string, state workspaces.State) {
	t.Helper()
	latest, _ := w.Snapshots(primary).ForRebuild()
	got, tie := w.Standby(standby)
	if _, running := got.Running(); running || got.State != state || got.ErrorCode != "" || !tie.RecoveredAt.Equal(latest.TakenAt) {
		t.Errorf("%+v\n%+v, the latest is of %v", got, tie, latest.TakenAt)
	}
}

// TestReplicate has a standby WorkSpace follow every 12 hours, running or not, and one that is not to follow stay behind.
func TestReplicate(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		primary, standby := stoodBy(t, w)
		if got, _ := w.Standby(standby); !got.NextSnapshotAt.IsZero() {
			t.Errorf("it is kept itself: %+v", got)
		}
		w.ReplicateDue()
		wantFile(t, w, standby, simulated.Home, "its own") // nothing was kept yet
		write(t, w, primary, simulated.Home, "first")
		w.Keep(primary)
		write(t, w, primary, simulated.Home, "not kept")
		w.Driver.Calls()
		w.ReplicateDue()
		w.Settle()
		wantFile(t, w, standby, simulated.Home, "first")
		wantRecovered(t, w, primary, standby, workspaces.Available)
		if got := methods(w); !slices.Equal(got, []string{"Receive", "Start"}) {
			t.Errorf("%v", got)
		}
		write(t, w, primary, simulated.Home, "soon after")
		w.Keep(primary)
		w.ReplicateDue()
		w.Settle()
		wantFile(t, w, standby, simulated.Home, "soon after")
		write(t, w, primary, simulated.Home, "later")
		w.Driver.Calls()
		w.ReplicateDue() // once is enough
		if got := methods(w); len(got) > 0 {
			t.Errorf("%v", got)
		}
		w.Sound()

		stop(w, standby)
		w.Advance(workspaces.SnapshotEvery)
		w.KeepDue()
		w.Driver.Calls()
		w.ReplicateDue()
		w.Settle()
		wantRecovered(t, w, primary, standby, workspaces.Stopped)
		wantFile(t, w, standby, simulated.Home, "later")
		if got := methods(w); !slices.Equal(got, []string{"Receive"}) {
			t.Errorf("%v", got)
		}

		_, tie := w.Standby(standby)
		tie.Replication = workspaces.NoReplication
		w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.SaveStandby(ctx, tie) })
		w.Advance(workspaces.SnapshotEvery)
		w.KeepDue()
		w.Driver.Calls()
		w.ReplicateDue()
		if got := methods(w); len(got) > 0 {
			t.Errorf("%v", got)
		}
		w.Sound()
	})
}

// stop stops a standby WorkSpace, as AutoStop does.
func stop(w *jobtest.World, standby string) {
	beginUnasked(w, jobtest.FarScope(), standby, workspaces.ActionStop)
	w.Settle()
}

// TestReplicationGrows has the user volume be as large as the primary's has become.
func TestReplicationGrows(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	primary, standby := stoodBy(t, w)
	w.Must(workspaces.ActionGrow, primary)
	w.Settle()
	w.Keep(primary)
	w.ReplicateDue()
	w.Settle()
	if got, _ := w.Standby(standby); got.Properties.UserGiB != w.WorkSpace(primary).Properties.UserGiB {
		t.Errorf("%+v", got.Properties)
	}
}

// TestReplicationWaits for those who are connected, and for both regions.
func TestReplicationWaits(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	primary, standby := stoodBy(t, w)
	write(t, w, primary, simulated.Home, "new")
	w.Keep(primary)
	w.Driver.Calls()
	stream := store.Stream{Scope: jobtest.FarScope(), WorkSpaceID: standby, ID: "1", OpenedAt: w.Clock.Now()}
	down := func(name string) (begin, end func(context.Context, *store.Tx) error) {
		return func(ctx context.Context, tx *store.Tx) error { return tx.PutRegionDown(ctx, name, w.Clock.Now()) },
			func(ctx context.Context, tx *store.Tx) error { return tx.DeleteRegionDown(ctx, name) }
	}
	here, hereUp := down(jobtest.Scope().Region)
	far, farUp := down(jobtest.FarScope().Region)
	for what, obstacle := range map[string][2]func(context.Context, *store.Tx) error{
		"somebody is connected":     {func(ctx context.Context, tx *store.Tx) error { return tx.OpenStream(ctx, stream) }, func(ctx context.Context, tx *store.Tx) error { return tx.CloseStream(ctx, stream, w.Clock.Now()) }},
		"the primary's region":      {here, hereUp},
		"the standby's own region ": {far, farUp},
	} {
		w.Update(obstacle[0])
		w.ReplicateDue()
		if got := methods(w); len(got) > 0 {
			t.Errorf("%s: %v", what, got)
		}
		w.Update(obstacle[1])
	}
	w.ReplicateDue()
	w.Settle()
	wantFile(t, w, standby, simulated.Home, "new")
	wantRecovered(t, w, primary, standby, workspaces.Available)
}

// TestReplicationFails shows why, leaves the desktop as it is, and tries again after a while.
func TestReplicationFails(t *testing.T) {
	t.Parallel()
	for what, c := range failures() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			primary, standby := stoodBy(t, w)
			write(t, w, primary, simulated.Home, "new")
			w.Keep(primary)
			w.Driver.Fail("Receive", c.err)
			w.ReplicateDue()
			w.Settle()
			if got, tie := w.Standby(standby); got.State != workspaces.Available || got.ErrorCode != c.code || !tie.RecoveredAt.IsZero() {
				t.Fatalf("%+v\n%+v", got, tie)
			}
			w.Sound()
			w.Driver.Fail("", nil)
			w.Driver.Calls()
			if _, tie := w.Standby(standby); tie.Rests(w.Clock.Now()) { // but for what was given up only at its deadline
				w.ReplicateDue()
				if got := methods(w); len(got) > 0 {
					t.Errorf("again at once: %v", got)
				}
			}
			w.Advance(10 * time.Minute)
			w.ReplicateDue()
			w.Settle()
			wantFile(t, w, standby, simulated.Home, "new")
			wantRecovered(t, w, primary, standby, workspaces.Available)
			w.Sound()
		})
	}
}

// TestReplicationStartFails leaves a desktop that does not start to be found silent.
func TestReplicationStartFails(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	primary, standby := stoodBy(t, w)
	w.Keep(primary)
	w.Driver.Fail("Start", compute.ErrCapacity)
	w.ReplicateDue()
	w.Settle()
	if got, _ := w.Standby(standby); got.State != workspaces.Available || got.ErrorCode != "InsufficientCapacity" {
		t.Errorf("%+v", got)
	}
}

// TestReplicationOfWhatGoes terminates either side in the middle.
func TestReplicationOfWhatGoes(t *testing.T) {
	t.Parallel()
	config := engine(5 * time.Second)
	config.Receive = config.Create
	w := jobtest.New(t, storetest.SQLite(t), config)
	primary, standby := stoodBy(t, w)
	w.Keep(primary)
	w.ReplicateDue() // on its way
	if got, _ := w.Standby(standby); got.Aside != workspaces.ActionReplicate {
		t.Fatalf("%+v", got)
	}
	w.Must(workspaces.ActionTerminate, primary)
	w.Settle()
	got, tie := w.Standby(standby)
	if got.State != workspaces.Available || tie == nil || w.WorkSpace(primary) != nil {
		t.Fatalf("%+v %+v", got, tie)
	}
	w.Sound()
	w.ReplicateDue()

	primary = w.Create("joe")[0]
	w.Settle()
	standby = w.StandBy(primary, workspaces.PrimaryAsSource)
	w.Settle()
	w.Keep(primary)
	w.ReplicateDue()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		found, _, err := tx.WorkSpace(ctx, jobtest.FarScope(), standby)
		if err != nil {
			return err
		}
		read := found.Generation
		if err := found.Begin(workspaces.ActionTerminate, w.Clock.Now()); err != nil {
			return err
		}
		_, err = tx.SaveWorkSpace(ctx, found, read)
		return err
	})
	w.Settle()
	if got, tie := w.Standby(standby); got != nil || tie != nil {
		t.Errorf("%+v %+v", got, tie)
	}
	w.ReplicateDue()
	w.Sound()
}

// TestReplicationAfterTheClockWentBack is not put off until the clock is there again.
func TestReplicationAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	primary, standby := stoodBy(t, w)
	w.Advance(1000 * time.Hour)
	w.Keep(primary)
	w.ReplicateDue()
	w.Settle()
	w.Clock.Reset()
	w.Clock.Freeze()
	write(t, w, primary, simulated.Home, "after")
	w.Keep(primary)
	w.ReplicateDue()
	w.Settle()
	wantFile(t, w, standby, simulated.Home, "after")
	wantRecovered(t, w, primary, standby, workspaces.Available)
}

// TestReplicationCrash has the process die in every place between a snapshot and the standby WorkSpace that has it.
func TestReplicationCrash(t *testing.T) {
	t.Parallel()
	dieEverywhere(t, replicateAndDie, "before the call", "after the call")
}

func replicateAndDie(t *testing.T, takes time.Duration, at crash) (died bool) {
	t.Helper()
	config := engine(takes)
	config.Dir = t.TempDir()
	config.Receive, config.Snapshot = config.Create, config.Create
	w := jobtest.New(t, storetest.SQLite(t), config)
	primary, standby := stoodBy(t, w)
	write(t, w, primary, simulated.Home, "letter")
	w.Keep(primary)
	d := death{at: at}
	for range 100 {
		latest, kept := w.Snapshots(primary).ForRebuild()
		if _, tie := w.Standby(standby); kept && tie.RecoveredAt.Equal(latest.TakenAt) {
			break
		}
		died = d.run(t, w,
			func(ctx context.Context) error { _, err := w.Runner.KeepDue(ctx, workspaces.Watchdog); return err },
			func(ctx context.Context) error { _, err := w.Runner.ReplicateDue(ctx); return err },
			func(ctx context.Context) error {
				found, _ := w.Standby(standby)
				return w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{found.Ref()}})
			},
		) || died
		w.Advance(time.Minute)
	}
	w.Settle()
	wantFile(t, w, standby, simulated.Home, "letter")
	wantRecovered(t, w, primary, standby, workspaces.Available)
	w.Sound()
	return died
}
