package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/reconcile"
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

// looker is an engine at which looks are taken when the test says so.
type looker struct {
	compute.Driver
	begun  chan struct{}                                      // gets an element when a look begins
	onward chan struct{}                                      // the look goes on when it gets one
	list   func() ([]compute.Machine, error)                  // in place of the engine's, unless nil
	after  func(machines []compute.Machine) []compute.Machine // on the engine's answer, unless nil
}

// List implements [compute.Driver].
func (l *looker) List(ctx context.Context) ([]compute.Machine, error) {
	l.begun <- struct{}{}
	select {
	case <-l.onward:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.list != nil {
		return l.list()
	}
	machines, err := l.Driver.List(ctx)
	if l.after != nil {
		machines = l.after(machines)
	}
	return machines, err
}

// reconciler is one at work, whose looks at the engine the test takes.
type reconciler struct {
	*jobtest.World
	*looker
	real *clock.Clock
	t    *testing.T
}

const every = time.Hour // of the real clock, which stands still in tests of drift

// drifting starts a reconciler that looks at the engine when look is called. Work is done
// when the world does it.
func drifting(t *testing.T, takes time.Duration) *reconciler {
	t.Helper()
	w := jobtest.New(t, storetest.SQLite(t), engine(takes))
	looker := &looker{Driver: w.Engine, begun: make(chan struct{}, 1), onward: make(chan struct{})}
	r := &reconciler{World: w, looker: looker, real: clock.New(), t: t}
	r.real.Freeze()
	start(t, &reconcile.Reconciler{
		Store: w.Store, Clock: w.Clock, Real: r.real, Driver: r.looker, Runner: w.Runner, DriftEvery: every, Log: slog.New(slog.DiscardHandler),
	})
	<-r.begun
	return r
}

// start runs a reconciler until the end of the test.
func start(t *testing.T, r *reconcile.Reconciler) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// look has the look that has begun go on, and returns when it is over: the next has begun.
func (r *reconciler) look() {
	r.t.Helper()
	r.onward <- struct{}{}
	for {
		// However long the loop means to rest.
		if err := r.real.Advance(every); err != nil {
			r.t.Fatal(err)
		}
		select {
		case <-r.begun:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, time.Minute} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			r := drifting(t, takes)
			ids := r.Create("jane", "joe", "jim")
			r.Turn(ids[0])
			r.Turn(ids[1])
			r.Advance(takes)
			r.Turn(ids[0])
			r.Turn(ids[1])
			r.Turn(ids[2])
			r.Must(workspaces.ActionTerminate, ids[2]) // has a row, whatever the engine has of it
			r.Update(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.DeleteWorkSpace(ctx, r.WorkSpace(ids[1]).Ref())
				return err
			})
			r.look()
			r.Advance(takes)
			r.look()
			for _, id := range r.Machines() {
				if id == ids[1] {
					t.Error("the orphan is still there")
				}
			}
			r.Want(ids[0], workspaces.Available)
			r.Want(ids[2], workspaces.Terminating)
			r.Settle()
			r.Sound()
		})
	}
}

