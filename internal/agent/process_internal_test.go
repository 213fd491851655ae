package agent

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestChildren does in one test, and in none beside it, all that starts real processes: collecting takes every child of
// this test program, whoever started it.
func TestChildren(t *testing.T) { //nolint:paralleltest // see above
	received := make(chan os.Signal, 16)
	signal.Notify(received, syscall.SIGCHLD)
	defer signal.Stop(received)
	processes := newChildren()
	await := func(child *process) syscall.WaitStatus {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for {
			select {
			case status := <-child.exited:
				return status
			case <-received:
				processes.reap()
			case <-deadline:
				t.Fatal("no exit was collected")
			}
		}
	}
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	shell := func(script string) command {
		return command{
			argv: []string{"/bin/sh", "-c", script}, env: []string{"GREETING=hello"}, dir: "/", uid: os.Getuid(),
			output: output, extra: []*os.File{output}, oomScore: 300,
		}
	}

	child, err := processes.start(shell(`echo "$GREETING" from $PWD; echo more >&3; exit 3`))
	if err != nil {
		t.Fatal(err)
	}
	if got := describeExit(await(child)); got != "exited with code 3" {
		t.Error(got)
	}
	if content, _ := os.ReadFile(output.Name()); string(content) != "hello from /\nmore\n" {
		t.Errorf("output %q", content)
	}

	child, err = processes.start(shell(`kill -9 $$`))
	if err != nil {
		t.Fatal(err)
	}
	if got := describeExit(await(child)); got != "killed by signal 9 (killed)" {
		t.Error(got)
	}

	child, err = processes.start(shell(`sleep 60`))
	if err != nil {
		t.Fatal(err)
	}
	if score, _ := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", child.pid)); strings.TrimSpace(string(score)) != "300" {
		t.Errorf("out-of-memory score %q", score)
	}
	if !slices.Contains(pidsOf("/proc", os.Getuid(), 0), child.pid) || slices.Contains(pidsOf("/proc", os.Getuid(), child.pid), child.pid) {
		t.Errorf("pid %d is missing in the list, or cannot be left out of it", child.pid)
	}
	_ = syscall.Kill(child.pid, syscall.SIGTERM)
	await(child)

	missing := shell("")
	missing.argv = []string{"/nonexistent/program"}
	if _, err := processes.start(missing); err == nil || !strings.Contains(err.Error(), "/nonexistent/program") {
		t.Errorf("error %v does not name the program", err)
	}
}

func TestRunsAs(t *testing.T) {
	t.Parallel()
	const running = "Name:\tbash\nState:\tS (sleeping)\nUid:\t10001\t0\t0\t0\n"
	for status, want := range map[string]bool{
		running: true,
		"Name:\tbash\nState:\tZ (zombie)\nUid:\t10001\t10001\t10001\t10001\n": false,
		"Name:\tbash\nState:\tS (sleeping)\nUid:\t0\t10001\t10001\t10001\n":   false,
		"": false,
	} {
		if runsAs(status, 10001) != want {
			t.Errorf("%q: want %v", status, want)
		}
	}
}
