package simulated_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
)

// done calls a method that is over at once.
func done(t *testing.T) func(time.Time, error) {
	t.Helper()
	return func(again time.Time, err error) {
		t.Helper()
		if err != nil || !again.IsZero() {
			t.Fatalf("%v, %v, want done", again, err)
		}
	}
}

func typed(t *testing.T, d *simulated.Driver, id string) string {
	t.Helper()
	content, err := d.ReadFile(t.Context(), id, simulated.Home, simulated.TypedFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(content)
}

// TestTypingLasts types into a screen, and sees it there again after whatever the user
// volume outlives, and gone where it is taken back.
func TestTypingLasts(t *testing.T) {
	t.Parallel()
	cfg, _ := journaled(t)
	d := open(t, cfg)
	one, id := spec(1), spec(1).ID
	done(t)(d.Create(t.Context(), one))
	blank := look(t, d, id)
	typeKeys(t, sit(t, d, id), 'H', 'i')
	hi := look(t, d, id)
	if got := typed(t, d, id); got != "Hi" || bytes.Equal(hi.Pix, blank.Pix) {
		t.Fatalf("typed Hi, the file has %q", got)
	}
	done(t)(d.Snapshot(t.Context(), id, compute.Snapshot{Name: "s-1", Root: true}))
	typeKeys(t, sit(t, d, id), '!')
	if got := typed(t, d, id); got != "Hi!" {
		t.Errorf("typed on, the file has %q", got)
	}
	done(t)(d.Stop(t.Context(), id))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, cfg)
	done(t)(d.Start(t.Context(), id))
	if now := look(t, d, id); bytes.Equal(now.Pix, hi.Pix) || bytes.Equal(now.Pix, blank.Pix) {
		t.Error("after a restart the screen does not show what was typed")
	}
	conn := sit(t, d, id)
	done(t)(d.Restore(t.Context(), id, "s-1"))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a stream outlives Restore")
	}
	if now := look(t, d, id); !bytes.Equal(now.Pix, hi.Pix) {
		t.Error("after Restore the screen is not as it was kept")
	}
	done(t)(d.Rebuild(t.Context(), one, "s-1"))
	if now := look(t, d, id); !bytes.Equal(now.Pix, hi.Pix) {
		t.Error("after Rebuild the screen is not as the user volume was kept")
	}
	if err := d.WriteFile(t.Context(), id, simulated.Home, simulated.TypedFile, nil); err != nil {
		t.Fatal(err)
	}
	if now := look(t, d, id); !bytes.Equal(now.Pix, blank.Pix) {
		t.Error("with an empty file the screen is not blank")
	}
}

// TestWritingTypedShows writes what was typed while somebody looks on.
func TestWritingTypedShows(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	id := spec(1).ID
	done(t)(d.Create(t.Context(), spec(1)))
	conn := sit(t, d, id)
	typeKeys(t, conn, 'a')
	before := look(t, d, id)
	if err := d.WriteFile(t.Context(), id, simulated.Home, simulated.TypedFile, []byte("written")); err != nil {
		t.Fatal(err)
	}
	if now := look(t, d, id); bytes.Equal(now.Pix, before.Pix) {
		t.Error("what was written does not show")
	}
	typeKeys(t, conn, '!')
	if got := typed(t, d, id); got != "written!" {
		t.Errorf("typed on, the file has %q", got)
	}
}

