package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/compute"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// walk is a random life of a few WorkSpaces.
type walk struct {
	t       *rapid.T
	w       *jobtest.World
	users   int
	ids     []string
	images  []workspaces.Ref // the same for images
	handed  []workspaces.Ref // turns that were ever asked for: any may come, at any time, again
	trouble error            // what the engine answers now
	wrong   string           // what it does then: nothing, or what it was asked for
}

// TestWalk lives random lives: actions, turns of work that come late, twice or never,
// processes that die in any place, an engine that fails, time that passes. Whatever happened,
// once there is peace everything settles, and in the end nothing is left.
func TestWalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		run, err := os.MkdirTemp(dir, "") //nolint:usetesting // within the one that the test has
		if err != nil {
			rt.Fatal(err)
		}
		config := engine(time.Duration(rapid.SampledFrom([]int{0, 0, 5, 3000}).Draw(rt, "takes")) * time.Second)
		config.Dir = filepath.Join(run, "engine")
		config.Create.Fail = float64(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, "creates fail")) / 3
		walk := &walk{t: rt, w: jobtest.New(rt, filepath.Join(run, "carrel.db"), config)}
		walk.meddle()
		rt.Repeat(map[string]func(*rapid.T){
			"create":    walk.create,
			"change":    walk.change,
			"changes":   walk.change,
			"migrate":   walk.migrate,
			"keep":      walk.keep,
			"maintain":  walk.maintain,
			"terminate": walk.terminate,
			"capture":   walk.capture,
			"copy":      walk.copy,
			"discard":   walk.discard,
			"images":    walk.imageTurn,
			"turn":      walk.turn,
			"turns":     walk.turn,
			"wake":      func(*rapid.T) { walk.w.WakeDue() },
			"die":       walk.die,
			"trouble":   walk.setTrouble,
			"advance":   walk.advance,
			"settle":    walk.settle,
			"":          walk.check,
		})
		walk.end()
	})
}

// meddle stands between runner and engine.
func (k *walk) meddle() {
	k.w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if k.trouble == nil {
			return do(ctx)
		}
		if k.wrong == "the answer is lost" {
			_, _ = do(ctx) // lost
		}
		return time.Time{}, k.trouble
	})
}

func (k *walk) create(t *rapid.T) {
	if len(k.w.All()) > 5 {
		t.Skip("enough")
	}
	k.users++
	k.ids = append(k.ids, k.w.Create(fmt.Sprintf("user-%d", k.users))...)
	k.hand()
}

func (k *walk) id(t *rapid.T) string {
	if len(k.ids) == 0 {
		t.Skip("none yet")
	}
	return rapid.SampledFrom(k.ids).Draw(t, "id")
}

func (k *walk) change(t *rapid.T) {
	id := k.id(t)
	if k.w.WorkSpace(id) == nil {
		t.Skip("gone")
	}
	k.w.Ask(rapid.SampledFrom([]workspaces.Action{
		workspaces.ActionStart, workspaces.ActionStop, workspaces.ActionReboot, workspaces.ActionRebuild, workspaces.ActionRestore,
		workspaces.ActionModify, workspaces.ActionGrow, workspaces.ActionLock, workspaces.ActionUnlock,
	}).Draw(t, "action"), id)
	k.hand()
}

// migrate has another id come up, beside the one that is migrated.
func (k *walk) migrate(t *rapid.T) {
	w := k.w.WorkSpace(k.id(t))
	if w == nil {
		t.Skip("gone")
	}
	if k.w.Ask(workspaces.ActionMigrate, w.ID) {
		k.ids = append(k.ids, k.w.WorkSpace(w.ID).Migrating)
	}
	k.hand()
}

// keep has the loop of snapshots look, at whatever is due, or at one.
func (k *walk) keep(t *rapid.T) {
	if id := k.id(t); rapid.Bool().Draw(t, "due") && k.w.WorkSpace(id) != nil && !k.w.WorkSpace(id).IsEnding() {
		k.w.Keep(id)
	} else {
		k.w.KeepDue()
	}
	k.hand()
}

// maintain has the loop of maintenances look, at one or at all, whenever it is.
func (k *walk) maintain(t *rapid.T) {
	if rapid.Bool().Draw(t, "in the night") {
		k.w.ToNight(jobtest.LastNight)
	}
	if id := k.id(t); k.w.WorkSpace(id) != nil {
		k.w.LookAtMaintenance(id)
	}
	k.w.MaintainDue()
	k.hand()
}

func (k *walk) terminate(t *rapid.T) {
	id := k.id(t)
	refuses := k.w.State(id) == workspaces.Suspended || k.w.State(id) == workspaces.Absent
	if accepted := k.w.Ask(workspaces.ActionTerminate, id); !accepted && !refuses {
		t.Fatalf("%s cannot be terminated: %+v", id, k.w.WorkSpace(id))
	}
	k.hand()
}

// hand notes the turns that are asked for now.
func (k *walk) hand() {
	for _, w := range k.w.All() {
		k.handed = append(k.handed, w.Ref())
	}
	for _, i := range k.w.Images() {
		k.images = append(k.images, i.Ref())
	}
}

func (k *walk) capture(t *rapid.T) {
	k.w.Capture(k.id(t))
	k.hand()
}

