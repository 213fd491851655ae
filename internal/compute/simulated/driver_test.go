package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/simulated"
)

const (
	testImage = "carrel/test"
	testGroup = "sg-0123abcd"
)

// config returns what most tests start from: a frozen clock and one image.
func config() simulated.Config {
	c := clock.New()
	c.Freeze()
	return simulated.Config{
		Clock: c, Seed: 1, Images: []compute.Image{{Name: testImage}}, Groups: []compute.SecurityGroup{{ID: testGroup}},
	}
}

// durations makes every method take its time.
func durations(cfg simulated.Config) simulated.Config {
	cfg.Create = simulated.Behaviour{Min: time.Minute, Max: 5 * time.Minute}
	cfg.Start = simulated.Behaviour{Min: 20 * time.Second, Max: 40 * time.Second}
	cfg.Stop = simulated.Behaviour{Min: time.Second, Max: 30 * time.Second}
	cfg.Reboot = simulated.Behaviour{Min: 30 * time.Second, Max: 90 * time.Second}
	cfg.Delete = simulated.Behaviour{Min: 10 * time.Second, Max: 10 * time.Second}
	for _, b := range all(&cfg)[5:] {
		*b = simulated.Behaviour{Min: 5 * time.Second, Max: 50 * time.Second}
	}
	return cfg
}

// failures makes every method fail every third time.
func failures(cfg simulated.Config) simulated.Config {
	for _, b := range all(&cfg) {
		b.Fail = 1. / 3
	}
	return cfg
}

// all returns how each method goes.
func all(cfg *simulated.Config) []*simulated.Behaviour {
	return []*simulated.Behaviour{
		&cfg.Create, &cfg.Start, &cfg.Stop, &cfg.Reboot, &cfg.Delete,
		&cfg.Snapshot, &cfg.DropSnapshot, &cfg.Rebuild, &cfg.Restore, &cfg.Resize,
		&cfg.Capture, &cfg.MakeImage, &cfg.DeleteImage, &cfg.Run, &cfg.Receive,
	}
}

// spec describes the n-th desktop of a test.
func spec(n int) compute.Desktop {
	address := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	return compute.Desktop{
		ID: fmt.Sprintf("ws-%09d", n), Image: testImage, CPUs: 2, MemoryMiB: 4096, RootGiB: 80, UserGiB: 50,
		Subnet: compute.Subnet{
			ID: "subnet-1", Prefix: netip.MustParsePrefix("10.0.0.0/8"), Gateway: netip.MustParseAddr("10.255.255.254"),
		},
		Address: address, ComputerName: fmt.Sprintf("A-1%012d", n),
		User: compute.User{Name: fmt.Sprintf("user%d", n), FullName: "Jane Doe"},
	}
}

func open(tb testing.TB, cfg simulated.Config) *simulated.Driver {
	tb.Helper()
	d, err := simulated.Open(cfg)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return d
}

// do calls one of the methods that take a desktop onwards.
func do(ctx context.Context, d *simulated.Driver, method string, desktop compute.Desktop) (time.Time, error) {
	switch method {
	case "create":
		return d.Create(ctx, desktop)
	case "start":
		return d.Start(ctx, desktop.ID)
	case "stop":
		return d.Stop(ctx, desktop.ID)
	case "reboot":
		return d.Reboot(ctx, desktop.ID)
	case "snapshot":
		return d.Snapshot(ctx, desktop.ID, compute.Snapshot{Name: "s-1", Root: true})
	case "drop snapshot":
		return d.DropSnapshot(ctx, desktop.ID, "s-1")
	case "rebuild":
		return d.Rebuild(ctx, desktop, "s-1")
	case "restore":
		return d.Restore(ctx, desktop.ID, "s-1")
	case "capture":
		return d.Capture(ctx, desktop.ID, imageOf(desktop.ID))
	case "delete image":
		return d.DeleteImage(ctx, imageOf(desktop.ID))
	}
	return d.Delete(ctx, desktop.ID)
}

// imageOf is the name that a desktop is captured under.
func imageOf(id string) string { return "carrel/of-" + id }

// TestSuite runs the suite of all drivers on engines of every kind.
func TestSuite(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(simulated.Config) simulated.Config{
		"instant":            func(cfg simulated.Config) simulated.Config { return cfg },
		"durations":          durations,
		"failures":           failures,
		"durations+failures": func(cfg simulated.Config) simulated.Config { return failures(durations(cfg)) },
	} {
		for _, where := range []string{"memory", "journal"} {
			t.Run(name+"/"+where, func(t *testing.T) {
				t.Parallel()
				computetest.Run(t, func(t *testing.T) computetest.Harness {
					t.Helper()
					cfg := configure(config())
					if where == "journal" {
						cfg.Dir = t.TempDir()
					}
					return harness(t, cfg)
				})
			})
		}
	}
}

