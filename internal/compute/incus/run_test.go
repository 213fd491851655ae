package incus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carrel/internal/compute/incus"
)

// shell runs run.sh on this machine, as a desktop's shell would.
type shell struct {
	*testing.T
	folder string
	path   string
}

// pathWithSetsid is where this machine's programs are, and setsid, which every desktop has: where there is none
// here, this program takes its place.
func pathWithSetsid(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PATH")
	if _, err := exec.LookPath("setsid"); err == nil {
		return path
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(self, filepath.Join(folder, "setsid")); err != nil {
		t.Fatal(err)
	}
	return path + string(filepath.ListSeparator) + folder
}

// setsid runs its arguments in a session of their own.
func setsid() {
	_, err := unix.Setsid()
	if err == nil {
		var program string
		if program, err = exec.LookPath(os.Args[1]); err == nil {
			err = unix.Exec(program, os.Args[1:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (s shell) run(name, text string, seconds int) (status int) {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), "/bin/sh", "-c", incus.RunProgram, "carrel-run", name, strconv.Itoa(seconds), "install")
	cmd.Env = append(os.Environ(), "CARREL_SCRIPTS="+s.folder, "CARREL_SCRIPT="+text, "PATH="+s.path)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if exit, ended := errors.AsType[*exec.ExitError](err); ended {
		return exit.ExitCode()
	}
	if err != nil {
		s.Fatalf("%v: %s", err, said.String())
	}
	return 0
}

// ends asks until the script has ended.
func (s shell) ends(name, text string, seconds int) (status int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		if status = s.run(name, text, seconds); status != 75 {
			return status
		}
		pause, done := context.WithTimeout(ctx, 10*time.Millisecond)
		<-pause.Done()
		done()
	}
	s.Fatalf("%s does not end", name)
	return 0
}

func (s shell) file(path ...string) string {
	s.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{s.folder}, path...)...))
	if err != nil {
		s.Error(err)
	}
	return strings.TrimSpace(string(content))
}

func TestRunProgram(t *testing.T) {
	t.Parallel()
	s := shell{t, filepath.Join(t.TempDir(), "scripts"), pathWithSetsid(t)}
	count := `echo "$1" >>` + filepath.Dir(s.folder) + "/count\n"
	if status := s.run("once-1", count, 60); status != 75 {
		t.Errorf("at first it ends with %d", status)
	}
	for range 2 {
		if status := s.ends("once-1", count, 60); status != 0 {
			t.Errorf("it ends with %d", status)
		}
	}
	if got := s.file("..", "count"); got != "install" {
		t.Errorf("it has run as %q, not once", got)
	}
	for range 2 {
		if status := s.ends("fails-1", "echo it is broken; exit 3", 60); status != 1 {
			t.Errorf("what fails ends with %d", status)
		}
	}
	if got := s.file("fails-1", "said"); got != "it is broken" {
		t.Errorf("it said %q", got)
	}
	if _, err := os.Stat(filepath.Join(s.folder, "once-1")); err == nil {
		t.Error("what an older script left is there still")
	}
	if status := s.ends("slow-1", "while :; do sleep 1; done", 1); status != 1 {
		t.Errorf("what takes too long ends with %d", status)
	}

	// Cut off, as by the end of the desktop: it is run anew.
	wait := "while [ ! -e " + filepath.Dir(s.folder) + "/go ]; do sleep 0.05; done\n"
	if status := s.run("cut-1", wait, 60); status != 75 {
		t.Errorf("at first it ends with %d", status)
	}
	process, _, _ := strings.Cut(s.file("cut-1", "process"), " ")
	pid, err := strconv.Atoi(process)
	if err != nil {
		t.Fatal(err)
	}
	for session := 0; session != pid; { // it may not have come to that
		if session, err = unix.Getsid(pid); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Kill(-pid, unix.SIGKILL); err != nil { // all of its session, which timeout leaves
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.folder), "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status := s.ends("cut-1", wait+count, 60); status != 0 {
		t.Errorf("run anew it ends with %d", status)
	}
	if got := s.file("..", "count"); got != "install\ninstall" {
		t.Errorf("they have run as %q", got)
	}
}
