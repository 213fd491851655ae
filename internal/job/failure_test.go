package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/compute"
	"carrel/internal/job"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// reach brings a WorkSpace of its own to where an action may begin, and begins it.
func reach(t *testing.T, w *jobtest.World, action workspaces.Action) string {
	t.Helper()
	id := w.Create("jane")[0]
	if action == workspaces.ActionCreate {
		return id
	}
	w.Turn(id)
	switch action {
	case workspaces.ActionStart:
		w.Must(workspaces.ActionStop, id)
		w.Turn(id)
	case workspaces.ActionRebuild, workspaces.ActionRestore:
		w.Keep(id)
	default:
	}
	w.Must(action, id)
	if action == workspaces.ActionModify || action == workspaces.ActionGrow {
		w.Turn(id) // which only shows that it has begun
	}
	w.Driver.Calls()
	return id
}

// method is the engine's, of an action.
func method(action workspaces.Action) string {
	switch action {
	case workspaces.ActionCreate:
		return "Create"
	case workspaces.ActionStart:
		return "Start"
	case workspaces.ActionStop:
		return "Stop"
	case workspaces.ActionReboot:
		return "Reboot"
	case workspaces.ActionRebuild:
		return "Rebuild"
	case workspaces.ActionRestore:
		return "Restore"
	case workspaces.ActionModify, workspaces.ActionGrow:
		return "Resize"
	default:
		return "Delete"
	}
}

// failures are all that a driver can answer, and what the API makes of it in the end.
func failures() map[string]struct {
	err  error
	code string
} {
	return map[string]struct {
		err  error
		code string
	}{
		"not found":   {compute.ErrNotFound, "ResourceNotFound.Desktop"},
		"not running": {compute.ErrNotRunning, "InternalFailure"},
		"image":       {compute.ErrImage, "ResourceNotFound.Image"},
		"snapshot":    {compute.ErrSnapshot, "ResourceNotFound.Snapshot"},
		"capacity":    {compute.ErrCapacity, "InsufficientCapacity"},
		"invalid":     {compute.ErrInvalid, "InvalidConfiguration"},
		"unavailable": {compute.ErrUnavailable, "ServiceUnavailable"},
		"failed":      {compute.ErrFailed, "InternalFailure"},
		"unknown":     {errors.New("a new kind of misfortune"), "InternalFailure"},
	}
}

// failed is where an action leads that is given up.
func failed(action workspaces.Action) workspaces.State {
	if state := action.Lookup().Failed; state != workspaces.Before {
		return state
	}
	return workspaces.Available
}

// verdict is what becomes of an action that an engine fails again and again.
type verdict int

const (
	atOnce     verdict = iota // given up at the first failure
	afterThree                // given up after three
	atDeadline                // asked again until the deadline
)

func verdictOn(action workspaces.Action, err error) verdict {
	makes := action == workspaces.ActionCreate || action == workspaces.ActionTerminate
	switch {
	case errors.Is(err, compute.ErrUnavailable):
		return atDeadline
	case errors.Is(err, compute.ErrImage), errors.Is(err, compute.ErrSnapshot), errors.Is(err, compute.ErrCapacity), errors.Is(err, compute.ErrInvalid),
		errors.Is(err, compute.ErrNotFound) && !makes:
		return atOnce
	case action == workspaces.ActionTerminate:
		return atDeadline
	default:
		return afterThree
	}
}

// TestFailures fails every action in every way, for ever.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		for name, failure := range failures() {
			t.Run(fmt.Sprintf("%s/%s", s.action, name), func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				w.Driver.Fail(method(s.action), fmt.Errorf("%w: of the test's", failure.err))
				deadline := w.WorkSpace(id).Deadline
				w.Turn(id)
				w.Settle()
				w.Want(id, failed(s.action))
				calls, ended := len(w.Driver.Calls()), w.Clock.Now()
				if s.action == workspaces.ActionModify {
					calls-- // the last was to undo it
				}
				switch want := verdictOn(s.action, failure.err); {
				case want == atOnce && calls != 1, want == afterThree && calls != 3, want == atDeadline && calls < 10:
					t.Errorf("the engine was asked %d times", calls)
				case want == atDeadline && (ended.Before(deadline) || ended.After(deadline.Add(time.Millisecond))):
					t.Errorf("it was given up at %v and the deadline is %v", ended, deadline)
				case want == afterThree && calls == 3 && ended.After(deadline.Add(-5*time.Minute)):
					t.Errorf("it took until %v", ended)
				}
				if got := w.WorkSpace(id); got.ErrorCode != failure.code || got.ErrorMessage == "" {
					t.Errorf("%s: %s", got.ErrorCode, got.ErrorMessage)
				}
				w.Driver.Fail("", nil)
				w.Must(workspaces.ActionTerminate, id) // whatever happened, it can be taken away
				w.Settle()
				w.Want(id, workspaces.Absent)
				w.Sound()
			})
		}
	}
}

