// Package jobtest is a Carrel without its outsides, for the tests of job and reconcile: a
// store, a simulated engine that can be made to fail, and a runner whose turns of work a
// test hands out itself, in whatever order it likes. Start at New.
package jobtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/compute/simulated"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/job"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TB is what *testing.T, *testing.B and *rapid.T have in common.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
	Cleanup(f func())
}

// Scope is where everything is.
func Scope() workspaces.Scope { return workspaces.Scope{Account: "123456789012", Region: "us-east-1"} }

// DirectoryID is the directory that every WorkSpace is in. Every user name exists in it.
const DirectoryID = "d-0123456789"

// Subnet is the network that every WorkSpace is in.
func Subnet() workspaces.Subnet {
	return workspaces.Subnet{
		ID: "subnet-0123456789abcdef0", VPCID: "vpc-0123456789abcdef0", Region: Scope().Region, Zone: "us-east-1a",
		Prefix: netip.MustParsePrefix("10.9.0.0/16"), Gateway: netip.MustParseAddr("10.9.0.1"),
	}
}

// World is one Carrel.
type World struct {
	Store  *store.Store
	Clock  *clock.Clock // frozen
	Engine *simulated.Driver
	Driver *Driver // over Engine
	Runner *job.Runner
	API    operation.WorkSpaces
	ctx    context.Context
	tb     TB
	limits workspaces.Limits
	engine simulated.Config
	images int // how many were asked for

	maintenance job.Maintenance
}

// New makes a world on an empty database. The engine's images and clock are filled in; where
// it has a folder, it survives Crash.
func New(tb TB, database string, engine simulated.Config) *World {
	tb.Helper()
	w := &World{Clock: clock.New(), tb: tb, limits: workspaces.OpenLimits(), engine: engine, maintenance: maintenance()}
	w.Clock.Freeze()
	w.engine.Clock, w.engine.AnyImage, w.engine.AnyGroup = w.Clock, true, true
	w.ctx = api.WithCaller(context.WithoutCancel(tb.Context()), api.Caller{Account: Scope().Account, Region: Scope().Region})
	var err error
	if w.Store, err = store.Open(w.ctx, database); err != nil {
		tb.Fatalf("%v", err)
	}
	w.Store.Maintains = w.maintenance.On
	tb.Cleanup(func() {
		if err := w.Store.Close(); err != nil {
			tb.Errorf("%v", err)
		}
		if err := w.Engine.Close(); err != nil {
			tb.Errorf("%v", err)
		}
	})
	w.open()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.PutSubnet(ctx, Subnet()); err != nil {
			return err
		}
		d := &workspaces.WorkspaceDirectory{
			Scope: Scope(), ID: DirectoryID, Type: "SIMPLE_AD", WorkspaceType: "PERSONAL", SubnetIDs: []string{Subnet().ID},
			RegistrationCode: "WSiad+ABC123", Settings: workspaces.NewDirectorySettings(), EmptySince: w.Clock.Now(),
		}
		d.Enter(workspaces.Registered, w.Clock.Now())
		return tx.InsertWorkspaceDirectory(ctx, d)
	})
	return w
}

// open opens the engine and makes the runner.
func (w *World) open() {
	w.tb.Helper()
	var err error
	if w.Engine, err = simulated.Open(w.engine); err != nil {
		w.tb.Fatalf("%v", err)
	}
	w.Driver = Over(w.Engine)
	w.Runner = w.NewRunner()
	w.API = operation.WorkSpaces{Core: &operation.Core{
		Store: w.Store, Clock: w.Clock, Limits: w.limits, Bundles: workspaces.PublicBundles("carrel/xfce"), Directories: w.Runner.Directories,
		Installation: w.Runner.Installation, Applications: w.Runner.Applications, AnySecurityGroup: true,
	}}
}

// NewRunner returns another runner on the same store and engine, as another process has it.
func (w *World) NewRunner() *job.Runner {
	return &job.Runner{
		Store: w.Store, Clock: w.Clock, Driver: w.Driver, Limits: w.limits, Log: slog.New(slog.DiscardHandler),
		Installation: "test", Maintenance: w.maintenance,
		Applications: workspaces.SampleApplications(),
		Directories:  directory.Any(embedded.New(w.Store, embedded.NewHasher())),
	}
}

// Limit makes the limits those of the runner and the API.
func (w *World) Limit(limits workspaces.Limits) {
	w.limits, w.Runner.Limits, w.API.Limits = limits, limits, limits
}

