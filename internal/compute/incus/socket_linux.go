package incus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"carrel/internal/compute"
)

// dialSocket connects to a socket in the file system of a desktop's first process; path
// is seen from the root of the desktop. Errors: ErrNotRunning when the process is not
// there, or is not in the control group payload any more because its number went to
// another one; ErrUnavailable when nothing listens.
//
// The desktop's user may be root in there and put anything anywhere. So the path is
// resolved below the desktop's root, through no symbolic link, without opening what it
// ends at; that has to be a socket, and the connection goes to it, not to its path.
func dialSocket(ctx context.Context, pid int64, payload, path string) (net.Conn, error) {
	// A descriptor of /proc/PID stays with its process: what is opened relative to it
	// fails once that is gone, whoever has the number then.
	process, err := openPath(unix.AT_FDCWD, "/proc/"+strconv.FormatInt(pid, 10), unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("%w: process %d: %w", compute.ErrNotRunning, pid, err)
	}
	defer process.Close()
	if err := belongs(process, payload); err != nil {
		return nil, fmt.Errorf("%w: process %d: %w", compute.ErrNotRunning, pid, err)
	}
	root, err := openPath(int(process.Fd()), "root", unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("%w: root of process %d: %w", notRunning(err), pid, err)
	}
	defer root.Close()
	socket, err := openSocket(root, path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
	}
	defer socket.Close()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", "/proc/self/fd/"+strconv.Itoa(int(socket.Fd())))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
	}
	return conn, nil
}

// notRunning tells a process that has ended from one that we may not look into.
func notRunning(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return compute.ErrNotRunning
	}
	return compute.ErrUnavailable
}

// openPath opens a place in the file system without touching what is there.
func openPath(folder int, path string, flags int) (*os.File, error) {
	fd, err := unix.Openat(folder, path, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openSocket opens, as a place, the socket at a path below root.
func openSocket(root *os.File, path string) (*os.File, error) {
	fd, err := unix.Openat2(int(root.Fd()), path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, fmt.Errorf("open /%s: %w", path, err)
	}
	socket := os.NewFile(uintptr(fd), path)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return nil, errors.Join(fmt.Errorf("/%s is not a socket", path), err, socket.Close())
	}
	return socket, nil
}