// TestFailsOnce fails every action once, in every way that may pass.
func TestFailsOnce(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		for name, failure := range failures() {
			if verdictOn(s.action, failure.err) == atOnce {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", s.action, name), func(t *testing.T) {
				t.Parallel()
				w := jobtest.New(t, storetest.SQLite(t), engine(0))
				id := reach(t, w, s.action)
				w.Driver.Fail(method(s.action), failure.err)
				w.Turn(id)
				w.Want(id, s.during)
				w.Driver.Fail("", nil)
				began := w.Clock.Now()
				w.Advance(w.NextDue().Sub(began) + time.Microsecond)
				if waited := w.Clock.Now().Sub(began); waited > 4*time.Second {
					t.Errorf("it is tried again only after %v", waited)
				}
				w.WakeDue()
				w.Settle()
				w.Want(id, s.done)
				if got := w.WorkSpace(id); got != nil && (got.ErrorCode != "" || got.Attempts != 0) {
					t.Errorf("%+v", got)
				}
				w.Sound()
			})
		}
	}
}

// A panic in a driver is an error of one turn: others go on, and so does a later turn.
func TestPanic(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := w.Create("jane", "joe")
	w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if call.ID == ids[0] {
			panic("of the test's")
		}
		return do(ctx)
	})
	refs := []workspaces.Ref{w.WorkSpace(ids[0]).Ref(), w.WorkSpace(ids[1]).Ref()}
	if err := w.Runner.Do(t.Context(), store.Work{Resource: workspaces.KindWorkSpace, Refs: refs}); err == nil {
		t.Error("River is not told, and will not try again")
	}
	w.Want(ids[0], workspaces.Pending)
	w.Want(ids[1], workspaces.Available)
	w.Driver.Do(nil)
	w.Do(refs...)
	w.Want(ids[0], workspaces.Available)
}

// An engine that hangs does not hang a WorkSpace: its turns are cut off, and at the deadline
// it is given up.
func TestHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := jobtest.New(t, storetest.SQLite(t), engine(0))
		w.Clock.Reset() // it runs, by the bubble's time
		id := w.Create("jane")[0]
		w.Driver.Do(func(ctx context.Context, _ jobtest.Call, _ func(context.Context) (time.Time, error)) (time.Time, error) {
			<-ctx.Done()
			return time.Time{}, ctx.Err()
		})
		for turns := 0; w.State(id) == workspaces.Pending; turns++ {
			if turns > 10 {
				t.Fatal("it is never given up")
			}
			w.Turn(id)
		}
		got := w.WorkSpace(id)
		if got.State != workspaces.Errored || got.ErrorCode != "ServiceUnavailable" {
			t.Errorf("%+v", got)
		}
	})
}

// A process that is told to stop learns nothing about the engine; the next goes on.
func TestToldToStop(t *testing.T) {
	t.Parallel()
	for _, s := range life() {
		t.Run(string(s.action), func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := reach(t, w, s.action)
			ctx, stop := context.WithCancel(t.Context())
			w.Driver.Do(func(ctx context.Context, _ jobtest.Call, _ func(context.Context) (time.Time, error)) (time.Time, error) {
				stop()
				return time.Time{}, fmt.Errorf("%w: %w", compute.ErrFailed, context.Cause(ctx))
			})
			err := w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{w.WorkSpace(id).Ref()}})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("River is not told that the work is undone: %v", err)
			}
			if got := w.WorkSpace(id); got.State != s.during || got.Attempts != 0 {
				t.Errorf("%+v", got)
			}
			w.Driver.Do(nil)
			w.Crash()
			w.Settle()
			w.Want(id, s.done)
		})
	}
}

// River is told at once that nobody knows the work.
func TestUnknownWork(t *testing.T) {
	t.Parallel()
	if err := new(job.Runner).Do(t.Context(), store.Work{Resource: "desk"}); err == nil {
		t.Error("desks are worked on")
	}
}

// A subnet or a directory that is gone, or does not answer, is no fault of the engine's.
func TestNothingToMake(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := w.Create("jane")[0]
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		made, _, err := tx.WorkSpace(ctx, jobtest.Scope(), id)
		if err != nil {
			return err
		}
		made.SubnetID = "subnet-0000000000000000f"
		_, err = tx.SaveWorkSpace(ctx, made, made.Generation)
		return err
	})
	w.Turn(id)
	if got := w.WorkSpace(id); got.State != workspaces.Errored || got.ErrorCode != "ResourceNotFound.Subnet" {
		t.Errorf("%+v", got)
	}
	if calls := w.Driver.Calls(); len(calls) > 0 {
		t.Errorf("%v", calls)
	}
}