// A desktop is UNHEALTHY when it has been silent for two looks, and AVAILABLE when it answers.
func TestHealth(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	ids := r.Create("jane", "joe")
	r.Settle()
	if err := r.Engine.Break(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	r.look()
	r.look()
	r.Want(ids[1], workspaces.Available)
	if got := r.WorkSpace(ids[0]); got.State != workspaces.Unhealthy || got.ErrorCode != "DesktopUnresponsive" || got.ErrorMessage == "" {
		t.Fatalf("%+v", got)
	}
	if err := r.Engine.Mend(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	r.look()
	if got := r.WorkSpace(ids[0]); got.State != workspaces.Available || got.ErrorCode != "" || got.ErrorMessage != "" {
		t.Fatalf("%+v", got)
	}
	r.Sound()
}

// One that is silent at every other look is well.
func TestNoFlapping(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	n := 0
	id := r.Create("jane")[0]
	r.Settle()
	r.after = func(machines []compute.Machine) []compute.Machine {
		n++
		for i := range machines {
			machines[i].Answers = n%2 == 0
		}
		return machines
	}
	generation := r.WorkSpace(id).Generation
	for range 6 {
		r.look()
	}
	if got := r.WorkSpace(id); got.Generation != generation {
		t.Errorf("%+v", got)
	}
}

// What happened between two looks makes them two first looks.
func TestSilencesOfTwoTimes(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	id := r.Create("jane")[0]
	r.Settle()
	r.after = func(machines []compute.Machine) []compute.Machine {
		// Between the engine's answer and the look at the store, it is rebooted.
		r.Must(workspaces.ActionReboot, id)
		r.Turn(id)
		for i := range machines {
			machines[i].Answers = false
		}
		return machines
	}
	for range 4 {
		r.look()
	}
	r.Want(id, workspaces.Available)
}

// The engine is asked first: what is made after that has no desktop in its answer, and what
// was there before has had a row.
func TestMadeMeanwhile(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	n := 0
	r.after = func(machines []compute.Machine) []compute.Machine {
		n++
		r.Turn(r.Create(fmt.Sprintf("user-%d", n))[0])
		return machines
	}
	for range 4 {
		r.look()
	}
	for _, w := range r.All() {
		r.Want(w.ID, workspaces.Available)
	}
	r.Sound()
}

// The desktop of an AVAILABLE WorkSpace went away, or was shut down in it.
func TestGone(t *testing.T) {
	t.Parallel()
	r := drifting(t, 0)
	ids := r.Create("jane", "joe")
	r.Settle()
	if _, err := r.Engine.Delete(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Engine.Stop(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	r.look()
	r.look()
	r.Want(ids[0], workspaces.Unhealthy)
	r.Want(ids[1], workspaces.Unhealthy)
	if a, b := r.WorkSpace(ids[0]).ErrorMessage, r.WorkSpace(ids[1]).ErrorMessage; a == b {
		t.Errorf("the administrator is told twice: %s", a)
	}
	r.Must(workspaces.ActionReboot, ids[1])
	r.Settle()
	r.Want(ids[1], workspaces.Available)
	r.Must(workspaces.ActionTerminate, ids[0])
	r.Settle()
	r.Want(ids[0], workspaces.Absent)
	r.Sound()
}

// An engine that cannot be asked says nothing about its desktops; one that fails is asked again.
func TestEngineDown(t *testing.T) {
	t.Parallel()
	for _, err := range []error{compute.ErrUnavailable, errors.New("a new kind of misfortune")} {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			r := drifting(t, 0)
			id := r.Create("jane")[0]
			r.Settle()
			r.list = func() ([]compute.Machine, error) { return nil, err }
			for range 3 {
				r.look()
			}
			r.Want(id, workspaces.Available)
			r.list = nil
			if err := r.Engine.Break(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			r.look()
			r.look()
			r.Want(id, workspaces.Unhealthy)
		})
	}
}

// living starts all of it: River, and a reconciler whose clocks run as the world's and the
// machine's do.
func living(t *testing.T, w *jobtest.World) {
	t.Helper()
	w.Work()
	start(t, &reconcile.Reconciler{
		Store: w.Store, Clock: w.Clock, Real: clock.New(), Driver: w.Driver, Runner: w.Runner, DriftEvery: time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	})
}

// states counts WorkSpaces by state.
func states(w *jobtest.World) map[workspaces.State]int {
	count := make(map[workspaces.State]int)
	for _, found := range w.All() {
		count[found.State]++
	}
	return count
}

// TestWake has more wait than one job carries. They wait while the clock stands still, and
// come about when it is advanced.
func TestWake(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(time.Hour/4))
		const n = 600
		for i := 0; i < n; i += 25 {
			var users []string
			for j := range 25 {
				users = append(users, fmt.Sprintf("user-%d", i+j))
			}
			w.Create(users...)
		}
		living(t, w)
		w.Await("all wait for the engine", func() bool {
			for _, found := range w.All() {
				if found.WakeAt.Sub(w.Clock.Now()) < time.Minute*10 {
					return false
				}
			}
			return true
		})
		w.Advance(time.Hour / 4)
		w.Await("all are AVAILABLE", func() bool { return states(w)[workspaces.Available] == n })
		w.Sound()
	})
}

