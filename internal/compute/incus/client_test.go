package incus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	text := func(s string) error { return errors.New(s) }
	for _, c := range []struct {
		said error
		want error
	}{
		{api.StatusErrorf(404, "Instance not found"), compute.ErrNotFound},
		{api.StatusErrorf(400, "Invalid devices"), compute.ErrInvalid},
		{api.StatusErrorf(403, "Forbidden"), compute.ErrInvalid},
		{api.StatusErrorf(500, "Boom"), compute.ErrFailed},
		{api.StatusErrorf(503, "Shutting down"), compute.ErrUnavailable},
		{api.StatusErrorf(400, "Instance is busy running a \"start\" operation"), compute.ErrFailed},
		{api.StatusErrorf(500, "mkdir: No space left on device"), compute.ErrCapacity},
		{text("Failed creating volume: Disk quota exceeded"), compute.ErrCapacity},
		{text("Not enough uid/gid available for the container"), compute.ErrCapacity},
		{text("Reached maximum number of instances in project carrel"), compute.ErrCapacity},
		{text(`IP address "10.0.0.2" already defined on another NIC`), compute.ErrInvalid},
		{text("exit status 1"), compute.ErrFailed},
	} {
		got := incus.Classify(c.said)
		if !errors.Is(got, c.want) || !errors.Is(got, c.said) {
			t.Errorf("%q became %q, want %q around it", c.said, got, c.want)
		}
	}
	if !incus.Conflicts(incus.Classify(api.StatusErrorf(409, "This \"instances\" entry already exists"))) {
		t.Error("a conflict is not recognised")
	}
	if !incus.Busy(incus.Classify(text("The storage volume is still in use"))) || incus.Busy(nil) {
		t.Error("a busy engine is not recognised")
	}
}

// fakeIncus serves handler on a Unix socket and returns its path.
func fakeIncus(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "incus.sock")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return socket
}

func openAt(ctx context.Context, socket string) error {
	_, err := incus.Open(ctx, incus.Config{Socket: socket, Installation: "unit", Clock: clock.New()})
	return err
}

func TestOpenRefusesIncompleteConfig(t *testing.T) {
	t.Parallel()
	for _, config := range []incus.Config{{Clock: clock.New()}, {Installation: "unit"}} {
		if _, err := incus.Open(t.Context(), config); !errors.Is(err, compute.ErrInvalid) {
			t.Errorf("Open(%+v): %v, want ErrInvalid", config, err)
		}
	}
}

func TestOpenWithoutIncus(t *testing.T) {
	t.Parallel()
	if err := openAt(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("no socket: %v, want ErrUnavailable", err)
	}
	for what, handler := range map[string]http.HandlerFunc{
		"garbage": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"silence": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"starting": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"type": "error", "error": "Daemon is starting", "error_code": 503}`)
		},
	} {
		if err := openAt(t.Context(), fakeIncus(t, handler)); !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
}

func TestOpenUntrusted(t *testing.T) {
	t.Parallel()
	socket := fakeIncus(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"type": "sync", "status_code": 200, "metadata": {"auth": "untrusted"}}`)
	})
	if err := openAt(t.Context(), socket); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("untrusted: %v, want ErrInvalid", err)
	}
}

// TestHungIncus sees that a call ends with its context when Incus accepts a request
// and never answers it.
func TestHungIncus(t *testing.T) {
	t.Parallel()
	socket := fakeIncus(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := openAt(ctx, socket)
	if !errors.Is(err, compute.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hung: %v, want ErrUnavailable and the context's error", err)
	}
}

// TestSoon sees that the engine is asked again after a pause of real time, however the product's clock goes.
func TestSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ordinary, frozen, fast := clock.New(), clock.New(), clock.New()
		frozen.Freeze()
		if err := fast.SetScale(3600); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if again := incus.Soon(t.Context(), ordinary, time.Second); !again.Equal(ordinary.Now().Add(time.Second)) || time.Since(begun) != 0 {
			t.Errorf("at the real speed: ask again at %v, after %v", again, time.Since(begun))
		}
		for what, c := range map[string]*clock.Clock{"frozen": frozen, "fast": fast} {
			begun = time.Now()
			if again := incus.Soon(t.Context(), c, time.Second); again.After(c.Now()) || time.Since(begun) != time.Second {
				t.Errorf("%s: ask again at %v of %v, after %v", what, again, c.Now(), time.Since(begun))
			}
		}
	})
}
