package reconcile_test

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/job/jobtest"
	"carrel/internal/reconcile"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// describer is an engine that counts how often it is asked about itself, and does not answer at first.
type describer struct {
	compute.Driver
	asked chan struct{}
	times atomic.Int64
}

// About implements [compute.Driver].
func (d *describer) About(ctx context.Context) (compute.About, error) {
	select {
	case d.asked <- struct{}{}:
	case <-ctx.Done():
	}
	if d.times.Add(1) == 1 {
		return compute.About{}, compute.ErrUnavailable
	}
	return d.Driver.About(ctx)
}

// TestOrphanImages removes from the engine what is no image of anybody's, and nothing else.
func TestOrphanImages(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := w.Create("jane")[0]
	w.Settle()
	kept := w.Capture(id)
	w.Settle()
	orphan := workspaces.NewImageID(nil)
	for _, name := range []string{workspaces.EngineImage("test", orphan), "carrel/other-" + orphan, "carrel/desk"} {
		if _, err := w.Engine.MakeImage(t.Context(), name, compute.ImageSource{Image: "carrel/xfce"}); err != nil {
			t.Fatal(err)
		}
	}
	d := &describer{Driver: w.Driver, asked: make(chan struct{})}
	realTime := clock.New()
	realTime.Freeze()
	start(t, &reconcile.Reconciler{
		Store: w.Store, Clock: w.Clock, Real: realTime, Driver: d, Runner: w.Runner, Log: slog.New(slog.DiscardHandler),
	})
	for range 3 { // the first is not answered, and with the third the second is over
		for asked := false; !asked; {
			if err := realTime.Advance(time.Minute); err != nil {
				t.Fatal(err)
			}
			select {
			case <-d.asked:
				asked = true
			case <-time.After(time.Millisecond):
			}
		}
	}
	about, err := w.Engine.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range about.Images {
		got = append(got, i.Name)
	}
	if want := []string{"carrel/desk", "carrel/other-" + orphan, workspaces.EngineImage("test", kept)}; !slices.Equal(got, want) {
		t.Errorf("the engine has %v, want %v", got, want)
	}
}
