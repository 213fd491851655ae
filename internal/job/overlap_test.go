package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"carrel/internal/job"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// gate holds up the calls of one method.
type gate struct {
	reached chan struct{} // gets an element for each call that waits
	open    chan struct{} // closed: go on
}

// holdCreate has calls of Create wait at a gate, before they are made or after.
func holdCreate(w *jobtest.World, after bool) gate { //nolint:revive // two of a kind
	g := gate{reached: make(chan struct{}, 100), open: make(chan struct{})}
	wait := func() {
		g.reached <- struct{}{}
		<-g.open
	}
	w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if call.Method != "Create" {
			return do(ctx)
		}
		if !after {
			wait()
		}
		again, err := do(ctx)
		if after {
			wait()
		}
		return again, err
	})
	return g
}

// work takes one turn on WorkSpaces.
func work(ctx context.Context, r *job.Runner, refs ...workspaces.Ref) error {
	return r.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: refs})
}

// Whoever comes to a desktop that is being made leaves word and goes: no worker waits, and the
// one that makes it takes it away again.
func TestTerminatedWhileMade(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := w.Create("jane")[0]
			g := holdCreate(w, after)
			create := w.WorkSpace(id).Ref()
			made := make(chan error, 1)
			go func() { made <- work(w.Context(), w.Runner, create) }()
			<-g.reached
			w.Must(workspaces.ActionTerminate, id)
			for range 100 {
				w.Do(create, w.WorkSpace(id).Ref(), create) // would hang if it waited
			}
			w.Want(id, workspaces.Terminating)
			close(g.open)
			if err := <-made; err != nil {
				t.Fatal(err)
			}
			w.Want(id, workspaces.Terminated)
			w.Settle()
			w.Sound()
			if left := w.Machines(); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

// TestTwoProcesses has one process terminate a WorkSpace, and forget it, while another makes its
// desktop: the other takes it away when it finds out.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		for _, after := range []bool{false, true} {
			for _, forgotten := range []bool{false, true} {
				t.Run(fmt.Sprintf("after=%v/forgotten=%v", after, forgotten), func(t *testing.T) {
					at := url
					if at[0] == '/' {
						at = storetest.SQLite(t)
					} else {
						at = storetest.Postgres(t)
					}
					w := jobtest.New(t, at, engine(0))
					other := w.NewRunner()
					id := w.Create("jane")[0]
					g := holdCreate(w, after)
					create := w.WorkSpace(id).Ref()
					made := make(chan error, 1)
					go func() { made <- work(w.Context(), other, create) }()
					<-g.reached
					w.Must(workspaces.ActionTerminate, id)
					w.Turn(id)
					w.Want(id, workspaces.Terminated)
					if forgotten {
						w.Settle()
						w.Want(id, workspaces.Absent)
					}
					close(g.open)
					if err := <-made; err != nil {
						t.Fatal(err)
					}
					w.Settle()
					w.Want(id, workspaces.Absent)
					if left := w.Machines(); len(left) > 0 {
						t.Errorf("%v is left", left)
					}
				})
			}
		}
	})
}

// An orphan is left alone while a turn is taken on it, and what is asked for while it is
// removed is not lost to others.
func TestRemoveOrphan(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := w.Create("jane")[0]
	g := holdCreate(w, true)
	made := make(chan error, 1)
	create := w.WorkSpace(id).Ref()
	go func() { made <- work(w.Context(), w.Runner, create) }()
	<-g.reached
	if err := w.Runner.RemoveOrphan(w.Context(), id); err != nil {
		t.Fatal(err)
	}
	close(g.open)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	w.Want(id, workspaces.Available)
	w.Sound()
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.Reset(ctx) })
	if err := w.Runner.RemoveOrphan(w.Context(), id); err != nil {
		t.Fatal(err)
	}
	if left := w.Machines(); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A reset takes the rows from under a create: what it makes goes too.
func TestResetMeanwhile(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := w.Create("jane")[0]
	g := holdCreate(w, false)
	made := make(chan error, 1)
	create := w.WorkSpace(id).Ref()
	go func() { made <- work(w.Context(), w.Runner, create) }()
	<-g.reached
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.Reset(ctx) })
	close(g.open)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	if left := w.Machines(); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestStress has many at the same few WorkSpaces at once, with every turn
// asked for more than once.
func TestStress(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		ids := w.Create("u1", "u2", "u3", "u4", "u5")
		actions := []workspaces.Action{workspaces.ActionStop, workspaces.ActionStart, workspaces.ActionReboot, workspaces.ActionTerminate}
		var all sync.WaitGroup
		for i := range 8 {
			runner := w.Runner
			all.Go(func() {
				for j := range 12 {
					id := ids[(i+j)%len(ids)]
					found := w.WorkSpace(id)
					if found == nil {
						continue
					}
					if j%3 == 0 && w.WorkSpace(id) != nil {
						w.Ask(actions[(i+j)%len(actions)], id)
					}
					if err := errors.Join(work(w.Context(), runner, found.Ref()), work(w.Context(), runner, found.Ref())); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		w.Settle()
		w.Sound()
		for _, found := range w.All() {
			w.Must(workspaces.ActionTerminate, found.ID)
		}
		w.Settle()
		w.Sound()
		if left := w.Machines(); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
	})
}

// TestWorkers has River do it: one of 25 fails in a way that River is told of, the others
// are not held up by it, and River tries it again.
func TestWorkers(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		var users []string
		for i := range 25 {
			users = append(users, fmt.Sprintf("user-%d", i))
		}
		ids := w.Create(users...)
		again := make(chan struct{})
		var tries sync.Map
		w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
			if call.ID == ids[7] {
				if _, tried := tries.LoadOrStore(call.ID, true); !tried {
					panic("of the test's")
				}
				<-again
			}
			return do(ctx)
		})
		w.Work()
		available := func() (n int) {
			for _, found := range w.All() {
				if found.State == workspaces.Available {
					n++
				}
			}
			return n
		}
		w.Await("24 are AVAILABLE", func() bool { return available() == 24 })
		w.Want(ids[7], workspaces.Pending)
		close(again)
		w.Await("25 are AVAILABLE", func() bool { return available() == 25 })
		w.Sound()
	})
}

// TestStopAndCancel stops a process in the middle of creates; the next one finishes them.
func TestStopAndCancel(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := w.Create("jane", "joe", "jim")
	reached := make(chan struct{}, len(ids))
	w.Driver.Do(func(ctx context.Context, _ jobtest.Call, _ func(context.Context) (time.Time, error)) (time.Time, error) {
		reached <- struct{}{}
		<-ctx.Done()
		return time.Time{}, ctx.Err()
	})
	stop := w.Work()
	for range ids {
		<-reached
	}
	stop()
	for _, id := range ids {
		if got := w.WorkSpace(id); got.State != workspaces.Pending || got.Attempts != 0 {
			t.Errorf("%+v", got)
		}
	}
	w.Driver.Do(nil)
	w.Crash()
	w.Settle()
	for _, id := range ids {
		w.Want(id, workspaces.Available)
	}
}
