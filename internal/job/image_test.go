package job_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// imaging is a simulated engine that takes so long over images, and no time over anything else.
func imaging(takes time.Duration) simulated.Config {
	all := engine(takes)
	return simulated.Config{Capture: all.Capture, MakeImage: all.MakeImage, DeleteImage: all.DeleteImage}
}

// desk makes a WorkSpace that is AVAILABLE.
func desk(w *jobtest.World) string {
	id := w.Create("jane")[0]
	w.Settle()
	w.Want(id, workspaces.Available)
	w.Driver.Calls()
	return id
}

func TestCapture(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			storetest.OnEach(t, func(t *testing.T, url string) {
				t.Helper()
				w := jobtest.New(t, url, imaging(takes))
				id := desk(w)
				image := w.Capture(id)
				w.Want(id, workspaces.Suspended)
				if other := w.Capture(id); other != "" {
					t.Errorf("two images at once: %s", other)
				}
				stale := w.Image(image).Ref()
				w.DoImages(stale) // has nothing to do but to come again
				w.WantImage(image, workspaces.ImagePending)
				w.Turn(id)
				if takes > 0 {
					w.Advance(takes - 1)
					w.Turn(id)
					w.Want(id, workspaces.Suspended)
					w.WantImage(image, workspaces.ImagePending)
					w.Advance(1)
					w.Turn(id)
				}
				w.Want(id, workspaces.Available)
				w.WantImage(image, workspaces.ImageAvailable)
				w.DoImages(stale)
				if next := w.NextDue(); !next.IsZero() {
					t.Errorf("everything rests, and a turn is due at %v", next)
				}
				w.Sound()
				w.SoundImages()
			})
		})
	}
}

// TestFailuresToCapture fails the engine in every way, for ever: the image tells, and the desktop
// goes on as if nothing had been.
func TestFailuresToCapture(t *testing.T) {
	t.Parallel()
	for name, failure := range failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), imaging(0))
			id := desk(w)
			image := w.Capture(id)
			w.Driver.Fail("Capture", fmt.Errorf("%w: of the test's", failure.err))
			deadline := w.Image(image).Deadline
			w.Settle()
			i := w.Image(image)
			if i.State != workspaces.ImageErrored || i.ErrorCode != failure.code || i.ErrorMessage == "" {
				t.Errorf("%+v", i)
			}
			w.Want(id, workspaces.Available)
			if got := w.WorkSpace(id); got.ErrorCode != "" {
				t.Errorf("%+v", got)
			}
			var captures int
			for _, call := range w.Driver.Calls() {
				if call.Method == "Capture" {
					captures++
				}
			}
			makes := errors.Is(failure.err, compute.ErrUnavailable)
			final := verdictOn(workspaces.ActionReboot, failure.err) == atOnce
			switch {
			case makes && (captures < 10 || i.ChangedAt.Before(deadline)), final && captures != 1, !makes && !final && captures != 3:
				t.Errorf("the engine was asked %d times, until %v", captures, i.ChangedAt)
			}
			w.Sound()
			w.SoundImages()
		})
	}
}

// TestDesktopThatDoesNotComeBack is UNHEALTHY once its time is over, and can be rebooted.
func TestDesktopThatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), imaging(0))
	id := desk(w)
	image := w.Capture(id)
	w.Driver.Do(func(ctx context.Context, call jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if call.Method == "Start" {
			return time.Time{}, compute.ErrUnavailable
		}
		return do(ctx)
	})
	w.Settle()
	w.Want(id, workspaces.Unhealthy)
	w.WantImage(image, workspaces.ImageAvailable)
	w.Driver.Do(nil)
	w.Must(workspaces.ActionReboot, id)
	w.Settle()
	w.Want(id, workspaces.Available)
}

// TestImageWithoutItsWorkSpace does not wait for ever for what has gone.
func TestImageWithoutItsWorkSpace(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), imaging(time.Minute))
	id := desk(w)
	image := w.Capture(id)
	w.Turn(id)
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.DeleteWorkSpace(ctx, w.WorkSpace(id).Ref())
		return err
	})
	w.Settle()
	if i := w.Image(image); i.State != workspaces.ImageErrored || i.ErrorMessage == "" {
		t.Errorf("%+v", i)
	}
	w.SweepImages()
	w.SoundImages()
}

func TestFailuresToCopy(t *testing.T) {
	t.Parallel()
	for name, failure := range failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), imaging(0))
			source := w.Capture(desk(w))
			w.Settle()
			w.Driver.Fail("MakeImage", fmt.Errorf("%w: of the test's", failure.err))
			image := w.Copy(source)
			w.Settle()
			if i := w.Image(image); i.State != workspaces.ImageErrored || i.ErrorCode != failure.code || i.ErrorMessage == "" {
				t.Errorf("%+v", i)
			}
			w.SoundImages()
			w.Driver.Fail("", nil)
			again := w.Copy(source)
			w.Settle()
			w.WantImage(again, workspaces.ImageAvailable)
			w.SoundImages()
		})
	}
}