func harness(t *testing.T, cfg simulated.Config) computetest.Harness {
	t.Helper()
	d := open(t, cfg)
	return computetest.Harness{
		Driver: d, Clock: cfg.Clock, Desktop: spec(0), Group: testGroup, RootFS: "driver_test.go", // any file will do
		Reopen: func(t *testing.T) compute.Driver {
			t.Helper()
			if cfg.Dir == "" {
				return d // an engine in memory goes with its driver
			}
			if err := d.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			d = open(t, cfg)
			return d
		},
		Write: func(t *testing.T, id string, v computetest.Volume, name, text string) {
			t.Helper()
			if err := d.WriteFile(t.Context(), id, simulated.Volume(v), name, []byte(text)); err != nil {
				t.Fatalf("WriteFile(%s): %v", id, err)
			}
		},
		Read: func(t *testing.T, id string, v computetest.Volume, name string) string {
			t.Helper()
			content, err := d.ReadFile(t.Context(), id, simulated.Volume(v), name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("ReadFile(%s): %v", id, err)
			}
			return string(content)
		},
		CPUs: func(t *testing.T, id string) int {
			t.Helper()
			made, _ := d.Desktop(id)
			return made.CPUs
		},
		Address: func(t *testing.T, id string) netip.Addr {
			t.Helper()
			made, _ := d.Desktop(id)
			return made.Address
		},
		KillScreen: func(t *testing.T, id string) {
			t.Helper()
			if err := d.Break(t.Context(), id); err != nil {
				t.Fatalf("Break(%s): %v", id, err)
			}
		},
	}
}

// finish sees a call through.
func finish(t *testing.T, c *clock.Clock, again time.Time, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !again.IsZero() {
		if err := c.Advance(again.Sub(c.Now())); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]simulated.Config{
		"capacity":    {Capacity: -1},
		"duration":    {Create: simulated.Behaviour{Min: -1}},
		"range":       {Stop: simulated.Behaviour{Min: 2, Max: 1}},
		"probability": {Delete: simulated.Behaviour{Fail: 1.5}},
		"folder":      {Dir: "/dev/null/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := simulated.Open(cfg); err == nil {
				t.Errorf("Open(%+v) succeeded", cfg)
			}
		})
	}
}

func TestZeroConfig(t *testing.T) {
	t.Parallel()
	d := open(t, simulated.Config{})
	if _, err := d.Create(t.Context(), spec(1)); !errors.Is(err, compute.ErrImage) {
		t.Errorf("Create: %v, want ErrImage", err)
	}
	d = open(t, simulated.Config{AnyImage: true})
	if again, err := d.Create(t.Context(), spec(1)); err != nil || !again.IsZero() {
		t.Errorf("Create = %v, %v, want done", again, err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.List(t.Context()); !errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("List: %v, want ErrUnavailable", err)
	}
	if _, err := d.Create(t.Context(), spec(1)); !errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("Create: %v, want ErrUnavailable", err)
	}
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	cfg := durations(config())
	cfg.Capacity = 2
	d := open(t, cfg)
	var last time.Time
	for n := range 2 {
		again, err := d.Create(t.Context(), spec(n))
		if err != nil {
			t.Fatal(err)
		}
		last = again
	}
	if _, err := d.Create(t.Context(), spec(2)); !errors.Is(err, compute.ErrCapacity) {
		t.Fatalf("third Create: %v, want ErrCapacity", err)
	}
	if machines, _ := d.List(t.Context()); len(machines) != 2 {
		t.Errorf("a refused Create left %v", machines)
	}
	finish(t, cfg.Clock, last, nil)
	again, err := d.Stop(t.Context(), spec(1).ID)
	finish(t, cfg.Clock, again, err)
	// Nobody has come back for the stop: the place is free all the same.
	if _, err := d.Create(t.Context(), spec(2)); err != nil {
		t.Errorf("Create after a Stop: %v", err)
	}
	if _, err := d.Start(t.Context(), spec(1).ID); !errors.Is(err, compute.ErrCapacity) {
		t.Errorf("Start: %v, want ErrCapacity", err)
	}
	if _, err := d.Reboot(t.Context(), spec(0).ID); err != nil {
		t.Errorf("Reboot of one that has its place: %v", err)
	}
}

func TestAddressIsOneDesktops(t *testing.T) {
	t.Parallel()
	cfg := durations(config())
	d := open(t, cfg)
	thief := spec(2)
	thief.Address = spec(1).Address
	again, err := d.Create(t.Context(), spec(1))
	finish(t, cfg.Clock, again, err)
	if _, err := d.Create(t.Context(), thief); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("Create with another's address: %v, want ErrInvalid", err)
	}
	again, err = d.Delete(t.Context(), spec(1).ID)
	finish(t, cfg.Clock, again, err)
	if _, err := d.Create(t.Context(), thief); err != nil {
		t.Errorf("Create with an address that is free: %v", err)
	}
	if again, err := d.Delete(t.Context(), spec(1).ID); err != nil || !again.IsZero() {
		t.Errorf("Delete, come back for = %v, %v, want done", again, err)
	}
	if machines, _ := d.List(t.Context()); len(machines) != 1 || machines[0].ID != thief.ID {
		t.Errorf("List = %v, want %s alone", machines, thief.ID)
	}
}

