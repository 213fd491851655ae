package simulated_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/clock"
	"carrel/internal/compute/simulated"
)

// pair is the engine and the model of it, which have to stay alike.
type pair struct {
	t     *rapid.T
	ctx   context.Context
	cfg   simulated.Config
	clock *clock.Clock
	real  *simulated.Driver
	model *model
}

// TestAgainstModel walks engine and model through the same life, with crashes.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	// A folder for all runs: rapid has no folders of its own. Each run empties it.
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		p := newPair(t.Context(), rt, dir)
		defer p.real.Close()
		p.t.Repeat(map[string]func(*rapid.T){
			"call":  func(rt *rapid.T) { p.t = rt; p.call(p.method(), p.id()) },
			"crash": func(rt *rapid.T) { p.t = rt; p.crash(p.method(), p.id()) },
			"pass":  func(rt *rapid.T) { p.t = rt; p.pass() },
			"break": func(rt *rapid.T) { p.t = rt; p.touch("break", p.id(), p.real.Break) },
			"mend":  func(rt *rapid.T) { p.t = rt; p.touch("mend", p.id(), p.real.Mend) },
			"write": func(rt *rapid.T) { p.t = rt; p.write(p.id()) },
			"":      func(rt *rapid.T) { p.t = rt; p.alike() },
		})
	})
}

func newPair(ctx context.Context, rt *rapid.T, dir string) *pair {
	cfg := config()
	cfg.Dir, cfg.Capacity = dir, rapid.IntRange(0, 3).Draw(rt, "capacity")
	goes := make(map[string]simulated.Behaviour)
	for i, b := range all(&cfg) {
		name := []string{
			"create", "start", "stop", "reboot", "delete", "snapshot", "drop snapshot", "rebuild", "restore", "resize",
			"capture", "make image", "delete image", "run", "receive",
		}[i]
		b.Min = time.Duration(rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(rt, name+" takes")) * time.Second
		b.Max = b.Min
		b.Fail = float64(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, name+" fails"))
		goes[name] = *b
	}
	if err := os.RemoveAll(dir); err != nil {
		rt.Fatal(err)
	}
	p := &pair{t: rt, ctx: ctx, cfg: cfg, clock: cfg.Clock, model: &model{
		now: cfg.Clock.Now(), capacity: cfg.Capacity, goes: goes,
		desktops: make(map[string]*modelDesktop), images: make(map[string]*modelImage),
	}}
	p.open()
	return p
}

func (p *pair) open() {
	real, err := simulated.Open(p.cfg)
	if err != nil {
		p.t.Fatalf("Open: %v", err)
	}
	p.real = real
}

func (p *pair) method() string {
	return rapid.SampledFrom([]string{
		"create", "create", "start", "stop", "reboot", "delete",
		"snapshot", "snapshot", "drop snapshot", "rebuild", "restore", "restore", "capture", "capture", "delete image",
	}).Draw(p.t, "method")
}

func (p *pair) id() int { return rapid.IntRange(1, 4).Draw(p.t, "desktop") }

func (p *pair) call(method string, n int) {
	again, err := do(p.ctx, p.real, method, spec(n))
	wantAgain, wantErr := p.model.call(method, spec(n).ID)
	if !again.Equal(wantAgain) || !errors.Is(err, wantErr) {
		p.t.Fatalf("%s = %v, %v, want %v, %v", method, again, err, wantAgain, wantErr)
	}
}

// crash kills the process while it writes down what a method does: as nothing was
// answered, nothing has been done.
func (p *pair) crash(method string, n int) {
	path := filepath.Join(p.cfg.Dir, "desktops.jsonl")
	before := p.size(path)
	_, _ = do(p.ctx, p.real, method, spec(n))
	after := p.size(path)
	if err := p.real.Close(); err != nil {
		p.t.Fatal(err)
	}
	kept := before
	if after > before {
		kept += rapid.Int64Range(0, after-before-1).Draw(p.t, "torn at")
	}
	if err := os.Truncate(path, kept); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

func (p *pair) size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return info.Size()
}

func (p *pair) pass() {
	by := time.Duration(rapid.IntRange(1, 12).Draw(p.t, "seconds")) * time.Second
	if err := p.clock.Advance(by); err != nil {
		p.t.Fatal(err)
	}
	p.model.pass(by)
}

func (p *pair) touch(how string, n int, f func(context.Context, string) error) {
	err, want := f(p.ctx, spec(n).ID), p.model.touch(spec(n).ID, how)
	if !errors.Is(err, want) {
		p.t.Fatalf("%s = %v, want %v", how, err, want)
	}
}

// write writes into both volumes.
func (p *pair) write(n int) {
	id, text := spec(n).ID, rapid.StringN(0, 3, -1).Draw(p.t, "text")
	for _, v := range []simulated.Volume{simulated.Root, simulated.Home} {
		err := p.real.WriteFile(p.ctx, id, v, "note.txt", []byte(text))
		if want := p.model.write(id, v, text); !errors.Is(err, want) {
			p.t.Fatalf("WriteFile = %v, want %v", err, want)
		}
	}
}

// volumes compares what desktops hold, and the images.
func (p *pair) volumes() {
	for n := range 5 {
		for _, v := range []simulated.Volume{simulated.Root, simulated.Home} {
			got, err := p.real.ReadFile(p.ctx, spec(n).ID, v, "note.txt")
			want, wantErr := p.model.read(spec(n).ID, v)
			if string(got) != want || !errors.Is(err, wantErr) {
				p.t.Fatalf("ReadFile(%s, %s) = %q, %v, want %q, %v", spec(n).ID, v, got, err, want, wantErr)
			}
		}
	}
	about, err := p.real.About(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	var got []string
	for _, image := range about.Images {
		got = append(got, image.Name)
	}
	if want := p.model.listImages(); !slices.Equal(got, want) {
		p.t.Fatalf("About has images %q, want %q", got, want)
	}
}

// alike compares what can be seen of engine and model.
func (p *pair) alike() {
	p.volumes()
	machines, err := p.real.List(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	got := make([]string, 0, len(machines))
	for _, m := range machines {
		got = append(got, machineLine(m))
	}
	slices.Sort(got)
	if want := p.model.list(); !slices.Equal(got, want) {
		p.t.Fatalf("List = %q, want %q", got, want)
	}
	for n := range 5 {
		conn, err := p.real.Dial(p.ctx, spec(n).ID)
		if err == nil {
			conn.Close()
		}
		if want := p.model.dial(spec(n).ID); !errors.Is(err, want) {
			p.t.Fatalf("Dial = %v, want %v", err, want)
		}
	}
}
