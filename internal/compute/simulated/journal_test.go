package simulated_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
)

// journaled returns a configuration with a journal, and where that is.
func journaled(t *testing.T) (simulated.Config, string) {
	t.Helper()
	cfg := config()
	cfg.Dir = filepath.Join(t.TempDir(), "made", "by Open")
	return cfg, filepath.Join(cfg.Dir, "desktops.jsonl")
}

func TestPendingWorkOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	cfg, _ := journaled(t)
	cfg = durations(cfg)
	d := open(t, cfg)
	before, err := d.Create(t.Context(), spec(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, cfg)
	again, err := d.Create(t.Context(), spec(1))
	if err != nil || !again.Equal(before) {
		t.Errorf("Create, reopened = %v, %v, want %v", again, err, before)
	}
	if made, ok := d.Desktop(spec(1).ID); !ok || made != spec(1) {
		t.Errorf("Desktop = %+v, %t, want %+v", made, ok, spec(1))
	}
}

func TestTornJournal(t *testing.T) {
	t.Parallel()
	cfg, path := journaled(t)
	d := open(t, cfg)
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{`{`, `{"spec":{"ID":"ws-2`, strings.TrimSuffix(string(whole), "\n"), "\x00\x00\x00"} {
		if err := os.WriteFile(path, append(whole, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, cfg)
		if m := only(t, d); m.ID != spec(1).ID || !m.Running {
			t.Errorf("after a tail of %q: %+v", tail, m)
		}
		// The tail must be out of the way of what follows.
		if _, err := d.Stop(t.Context(), spec(1).ID); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if m := only(t, open(t, cfg)); m.Running {
			t.Errorf("after a tail of %q and Stop: %+v", tail, m)
		}
	}
}

func TestGarbledJournalIsAnError(t *testing.T) {
	t.Parallel()
	cfg, path := journaled(t)
	d := open(t, cfg)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}\nnot JSON\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := simulated.Open(cfg); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("Open: %v, want an error on line 2", err)
	}
}

// TestJournalStaysSmall checks that a long life does not make a long journal.
func TestJournalStaysSmall(t *testing.T) {
	t.Parallel()
	cfg, path := journaled(t)
	d := open(t, cfg)
	for n := range 10 {
		if _, err := d.Create(t.Context(), spec(n)); err != nil {
			t.Fatal(err)
		}
	}
	for range 25_000 {
		if _, err := d.Reboot(t.Context(), spec(3).ID); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(11_000 * 600); info.Size() > limit {
		t.Errorf("the journal has %d bytes, want at most %d", info.Size(), limit)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if machines, err := open(t, cfg).List(t.Context()); err != nil || len(machines) != 10 {
		t.Errorf("List = %v, %v, want ten machines", machines, err)
	}
	if info, err = os.Stat(path); err != nil || info.Size() > 10_000 {
		t.Errorf("reopened, the journal has %d bytes (%v)", info.Size(), err)
	}
}

// TestManyCallers works on many desktops at once while others look on, and finds
// the result after a restart.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	cfg, _ := journaled(t)
	cfg = failures(cfg)
	cfg.Create.Min, cfg.Create.Max = time.Second, time.Minute
	d := open(t, cfg)
	const callers, each = 16, 50
	done := make(chan struct{})
	var working, watching sync.WaitGroup
	for n := range callers {
		working.Go(func() {
			for i := range each {
				life := []string{"create", "stop", "start", "delete"}
				live(t, d, cfg, spec(n*each+i), life[:3+i%2])
			}
		})
	}
	watching.Go(func() { watch(t, d, done) })
	working.Wait()
	close(done)
	watching.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	machines, err := open(t, cfg).List(t.Context())
	if err != nil || len(machines) != callers*each/2 {
		t.Fatalf("List has %d machines (%v), want %d", len(machines), err, callers*each/2)
	}
	for _, m := range machines {
		if !m.Running || !m.Whole {
			t.Errorf("%+v, want it running", m)
		}
	}
}

// live takes a desktop through a life, and looks at it and disturbs it on the way.
func live(t *testing.T, d *simulated.Driver, cfg simulated.Config, desktop compute.Desktop, life []string) {
	t.Helper()
	for _, method := range life {
		for range 200 { // often enough for any chain of failures
			again, err := do(t.Context(), d, method, desktop)
			if err == nil && again.IsZero() {
				break
			}
			if wait := again.Sub(cfg.Clock.Now()); err == nil && wait > 0 {
				if err := cfg.Clock.Advance(wait); err != nil {
					t.Error(err)
				}
			}
		}
		if conn, err := d.Dial(t.Context(), desktop.ID); err == nil {
			_ = d.Break(t.Context(), desktop.ID)
			_ = d.Mend(t.Context(), desktop.ID)
			conn.Close()
		}
	}
}

// watch asks about everything until done is closed.
func watch(t *testing.T, d *simulated.Driver, done <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-done:
			return
		default:
		}
		if _, err := d.List(t.Context()); err != nil {
			t.Errorf("List: %v", err)
		}
		if _, err := d.About(t.Context()); err != nil {
			t.Errorf("About: %v", err)
		}
	}
}
