package job_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// pool writes a pool of so many desktops that starts by itself.
func pool(w *jobtest.World, desired int) workspaces.Ref {
	p := workspaces.NewPool(nil, workspaces.Pool{
		Scope: jobtest.Scope(), Name: "lab", DirectoryID: jobtest.DirectoryID, BundleID: "wsb-carrelval", RunningMode: workspaces.AlwaysOn,
		Design: workspaces.PoolDesign{Image: "carrel/xfce", ComputeType: "VALUE", RootGiB: 80, UserGiB: 10}, Desired: desired,
		Timeouts: workspaces.DefaultPoolTimeouts(),
	}, w.Clock.Now())
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertPool(ctx, p) })
	return p.Ref()
}

// poolNow returns the pool, nil where it is gone, and its desktops.
func poolNow(w *jobtest.World, id string) (p *workspaces.Pool, desktops []*workspaces.PoolDesktop) {
	w.View(func(ctx context.Context, tx *store.Tx) error {
		found, exists, err := tx.Pool(ctx, jobtest.Scope(), id)
		if err != nil {
			return err
		}
		if p = nil; exists {
			p = found
		}
		desktops, err = tx.PoolDesktops(ctx, jobtest.Scope(), id)
		return err
	})
	return p, desktops
}

// changePool changes the pool as an operation does.
func changePool(w *jobtest.World, id string, change func(p *workspaces.Pool)) {
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		p, _, err := tx.Pool(ctx, jobtest.Scope(), id)
		if err != nil {
			return err
		}
		read := p.Generation
		change(p)
		p.WakeAt = w.Clock.Now()
		_, err = tx.SavePool(ctx, p, read)
		return err
	})
}

// wantPool fails the test unless the pool has the state and so many desktops, all of them on the engine.
func wantPool(t *testing.T, w *jobtest.World, id string, state workspaces.PoolState, n int) {
	t.Helper()
	p, desktops := poolNow(w, id)
	if p == nil || p.State != state || len(desktops) != n || len(w.Machines()) != n {
		t.Fatalf("%+v has %d desktops, and the engine %d; want %s with %d", p, len(desktops), len(w.Machines()), state, n)
	}
	w.Sound()
}

func TestPool(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			storetest.OnEach(t, func(t *testing.T, url string) {
				t.Helper()
				w := jobtest.New(t, url, engine(takes))
				id := pool(w, 3).ID
				w.Settle()
				wantPool(t, w, id, workspaces.PoolRunning, 3)
				for _, n := range []int{5, 2, 0, 1} {
					changePool(w, id, func(p *workspaces.Pool) {
						if err := p.Change(workspaces.PoolChange{Desired: &n}, w.Clock.Now()); err != nil {
							t.Fatal(err)
						}
					})
					w.Settle()
					wantPool(t, w, id, workspaces.PoolRunning, n)
				}
				_, desktops := poolNow(w, id)
				if err := w.Runner.ReplacePoolDesktop(w.Context(), desktops[0]); err != nil {
					t.Fatal(err)
				}
				w.Settle()
				wantPool(t, w, id, workspaces.PoolRunning, 1)
				if _, now := poolNow(w, id); now[0].ID == desktops[0].ID {
					t.Error("the desktop was not replaced")
				}
				changePool(w, id, func(p *workspaces.Pool) { p.BeginTerminate(w.Clock.Now()) })
				w.Settle()
				if p, left := poolNow(w, id); p != nil || len(left) > 0 || len(w.Machines()) > 0 {
					t.Errorf("left: %+v, %v, %v", p, left, w.Machines())
				}
			})
		})
	}
}

// TestPoolFailing has an engine that has no room: the pool says so, tries again later and
// later, and is whole once there is room.
func TestPoolFailing(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	w.Driver.Fail("Create", fmt.Errorf("%w: full", compute.ErrCapacity))
	id := pool(w, 2).ID
	for range 60 {
		w.Advance(time.Minute)
		w.WakeDue()
		w.WakeDue()
	}
	p, _ := poolNow(w, id)
	if p.State != workspaces.PoolRunning || p.ErrorCode != "WORKSPACES_POOL_INSTANCE_PROVISIONING_FAILURE" || p.ErrorMessage == "" {
		t.Errorf("%+v", p)
	}
	if n := len(w.Driver.Calls()); n > 200 {
		t.Errorf("the engine was called %d times in an hour", n)
	}
	w.Driver.Fail("", nil)
	w.Settle()
	wantPool(t, w, id, workspaces.PoolRunning, 2)
	if p, _ := poolNow(w, id); p.ErrorCode != "" {
		t.Errorf("%+v", p)
	}
}

// TestPoolDying has the process die before or after each call of the engine.
func TestPoolDying(t *testing.T) {
	t.Parallel()
	for at := range 6 {
		for _, called := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d, made: %v", at, called), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				config := engine(time.Second)
				config.Dir = filepath.Join(dir, "engine")
				w := jobtest.New(t, filepath.Join(dir, "carrel.db"), config)
				id := pool(w, 2).ID
				dying(t, w, at, called)
				wantPool(t, w, id, workspaces.PoolRunning, 2)
				changePool(w, id, func(p *workspaces.Pool) { p.BeginTerminate(w.Clock.Now()) })
				dying(t, w, at, called)
				if p, left := poolNow(w, id); p != nil || len(left) > 0 || len(w.Machines()) > 0 {
					t.Errorf("left: %+v, %v, %v", p, left, w.Machines())
				}
			})
		}
	}
}

// dying takes turns of work until the process dies at a call of the engine, and then lets another
// finish what it left, all of it or what is due within so long.
func dying(t *testing.T, w *jobtest.World, at int, called bool, within ...time.Duration) { //nolint:revive // both ways are tested
	t.Helper()
	ctx, kill := context.WithCancel(w.Context())
	defer kill()
	var calls atomic.Int64
	w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (again time.Time, err error) {
		if calls.Add(1) <= int64(at) {
			return do(ctx)
		}
		if called {
			again, err = do(ctx)
		}
		kill()
		return again, err
	})
	w.Hasten()
	for range 8 {
		for _, kind := range []workspaces.Kind{workspaces.KindPool, workspaces.KindPoolDesktop, workspaces.KindPoolSession} {
			var refs []workspaces.Ref
			w.Update(func(ctx context.Context, tx *store.Tx) (err error) {
				now := w.Clock.Now()
				refs, err = tx.TakeDue(ctx, kind, now, now.Add(time.Second), 100)
				return err
			})
			_ = w.Runner.Do(ctx, store.Work{Resource: kind, Refs: refs}) // it dies
		}
		w.Advance(time.Second)
	}
	w.Driver.Do(nil)
	w.Crash()
	for _, d := range within {
		pass(w, d)
		return
	}
	w.Settle()
}
