package incus_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/incus"
)

// The tests of this package that need Incus make everything they need in it: an image
// of a few kilobytes (testdata/desktop), and a project, networks and desktops for each
// test. They are skipped where Incus does not answer, unless CARREL_TEST_INCUS=1 says
// that it has to.

// patience bounds each step of a test in real time.
const patience = 2 * time.Minute

// run names what this run of the tests makes, apart from that of others on the machine.
// It begins with the time, by which later runs know what nobody will remove any more.
var run = strconv.FormatInt(time.Now().Unix(), 36) + strings.ToLower(rand.Text()[:2])

// testProject begins the names of the tests' projects.
const testProject = "carrel-test-"

// engines counts the engines of the run, and gives each its own names and subnets.
var engines atomic.Int32

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child() // never returns
	}
	if filepath.Base(os.Args[0]) == "setsid" {
		setsid() // never returns
	}
	status := m.Run()
	if err := cleanUp(); err != nil {
		fmt.Fprintln(os.Stderr, "clean up after the tests:", err)
		status = 1
	}
	os.Exit(status)
}

// engine is one test's own part of Incus.
type engine struct {
	*incus.Driver
	config incus.Config
	subnet compute.Subnet
	image  string
}

// open returns an engine that is removed when the test ends.
func open(tb testing.TB) *engine {
	tb.Helper()
	return openWith(tb, func(*incus.Config) {})
}

// openWith is open with other settings.
func openWith(tb testing.TB, change func(*incus.Config)) *engine {
	tb.Helper()
	image, err := testImage()
	if err != nil {
		if os.Getenv("CARREL_TEST_INCUS") != "1" && errors.Is(err, compute.ErrUnavailable) {
			tb.Skip("Incus does not answer: ", err)
		}
		tb.Fatal(err)
	}
	e := &engine{config: configuration(), image: image}
	change(&e.config)
	e.subnet = e.newSubnet()
	if e.Driver, err = incus.Open(tb.Context(), e.config); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.Remove(ctx); err != nil {
			tb.Errorf("remove what the test made: %v", err)
		}
	})
	return e
}

func configuration() incus.Config {
	return configurationOf(fmt.Sprintf("%s%s-%d", testProject, run, engines.Add(1)))
}

func configurationOf(project string) incus.Config {
	return incus.Config{
		Project:      project,
		Installation: "of-" + project,
		Groups:       []compute.SecurityGroup{{ID: "sg-0123abcd"}},
		Clock:        clock.New(),
		Logger:       slog.New(slog.DiscardHandler),
	}
}

// newSubnet returns one more subnet, of addresses that no other test uses.
func (*engine) newSubnet() compute.Subnet {
	n := engines.Add(1)
	base := netip.AddrFrom4([4]byte{10, 200 + run[len(run)-1]%50, byte(n), 0})
	return compute.Subnet{
		ID:      fmt.Sprintf("subnet-%s%d", run, n),
		Prefix:  netip.PrefixFrom(base, 24),
		Gateway: base.Next(),
	}
}

// desktop describes the nth desktop of the subnet.
func (e *engine) desktop(n byte, subnet compute.Subnet) compute.Desktop {
	address := subnet.Prefix.Addr().As4()
	address[3] = n
	return compute.Desktop{
		ID:           fmt.Sprintf("ws-%d-%d", address[2], n),
		Image:        e.image,
		CPUs:         1,
		MemoryMiB:    128,
		RootGiB:      1,
		UserGiB:      1,
		Subnet:       subnet,
		Address:      netip.AddrFrom4(address),
		ComputerName: fmt.Sprintf("A-%d-%d", address[2], n),
		User:         compute.User{Name: "jane", FullName: "Jane Doe"},
	}
}

// create makes the nth desktop of the engine's subnet and returns its id.
func (e *engine) create(tb testing.TB, n byte) string {
	tb.Helper()
	desktop := e.desktop(n, e.subnet)
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, desktop) }); err != nil {
		tb.Fatal(err)
	}
	return desktop.ID
}

