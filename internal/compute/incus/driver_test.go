package incus_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/incus"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	computetest.Run(t, func(t *testing.T) computetest.Harness {
		t.Helper()
		e := open(t)
		folders := map[computetest.Volume]string{computetest.Root: "/root/", computetest.Home: "/home/"}
		return computetest.Harness{
			Driver:  e.Driver,
			Clock:   e.config.Clock,
			Desktop: e.desktop(10, e.subnet),
			Group:   e.config.Groups[0].ID,
			Reopen: func(t *testing.T) compute.Driver {
				t.Helper()
				reopened, err := incus.Open(t.Context(), e.config)
				if err != nil {
					t.Fatal(err)
				}
				return reopened
			},
			Address: e.address,
			KillScreen: func(t *testing.T, id string) {
				t.Helper()
				if err := e.probe(t, id, "link", "/nowhere"); err != nil {
					t.Fatal(err)
				}
			},
			RootFS: rootfs(t),
			Write: func(t *testing.T, id string, v computetest.Volume, name, text string) {
				t.Helper()
				if err := e.probe(t, id, "write", folders[v]+name, text); err != nil {
					t.Fatal(err)
				}
			},
			Read: func(t *testing.T, id string, v computetest.Volume, name string) string {
				t.Helper()
				return e.ask(t, id, "read", folders[v]+name)
			},
			CPUs: func(t *testing.T, id string) int {
				t.Helper()
				count, err := strconv.Atoi(e.ask(t, id, "cpus"))
				if err != nil {
					t.Fatal(err)
				}
				return count
			},
			FillHome: func(t *testing.T, id string, bytes int64) error {
				t.Helper()
				return e.probe(t, id, "fill", "/home", strconv.FormatInt(bytes, 10))
			},
		}
	})
}

// address returns the address that the desktop's kernel says it has.
func (e *engine) address(t *testing.T, id string) netip.Addr {
	t.Helper()
	var state api.InstanceState
	if err := e.Get(t.Context(), "/instances/"+id+"/state", &state); err != nil {
		t.Fatal(err)
	}
	for _, address := range state.Network["eth0"].Addresses {
		if address.Family == "inet" {
			return netip.MustParseAddr(address.Address)
		}
	}
	t.Fatalf("%s has no address: %v", id, state.Network)
	return netip.Addr{}
}

// TestSizesHold fills the root and the user volume past their sizes.
func TestSizesHold(t *testing.T) {
	t.Parallel()
	e := open(t)
	about, err := e.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !about.SizesEnforced {
		if os.Getenv("CARREL_TEST_INCUS") == "1" {
			t.Fatal("the pool enforces no sizes, and scripts/incus-up.sh makes one that does: ", about.Problems)
		}
		t.Skip("the pool enforces no sizes: ", about.Problems)
	}
	id := e.create(t, 10)
	for _, folder := range []string{"/home", "/root"} {
		if err := e.probe(t, id, "fill", folder, strconv.Itoa(800<<20)); err != nil {
			t.Errorf("%s of 1 GiB does not take 800 MiB: %v", folder, err)
		}
		if err := e.probe(t, id, "fill", folder, strconv.Itoa(1100<<20)); err == nil {
			t.Errorf("%s of 1 GiB takes 1.1 GB", folder)
		}
	}
}

// TestLimitsHold uses more processors and memory than a desktop has.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	if err := e.probe(t, id, "cpus", "1"); err != nil {
		t.Errorf("a desktop with 1 processor has %v", err)
	}
	if err := e.probe(t, id, "allocate", "64"); err != nil {
		t.Errorf("a desktop with 128 MiB has not 64 of them: %v", err)
	}
	if err := e.probe(t, id, "allocate", "512"); err == nil {
		t.Error("a desktop with 128 MiB uses 512")
	}
	more := e.desktop(11, e.subnet)
	more.CPUs, more.MemoryMiB = 64, 1<<20
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, more) }); err != nil {
		t.Errorf("a desktop with more than the machine has: %v", err)
	}
}