// image returns the id of an image that there is, or was.
func (k *walk) image(t *rapid.T) string {
	if len(k.images) == 0 {
		t.Skip("none yet")
	}
	return rapid.SampledFrom(k.images).Draw(t, "image").ID
}

func (k *walk) copy(t *rapid.T) {
	if len(k.w.Images()) > 5 {
		t.Skip("enough")
	}
	k.w.Copy(k.image(t))
	k.hand()
}

func (k *walk) discard(t *rapid.T) { k.w.Discard(k.image(t)) }

// imageTurn has a turn come on an image that was asked for at some time, or a look at the engine's.
func (k *walk) imageTurn(t *rapid.T) {
	k.image(t)
	if rapid.Bool().Draw(t, "sweep") {
		k.w.SweepImages()
		return
	}
	k.w.DoImages(rapid.SampledFrom(k.images[max(0, len(k.images)-20):]).Draw(t, "ref"))
}

// turn has a turn come that was asked for at some time.
func (k *walk) turn(t *rapid.T) {
	if len(k.handed) == 0 {
		t.Skip("none yet")
	}
	k.w.Do(rapid.SampledFrom(k.handed[max(0, len(k.handed)-20):]).Draw(t, "ref"))
}

// die has the process die in the middle of a turn, or between turns.
func (k *walk) die(t *rapid.T) {
	if len(k.handed) > 0 && rapid.Bool().Draw(t, "in a turn") {
		ctx, kill := context.WithCancel(k.w.Context())
		defer kill()
		called := rapid.Bool().Draw(t, "after the call")
		k.w.Driver.Do(func(ctx context.Context, _ jobtest.Call, do func(context.Context) (time.Time, error)) (again time.Time, err error) {
			if called {
				again, err = do(ctx)
			}
			kill()
			return again, err
		})
		ref := rapid.SampledFrom(k.handed[max(0, len(k.handed)-20):]).Draw(t, "ref")
		err := k.w.Runner.Do(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{ref}})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	k.w.Crash()
	k.meddle()
	k.hand()
}

func (k *walk) setTrouble(t *rapid.T) {
	k.trouble = rapid.SampledFrom([]error{
		nil, compute.ErrUnavailable, compute.ErrFailed, compute.ErrCapacity, compute.ErrNotFound, compute.ErrInvalid,
	}).Draw(t, "trouble")
	k.wrong = rapid.SampledFrom([]string{"nothing is done", "the answer is lost"}).Draw(t, "wrong")
}

func (k *walk) advance(t *rapid.T) {
	k.w.Advance(time.Duration(rapid.SampledFrom([]int{1, 5, 60, 600, 3600}).Draw(t, "seconds")) * time.Second)
}

// settle lets the time pass, with or without trouble.
func (k *walk) settle(*rapid.T) {
	k.w.Settle()
	k.w.Sound()
	k.hand()
}

// check holds at any time.
func (k *walk) check(t *rapid.T) {
	addresses, users := make(map[string]string), make(map[string]string)
	for _, w := range k.w.All() {
		if other := users[w.UserName]; other != "" && !w.StandIn {
			t.Fatalf("%s and %s are both their user's", other, w.ID)
		} else if !w.StandIn {
			users[w.UserName] = w.ID
		}
		if other := addresses[w.IPAddress]; other != "" {
			t.Fatalf("%s and %s have one address", other, w.ID)
		}
		addresses[w.IPAddress] = w.ID
		_, running := w.Running()
		if running && (w.Deadline.IsZero() || w.WakeAt.IsZero() || w.WakeAt.After(w.Deadline) && !w.Overdue(k.w.Clock.Now())) {
			t.Fatalf("%s may stay in %s for ever: %+v", w.ID, w.State, w)
		}
		if w.Migrating != "" && !running {
			t.Fatalf("%s is migrated for ever: %+v", w.ID, w)
		}
		if !running && !w.HasEnded() && (!w.Deadline.IsZero() || !w.WakeAt.IsZero()) {
			t.Fatalf("%s rests and waits: %+v", w.ID, w)
		}
	}
	for _, i := range k.w.Images() {
		if pending := i.State == workspaces.ImagePending; pending != !i.WakeAt.IsZero() || pending != !i.Deadline.IsZero() {
			t.Fatalf("%s may stay PENDING for ever, or rests and waits: %+v", i.ID, i)
		}
	}
	for _, overlap := range k.w.Driver.Overlaps() {
		t.Fatal(overlap)
	}
}

// end makes peace, and takes everything away.
func (k *walk) end() {
	k.trouble = nil
	k.w.Settle()
	k.w.Sound()
	for range 5 { // an engine that fails by chance may need asking again
		for _, w := range k.w.All() {
			k.w.Must(workspaces.ActionTerminate, w.ID)
		}
		k.w.Settle()
	}
	if left := k.w.All(); len(left) > 0 {
		k.t.Fatalf("%d are left", len(left))
	}
	for range 2 { // the engine takes its time over it
		k.w.SweepImages()
		k.w.Advance(time.Hour)
	}
	k.w.SoundImages()
	if left := k.w.Machines(); len(left) > 0 {
		k.t.Fatalf("the engine has %v", left)
	}
}
