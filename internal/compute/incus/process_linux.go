package incus

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// groupFolders returns where control groups are mounted: one folder with version 2,
// one for each controller with version 1.
func groupFolders() []string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var folders []string
	for line := range strings.Lines(string(mounts)) {
		if mount := parseMount(line); strings.HasPrefix(mount.kind, "cgroup") {
			folders = append(folders, mount.point)
		}
	}
	return folders
}

// firstProcess returns the first process of the container whose control group is
// payload, 0 if none is to be seen: it does not run, or its first process is in a group
// of its own below. The number may be another process's by now; see belongs.
func firstProcess(groups []string, payload string) int64 {
	for _, folder := range groups {
		processes, err := os.ReadFile(filepath.Join(folder, payload, "cgroup.procs")) //nolint:gosec // of the kernel's file system
		if err != nil {
			continue
		}
		for number := range strings.FieldsSeq(string(processes)) {
			status, err := os.ReadFile(filepath.Join("/proc", number, "status")) //nolint:gosec // of the kernel's file system
			if pid, invalid := strconv.ParseInt(number, 10, 64); err == nil && invalid == nil && first(string(status)) {
				return pid
			}
		}
	}
	return 0
}

// first tells whether a process with this /proc/PID/status is number 1 of a container.
// One of a container within the container has a third number.
func first(status string) bool {
	for line := range strings.Lines(status) {
		if numbers, found := strings.CutPrefix(line, "NSpid:"); found {
			fields := strings.Fields(numbers)
			return len(fields) == 2 && fields[1] == "1"
		}
	}
	return false
}

// belongs fails unless the process, a descriptor of /proc/PID, is in the control group.
func belongs(process *os.File, payload string) error {
	fd, err := unix.Openat(int(process.Fd()), "cgroup", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open cgroup: %w", err)
	}
	file := os.NewFile(uintptr(fd), "cgroup")
	defer file.Close()
	groups, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read cgroup: %w", err)
	}
	if !inGroup(string(groups), payload) {
		return fmt.Errorf("not in %s", payload)
	}
	return nil
}

// inGroup tells whether groups, in the format of /proc/PID/cgroup, has payload in one of its
// paths. LXC appends "-1" and so on where a group of the name was left over.
func inGroup(groups, payload string) bool {
	for name := range strings.FieldsFuncSeq(groups, func(r rune) bool { return r == '/' || r == '\n' }) {
		rest, found := strings.CutPrefix(name, payload)
		if !found {
			continue
		}
		number, numbered := strings.CutPrefix(rest, "-")
		if _, err := strconv.ParseUint(number, 10, 32); rest == "" || numbered && err == nil {
			return true
		}
	}
	return false
}
