package reconcile_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/job/jobtest"
	"carrel/internal/reconcile"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// stopping makes WorkSpaces with a running mode and a timeout of an hour, and starts all of Carrel.
func stopping(t *testing.T, url, mode string, users ...string) (*jobtest.World, []string) {
	t.Helper()
	w := jobtest.New(t, url, engine(0))
	ids := w.Create(users...)
	w.Settle()
	for _, id := range ids {
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			found, _, err := tx.WorkSpace(ctx, jobtest.Scope(), id)
			if err != nil {
				return err
			}
			found.Properties.RunningMode, found.ReadyAt = mode, w.Clock.Now()
			if mode == workspaces.AutoStop {
				found.Properties.AutoStopMinutes = 60
			}
			_, err = tx.SaveWorkSpace(ctx, found, found.Generation)
			return err
		})
	}
	living(t, w)
	return w, ids
}

func stream(id, name string, w *jobtest.World) store.Stream {
	return store.Stream{Scope: jobtest.Scope(), WorkSpaceID: id, ID: name, OpenedAt: w.Clock.Now()}
}

func connect(w *jobtest.World, s store.Stream) {
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.OpenStream(ctx, s) })
}

func disconnect(w *jobtest.World, s store.Stream) {
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.CloseStream(ctx, s, w.Clock.Now()) })
}

// looked returns when the AutoStop loop has looked at all that is due.
func looked(w *jobtest.World) {
	w.Await("nothing is due to be stopped", func() (done bool) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			next, err := tx.NextAutoStop(ctx)
			done = next.IsZero() || next.After(w.Clock.Now())
			return err
		})
		return done
	})
}

func TestAutoStop(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w, ids := stopping(t, url, workspaces.AutoStop, "visited", "lonely")
		visited, lonely := ids[0], ids[1]
		w.Advance(59 * time.Minute)
		s := stream(visited, "a", w)
		connect(w, s)
		w.Advance(time.Minute)
		// Nobody ever connected to the one; the other is never stopped while somebody is.
		w.Await("the lonely one is STOPPED", func() bool { return w.State(lonely) == workspaces.Stopped })
		for range 5 {
			w.Advance(10 * time.Hour)
			looked(w)
			w.Want(visited, workspaces.Available)
		}
		disconnect(w, s)
		w.Advance(30 * time.Minute)
		s = stream(visited, "b", w)
		connect(w, s)
		w.Advance(10 * time.Minute)
		disconnect(w, s)
		w.Advance(59 * time.Minute) // of the second disconnect
		looked(w)
		w.Want(visited, workspaces.Available)
		w.Advance(time.Minute)
		w.Await("it is STOPPED", func() bool { return w.State(visited) == workspaces.Stopped })

		// Started by nobody in particular, it stops again.
		w.Must(workspaces.ActionStart, visited)
		w.Await("it is AVAILABLE", func() bool { return w.State(visited) == workspaces.Available })
		w.Advance(59 * time.Minute)
		looked(w)
		w.Want(visited, workspaces.Available)
		w.Advance(time.Minute)
		w.Await("it is STOPPED", func() bool { return w.State(visited) == workspaces.Stopped })
		w.Sound()
	})
}

// Other running modes are never stopped, nor is what is not AVAILABLE.
func TestNoAutoStop(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{workspaces.AlwaysOn, workspaces.Manual} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w, ids := stopping(t, storetest.SQLite(t), mode, "jane")
			w.Advance(1000 * time.Hour)
			looked(w)
			w.Want(ids[0], workspaces.Available)
		})
	}
	t.Run("UNHEALTHY", func(t *testing.T) {
		t.Parallel()
		w, ids := stopping(t, storetest.SQLite(t), workspaces.AutoStop, "jane")
		if err := w.Engine.Break(t.Context(), ids[0]); err != nil {
			t.Fatal(err)
		}
		w.Await("it is UNHEALTHY", func() bool { return w.State(ids[0]) == workspaces.Unhealthy })
		w.Advance(1000 * time.Hour)
		looked(w)
		w.Want(ids[0], workspaces.Unhealthy)
	})
}

