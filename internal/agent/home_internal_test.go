package agent

import (
	"os"
	"path/filepath"
	"testing"
)

// self is an account that this test may give files to without being root.
func self() account { return account{name: "jane", uid: os.Getuid(), home: "/home/jane"} }

func TestMakeHomeCopiesTheSkeleton(t *testing.T) {
	t.Parallel()
	root := imageRoot(t)
	// What a start that was cut short left behind.
	if err := os.MkdirAll(filepath.Join(root, "home/.jane.new/half"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := makeHome(root, self()); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{
		"home": 0o755, "home/jane": 0o700, "home/jane/.bashrc": 0o644, "home/jane/bin/run": 0o755,
	} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), mode)
		}
	}
	if link, err := os.Readlink(filepath.Join(root, "home/jane/link")); link != "nowhere" {
		t.Errorf("link: %q, %v", link, err)
	}
	if entries, _ := os.ReadDir(filepath.Join(root, "home")); len(entries) != 1 {
		t.Errorf("/home holds %v", entries)
	}
}

func TestMakeHomeKeepsAHomeThatIsThere(t *testing.T) {
	t.Parallel()
	root := imageRoot(t)
	if err := makeHome(root, self()); err != nil {
		t.Fatal(err)
	}
	bashrc := filepath.Join(root, "home/jane/.bashrc")
	if err := os.WriteFile(bashrc, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeHome(root, self()); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(bashrc); string(content) != "mine" {
		t.Errorf("the user's file became %q", content)
	}
}

func TestMakeHomeDoesNotFollowALink(t *testing.T) {
	t.Parallel()
	root := imageRoot(t)
	if err := os.MkdirAll(filepath.Join(root, "home"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(root, "home/jane")); err != nil {
		t.Fatal(err)
	}
	if err := makeHome(root, self()); err == nil {
		t.Error("a link passed for a home")
	}
}

func TestChownTreeTakesDanglingLinksAsTheyAre(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("/nonexistent/file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := chownTree(dir, os.Getuid()); err != nil {
		t.Error(err)
	}
}
