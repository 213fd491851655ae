package side_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"carrel/internal/agent/side"
	"carrel/internal/sidechannel"
)

// home opens a home with files in it, by path.
func home(t *testing.T, files ...string) (path string, opened *side.Home) {
	t.Helper()
	path = t.TempDir()
	for _, name := range files {
		name = filepath.Join(path, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("of "+filepath.Base(name)), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := side.OpenHome(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, opened
}

func put(t *testing.T, h *side.Home, folder sidechannel.Folder, name, content string) (sidechannel.File, error) {
	t.Helper()
	return h.Put(t.Context(), folder, name, strings.NewReader(content), int64(len(content)))
}

func TestPutMakesTheFolder(t *testing.T) {
	t.Parallel()
	path, h := home(t)
	file, err := put(t, h, sidechannel.Downloads, "x.txt", "content")
	if err != nil || file.Name != "x.txt" || file.Size != 7 {
		t.Fatal(file, err)
	}
	info, err := os.Stat(filepath.Join(path, "Downloads/x.txt"))
	if err != nil || info.Mode() != 0o644 || !info.ModTime().Equal(file.Modified) {
		t.Errorf("%v, %v", info, err)
	}
}

// TestPutReplacesNothing puts a name that is taken by a file, a folder and a link that leads nowhere.
func TestPutReplacesNothing(t *testing.T) {
	t.Parallel()
	path, h := home(t, "Desktop/x", "Desktop/x (2)/file")
	if err := os.Symlink("/nonexistent", filepath.Join(path, "Desktop/x (3)")); err != nil {
		t.Fatal(err)
	}
	file, err := put(t, h, sidechannel.Desktop, "x", "new")
	if err != nil || file.Name != "x (4)" {
		t.Fatal(file, err)
	}
	if content, _ := os.ReadFile(filepath.Join(path, "Desktop/x")); string(content) != "of x" {
		t.Errorf("the file that was there became %q", content)
	}
	if _, err := os.Lstat("/nonexistent"); err == nil {
		t.Error("the link was followed")
	}
}

func TestManyAtOnceGetNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	path, h := home(t)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			if _, err := put(t, h, sidechannel.Desktop, "x.txt", fmt.Sprint(n)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := make(map[string]bool)
	for n := 1; n <= 20; n++ {
		content, err := os.ReadFile(filepath.Join(path, "Desktop", sidechannel.Numbered("x.txt", n)))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(content)] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 files are there", len(seen))
	}
}

// TestPutLeavesNothingBehind breaks off in the middle.
func TestPutLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	path, h := home(t, "Desktop/there")
	broken := errors.New("broken off")
	content := io.MultiReader(strings.NewReader("half"), &failing{broken})
	if _, err := h.Put(t.Context(), sidechannel.Desktop, "x", content, 8); !errors.Is(err, broken) {
		t.Errorf("Put: %v, want the content's own error", err)
	}
	if entries, _ := os.ReadDir(filepath.Join(path, "Desktop")); len(entries) != 1 {
		t.Errorf("left are %v", entries)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestNoRoom(t *testing.T) {
	t.Parallel()
	_, h := home(t)
	if _, err := h.Put(t.Context(), sidechannel.Desktop, "x", strings.NewReader(""), 1<<60); !errors.Is(err, sidechannel.ErrNoRoom) {
		t.Errorf("Put of an exabyte: %v, want ErrNoRoom", err)
	}
}

// TestTricks lays in the folders what is no file, or not one of the home's.
func TestTricks(t *testing.T) {
	t.Parallel()
	path, h := home(t, "Desktop/file", "elsewhere/within", "Desktop/folder/x", "Desktop/bad\xffname", "Desktop/line\nbreak", "Desktop/.hidden")
	desktop := filepath.Join(path, "Desktop")
	for name, target := range map[string]string{
		"inside": "../elsewhere/within", "absolute": "/etc/passwd", "upwards": "../../../../../etc/passwd", "loop": "loop", "dangling": "no",
		"device": "/dev/zero", "self": "/proc/self/environ",
	} {
		if err := os.Symlink(target, filepath.Join(desktop, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(desktop, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	listing, err := h.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range listing.Files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if want := []string{"file", "inside"}; !slices.Equal(names, want) {
		t.Errorf("List has %q, want %q", names, want)
	}
	for _, name := range []string{"absolute", "upwards", "loop", "dangling", "device", "self", "pipe", "folder", "missing"} {
		content, _, err := h.Open(t.Context(), sidechannel.Desktop, name)
		if !errors.Is(err, sidechannel.ErrNoFile) && !errors.Is(err, sidechannel.ErrDenied) {
			t.Errorf("Open of %s: %v, %v", name, content, err)
		}
	}
	content, _, err := h.Open(t.Context(), sidechannel.Desktop, "inside")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, _ := io.ReadAll(content); string(got) != "of within" {
		t.Errorf("a link within the home leads to %q", got)
	}
}

// TestFolderOutside has the desktop be a link to somewhere else.
func TestFolderOutside(t *testing.T) {
	t.Parallel()
	path, h := home(t)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(path, "Desktop")); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, h, sidechannel.Desktop, "x", "x"); !errors.Is(err, sidechannel.ErrDenied) {
		t.Errorf("Put: %v, want ErrDenied", err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("outside of the home lies %v", entries)
	}
}

func TestListGivesTheLatest(t *testing.T) {
	t.Parallel()
	files := make([]string, 0, sidechannel.MaxListed+10)
	for n := range cap(files) {
		files = append(files, fmt.Sprintf("Downloads/%03d", n))
	}
	path, h := home(t, append(files, "Documents/newest")...)
	old := time.Now().Add(-time.Hour)
	for n, name := range files {
		if err := os.Chtimes(filepath.Join(path, name), old, old.Add(-time.Duration(n)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	listing, err := h.List(t.Context())
	if err != nil || len(listing.Files) != sidechannel.MaxListed || !listing.More {
		t.Fatalf("%d files, more: %v, %v", len(listing.Files), listing.More, err)
	}
	if f := listing.Files[0]; f.Name != "newest" || f.Folder != sidechannel.Documents || listing.Files[1].Name != "000" {
		t.Errorf("List begins with %+v", listing.Files[:2])
	}
}

func TestFoldersOfAnotherName(t *testing.T) {
	t.Parallel()
	path, h := home(t)
	settings := "# comment\nXDG_DESKTOP_DIR=\"$HOME/Schreib tisch\"\nXDG_DOWNLOAD_DIR=\"/var/downloads\"\nXDG_DOCUMENTS_DIR=\"$HOME/../other\"\n"
	if err := errors.Join(
		os.Mkdir(filepath.Join(path, ".config"), 0o755),
		os.WriteFile(filepath.Join(path, ".config/user-dirs.dirs"), []byte(settings), 0o644)); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[sidechannel.Folder]string{
		sidechannel.Desktop: "Schreib tisch", sidechannel.Downloads: "Downloads", sidechannel.Documents: "Documents",
	} {
		if _, err := put(t, h, folder, "x", "x"); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(path, want, "x")); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// FuzzPut holds that a file of any valid name comes to lie in the folder, once, and comes back.
func FuzzPut(f *testing.F) {
	f.Add("report.pdf", []byte("content"))
	f.Add("-rf ..", []byte{})
	f.Add("a\\..\\b", []byte("x"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if !sidechannel.ValidName(name) {
			t.Skip()
		}
		path, h := home(t)
		file, err := h.Put(t.Context(), sidechannel.Desktop, name, strings.NewReader(string(content)), -1)
		if err != nil || file.Name != name {
			t.Fatalf("Put of %q = %+v, %v", name, file, err)
		}
		entries, err := os.ReadDir(filepath.Join(path, "Desktop"))
		if err != nil || len(entries) != 1 || entries[0].Name() != name {
			t.Fatalf("the folder holds %v, %v", entries, err)
		}
		got, _, err := h.Open(t.Context(), sidechannel.Desktop, name)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if back, _ := io.ReadAll(got); string(back) != string(content) {
			t.Errorf("%q came back as %q", content, back)
		}
	})
}
