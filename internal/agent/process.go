package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// command says how to start a program. Its working directory is Dir, its standard input Stdin, or nothing when that is
// nil; output and errors go to Output. More descriptors follow from 3 on.
type command struct {
	argv   []string
	env    []string
	dir    string
	uid    int
	groups []uint32
	stdin  *os.File
	output *os.File
	extra  []*os.File
	// oomScore is added to what the kernel thinks of killing it first when the desktop's memory is full.
	oomScore int
}

// process is a child. exited yields its wait status, once.
type process struct {
	pid    int
	exited <-chan syscall.WaitStatus
}

// children starts processes and collects them: those it started, and every orphan of the desktop, which the kernel
// hands to the first process. os/exec cannot be used beside that, because each would take the other's exits.
type children struct {
	mu      sync.Mutex // held from fork to registration, so that no exit is collected in between
	waiting map[int]chan<- syscall.WaitStatus
}

func newChildren() *children {
	return &children{waiting: make(map[int]chan<- syscall.WaitStatus)}
}

// start runs a command as its user, in a session of its own.
func (c *children) start(cmd command) (*process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	stdin, output := cmd.stdin, cmd.output
	if stdin == nil {
		stdin = null
	}
	if output == nil {
		output = null
	}
	files := []uintptr{stdin.Fd(), output.Fd(), output.Fd()}
	for _, file := range cmd.extra {
		files = append(files, file.Fd())
	}
	attributes := &syscall.ProcAttr{Dir: cmd.dir, Env: cmd.env, Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	if cmd.uid != os.Getuid() {
		id := uint32(cmd.uid) //nolint:gosec // ParseConfig keeps it between 1000 and 65533
		attributes.Sys.Credential = &syscall.Credential{Uid: id, Gid: id, Groups: cmd.groups}
	}

	c.mu.Lock()
	pid, err := syscall.ForkExec(cmd.argv[0], cmd.argv, attributes) //nolint:gosec // what the agent runs is in its own code
	if err != nil {
		c.mu.Unlock()
		return nil, &fs.PathError{Op: "start", Path: cmd.argv[0], Err: err}
	}
	exited := make(chan syscall.WaitStatus, 1)
	c.waiting[pid] = exited
	c.mu.Unlock()

	// Only preference is lost when this fails. What the program starts from now on inherits it.
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(strconv.Itoa(cmd.oomScore)), 0)
	return &process{pid: pid, exited: exited}, nil
}

// reap collects every child that has exited so far. One SIGCHLD may stand for many.
func (c *children) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if exited, ours := c.waiting[pid]; ours {
			exited <- status
			delete(c.waiting, pid)
		}
	}
}

// describeExit says how a process ended, for the logs.
func describeExit(status syscall.WaitStatus) string {
	if status.Signaled() {
		return fmt.Sprintf("killed by signal %d (%v)", status.Signal(), status.Signal())
	}
	return fmt.Sprintf("exited with code %d", status.ExitStatus())
}

// pidsOf lists the processes of a user except one of them, and without zombies, which nothing can be done about.
func pidsOf(proc string, uid, except int) []int {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == except || pid == os.Getpid() {
			continue
		}
		status, err := os.ReadFile(fmt.Sprintf("%s/%d/status", proc, pid))
		if err != nil {
			continue // it has ended since
		}
		if runsAs(string(status), uid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// runsAs reads /proc/PID/status. The real id is what counts: the owner of /proc/PID is root for a program such as sudo.
func runsAs(status string, uid int) bool {
	owned := false
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		switch {
		case len(fields) == 0:
		case name == "State" && fields[0] == "Z":
			return false
		case name == "Uid":
			owned = fields[0] == strconv.Itoa(uid)
		}
	}
	return owned
}