// TestImagesInUse removes nothing from the engine of which something is just being made.
func TestImagesInUse(t *testing.T) {
	t.Parallel()
	config := imaging(time.Minute)
	config.Create = simulated.Behaviour{Min: time.Minute, Max: time.Minute}
	w := jobtest.New(t, storetest.SQLite(t), config)
	source := w.Capture(desk(w))
	w.Settle()
	bundle, err := w.API.CreateWorkspaceBundle(w.Context(), &wsapi.CreateWorkspaceBundleRequest{
		BundleName: new("b"), BundleDescription: new("d"), ImageId: &source, ComputeType: &wsapi.ComputeType{Name: new("STANDARD")},
		UserStorage: &wsapi.UserStorage{Capacity: new("50")},
	})
	if err != nil {
		t.Fatal(err)
	}
	made := w.CreateOf(*bundle.WorkspaceBundle.BundleId, "john")[0]
	w.Turn(made)
	copied := w.Copy(source)
	if w.Discard(source) {
		t.Error("an image that a bundle has is deleted")
	}
	_, err = w.API.UpdateWorkspaceBundle(w.Context(), &wsapi.UpdateWorkspaceBundleRequest{
		BundleId: bundle.WorkspaceBundle.BundleId, ImageId: new(workspaces.PublicImageID),
	})
	if err != nil {
		t.Fatal(err)
	}
	ref := w.Image(source).Ref()
	if !w.Discard(source) {
		t.Fatal("it cannot be deleted")
	}
	kept := func() bool {
		w.DoImages(ref)
		w.SweepImages()
		return slices.Contains(w.EngineImages(), source)
	}
	if !kept() {
		t.Error("it is removed while a desktop and a copy are made of it")
	}
	w.DoImages(w.Image(copied).Ref())
	w.Advance(time.Minute)
	w.DoImages(w.Image(copied).Ref())
	w.WantImage(copied, workspaces.ImageAvailable)
	if !kept() {
		t.Error("it is removed while a desktop is made of it")
	}
	w.Settle()
	w.Want(made, workspaces.Available)
	kept()
	w.Advance(time.Minute)
	if kept() {
		t.Error("it stays when nobody needs it any more")
	}
	w.SoundImages()
}

// TestImagesOfOthers leaves everything alone on the engine that is not this installation's.
func TestImagesOfOthers(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), imaging(0))
	for _, other := range []string{"carrel/xfce", "carrel/other-wsi-012345678", "carrel/testing-wsi-012345678"} {
		if err := w.Runner.RemoveOrphanImage(w.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	if calls := w.Driver.Calls(); len(calls) > 0 {
		t.Errorf("the engine was asked for %v", calls)
	}
}

// TestDyingOverImages has the process die before and after each call of the engine, and another
// take up what it left: everything is as if nothing had been.
func TestDyingOverImages(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"capture", "copy", "delete"} {
		for at := range 3 {
			for _, called := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, call %d, made: %v", what, at, called), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					config := imaging(time.Second)
					config.Dir = filepath.Join(dir, "engine")
					w := jobtest.New(t, filepath.Join(dir, "carrel.db"), config)
					id := desk(w)
					image := w.Capture(id)
					if what != "capture" {
						w.Settle()
					}
					work := store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{w.WorkSpace(id).Ref()}}
					switch what {
					case "copy":
						image = w.Copy(image)
						work = store.Work{Resource: workspaces.KindImage, Refs: []workspaces.Ref{w.Image(image).Ref()}}
					case "delete":
						work = store.Work{Resource: workspaces.KindImage, Refs: []workspaces.Ref{w.Image(image).Ref()}}
						w.Discard(image)
					}
					dieAt(w, work, at, called)
					w.Crash()
					w.Settle()
					w.Advance(time.Second)
					w.SweepImages()
					w.Advance(time.Second) // which the engine takes over it
					w.Want(id, workspaces.Available)
					if what != "delete" {
						w.WantImage(image, workspaces.ImageAvailable)
					}
					w.Sound()
					w.SoundImages()
				})
			}
		}
	}
}

// dieAt takes turns of work until the process dies at a call of the engine, if there are so many.
func dieAt(w *jobtest.World, work store.Work, at int, called bool) { //nolint:revive // both ways are tested
	ctx, kill := context.WithCancel(w.Context())
	defer kill()
	n := 0
	w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (again time.Time, err error)) (again time.Time, err error) {
		if n++; n <= at {
			return do(ctx)
		}
		if called {
			again, err = do(ctx)
		}
		kill()
		return again, err
	})
	for range 5 {
		_ = w.Runner.Do(ctx, work) // it dies
		w.Advance(time.Second)
	}
	w.Driver.Do(nil)
}
