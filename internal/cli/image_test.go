package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carrel/internal/cli"
	"carrel/internal/compute"
)

// incus is what main lends of Incus, without one.
type incus struct {
	images   []compute.Image
	imported int
}

func (i *incus) about(context.Context, *cli.Config) (compute.About, error) {
	return compute.About{Name: "incus", Version: "6.0.4", SizesEnforced: true, Images: i.images}, nil
}

// importImage takes the image over with the serial that stands beside its files.
func (i *incus) importImage(_ context.Context, _ *cli.Config, alias, metadata, rootfs string) error {
	serial, err := os.ReadFile(filepath.Join(filepath.Dir(metadata), "serial"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(rootfs); err != nil {
		return err
	}
	i.imported++
	i.images = []compute.Image{{Name: alias, Serial: strings.TrimSpace(string(serial)), Bytes: 5 << 20, BuiltAt: time.Unix(1e9, 0)}}
	return nil
}

// workshop is where an image is built, with stand-ins for the tools that make it a distribution.
type workshop struct {
	command
	incus  *incus
	tools  string
	folder string
	agent  string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{incus: new(incus), tools: t.TempDir(), folder: t.TempDir()}
	w.agent = filepath.Join(w.tools, "carrel-agent")
	must(t, os.WriteFile(w.agent, []byte("agent"), 0o600))
	w.tool(t, "id", "echo 0")
	w.tool(t, "dpkg", "echo amd64")
	w.tool(t, "apt-get", `. /etc/os-release; echo "$VERSION_CODENAME http://mirror.example/ main"`)
	w.tool(t, "mmdebstrap", `for last; do out=$part; part=$last; done; tar -cf "$out" -C /etc hostname`)
	w.parts = cli.Parts{Incus: w.incus.about, ImportImage: w.incus.importImage}
	w.env = []string{"PATH=" + w.tools + ":" + os.Getenv("PATH")}
	return w
}

// tool makes a program of the recipe a script.
func (w *workshop) tool(t *testing.T, name, script string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(w.tools, name), []byte("#!/bin/bash\nset -e\n"+script+"\n"), 0o700))
}

func (w *workshop) build(ctx context.Context, args ...string) result {
	return w.runUntil(ctx, append([]string{"image", "build", "--agent", w.agent, "--folder", w.folder}, args...)...)
}

func TestAnImageIsBuiltOnceAndImportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	r := w.build(t.Context()).succeed(t)
	r.prints(t, "carrel/xfce is there, serial ")
	if w.incus.imported != 1 || !strings.Contains(r.errOut, "building the desktop image: installing the packages of ") {
		t.Errorf("imported %d times, said %s", w.incus.imported, r.errOut)
	}
	w.tool(t, "mmdebstrap", "exit 1")
	w.build(t.Context()).succeed(t).prints(t, "carrel/xfce is up to date, serial "+w.incus.images[0].Serial)
	if w.incus.imported != 1 {
		t.Error("what Incus has was imported again")
	}
	w.build(t.Context(), "--force").succeed(t)
	if w.incus.imported != 2 {
		t.Error("--force imports nothing")
	}
	w.run(t, "image", "list", "--data", t.TempDir()).succeed(t).prints(t, "carrel/xfce", w.incus.images[0].Serial, "5 MiB")

	must(t, os.WriteFile(w.agent, []byte("another agent"), 0o600))
	before := w.incus.images[0].Serial
	w.build(t.Context()).succeed(t)
	if w.incus.images[0].Serial == before {
		t.Error("another agent makes no other image")
	}
}

func TestABuildThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.tool(t, "mmdebstrap", "exit 1")
	w.build(t.Context()).fail(t, cli.ExitFailure, "mmdebstrap failed; the end of "+filepath.Join(w.folder, "build.log")+" says why")
	w.tool(t, "id", "echo 1000")
	w.build(t.Context()).fail(t, cli.ExitFailure, "must run as root; carrel doctor says what is missing")
	w.agent = "/no/agent"
	w.build(t.Context()).fail(t, cli.ExitFailure, "make build makes carrel-agent")
	w.parts.Incus = func(context.Context, *cli.Config) (compute.About, error) {
		return compute.About{}, fmt.Errorf("%w: no socket", compute.ErrUnavailable)
	}
	w.build(t.Context()).fail(t, cli.ExitFailure, "carrel doctor says how to get Incus")
	w.parts.Incus = nil
	w.build(t.Context()).fail(t, cli.ExitFailure, "built without Incus")
}

func TestABuildThatIsInterruptedLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	pid := filepath.Join(w.tools, "pid")
	must(t, unix.Mkfifo(pid, 0o600))
	w.tool(t, "mmdebstrap", "echo $$ >"+pid+"; sleep 600 & wait")
	ctx, cancel := context.WithCancel(t.Context())
	process := make(chan int, 1)
	go func() {
		defer cancel()
		var n int
		if text, err := os.ReadFile(pid); err == nil { // once the recipe has come to it
			_, _ = fmt.Sscan(string(text), &n)
		}
		process <- n
	}()
	w.build(ctx).fail(t, cli.ExitFailure, "carrel: interrupted\n")
	n := <-process
	if err := unix.Kill(n, 0); n == 0 || !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d: %v", n, err)
	}
}