// Crash has the process die and another begin: what was in memory is gone, and so is the
// engine where it has no folder.
func (w *World) Crash() {
	w.tb.Helper()
	if w.engine.Dir != "" {
		if err := w.Engine.Close(); err != nil {
			w.tb.Errorf("%v", err)
		}
		w.open()
	}
	w.Runner = w.NewRunner()
	w.Hasten()
}

// Hasten makes everything that waits due, as the wake loop does at its start.
func (w *World) Hasten() {
	w.tb.Helper()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		for _, kind := range workspaces.Kinds() {
			if err := tx.HastenAll(ctx, kind, w.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Update changes the store, or fails the test.
func (w *World) Update(f func(ctx context.Context, tx *store.Tx) error) {
	w.tb.Helper()
	if err := w.Store.Update(w.ctx, func(tx *store.Tx) error { return f(w.ctx, tx) }); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// View reads the store, or fails the test.
func (w *World) View(f func(ctx context.Context, tx *store.Tx) error) {
	w.tb.Helper()
	if err := w.Store.View(func(tx *store.Tx) error { return f(w.ctx, tx) }); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// Running reports whether something is at work on a WorkSpace.
func (w *World) Running(id string) bool {
	w.tb.Helper()
	found := w.WorkSpace(id)
	if found == nil {
		return false
	}
	_, running := found.Running()
	return running
}

// Keep has a snapshot of a WorkSpace be due, and takes those that are.
func (w *World) Keep(id string) {
	w.tb.Helper()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.PutSnapshotOff(ctx, w.WorkSpace(id).Ref(), w.Clock.Now())
		return err
	})
	w.KeepDue()
}

// KeepDue takes the snapshots that are due, as the loop of snapshots does.
func (w *World) KeepDue() {
	w.tb.Helper()
	if _, err := w.Runner.KeepDue(w.ctx, workspaces.Watchdog); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// Snapshots returns what there is of a WorkSpace's snapshots.
func (w *World) Snapshots(id string) (all workspaces.Snapshots) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = tx.Snapshots(ctx, Scope(), id)
		return err
	})
	return all
}

// Must is Ask where the action has to be accepted.
func (w *World) Must(action workspaces.Action, id string) {
	w.tb.Helper()
	if !w.Ask(action, id) {
		w.tb.Fatalf("%s of %s is refused in the state %s", action, id, w.State(id))
	}
}

// WorkSpace returns a WorkSpace, nil where it is gone.
func (w *World) WorkSpace(id string) (found *workspaces.WorkSpace) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		found, _, err = tx.WorkSpace(ctx, Scope(), id)
		return err
	})
	return found
}

// State returns the state of a WorkSpace, Absent where it is gone.
func (w *World) State(id string) workspaces.State {
	w.tb.Helper()
	if found := w.WorkSpace(id); found != nil {
		return found.State
	}
	return workspaces.Absent
}

// Want fails the test unless a WorkSpace has the state.
func (w *World) Want(id string, state workspaces.State) {
	w.tb.Helper()
	if got := w.State(id); got != state {
		w.tb.Fatalf("%s is %q, not %q: %+v", id, got, state, w.WorkSpace(id))
	}
}

// All returns every WorkSpace.
func (w *World) All() (all []*workspaces.WorkSpace) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) error {
		all = nil
		return tx.EveryWorkSpace(ctx, func(ws *workspaces.WorkSpace) { all = append(all, ws) })
	})
	return all
}

// Turn takes a turn of work on a WorkSpace as it is now.
func (w *World) Turn(id string) {
	w.tb.Helper()
	if found := w.WorkSpace(id); found != nil {
		w.Do(found.Ref())
	}
}

// Do takes turns of work, whether or not they are stale.
func (w *World) Do(refs ...workspaces.Ref) {
	w.tb.Helper()
	if err := w.Runner.Do(w.ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: refs}); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// WakeDue takes a turn on everything that is due, as the wake loop would have it done.
func (w *World) WakeDue() {
	w.tb.Helper()
	for _, kind := range workspaces.Kinds() {
		var refs []workspaces.Ref
		w.Update(func(ctx context.Context, tx *store.Tx) (err error) {
			now := w.Clock.Now()
			refs, err = tx.TakeDue(ctx, kind, now, now.Add(workspaces.Watchdog), 1000)
			return err
		})
		if err := w.Runner.Do(w.ctx, store.Work{Resource: kind, Refs: refs}); err != nil {
			w.tb.Fatalf("%v", err)
		}
	}
}