// finish sees a call through, as a job would.
func (e *engine) finish(call func(context.Context) (time.Time, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return computetest.Wait(ctx, e.config.Clock, call)
}

// probe runs a probe of testdata/desktop in a desktop; the error says how it failed.
func (e *engine) probe(tb testing.TB, id string, arguments ...string) error {
	tb.Helper()
	status, said := e.run(tb, id, arguments...)
	if status != 0 {
		return fmt.Errorf("status %d: %s", status, said)
	}
	return nil
}

// ask runs a probe that must succeed, and returns what it says.
func (e *engine) ask(tb testing.TB, id string, arguments ...string) string {
	tb.Helper()
	status, said := e.run(tb, id, arguments...)
	if status != 0 {
		tb.Fatalf("%s: %v: status %d: %s", id, arguments, status, said)
	}
	return said
}

func (e *engine) run(tb testing.TB, id string, arguments ...string) (status int, said string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	status, said, err := e.Exec(ctx, id, append([]string{"/sbin/init"}, arguments...)...)
	if err != nil {
		tb.Fatalf("%s: %v: %v", id, arguments, err)
	}
	return status, said
}

// rootfs writes the root file system of the test image, and returns where.
func rootfs(t *testing.T) string {
	t.Helper()
	_, path, err := writeImage(t.TempDir(), "file")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// testImage makes the test image, once a run, and returns its name.
var testImage = sync.OnceValues(func() (name string, err error) {
	name = "carrel/test-" + run
	driver, err := incus.Open(context.Background(), configuration())
	if err != nil {
		return "", err
	}
	if err := sweep(driver); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "carrel-test-image")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	metadata, rootfs, err := writeImage(folder, "1")
	if err != nil {
		return "", err
	}
	err = driver.ImportImage(context.Background(), name, metadata, rootfs)
	return name, errors.Join(err, driver.Remove(context.Background()))
})

// sweep removes what runs that were killed more than an hour ago have left.
func sweep(driver *incus.Driver) error {
	ctx := context.Background()
	var projects []api.Project
	if err := driver.Get(ctx, "/projects?recursion=1", &projects); err != nil {
		return err
	}
	for _, project := range projects {
		name, test := strings.CutPrefix(project.Name, testProject)
		if !test || !abandoned(name) {
			continue
		}
		old, err := incus.Open(ctx, configurationOf(project.Name))
		if err == nil {
			err = old.Remove(ctx)
		}
		if err != nil {
			return fmt.Errorf("sweep %s: %w", project.Name, err)
		}
	}
	return removeTestImages(driver, abandoned)
}

// abandoned tells whether what is named after a run is of one that is long over.
func abandoned(name string) bool {
	begun, err := strconv.ParseInt(name[:min(6, len(name))], 36, 64)
	return err == nil && time.Since(time.Unix(begun, 0)) > time.Hour
}

// removeTestImages removes the test images of the runs that match.
func removeTestImages(driver *incus.Driver, match func(run string) bool) error {
	ctx := context.Background()
	var images []api.Image
	if err := driver.Get(ctx, "/images?recursion=1", &images); err != nil {
		return err
	}
	for _, image := range images {
		name, test := strings.CutPrefix(image.Properties["description"], "Carrel test ")
		if !test || !match(name) {
			continue
		}
		if err := driver.Change(ctx, http.MethodDelete, "/images/"+image.Fingerprint, nil); err != nil {
			return err
		}
	}
	return nil
}

// cleanUp removes what the run's tests shared, where Incus answers.
func cleanUp() error {
	ctx := context.Background()
	driver, err := incus.Open(ctx, configuration())
	if errors.Is(err, compute.ErrUnavailable) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(
		removeTestImages(driver, func(name string) bool { return name == run }),
		driver.Remove(ctx))
}

// writeImage builds the test image's two files into a folder.
func writeImage(folder, serial string) (metadata, rootfs string, err error) {
	program := filepath.Join(folder, "init")
	build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./testdata/desktop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("build testdata/desktop: %w: %s", err, output)
	}
	description := fmt.Sprintf("architecture: x86_64\ncreation_date: 1700000000\n"+
		"properties: {description: Carrel test %s, serial: %q}\n", run, serial)
	yaml := filepath.Join(folder, "metadata.yaml")
	if err := os.WriteFile(yaml, []byte(description), 0o600); err != nil {
		return "", "", err
	}
	metadata, rootfs = filepath.Join(folder, "metadata.tar.gz"), filepath.Join(folder, "rootfs.tar.gz")
	err = errors.Join(
		archive(metadata, map[string]string{"metadata.yaml": yaml}),
		archive(rootfs, map[string]string{
			"sbin/init": program, "bin/sh": program,
			"bin/": "", "dev/": "", "etc/": "", "home/": "", "proc/": "", "root/": "", "run/": "", "sbin/": "", "sys/": "", "tmp/": "",
		}))
	return metadata, rootfs, err
}

// archive writes a tar of the files, and of the folders, whose names end in a slash.
func archive(path string, files map[string]string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	zipped := gzip.NewWriter(file)
	packed := tar.NewWriter(zipped)
	for name, source := range files {
		header := &tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeDir}
		var content []byte
		if source != "" {
			if content, err = os.ReadFile(source); err != nil {
				return err
			}
			header.Typeflag, header.Size = tar.TypeReg, int64(len(content))
		}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := packed.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(packed.Close(), zipped.Close(), file.Close())
}