// A clock that goes back takes the idle time with it, and a WorkSpace from before AutoStop begins anew.
func TestAutoStopOfOtherTimes(t *testing.T) {
	t.Parallel()
	w, ids := stopping(t, storetest.SQLite(t), workspaces.AutoStop, "jane", "joe")
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		old, _, err := tx.WorkSpace(ctx, jobtest.Scope(), ids[0])
		if err != nil {
			return err
		}
		old.ReadyAt = time.Time{}
		_, err = tx.SaveWorkSpace(ctx, old, old.Generation)
		return errors.Join(err, tx.PutOffAutoStop(ctx, old.Ref(), time.UnixMicro(1)))
	})
	w.Advance(time.Second)
	w.Await("it counts from now on", func() bool { return !w.WorkSpace(ids[0]).ReadyAt.IsZero() })
	w.Advance(1000 * time.Hour)
	w.Await("both are STOPPED", func() bool { return states(w)[workspaces.Stopped] == 2 })
	w.Must(workspaces.ActionStart, ids[0])
	w.Must(workspaces.ActionStart, ids[1])
	w.Await("both are AVAILABLE", func() bool { return states(w)[workspaces.Available] == 2 })
	s := stream(ids[1], "a", w)
	connect(w, s)
	disconnect(w, s)
	w.Clock.Reset()
	w.Clock.Freeze()
	w.Await("they count from now on", func() bool {
		return !w.WorkSpace(ids[0]).ReadyAt.After(w.Clock.Now()) && !w.WorkSpace(ids[1]).ReadyAt.After(w.Clock.Now())
	})
	w.Advance(59 * time.Minute)
	looked(w)
	if states(w)[workspaces.Available] != 2 {
		t.Fatal("they were stopped for an idleness that is still to come")
	}
	w.Advance(time.Minute)
	w.Await("both are STOPPED", func() bool { return states(w)[workspaces.Stopped] == 2 })
}

// TestAutoStopByItself has the time pass instead of moving it.
func TestAutoStopByItself(t *testing.T) {
	t.Parallel()
	w, ids := stopping(t, storetest.SQLite(t), workspaces.AutoStop, "jane")
	if err := w.Clock.SetScale(86_400); err != nil {
		t.Fatal(err)
	}
	w.Await("it is STOPPED", func() bool { return w.State(ids[0]) == workspaces.Stopped })
}

// TestStreamsOfTheDead leaves streams behind by a process that is gone.
func TestStreamsOfTheDead(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	before, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	w := jobtest.New(t, url, engine(0))
	id := w.Create("jane")[0]
	w.Settle()
	ctx := w.Context()
	err = before.Update(ctx, func(tx *store.Tx) error { return tx.OpenStream(ctx, stream(id, "a", w)) })
	if err = errors.Join(err, before.Close()); err != nil {
		t.Fatal(err)
	}
	mine := stream(id, "b", w)
	connect(w, mine)
	w.Advance(time.Hour)
	living(t, w)
	side := func() (side int) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			fates, err := tx.StreamFates(ctx)
			side = fates[0].Side
			return err
		})
		return side
	}
	w.Await("only the living one's is left", func() bool { return side() == 1 })
}

// TestStreamsOfTheSilent has two processes on one database, of which one stops showing itself.
func TestStreamsOfTheSilent(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	w := jobtest.New(t, url, engine(0))
	id := w.Create("jane")[0]
	w.Settle()
	other, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := w.Context()
	s := stream(id, "a", w)
	if err := other.Update(ctx, func(tx *store.Tx) error { return tx.OpenStream(ctx, s) }); err != nil {
		t.Fatal(err)
	}
	real := clock.New()
	real.Freeze()
	r := &reconcile.Reconciler{Store: w.Store, Real: real, Log: slog.New(slog.DiscardHandler)}
	var heard reconcile.Heard
	look := func() (connected bool) {
		if err := real.Advance(20 * time.Second); err != nil {
			t.Fatal(err)
		}
		var err error
		if heard, err = r.BuryStreams(ctx, heard); err != nil {
			t.Fatal(err)
		}
		w.View(func(ctx context.Context, tx *store.Tx) error {
			all, err := tx.Connections(ctx, jobtest.Scope(), []string{id})
			connected = all[id].Connected
			return err
		})
		return connected
	}
	for range 4 {
		if err := other.Update(ctx, func(tx *store.Tx) error { return tx.KeepStreams(ctx, []store.Stream{s}, w.Clock.Now()) }); err != nil {
			t.Fatal(err)
		}
		if !look() {
			t.Fatal("a process that shows itself is taken for dead")
		}
	}
	if !look() || look() {
		t.Error("it is to be taken for dead when it has been silent for more than 30 seconds, and not before")
	}
}
