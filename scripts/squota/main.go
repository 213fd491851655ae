// Command squota turns on btrfs simple quotas and reports on them.
//
// Carrel needs simple quotas before Incus sets the first size of a volume, because Incus would otherwise enable full
// qgroups, whose accounting makes creating a desktop several times slower. The kernel has had them since 6.7; the
// btrfs tool learned the flag in 6.7 too, and Debian 12 carries 6.2. Hence the system call, made here.
//
// Usage:
//
//	squota enable PATH    simple quotas on, for the btrfs file system that PATH lies on
//	squota status PATH    prints "mode=MODE inconsistent=0|1"; MODE is squota, qgroup or disabled
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From the kernel's include/uapi/linux/btrfs.h.
const (
	ioctlQuotaControl   = 0xc0109428 // BTRFS_IOC_QUOTA_CTL
	ioctlFilesystemInfo = 0x8400941f // BTRFS_IOC_FS_INFO
	enableSimpleQuotas  = 4          // BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA
)

// quotaControl is struct btrfs_ioctl_quota_ctl_args.
type quotaControl struct {
	command uint64
	status  uint64
}

// filesystemInfo is struct btrfs_ioctl_fs_info_args, of which only the file system's identifier is read.
type filesystemInfo struct {
	maxID      uint64
	numDevices uint64
	fsid       [16]byte
	_          [1024 - 32]byte
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: squota enable|status PATH")
		os.Exit(2)
	}
	var err error
	switch command, path := os.Args[1], os.Args[2]; command {
	case "enable":
		err = enable(path)
	case "status":
		err = status(path)
	default:
		err = fmt.Errorf("unknown command %q: say enable or status", command)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "squota:", err)
		os.Exit(1)
	}
}

// enable succeeds when simple quotas are already on. A kernel older than 6.7 answers EINVAL.
func enable(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	args := quotaControl{command: enableSimpleQuotas}
	if err := ioctl(dir, ioctlQuotaControl, unsafe.Pointer(&args)); err != nil {
		return fmt.Errorf("enable simple quotas on %s: %w", path, err)
	}
	return nil
}

// status reads what the kernel shows in sysfs. The directory it reads exists only while quotas of some kind are on.
func status(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	var info filesystemInfo
	if err := ioctl(dir, ioctlFilesystemInfo, unsafe.Pointer(&info)); err != nil {
		return fmt.Errorf("identify the btrfs file system of %s: %w", path, err)
	}
	id := info.fsid
	qgroups := filepath.Join("/sys/fs/btrfs", fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16]), "qgroups")
	mode, err := os.ReadFile(filepath.Join(qgroups, "mode"))
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("mode=disabled inconsistent=0")
		return nil
	}
	if err != nil {
		return err
	}
	inconsistent, err := os.ReadFile(filepath.Join(qgroups, "inconsistent"))
	if err != nil {
		return err
	}
	fmt.Printf("mode=%s inconsistent=%s\n", strings.TrimSpace(string(mode)), strings.TrimSpace(string(inconsistent)))
	return nil
}

func ioctl(file *os.File, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, file.Fd(), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}
