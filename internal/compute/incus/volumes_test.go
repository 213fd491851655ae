package incus_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

// must sees a call through that has to succeed.
func (e *engine) must(tb testing.TB, what string, call func(context.Context) (time.Time, error)) {
	tb.Helper()
	if err := e.finish(call); err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
}

func (e *engine) capture(tb testing.TB, id, image string) {
	tb.Helper()
	e.must(tb, "Capture", func(ctx context.Context) (time.Time, error) { return e.Capture(ctx, id, image) })
}

func (e *engine) snapshot(tb testing.TB, id, name string) {
	tb.Helper()
	e.must(tb, "Snapshot", func(ctx context.Context) (time.Time, error) {
		return e.Snapshot(ctx, id, compute.Snapshot{Name: name, Root: true})
	})
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{
		"80GiB": 80 << 30, "85899345920": 80 << 30, "85899345920B": 80 << 30, "1500MiB": 1500 << 20, "2TiB": 2 << 40,
		"4KiB": 4096, "": 0, "lots": 0, "GiB": 0,
	} {
		if got := incus.BytesOf(size); got != want {
			t.Errorf("%q has %d bytes, want %d", size, got, want)
		}
		if got := incus.Respell(size); got == size || incus.BytesOf(got) != want {
			t.Errorf("%q is spelled %q", size, got)
		}
	}
}

// TestEncryptedPool has the volumes that are to be encrypted in a pool of their own, and
// refuses them where there is none.
func TestEncryptedPool(t *testing.T) {
	t.Parallel()
	plain := open(t)
	pool := "carrel-test-" + run
	if err := plain.Change(t.Context(), http.MethodPost, "/storage-pools", api.StoragePoolsPost{Name: pool, Driver: "dir"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plain.Change(context.Background(), http.MethodDelete, "/storage-pools/"+pool, nil); err != nil {
			t.Errorf("remove the pool: %v", err)
		}
	})
	secret := plain.desktop(10, plain.subnet)
	secret.RootEncrypted, secret.UserEncrypted = true, true
	_, err := plain.Create(t.Context(), secret)
	if !errors.Is(err, compute.ErrInvalid) || !strings.Contains(err.Error(), "--incus-encrypted-pool") {
		t.Errorf("without a pool for it: %v, want ErrInvalid and the setting's name", err)
	}

	e := openWith(t, func(c *incus.Config) { c.EncryptedPool = pool })
	secret, half := e.desktop(10, e.subnet), e.desktop(11, e.subnet)
	secret.RootEncrypted, secret.UserEncrypted, half.UserEncrypted = true, true, true
	for desktop, want := range map[*compute.Desktop][2]string{&secret: {pool, pool}, &half: {"carrel", pool}} {
		e.must(t, "Create", func(ctx context.Context) (time.Time, error) { return e.Create(ctx, *desktop) })
		e.lies(t, desktop.ID, want)
	}
	if err := e.probe(t, secret.ID, "write", "/home/note.txt", "kept"); err != nil {
		t.Fatal(err)
	}
	e.snapshot(t, secret.ID, "s-1")
	e.must(t, "Rebuild", func(ctx context.Context) (time.Time, error) { return e.Rebuild(ctx, secret, "s-1") })
	e.lies(t, secret.ID, [2]string{pool, pool})
	open := e.desktop(12, e.subnet)
	open.Home = &compute.Home{Desktop: secret.ID, Snapshot: "s-1"}
	e.must(t, "Create with a home of the other pool", func(ctx context.Context) (time.Time, error) { return e.Create(ctx, open) })
	e.lies(t, open.ID, [2]string{"carrel", "carrel"})
	if got := e.ask(t, open.ID, "read", "/home/note.txt"); got != "kept" {
		t.Errorf("its home has %q", got)
	}
	machines, err := e.List(t.Context())
	if err != nil || len(machines) != 3 || slices.ContainsFunc(machines, func(m compute.Machine) bool { return !m.Whole }) {
		t.Errorf("List = %+v, %v, want three that are whole", machines, err)
	}
	for _, m := range machines {
		e.must(t, "Delete", func(ctx context.Context) (time.Time, error) { return e.Delete(ctx, m.ID) })
	}
	for _, p := range []string{"carrel", pool} {
		var volumes []string
		if err := e.Get(t.Context(), "/storage-pools/"+p+"/volumes/custom", &volumes); err != nil || len(volumes) > 0 {
			t.Errorf("%s has %v, %v after Delete", p, volumes, err)
		}
	}
}

