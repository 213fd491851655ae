package incus_test

import (
	"bytes"
	"context"
	"errors"
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
}

func (s shell) run(name, text string, seconds int) (status int) {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), "/bin/sh", "-c", incus.RunProgram, "carrel-run", name, strconv.Itoa(seconds), "install")
	cmd.Env = append(os.Environ(), "CARREL_SCRIPTS="+s.folder, "CARREL_SCRIPT="+text)
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
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("there is no setsid here: ", err)
	}
	s := shell{t, filepath.Join(t.TempDir(), "scripts")}
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
