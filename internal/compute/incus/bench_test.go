package incus_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/incus"
	"carrel/internal/rfb"
)

// The benchmarks measure from the call to the screen's greeting. Bare is the same
// image as incus launch would start it, in the same run, to compare with.
// CARREL_TEST_IMAGE measures another image than the tiny one, e.g. carrel/xfce.

// benchmarkTogether times launch for so many desktops at once, removing them in between,
// and reports the median and the slowest of all.
func benchmarkTogether(b *testing.B, e *engine, count int, launch func(ctx context.Context, n byte) error) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		var together errgroup.Group
		each := make([]time.Duration, count)
		for i := range count {
			together.Go(func() error {
				begun := time.Now()
				err := launch(b.Context(), byte(20+i))
				each[i] = time.Since(begun)
				return err
			})
		}
		if err := together.Wait(); err != nil {
			b.Fatal(err)
		}
		took = append(took, each...)
		b.StopTimer()
		e.removeAll(b)
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-median")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "ms-slowest")
}

func (e *engine) removeAll(b *testing.B) {
	b.Helper()
	machines, err := e.List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, machine := range machines {
		if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Delete(ctx, machine.ID) }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	e := open(b)
	e.image = cmp.Or(os.Getenv("CARREL_TEST_IMAGE"), e.image)
	e.create(b, 9) // unpacks the image, makes the network
	network := incus.NetworkName(e.config.Installation, e.subnet.ID)
	for _, count := range []int{1, 5} {
		b.Run(fmt.Sprintf("Bare-%d", count), func(b *testing.B) {
			benchmarkTogether(b, e, count, func(ctx context.Context, n byte) error {
				return e.Bare(ctx, fmt.Sprintf("bare-%d", n), e.image, network)
			})
		})
		for name, reach := range map[string]compute.Reach{
			"Create": {}, "Held": {Groups: [2]string{e.config.Groups[0].ID}, Offline: true},
		} {
			b.Run(fmt.Sprintf("%s-%d", name, count), func(b *testing.B) {
				benchmarkTogether(b, e, count, func(ctx context.Context, n byte) error {
					desktop := e.desktop(n, e.subnet)
					desktop.MemoryMiB, desktop.Reach = 1024, reach
					return computetest.Wait(ctx, e.config.Clock, func(ctx context.Context) (time.Time, error) {
						return e.Create(ctx, desktop)
					})
				})
			})
		}
	}
}

func BenchmarkDial(b *testing.B) {
	e := open(b)
	id := e.create(b, 10)
	for b.Loop() {
		conn, err := e.Dial(b.Context(), id)
		if err != nil {
			b.Fatal(err)
		}
		if err := rfb.Greeting(b.Context(), conn); err != nil {
			b.Fatal(err)
		}
		conn.Close()
	}
}

// BenchmarkVolumes times what is done to the volumes of one desktop, which holds some files
// and runs. Restore and Rebuild end with the screen's greeting.
func BenchmarkVolumes(b *testing.B) {
	e := open(b)
	e.image = cmp.Or(os.Getenv("CARREL_TEST_IMAGE"), e.image)
	desktop := e.desktop(10, e.subnet)
	desktop.MemoryMiB, desktop.RootGiB = 1024, 10
	e.must(b, "Create", func(ctx context.Context) (time.Time, error) { return e.Create(ctx, desktop) })
	e.snapshot(b, desktop.ID, "kept")
	number := 0
	name := func() string { return fmt.Sprintf("s-%d", number) }
	for _, verb := range []struct {
		name string
		call func(context.Context) (time.Time, error)
		undo func(context.Context) (time.Time, error)
	}{
		{
			"Snapshot",
			func(ctx context.Context) (time.Time, error) {
				return e.Snapshot(ctx, desktop.ID, compute.Snapshot{Name: name(), Root: true})
			},
			func(ctx context.Context) (time.Time, error) { return e.DropSnapshot(ctx, desktop.ID, name()) },
		},
		{"Restore", func(ctx context.Context) (time.Time, error) { return e.Restore(ctx, desktop.ID, "kept") }, nil},
		{"Rebuild", func(ctx context.Context) (time.Time, error) { return e.Rebuild(ctx, desktop, "kept") }, nil},
		{
			"Capture",
			func(ctx context.Context) (time.Time, error) {
				return e.Capture(ctx, desktop.ID, "carrel/test-bench-"+run)
			},
			func(ctx context.Context) (time.Time, error) { return e.DeleteImage(ctx, "carrel/test-bench-"+run) },
		},
	} {
		b.Run(verb.name, func(b *testing.B) {
			for b.Loop() {
				number++
				e.must(b, verb.name, verb.call)
				if verb.undo != nil {
					b.StopTimer()
					e.must(b, "undo", verb.undo)
					b.StartTimer()
				}
			}
		})
	}
}
