package incus_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

// childVariable holds, as JSON, the order of a test process that is to be killed.
const childVariable = "CARREL_TEST_CHILD"

// order is what such a process does.
type order struct {
	Project, Installation string
	Desktop               compute.Desktop
}

// child makes a desktop, says so before it begins, and waits for its end.
func child() {
	var o order
	err := json.Unmarshal([]byte(os.Getenv(childVariable)), &o)
	if err != nil {
		panic(err)
	}
	driver, err := incus.Open(context.Background(),
		incus.Config{Project: o.Project, Installation: o.Installation, Clock: clock.New(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	fmt.Println("begins")
	_, _ = driver.Create(context.Background(), o.Desktop) // the parent looks at what came of it
	select {}
}

// TestKilledCreate kills a Carrel in the middle of Create, at different moments. Its
// successor then either deletes the desktop, and nothing is left, or completes it.
func TestKilledCreate(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.create(t, 9) // makes the network, so that the moments below are moments of the rest
	for n, milliseconds := range []int{2, 10, 25, 40, 60, 90, 130, 180, 250, 400} {
		moment := time.Duration(milliseconds) * time.Millisecond
		desktop := e.desktop(byte(10+n), e.subnet)
		e.killCreate(t, desktop, moment)
		successor, err := incus.Open(t.Context(), e.config)
		if err != nil {
			t.Fatal(err)
		}
		e.Driver = successor
		if n%3 == 2 {
			if got := e.create(t, byte(10+n)); got != desktop.ID {
				t.Fatalf("made %s instead of %s", got, desktop.ID)
			}
			conn, err := e.Dial(t.Context(), desktop.ID)
			if err != nil {
				t.Fatalf("killed after %v, then completed: %v", moment, err)
			}
			conn.Close()
		}
		if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Delete(ctx, desktop.ID) }); err != nil {
			t.Errorf("killed after %v: Delete: %v", moment, err)
		}
		if left := e.left(t); left != 2 {
			t.Fatalf("killed after %v, then deleted: %d instances and volumes instead of 2", moment, left)
		}
	}
}

// TestKilledNetwork kills a Carrel while it makes the network of a subnet, until Incus has
// left one half-made. The successor makes it anew.
func TestKilledNetwork(t *testing.T) {
	t.Parallel()
	e := open(t)
	halves := 0
	for n := byte(0); n < 30 && halves < 2; n++ {
		moment := 200*time.Millisecond + time.Duration(n%15)*40*time.Millisecond
		desktop := e.desktop(10+n, e.newSubnet())
		e.killCreate(t, desktop, moment)
		if e.halfMade(t) {
			halves++
		} else if n%5 > 0 {
			continue // a successor has nothing to do here that TestKilledCreate does not test
		}
		successor, err := incus.Open(t.Context(), e.config)
		if err != nil {
			t.Fatal(err)
		}
		e.Driver = successor
		err = e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, desktop) })
		if err != nil {
			t.Fatalf("killed after %v, then completed: %v", moment, err)
		}
		if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Delete(ctx, desktop.ID) }); err != nil {
			t.Errorf("killed after %v: Delete: %v", moment, err)
		}
	}
	t.Logf("%d networks were half-made", halves)
}

// halfMade reports whether Incus has a network of the engine's that it has stopped making.
func (e *engine) halfMade(t *testing.T) bool {
	t.Helper()
	time.Sleep(time.Second) // for Incus to find out that nobody waits for its answer
	var networks []api.Network
	if err := e.Get(t.Context(), "/networks?recursion=1", &networks); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(networks, func(n api.Network) bool {
		return n.Config["user.carrel.installation"] == e.config.Installation && n.Status != api.NetworkStatusCreated
	})
}

// killCreate has another process make the desktop and kills it in the middle of that.
func (e *engine) killCreate(t *testing.T, desktop compute.Desktop, after time.Duration) {
	t.Helper()
	text, err := json.Marshal(order{e.config.Project, e.config.Installation, desktop})
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), childVariable+"="+string(text))
	process.Stderr = os.Stderr
	said, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
}

// left returns how many instances and volumes the engine has, complete or not.
func (e *engine) left(t *testing.T) int {
	t.Helper()
	var (
		instances []string
		volumes   []api.StorageVolume
	)
	if err := e.Get(t.Context(), "/instances", &instances); err != nil {
		t.Fatal(err)
	}
	if err := e.Get(t.Context(), "/storage-pools/carrel/volumes/custom?recursion=1", &volumes); err != nil {
		t.Fatal(err)
	}
	return len(instances) + len(volumes)
}