// lies fails the test unless the root and the user volume are in those pools.
func (e *engine) lies(t *testing.T, id string, want [2]string) {
	t.Helper()
	var instance api.Instance
	if err := e.Get(t.Context(), "/instances/"+id, &instance); err != nil {
		t.Fatal(err)
	}
	if got := [2]string{instance.Devices["root"]["pool"], instance.Devices["home"]["pool"]}; got != want {
		t.Errorf("%s has its volumes in %v, want %v", id, got, want)
	}
}

// TestLostRoot removes what a desktop runs on behind the driver's back. Rebuild makes it whole.
func TestLostRoot(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	if err := e.probe(t, id, "write", "/home/note.txt", "kept"); err != nil {
		t.Fatal(err)
	}
	e.must(t, "Stop", func(ctx context.Context) (time.Time, error) { return e.Stop(ctx, id) })
	if err := e.Change(t.Context(), http.MethodDelete, "/instances/"+id, nil); err != nil {
		t.Fatal(err)
	}
	e.must(t, "Rebuild", func(ctx context.Context) (time.Time, error) { return e.Rebuild(ctx, e.desktop(10, e.subnet), "") })
	if got := e.ask(t, id, "read", "/home/note.txt"); got != "kept" {
		t.Errorf("its home has %q", got)
	}
}

// TestHalfCopiedHome finds a user volume that Incus did not finish copying.
func TestHalfCopiedHome(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	if err := e.probe(t, id, "write", "/home/note.txt", "carried"); err != nil {
		t.Fatal(err)
	}
	e.snapshot(t, id, "s-1")
	next := e.desktop(11, e.subnet)
	next.Home = &compute.Home{Desktop: id, Snapshot: "s-1"}
	half := api.StorageVolumesPost{Name: incus.HomeVolume(next.ID), Type: "custom", ContentType: "filesystem"}
	half.Config = map[string]string{
		"user.carrel.installation": e.config.Installation, "user.carrel.desktop": next.ID, "user.carrel.copying": "true",
	}
	if err := e.Change(t.Context(), http.MethodPost, "/storage-pools/carrel/volumes/custom", half); err != nil {
		t.Fatal(err)
	}
	e.must(t, "Create", func(ctx context.Context) (time.Time, error) { return e.Create(ctx, next) })
	if got := e.ask(t, next.ID, "read", "/home/note.txt"); got != "carried" {
		t.Errorf("its home has %q", got)
	}
}

// TestForeignImages sees that installations leave each other's images alone, and that
// Remove leaves none behind.
func TestForeignImages(t *testing.T) {
	t.Parallel()
	e, other := open(t), open(t)
	id := e.create(t, 10)
	captured, alias := "carrel/test-captured-"+run, "carrel/test-alias-"+run
	e.capture(t, id, captured)
	e.must(t, "MakeImage", func(ctx context.Context) (time.Time, error) {
		return e.MakeImage(ctx, alias, compute.ImageSource{Image: e.image})
	})
	if _, err := other.MakeImage(t.Context(), captured, compute.ImageSource{Image: e.image}); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("MakeImage of another's name: %v, want ErrInvalid", err)
	}
	for _, name := range []string{captured, alias} {
		other.must(t, "DeleteImage", func(ctx context.Context) (time.Time, error) { return other.DeleteImage(ctx, name) })
		if _, there := e.fingerprint(t, name); !there {
			t.Errorf("another installation has deleted %s", name)
		}
		if images, err := other.Images(t.Context()); err != nil || slices.ContainsFunc(images, func(i compute.Image) bool { return i.Name == name }) {
			t.Errorf("another installation lists %s, %v", name, err)
		}
	}
	fingerprint, _ := e.fingerprint(t, captured)
	if err := e.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{captured, alias} {
		if _, there := other.fingerprint(t, name); there {
			t.Errorf("Remove has left %s", name)
		}
	}
	if err := other.Get(t.Context(), "/images/"+fingerprint, nil); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("Remove has left the captured image: %v", err)
	}
	if _, there := other.fingerprint(t, e.image); !there {
		t.Error("Remove has removed an image that is not its own")
	}
}

