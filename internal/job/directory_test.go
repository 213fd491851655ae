package job_test

import (
	"context"
	"testing"
	"time"

	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// limited is the world under the service's own waits.
func limited(t *testing.T) *jobtest.World {
	t.Helper()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	w.Limit(workspaces.AWSLimits())
	return w
}

// turns takes turns on a thing that is no WorkSpace.
func turns(t *testing.T, w *jobtest.World, kind workspaces.Kind, refs ...workspaces.Ref) {
	t.Helper()
	if err := w.Runner.Do(w.Context(), store.Work{Resource: kind, Refs: refs}); err != nil {
		t.Fatal(err)
	}
}

const directoryID = "d-00000000aa"

func directoryOf(w *jobtest.World) (is *workspaces.Directory) {
	w.View(func(ctx context.Context, tx *store.Tx) error {
		d, found, err := tx.Directory(ctx, jobtest.Scope(), directoryID)
		if found {
			is = d
		}
		return err
	})
	return is
}

func newDirectory(w *jobtest.World) *workspaces.Directory {
	d := &workspaces.Directory{Scope: jobtest.Scope(), ID: directoryID, Type: workspaces.SimpleAD, Name: "corp.example.com"}
	d.Begin(w.Clock.Now())
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertDirectory(ctx, d) })
	return d
}

// A directory goes through its stages, each as long as the limits say, however often it is
// looked at, and goes away with its users.
func TestDirectory(t *testing.T) {
	t.Parallel()
	w := limited(t)
	past := []workspaces.Ref{newDirectory(w).Ref()}
	stay := workspaces.AWSLimits().DirectoryStage
	for _, stage := range []workspaces.Stage{workspaces.StageRequested, workspaces.StageCreating, workspaces.StageCreated} {
		d := directoryOf(w)
		if d.Stage != stage {
			t.Fatalf("%s, not %s", d.Stage, stage)
		}
		past = append(past, d.Ref())
		turns(t, w, workspaces.KindDirectory, past...)
		w.Advance(stay - time.Microsecond)
		turns(t, w, workspaces.KindDirectory, past...)
		if d = directoryOf(w); d.Stage != stage {
			t.Fatalf("%s too soon", d.Stage)
		}
		w.Advance(2 * time.Microsecond)
		w.WakeDue() // the wait is noted
	}
	d := directoryOf(w)
	if d.Stage != workspaces.StageActive || !d.WakeAt.IsZero() || !d.Deadline.IsZero() {
		t.Fatalf("%+v", d)
	}
	turns(t, w, workspaces.KindDirectory, append(past, d.Ref())...)
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		read := d.Generation
		if err := d.BeginDelete(w.Clock.Now()); err != nil {
			return err
		}
		_, err := tx.SaveDirectory(ctx, d, read)
		return err
	})
	w.Crash()
	w.WakeDue()
	if d = directoryOf(w); d == nil || d.Stage != workspaces.StageDeleting {
		t.Fatalf("%+v", d)
	}
	w.Settle()
	if d = directoryOf(w); d != nil {
		t.Fatalf("%+v", d)
	}
}

// Without waits it takes one turn.
func TestDirectoryAtOnce(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	turns(t, w, workspaces.KindDirectory, newDirectory(w).Ref())
	if d := directoryOf(w); d.Stage != workspaces.StageActive {
		t.Errorf("%+v", d)
	}
}

// Where the clock is set back, a stage that seems to begin in the future is over.
func TestDirectoryClockSetBack(t *testing.T) {
	t.Parallel()
	w := limited(t)
	w.Advance(24 * time.Hour)
	newDirectory(w)
	w.WakeDue()
	w.Clock.Reset()
	w.Clock.Freeze()
	began := w.Clock.Now()
	w.Settle()
	if took := w.Clock.Now().Sub(began); directoryOf(w).Stage != workspaces.StageActive || took > 10*time.Minute {
		t.Errorf("%v: %+v", took, directoryOf(w))
	}
}

func registration(w *jobtest.World) (is *workspaces.WorkspaceDirectory) {
	w.View(func(ctx context.Context, tx *store.Tx) error {
		d, found, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
		if found {
			is = d
		}
		return err
	})
	return is
}

// enter moves the world's registration to a state and returns its ref.
func enter(w *jobtest.World, state workspaces.RegistrationState) workspaces.Ref {
	d := registration(w)
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		read := d.Generation
		d.Enter(state, w.Clock.Now())
		_, err := tx.SaveWorkspaceDirectory(ctx, d, read)
		return err
	})
	return d.Ref()
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	w := limited(t)
	stale := registration(w).Ref()
	ref := enter(w, workspaces.Registering)
	turns(t, w, workspaces.KindWorkspaceDirectory, stale, ref, ref)
	if d := registration(w); d.State != workspaces.Registering {
		t.Fatalf("%s too soon", d.State)
	}
	w.Settle()
	d := registration(w)
	if d.State != workspaces.Registered || !d.RegisteredAt.Equal(d.EmptySince) || d.RegisteredAt.IsZero() || !d.WakeAt.IsZero() {
		t.Fatalf("%+v", d)
	}
	turns(t, w, workspaces.KindWorkspaceDirectory, ref, d.Ref())
	ref = enter(w, workspaces.Deregistering)
	turns(t, w, workspaces.KindWorkspaceDirectory, ref)
	w.Crash()
	w.Settle()
	turns(t, w, workspaces.KindWorkspaceDirectory, ref)
	if d := registration(w); d != nil {
		t.Fatalf("%+v", d)
	}
}