// TestLostWork begins with work that no job is left for: another process died with it.
func TestLostWork(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := w.Create("jane", "joe")
	w.Settle()
	lost := func(action workspaces.Action, id string) {
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			found, _, err := tx.WorkSpace(ctx, jobtest.Scope(), id)
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
	lost(workspaces.ActionTerminate, ids[0])
	living(t, w)
	// The first is found at the start, the second by the watchdog.
	w.Await("one is TERMINATED", func() bool { return w.State(ids[0]) == workspaces.Terminated })
	lost(workspaces.ActionStop, ids[1])
	w.Advance(workspaces.Watchdog)
	w.Await("one is STOPPED and the other gone", func() bool {
		return w.State(ids[1]) == workspaces.Stopped && w.State(ids[0]) == workspaces.Absent
	})
	w.Sound()
}

// TestFastClock runs a life at a day in a second, and back at the real time.
func TestFastClock(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(time.Minute))
	living(t, w)
	if err := w.Clock.SetScale(86_400); err != nil {
		t.Fatal(err)
	}
	ids := w.Create("jane", "joe", "jim")
	w.Await("all are AVAILABLE", func() bool { return states(w)[workspaces.Available] == len(ids) })
	for _, id := range ids {
		w.Must(workspaces.ActionTerminate, id)
	}
	w.Clock.Reset()
	if err := w.Clock.SetScale(100); err != nil {
		t.Fatal(err)
	}
	w.Await("all are gone", func() bool { return len(w.All()) == 0 })
}

// TestIdleDirectory advances to the last moment of the 30 days, and over it.
func TestIdleDirectory(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	limits := workspaces.OpenLimits()
	limits.Registration = time.Minute // so that DEREGISTERING can be seen
	w.Limit(limits)
	registered := func() (state workspaces.RegistrationState) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			d, found, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
			if found {
				state = d.State
			}
			return err
		})
		return state
	}
	id := w.Create("jane")[0]
	living(t, w)
	w.Await("it is AVAILABLE", func() bool { return w.State(id) == workspaces.Available })
	w.Advance(2 * workspaces.IdleDirectoryAfter)
	// Whatever the loop would have done, it has done before this turn of work.
	w.Must(workspaces.ActionStop, id)
	w.Await("it is STOPPED", func() bool { return w.State(id) == workspaces.Stopped })
	if registered() != workspaces.Registered {
		t.Fatal("a directory with a WorkSpace was deregistered")
	}
	w.Must(workspaces.ActionTerminate, id)
	w.Await("it is TERMINATED", func() bool { return w.State(id) == workspaces.Terminated })
	w.Advance(limits.TerminatedStays)
	w.Await("it is gone", func() bool { return w.State(id) == workspaces.Absent })
	w.Advance(workspaces.IdleDirectoryAfter - time.Second)
	other := w.Create("joe")[0]
	w.Await("there is another", func() bool { return w.State(other) == workspaces.Available })
	w.Must(workspaces.ActionTerminate, other)
	w.Await("it is TERMINATED", func() bool { return w.State(other) == workspaces.Terminated })
	w.Advance(limits.TerminatedStays)
	w.Await("it is gone", func() bool { return w.State(other) == workspaces.Absent })
	w.Advance(workspaces.IdleDirectoryAfter - time.Second)
	if registered() != workspaces.Registered {
		t.Fatal("the 30 days did not begin anew")
	}
	w.Clock.Reset() // runs, and goes back: it is told to go to just before the end once more
	w.Clock.Freeze()
	w.View(func(ctx context.Context, tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
		if err != nil {
			return err
		}
		return w.Clock.Advance(d.EmptySince.Add(workspaces.IdleDirectoryAfter).Sub(w.Clock.Now()) - time.Second)
	})
	if err := w.Clock.SetScale(1); err != nil { // and now by itself
		t.Fatal(err)
	}
	w.Await("it is DEREGISTERING", func() bool { return registered() == workspaces.Deregistering })
	w.Advance(time.Minute)
	w.Await("it is gone", func() bool { return registered() == "" })
}

// TestPeerDies leaves work in the hands of another process on the database, which goes.
func TestPeerDies(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	w := jobtest.New(t, url, engine(0))
	peer, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	living(t, w)
	id := w.Create("jane")[0]
	w.Await("it is AVAILABLE", func() bool { return w.State(id) == workspaces.Available })
	err = peer.Update(w.Context(), func(tx *store.Tx) error {
		found, _, err := tx.WorkSpace(w.Context(), jobtest.Scope(), id)
		if err != nil {
			return err
		}
		read := found.Generation
		if err := found.Begin(workspaces.ActionStop, w.Clock.Now()); err != nil {
			return err
		}
		_, err = tx.SaveWorkSpace(w.Context(), found, read)
		return err
	})
	if err = errors.Join(err, peer.Close()); err != nil {
		t.Fatal(err)
	}
	w.Await("it is STOPPED", func() bool { return w.State(id) == workspaces.Stopped })
}