// fingerprint returns what an alias stands for.
func (e *engine) fingerprint(t *testing.T, alias string) (fingerprint string, there bool) {
	t.Helper()
	var entry api.ImageAliasesEntry
	err := e.Get(t.Context(), "/images/aliases/"+url.PathEscape(alias), &entry)
	if err != nil && !errors.Is(err, compute.ErrNotFound) {
		t.Fatal(err)
	}
	return entry.Target, err == nil
}

// TestFailedUpdate brings an image up to date whose distribution refuses.
func TestFailedUpdate(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	if err := e.probe(t, id, "write", "/root/note.txt", "no update"); err != nil {
		t.Fatal(err)
	}
	captured, updated := "carrel/test-refuses-"+run, "carrel/test-refused-"+run
	e.capture(t, id, captured)
	var err error
	for again := time.Now(); err == nil && !again.IsZero(); {
		again, err = e.MakeImage(t.Context(), updated, compute.ImageSource{Image: captured, Update: true})
	}
	if !errors.Is(err, compute.ErrFailed) || !strings.Contains(err.Error(), "the test asked for no update") {
		t.Errorf("MakeImage: %v, want ErrFailed and the update's last words", err)
	}
	if left := e.left(t); left != 2 {
		t.Errorf("%d instances and volumes are left instead of the desktop's 2", left)
	}
}

// TestSweep removes leftovers that are old, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	captured := "carrel/test-kept-" + run
	e.capture(t, id, captured)
	fingerprint, _ := e.fingerprint(t, e.image)
	request := api.InstancesPost{Name: "unpack-1", Type: "container", Source: api.InstanceSource{Type: "image", Fingerprint: fingerprint}}
	request.Config = map[string]string{"user.carrel.installation": e.config.Installation}
	request.Devices = map[string]map[string]string{"root": {"type": "disk", "path": "/", "pool": "carrel"}}
	if err := e.Change(t.Context(), http.MethodPost, "/instances", request); err != nil {
		t.Fatal(err)
	}
	const leftover = "/instances/unpack-1"
	if err := e.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := e.Get(t.Context(), leftover, nil); err != nil {
		t.Errorf("what is not old yet: %v", err)
	}
	if err := e.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := e.Get(t.Context(), leftover, nil); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("a leftover: %v, want ErrNotFound", err)
	}
	if _, there := e.fingerprint(t, captured); !there {
		t.Error("an image with a name was swept away")
	}
	if machines, err := e.List(t.Context()); err != nil || len(machines) != 1 || !machines[0].Answers {
		t.Errorf("List = %+v, %v, want the desktop as it was", machines, err)
	}
}

// TestGarbageImage makes an image of a file that is no archive.
func TestGarbageImage(t *testing.T) {
	t.Parallel()
	e := open(t)
	for name, content := range map[string]string{"text": "no archive", "empty": "", "torn": "\x1f\x8b\x08\x00\x00\x00\x00\x00"} {
		path := filepath.Join(t.TempDir(), "rootfs.tar.gz")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		image := "carrel/test-garbage-" + name + "-" + run
		_, err := e.MakeImage(t.Context(), image, compute.ImageSource{RootFS: path})
		if !errors.Is(err, compute.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
		e.must(t, "DeleteImage", func(ctx context.Context) (time.Time, error) { return e.DeleteImage(ctx, image) })
	}
	if left := e.left(t); left != 0 {
		t.Errorf("%d instances and volumes are left", left)
	}
}