// TestFateIsFixed checks that durations and failures depend on seed and id alone.
func TestFateIsFixed(t *testing.T) {
	t.Parallel()
	const n = 200
	run := func(seed uint64, order func(int) int) map[string]time.Duration {
		cfg := failures(durations(config()))
		cfg.Seed = seed
		d := open(t, cfg)
		took, failed := make(map[string]time.Duration), 0
		began := cfg.Clock.Now()
		for i := range n {
			again, err := d.Create(t.Context(), spec(order(i)))
			if err != nil {
				t.Fatal(err)
			}
			took[spec(order(i)).ID] = again.Sub(began)
		}
		finish(t, cfg.Clock, began.Add(time.Hour), nil)
		for i := range n {
			if _, err := d.Create(t.Context(), spec(i)); errors.Is(err, compute.ErrFailed) {
				took[spec(i).ID] = -took[spec(i).ID] // a failure, in the same map
				failed++
			}
		}
		if failed < n/5 || failed > n/2 {
			t.Errorf("seed %d: %d of %d failed, want about a third", seed, failed, n)
		}
		return took
	}
	forward := run(7, func(i int) int { return i })
	backward := run(7, func(i int) int { return n - 1 - i })
	other := run(8, func(i int) int { return i })
	differ := 0
	for id, took := range forward {
		if backward[id] != took {
			t.Errorf("%s took %v, then %v", id, took, backward[id])
		}
		if abs := max(took, -took); abs < time.Minute || abs > 5*time.Minute {
			t.Errorf("%s took %v", id, abs)
		}
		if other[id] != took {
			differ++
		}
	}
	if differ < n/2 {
		t.Errorf("another seed changed %d of %d only", differ, n)
	}
}

// TestWorkGoesOn checks that the engine finishes what nobody comes back for.
func TestWorkGoesOn(t *testing.T) {
	t.Parallel()
	cfg := durations(config())
	d := open(t, cfg)
	again, err := d.Create(t.Context(), spec(1))
	if m := only(t, d); m.Running || m.Whole || m.Detail == "" {
		t.Errorf("during Create: %+v", m)
	}
	finish(t, cfg.Clock, again, err)
	if m := only(t, d); !m.Running || !m.Whole || !m.Answers {
		t.Errorf("after Create: %+v", m)
	}
	again, err = d.Reboot(t.Context(), spec(1).ID)
	if m := only(t, d); !m.Running || m.Answers {
		t.Errorf("during Reboot: %+v", m)
	}
	finish(t, cfg.Clock, again, err)
	again, err = d.Delete(t.Context(), spec(1).ID)
	if m := only(t, d); m.Running || m.Whole {
		t.Errorf("during Delete: %+v", m)
	}
	finish(t, cfg.Clock, again, err)
	if machines, _ := d.List(t.Context()); len(machines) != 0 {
		t.Errorf("after Delete: %+v", machines)
	}
}

// TestClockSetBack checks that nothing is pending for longer than it takes, even if
// the clock was days ahead when it began.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	cfg := durations(config())
	d := open(t, cfg)
	if err := cfg.Clock.Advance(48 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	cfg.Clock.Reset()
	cfg.Clock.Freeze()
	again, err := d.Create(t.Context(), spec(1))
	if wait := again.Sub(cfg.Clock.Now()); wait <= 0 || wait > 5*time.Minute {
		t.Errorf("Create has %v to go", wait)
	}
	finish(t, cfg.Clock, again, err)
	if again, err := d.Create(t.Context(), spec(1)); err != nil || !again.IsZero() {
		t.Errorf("Create = %v, %v, want done", again, err)
	}
}

func TestBreakAndMend(t *testing.T) {
	t.Parallel()
	cfg := config()
	cfg.Dir = t.TempDir()
	d := open(t, cfg)
	id := spec(1).ID
	if err := d.Break(t.Context(), id); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("Break of a missing one: %v", err)
	}
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Break(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, cfg)
	if m := only(t, d); m.Answers || !m.Running {
		t.Errorf("broken and reopened: %+v", m)
	}
	if _, err := d.Dial(t.Context(), id); !errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("Dial of a broken one: %v", err)
	}
	if _, err := d.Start(t.Context(), id); !errors.Is(err, compute.ErrFailed) {
		t.Errorf("Start of a broken one: %v", err)
	}
	if err := d.Mend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if m := only(t, d); !m.Answers {
		t.Errorf("mended: %+v", m)
	}
	if _, err := d.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := d.Break(t.Context(), id); !errors.Is(err, compute.ErrNotRunning) {
		t.Errorf("Break of a stopped one: %v", err)
	}
}

// only returns the engine's one machine.
func only(t *testing.T, d *simulated.Driver) compute.Machine {
	t.Helper()
	machines, err := d.List(t.Context())
	if err != nil || len(machines) != 1 {
		t.Fatalf("List = %v, %v, want one machine", machines, err)
	}
	return machines[0]
}