// The 30 days of an empty directory begin when its last WorkSpace is gone, and not before.
func TestEmptySince(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	ids := w.Create("jane", "joe")
	w.Settle()
	if since := registration(w).EmptySince; !since.IsZero() {
		t.Errorf("it has WorkSpaces and is empty since %v", since)
	}
	for i, id := range ids {
		w.Advance(time.Hour)
		w.Must(workspaces.ActionTerminate, id)
		w.Turn(id)
		if since := registration(w).EmptySince; !since.IsZero() {
			t.Errorf("it still shows %d WorkSpaces and is empty since %v", len(ids)-i, since)
		}
		w.Settle()
	}
	if since := registration(w).EmptySince; w.Clock.Now().Sub(since) > time.Millisecond {
		t.Errorf("it is empty since %v", since)
	}
	w.Create("jane")
	if since := registration(w).EmptySince; !since.IsZero() {
		t.Errorf("it has a WorkSpace and is empty since %v", since)
	}
}

// What is asked of a directory that rests is applied after the stage's time, however often it
// is looked at; what is asked meanwhile waits for as long again.
func TestDirectoryDetails(t *testing.T) {
	t.Parallel()
	w := limited(t)
	newDirectory(w)
	w.Settle()
	stay := workspaces.AWSLimits().DirectoryStage
	change := func(f func(d *workspaces.Directory) error) {
		t.Helper()
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			d, _, err := tx.Directory(ctx, jobtest.Scope(), directoryID)
			if err != nil {
				return err
			}
			read := d.Generation
			if err := f(d); err != nil {
				return err
			}
			_, err = tx.SaveDirectory(ctx, d, read)
			return err
		})
	}
	change(func(d *workspaces.Directory) error { return d.EnableLDAPS(w.Clock.Now()) })
	past := []workspaces.Ref{directoryOf(w).Ref()}
	turns(t, w, workspaces.KindDirectory, past...)
	w.Advance(stay / 2)
	change(func(d *workspaces.Directory) error {
		d.Request(map[string]string{"TLS_1_0": "Disable"}, w.Clock.Now())
		return nil
	})
	past = append(past, directoryOf(w).Ref())
	w.Crash()
	turns(t, w, workspaces.KindDirectory, past...)
	w.Advance(stay - time.Second)
	turns(t, w, workspaces.KindDirectory, past...)
	if d := directoryOf(w); d.Details.LDAPS.Status != workspaces.LDAPSEnabling || d.Stage != workspaces.StageActive {
		t.Fatalf("too soon: %+v", d)
	}
	w.Settle()
	turns(t, w, workspaces.KindDirectory, past...)
	d := directoryOf(w)
	if _, pending := d.DetailsPending(); pending || d.Details.LDAPS.Status != workspaces.LDAPSEnabled ||
		d.Details.Settings["TLS_1_0"].Applied != "Disable" || !d.WakeAt.IsZero() || !d.Deadline.IsZero() {
		t.Fatalf("%+v", d)
	}
}

// A trust goes through its states, each as long as the limits say.
func TestTrust(t *testing.T) {
	t.Parallel()
	w := limited(t)
	trust := &workspaces.Trust{Scope: jobtest.Scope(), ID: "t-0123456789", DirectoryID: directoryID, RemoteDomain: "far.example.com"}
	if err := trust.Begin(newDirectory(w), nil, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertTrust(ctx, trust) })
	is := func() (is *workspaces.Trust) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			found, ok, err := tx.Trust(ctx, trust.Scope, trust.ID)
			if ok {
				is = found
			}
			return err
		})
		return is
	}
	past := []workspaces.Ref{trust.Ref()}
	for _, state := range []workspaces.TrustState{workspaces.TrustCreating, workspaces.TrustCreated, workspaces.TrustVerifying} {
		past = append(past, is().Ref())
		turns(t, w, workspaces.KindTrust, past...)
		w.Advance(workspaces.AWSLimits().DirectoryStage - time.Microsecond)
		turns(t, w, workspaces.KindTrust, past...)
		if got := is(); got.State != state {
			t.Fatalf("%s, not %s", got.State, state)
		}
		w.Advance(2 * time.Microsecond)
		w.WakeDue()
	}
	if got := is(); got.State != workspaces.TrustVerified || !got.WakeAt.IsZero() || !got.Deadline.IsZero() {
		t.Fatalf("%+v", got)
	}
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		trust := is()
		read := trust.Generation
		if err := trust.Change(workspaces.TrustDeleting, w.Clock.Now()); err != nil {
			return err
		}
		_, err := tx.SaveTrust(ctx, trust, read)
		return err
	})
	w.Crash()
	w.Settle()
	turns(t, w, workspaces.KindTrust, past...)
	if got := is(); got != nil {
		t.Fatalf("%+v", got)
	}
}
