package agent

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where the agent keeps what it says and offers. Only root writes here.
const (
	stateDir   = "/run/carrel"
	StatusFile = stateDir + "/status.json"
	RFBSocket  = stateDir + "/rfb.sock"
	SideSocket = stateDir + "/side.sock"
)

// mountTemporary mounts a tmpfs unless something is mounted there already.
func mountTemporary(path, options string) error {
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // the options give the mount its real mode
		return err
	}
	mounted, err := isMountPoint(path)
	if err != nil || mounted {
		return err
	}
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	return nil
}

func isMountPoint(path string) (bool, error) {
	var here, above unix.Stat_t
	if err := unix.Lstat(path, &here); err != nil {
		return false, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := unix.Lstat(filepath.Dir(path), &above); err != nil {
		return false, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return here.Dev != above.Dev, nil
}

// mountRun gives the desktop a /run that is empty at every start, and in it a place of the agent's own. The size keeps
// a full /run from being a full memory; the user writes to a mount of its own, see mountRuntimeDir.
func mountRun() error {
	return errors.Join(
		mountTemporary("/run", "mode=0755,size=16m"),
		makeDir("/run/lock", 0o1777),
		makeDir(stateDir, 0o755),
	)
}

// mountRuntimeDir makes the user's XDG_RUNTIME_DIR.
func mountRuntimeDir(uid int) error {
	return mountTemporary(runtimeDir(uid), fmt.Sprintf("mode=0700,uid=%d,gid=%d,size=256m", uid, uid))
}

// prepareTemporary sees to the directories in /tmp that X programs expect root to have made. /tmp lives on the root
// volume and may hold whatever the user left there last time, symbolic links by these names included.
func prepareTemporary(root string) error {
	errs := []error{makeDir(filepath.Join(root, "tmp"), 0o1777)}
	for _, name := range []string{".X11-unix", ".ICE-unix"} {
		path := filepath.Join(root, "tmp", name)
		errs = append(errs, os.RemoveAll(path), makeDir(path, 0o1777))
	}
	return errors.Join(errs...)
}

// makeDir makes a directory, or gives one that is there the mode. Modes are Unix's own here, sticky bit included.
func makeDir(path string, mode uint32) error {
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // the next line decides
		return err
	}
	if err := syscall.Chmod(path, mode); err != nil {
		return &os.PathError{Op: "chmod", Path: path, Err: err}
	}
	return nil
}

// ensureMachineID gives the desktop an identity of its own: images carry an empty one, and D-Bus wants one.
func ensureMachineID(root string) error {
	path := filepath.Join(root, "etc/machine-id")
	if content, err := os.ReadFile(path); err == nil && len(content) >= 32 {
		return nil
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(hex.EncodeToString(id)+"\n"), 0o444) //nolint:gosec // as systemd makes it
}