// NextDue returns when the next turn is due, the zero time where everything rests.
func (w *World) NextDue() (next time.Time) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) error {
		next = time.Time{}
		for _, kind := range workspaces.Kinds() {
			due, err := tx.NextDue(ctx, kind)
			if err != nil {
				return err
			}
			if next.IsZero() || !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		return nil
	})
	return next
}

// Advance moves the clock.
func (w *World) Advance(d time.Duration) {
	w.tb.Helper()
	if err := w.Clock.Advance(d); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// settleTurns is more rounds of turns than anything may need: an engine that does not answer is
// asked about 130 times within the two hours that a volume may take to grow, and that of each WorkSpace.
const settleTurns = 2000

// Settle lets the time pass that it takes until everything rests, and fails the test if
// that takes too many turns.
func (w *World) Settle() {
	w.tb.Helper()
	w.Hasten() // as River would have: it needs no watchdog for what it was handed
	for range settleTurns {
		next := w.NextDue()
		if next.IsZero() {
			return
		}
		// The store keeps microseconds, the engine is more exact.
		w.Advance(max(next.Sub(w.Clock.Now())+time.Microsecond, 0))
		w.WakeDue()
	}
	w.tb.Fatalf("it does not settle: %s", w.dump())
}

// Sound fails the test unless, everything being at rest, each WorkSpace has the desktop that
// it should have, no desktop is nobody's, and no two calls were ever at one desktop.
func (w *World) Sound() {
	w.tb.Helper()
	machines, err := w.Engine.List(w.ctx)
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	running := make(map[string]bool, len(machines))
	for _, m := range machines {
		running[m.ID] = m.Running
	}
	for _, ws := range w.All() {
		runs, there := running[ws.ID]
		delete(running, ws.ID)
		switch ws.State {
		case workspaces.Available, workspaces.AdminMaintenance:
			if !runs {
				w.tb.Errorf("%s is %s and does not run", ws.ID, ws.State)
			}
		case workspaces.Stopped:
			if !there || runs {
				w.tb.Errorf("%s is STOPPED and its desktop is there: %v, running: %v", ws.ID, there, runs)
			}
		case workspaces.Unhealthy, workspaces.Errored:
		default:
			w.tb.Errorf("%s rests in %s", ws.ID, ws.State)
		}
	}
	w.View(func(ctx context.Context, tx *store.Tx) error {
		pooled, err := tx.EveryPoolDesktop(ctx)
		for _, d := range pooled {
			if !running[d.ID] {
				w.tb.Errorf("%s of a pool is %s and does not run", d.ID, d.State)
			}
			delete(running, d.ID)
		}
		return err
	})
	for id := range running {
		w.tb.Errorf("the desktop %s is nobody's", id)
	}
	for _, overlap := range w.Driver.Overlaps() {
		w.tb.Errorf("%s", overlap)
	}
}

// patience is how long, in real time, Await waits.
const patience = 30 * time.Second

// Await waits until the store is as it should be, or fails the test.
func (w *World) Await(what string, done func() bool) {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		changed := w.Store.Changed()
		if done() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			w.tb.Fatalf("it did not come about that %s: %s", what, w.dump())
		}
	}
}

// Work has River hand out the turns of work, until the end of the test or until stop is called.
func (w *World) Work() (stop func()) {
	w.tb.Helper()
	workers, err := w.Runner.Workers()
	if err == nil {
		err = workers.Start(w.ctx)
	}
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	stop = sync.OnceFunc(func() {
		if err := workers.StopAndCancel(w.ctx); err != nil {
			w.tb.Errorf("%v", err)
		}
	})
	w.tb.Cleanup(stop)
	return stop
}

// Context is one in which the API knows the caller; it outlives the test.
func (w *World) Context() context.Context { return w.ctx }

// Machines returns the ids of the engine's desktops.
func (w *World) Machines() (ids []string) {
	w.tb.Helper()
	machines, err := w.Engine.List(w.ctx)
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	for _, m := range machines {
		ids = append(ids, m.ID)
	}
	return ids
}

// dump shows every WorkSpace, a line each.
func (w *World) dump() string {
	var b strings.Builder
	for _, ws := range w.All() {
		fmt.Fprintf(&b, "\n%+v", *ws)
	}
	return b.String()
}
