package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

const (
	notes = "wsa-carrelnotes"
	draw  = "wsa-carreldraw"
)

// deployed fails the test unless the applications are COMPLETED and there.
func deployed(t *testing.T, w *jobtest.World, id string, applications ...string) {
	t.Helper()
	for _, a := range applications {
		if got := w.Application(id, a); got == nil || got.State != workspaces.InstallCompleted {
			t.Errorf("%s is %+v", a, got)
		}
		if text, err := w.Engine.ReadFile(t.Context(), id, simulated.Root, a); string(text) != "installed" {
			t.Errorf("%s is not there: %q, %v", a, text, err)
		}
	}
}

// running is an engine on which a script takes a minute, and which outlives the process.
func running(t *testing.T) simulated.Config {
	t.Helper()
	return simulated.Config{Dir: t.TempDir(), Run: simulated.Behaviour{Min: time.Minute, Max: time.Minute}}
}

// turn takes a turn of work on the applications of a WorkSpace.
func turn(ctx context.Context, w *jobtest.World, id string) error {
	var d *workspaces.Deployment
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		d, _, err = tx.Deployment(ctx, jobtest.Scope(), id)
		return err
	})
	return w.Runner.Do(ctx, store.Work{Resource: workspaces.KindDeployment, Refs: []workspaces.Ref{d.Ref()}})
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, running(t))
		id := desk(w)
		w.Associate(id, notes, draw)
		w.Deploy(id)
		w.Settle()
		deployed(t, w, id, notes, draw)
		runs := 0
		for _, call := range w.Driver.Calls() {
			if call.Method == "Run" {
				runs++
			}
		}
		if runs != 4 { // each is asked for, and asked for again when it should have ended
			t.Errorf("the engine was asked %d times", runs)
		}
		w.Sound()
	})
}

// TestDeathsInDeployment kills the process at every call of the engine, before it and after it.
func TestDeathsInDeployment(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "after"} {
		for call := 1; ; call++ {
			w := jobtest.New(t, storetest.SQLite(t), running(t))
			id := desk(w)
			w.Associate(id, notes, draw)
			calls, died := 0, false
			ctx, kill := context.WithCancel(w.Context())
			w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (again time.Time, err error) {
				if calls++; calls != call {
					return do(ctx)
				}
				died = true
				if when == "after" {
					again, err = do(ctx)
				}
				kill()
				return again, errors.Join(err, ctx.Err())
			})
			w.Deploy(id)
			for range 10 {
				w.Advance(workspaces.Watchdog)
				if err := turn(ctx, w, id); err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			kill()
			if !died {
				break
			}
			w.Crash()
			w.Settle()
			deployed(t, w, id, notes, draw)
			w.Sound()
		}
	}
}

// TestFailuresToDeploy fails the engine in every way, for ever: the association tells why, and the
// WorkSpace goes on as if nothing had been.
func TestFailuresToDeploy(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		err   error
		code  string
		calls int // 0: many
	}{
		"script":      {compute.ErrScript, "DeploymentError.InternalServerError", 1},
		"space":       {fmt.Errorf("%w: tar: No space left on device", compute.ErrScript), "ValidationError.InsufficientDiskSpace", 1},
		"capacity":    {compute.ErrCapacity, "ValidationError.InsufficientDiskSpace", 1},
		"invalid":     {compute.ErrInvalid, "DeploymentError.InternalServerError", 1},
		"missing":     {compute.ErrNotFound, "DeploymentError.WorkspaceUnreachable", 1},
		"not running": {compute.ErrNotRunning, "DeploymentError.WorkspaceUnreachable", 3},
		"failed":      {compute.ErrFailed, "DeploymentError.InternalServerError", 3},
		"unavailable": {compute.ErrUnavailable, "DeploymentError.WorkspaceUnreachable", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), simulated.Config{})
			id := desk(w)
			w.Associate(id, notes)
			w.Driver.Fail("Run", want.err)
			w.Deploy(id)
			w.Settle()
			a := w.Application(id, notes)
			if a.State != workspaces.AssociationErrored || a.ErrorCode != want.code || !strings.Contains(a.ErrorMessage, want.err.Error()) {
				t.Errorf("%+v", a)
			}
			if calls := len(w.Driver.Calls()); want.calls > 0 && calls != want.calls || calls < 1 {
				t.Errorf("the engine was asked %d times", calls)
			}
			w.Want(id, workspaces.Available)
			w.Driver.Do(nil)
			w.Deploy(id)
			w.Settle()
			deployed(t, w, id, notes)
			w.Sound()
		})
	}
}

// TestDeploymentIsInterrupted stops the WorkSpace under a script: it is run anew when the WorkSpace runs.
func TestDeploymentIsInterrupted(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), running(t))
	id := desk(w)
	w.Associate(id, notes)
	w.Deploy(id)
	w.Hasten()
	w.WakeDue()
	if got := w.Application(id, notes); got.State != workspaces.Installing {
		t.Fatalf("%+v", got)
	}
	w.Must(workspaces.ActionStop, id)
	w.Settle()
	w.Want(id, workspaces.Stopped)
	if got := w.Application(id, notes); got.State != workspaces.Installing {
		t.Errorf("%+v", got)
	}
	w.Must(workspaces.ActionStart, id)
	w.Settle()
	deployed(t, w, id, notes)
	w.Sound()
}

// TestApplicationThatIsNotKnown was in the catalogue when it was associated.
func TestApplicationThatIsNotKnown(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), simulated.Config{})
	id := desk(w)
	w.Associate(id, notes)
	w.Deploy(id)
	w.Runner.Applications = nil
	w.Settle()
	if got := w.Application(id, notes); got.State != workspaces.AssociationErrored || !strings.Contains(got.ErrorMessage, notes) {
		t.Errorf("%+v", got)
	}
}
