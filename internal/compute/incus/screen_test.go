package incus_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

func TestInGroup(t *testing.T) {
	t.Parallel()
	const payload = "lxc.payload.carrel_ws-1"
	for groups, want := range map[string]bool{
		"0::/lxc.payload.carrel_ws-1\n":                       true,
		"0::/lxc.payload.carrel_ws-1/init.scope\n":            true,
		"3:cpu:/x\n2:pids:/a/lxc.payload.carrel_ws-1\n0::/\n": true,
		"0::/lxc.payload.carrel_ws-1-1\n":                     true, // the name was taken when it started
		"0::/lxc.payload.carrel_ws-1-1b\n":                    false,
		"0::/lxc.payload.carrel_ws-12\n":                      false,
		"0::/lxc.payload.other_ws-1\n":                        false,
		"0::/system.slice\n":                                  false,
		"0::/../../lxc.monitor.carrel_ws-1\n":                 false,
		"":                                                    false,
	} {
		if got := incus.InGroup(groups, payload); got != want {
			t.Errorf("inGroup(%q) = %v", groups, got)
		}
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"Name:\tcarrel-agent\nNSpid:\t4711\t1\nThreads:\t5\n": true,
		"Name:\tXvnc\nNSpid:\t4712\t7\n":                      false,
		"Name:\tnested\nNSpid:\t4713\t8\t1\n":                 false,
		"Name:\tsystemd\nNSpid:\t1\n":                         false,
		"":                                                    false,
	} {
		if got := incus.First(status); got != want {
			t.Errorf("first(%q) = %v", status, got)
		}
	}
}

// TestDialSocketOfAnother sees that a process that is not, or not any more, the
// desktop's is left alone.
func TestDialSocketOfAnother(t *testing.T) {
	t.Parallel()
	for _, pid := range []int64{int64(os.Getpid()), 1, 1 << 30, 0} {
		conn, err := incus.DialSocket(t.Context(), pid, "lxc.payload.carrel_ws-1", "run/carrel/rfb.sock")
		if conn != nil || !errors.Is(err, compute.ErrNotRunning) {
			t.Errorf("process %d: %v, %v; want ErrNotRunning", pid, conn, err)
		}
	}
}

// TestDialByState sees that a screen is also found where only Incus knows its process.
func TestDialByState(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	e.HideGroups()
	conn, err := e.Dial(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestHostileScreen has the user of a desktop put something else in the place of the
// screen's socket: a link to a socket of the host's, and a pipe that blocks whoever
// opens it.
func TestHostileScreen(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	secret := filepath.Join(t.TempDir(), "secret.sock")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", secret)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, trick := range [][]string{{"link", secret}, {"link", "/proc/1/root" + secret}, {"link", "/nowhere"}, {"fifo"}} {
		if err := e.probe(t, id, trick...); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		conn, err := e.Dial(t.Context(), id)
		if conn != nil || !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("%v: Dial = %v, %v; want ErrUnavailable", trick, conn, err)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%v: Dial took %v", trick, took)
		}
	}
}