func TestFileLimits(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	id := spec(1).ID
	write := func(name string, size int) error {
		return d.WriteFile(t.Context(), id, simulated.Root, name, make([]byte, size))
	}
	if err := write("a", 1); !errors.Is(err, compute.ErrNotFound) {
		t.Errorf("a file of no desktop: %v, want ErrNotFound", err)
	}
	done(t)(d.Create(t.Context(), spec(1)))
	for name, want := range map[string]error{
		"": compute.ErrInvalid, ".": compute.ErrInvalid, "../x": compute.ErrInvalid, "/etc/x": compute.ErrInvalid,
		strings.Repeat("x", 1025): compute.ErrInvalid, "opt/deep/x": nil,
	} {
		if err := write(name, 1); !errors.Is(err, want) {
			t.Errorf("a file called %.20q: %v, want %v", name, err, want)
		}
	}
	if err := write("large", 1<<20+1); !errors.Is(err, compute.ErrCapacity) {
		t.Errorf("a file that is too large: %v, want ErrCapacity", err)
	}
	for n := range 255 {
		if err := write(fmt.Sprint(n), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := write("one too many", 1); !errors.Is(err, compute.ErrCapacity) {
		t.Errorf("the 257th file: %v, want ErrCapacity", err)
	}
	if err := write("7", 2); err != nil {
		t.Errorf("a file of a full volume, written anew: %v", err)
	}
	names, err := d.Files(t.Context(), id, simulated.Root)
	if err != nil || len(names) != 256 || !slices.IsSorted(names) || names[255] != "opt/deep/x" {
		t.Errorf("Files = %q, %v", names, err)
	}
	if _, err := d.ReadFile(t.Context(), id, simulated.Home, "7"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of the other volume: %v, want ErrNotExist", err)
	}
}

// TestWritingDisturbsNothing writes a file while a desktop goes through something whose
// caller has yet to hear of its end.
func TestWritingDisturbsNothing(t *testing.T) {
	t.Parallel()
	cfg := durations(config())
	d := open(t, cfg)
	again, err := d.Create(t.Context(), spec(1))
	finish(t, cfg.Clock, again, err)
	if _, err := d.Reboot(t.Context(), spec(1).ID); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Clock.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFile(t.Context(), spec(1).ID, simulated.Home, "a", nil); err != nil {
		t.Fatal(err)
	}
	done(t)(d.Reboot(t.Context(), spec(1).ID))
}

// TestJournalKeepsFilesOnce gives many desktops the same large file, by way of an image,
// and changes small ones often: the journal stays small, and everything is there again.
func TestJournalKeepsFilesOnce(t *testing.T) {
	t.Parallel()
	cfg, path := journaled(t)
	d := open(t, cfg)
	done(t)(d.Create(t.Context(), spec(0)))
	large := bytes.Repeat([]byte("large"), 200_000)
	if err := d.WriteFile(t.Context(), spec(0).ID, simulated.Root, "large", large); err != nil {
		t.Fatal(err)
	}
	done(t)(d.Capture(t.Context(), spec(0).ID, "carrel/large"))
	for n := 1; n < 100; n++ {
		desktop := spec(n)
		desktop.Image = "carrel/large"
		done(t)(d.Create(t.Context(), desktop))
		done(t)(d.Snapshot(t.Context(), desktop.ID, compute.Snapshot{Name: "s-1", Root: true}))
	}
	for n := range 100 {
		content := bytes.Repeat([]byte{byte(n)}, 1<<20)
		if err := d.WriteFile(t.Context(), spec(1).ID, simulated.Home, "changing", content); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 50<<20 {
		t.Errorf("the journal has %d bytes (%v)", info.Size(), err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, cfg)
	if info, err := os.Stat(path); err != nil || info.Size() > 3<<20 {
		t.Errorf("reopened, the journal has %d bytes (%v)", info.Size(), err)
	}
	done(t)(d.Restore(t.Context(), spec(99).ID, "s-1"))
	for _, n := range []int{0, 1, 99} {
		if got, err := d.ReadFile(t.Context(), spec(n).ID, simulated.Root, "large"); err != nil || !bytes.Equal(got, large) {
			t.Errorf("desktop %d has %d bytes of it, %v", n, len(got), err)
		}
	}
}

// TestImagesOutliveTheProcess captures and makes images, and finds them after a restart.
func TestImagesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	cfg, _ := journaled(t)
	cfg = durations(cfg)
	d := open(t, cfg)
	again, err := d.Create(t.Context(), spec(1))
	finish(t, cfg.Clock, again, err)
	if again, err = d.Capture(t.Context(), spec(1).ID, "carrel/captured"); err != nil || again.IsZero() {
		t.Fatalf("Capture = %v, %v, want it to take time", again, err)
	}
	if m := only(t, d); m.Running {
		t.Errorf("during Capture: %+v", m)
	}
	from := compute.ImageSource{Image: testImage, Update: true}
	made, err := d.MakeImage(t.Context(), "carrel/made", from)
	if err != nil || made.IsZero() {
		t.Fatalf("MakeImage = %v, %v, want it to take time", made, err)
	}
	if about, _ := d.About(t.Context()); len(about.Images) != 1 {
		t.Errorf("images that are being made are listed: %v", about.Images)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, cfg)
	finish(t, cfg.Clock, again.Add(time.Minute), nil)
	// Nobody has come back for them: they are there all the same.
	about, err := d.About(t.Context())
	if err != nil || len(about.Images) != 3 || about.Images[0].Name != "carrel/captured" || about.Images[1].Name != "carrel/made" {
		t.Fatalf("About = %+v, %v, want both images", about, err)
	}
	if !about.Images[1].BuiltAt.Equal(made) || about.Images[1].Serial == "" {
		t.Errorf("the image is %+v, want it built at %v", about.Images[1], made)
	}
	done(t)(d.Capture(t.Context(), spec(1).ID, "carrel/captured"))
	done(t)(d.MakeImage(t.Context(), "carrel/made", from))
	if m := only(t, d); !m.Answers {
		t.Errorf("after Capture: %+v", m)
	}
}