// TestMisbehaviour has desktops that die as soon as they start, or do not stop when asked.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	e := open(t)
	dying := e.desktop(10, e.subnet)
	dying.User.FullName = "Dies At Once"
	_, err := e.Create(t.Context(), dying)
	if !errors.Is(err, compute.ErrFailed) || !strings.Contains(err.Error(), "the test asked for a death") {
		t.Errorf("a desktop that dies: %v, want ErrFailed and its last words", err)
	}
	stubborn := e.desktop(11, e.subnet)
	stubborn.User.FullName = "Ignores Stop"
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, stubborn) }); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Stop(ctx, stubborn.ID) }); err != nil {
		t.Errorf("Stop of one that does not want to: %v", err)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestTakenAddress gives two desktops one address.
func TestTakenAddress(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.create(t, 10)
	second := e.desktop(10, e.subnet)
	second.ID += "-second"
	if _, err := e.Create(t.Context(), second); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("Create with a taken address: %v, want ErrInvalid", err)
	}
	unknown := e.desktop(12, e.subnet)
	unknown.Subnet.Network = "nosuchnetwork"
	if _, err := e.Create(t.Context(), unknown); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("Create on a network that is not there: %v, want ErrInvalid", err)
	}
}

// TestForeign sees that one installation does not see or touch what another one has
// in the same project.
func TestForeign(t *testing.T) {
	t.Parallel()
	e := open(t)
	id := e.create(t, 10)
	config := e.config
	config.Installation += "-other"
	other, err := incus.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if machines, err := other.List(t.Context()); err != nil || len(machines) > 0 {
		t.Errorf("List = %v, %v; want nothing", machines, err)
	}
	if _, err := other.Stop(t.Context(), id); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("Stop: %v, want ErrNotFound", err)
	}
	if _, err := other.Dial(t.Context(), id); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("Dial: %v, want ErrNotFound", err)
	}
	if _, err := other.Delete(t.Context(), id); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if err := other.Remove(t.Context()); err != nil {
		t.Errorf("Remove: %v", err)
	}
	machines, err := e.List(t.Context())
	if err != nil || len(machines) != 1 || !machines[0].Answers || !machines[0].Whole {
		t.Errorf("afterwards List = %+v, %v; want the desktop as it was", machines, err)
	}
}

// TestImportImage replaces an image by another build of it.
func TestImportImage(t *testing.T) {
	t.Parallel()
	e := open(t)
	alias := "carrel/test-import-" + run
	var fingerprints []string
	for _, serial := range []string{"2", "2", "3"} {
		metadata, rootfs, err := writeImage(t.TempDir(), serial)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.ImportImage(t.Context(), alias, metadata, rootfs); err != nil {
			t.Fatal(err)
		}
		var entry api.ImageAliasesEntry
		if err := e.Get(t.Context(), "/images/aliases/"+url.PathEscape(alias), &entry); err != nil {
			t.Fatal(err)
		}
		fingerprints = append(fingerprints, entry.Target)
		images, err := e.Images(t.Context())
		i := slices.IndexFunc(images, func(i compute.Image) bool { return i.Name == alias })
		if err != nil || i < 0 || images[i].Serial != serial || images[i].Bytes == 0 || images[i].BuiltAt.Year() != 2023 {
			t.Errorf("Images = %+v, %v; want build %s among them", images, err, serial)
		}
	}
	if fingerprints[0] == fingerprints[2] {
		t.Fatal("two builds are one image")
	}
	if err := e.Get(t.Context(), "/images/"+fingerprints[0], nil); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("the replaced build: %v, want ErrNotFound", err)
	}
	if left := e.left(t); left != 0 {
		t.Errorf("%d instances and volumes are left of the import", left)
	}
	if err := e.ImportImage(t.Context(), alias, "/nonexistent", "/nonexistent"); !errors.Is(err, compute.ErrInvalid) {
		t.Errorf("ImportImage of nothing: %v, want ErrInvalid", err)
	}
}
