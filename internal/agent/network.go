package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The address and the route of a desktop are set by Incus before the first process starts. What is left is done here.

// bringUpLoopback does what "ip link set lo up" does.
func bringUpLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return fmt.Errorf("read the state of lo: %w", err)
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	return nil
}

// setHostname gives the kernel the name, if there is one to give, and the files that name the machine to its programs.
func setHostname(root, name string) error {
	if name == "" {
		current, err := os.Hostname()
		if err != nil {
			return err
		}
		name = current
	} else if err := unix.Sethostname([]byte(name)); err != nil {
		return os.NewSyscallError("sethostname", err)
	}
	return errors.Join(
		writeSystemFile(root, "etc/hostname", name+"\n"),
		writeSystemFile(root, "etc/hosts", hosts(name)),
	)
}

func hosts(name string) string {
	short, _, qualified := strings.Cut(name, ".")
	if qualified {
		name += " " + short
	}
	return "127.0.0.1 localhost\n127.0.1.1 " + name + "\n::1 localhost ip6-localhost ip6-loopback\n"
}

// setResolvers leaves what the image has when no resolver is given.
func setResolvers(root string, servers []netip.Addr) error {
	if len(servers) == 0 {
		return nil
	}
	var content strings.Builder
	for _, server := range servers {
		fmt.Fprintf(&content, "nameserver %s\n", server)
	}
	return writeSystemFile(root, "etc/resolv.conf", content.String())
}

// writeSystemFile replaces a file that all may read. It takes the place of a symbolic link rather than following it:
// resolv.conf is often one, to a file that some service would make which does not run here.
func writeSystemFile(root, name, content string) error {
	path := filepath.Join(root, name)
	next := path + ".carrel"
	if err := os.WriteFile(next, []byte(content), 0o644); err != nil { //nolint:gosec // there for all to read
		return err
	}
	return os.Rename(next, path)
}
