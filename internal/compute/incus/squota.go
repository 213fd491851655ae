package incus

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// sizesEnforced tells whether volumes of the pool cannot grow past their sizes, and
// what to do if not, or if it costs more than it has to. root is the host's file system.
func sizesEnforced(root fs.FS, driver, pool string) (enforced bool, problem string) {
	switch driver {
	case "btrfs":
		return btrfsEnforces(root, pool)
	case "dir":
		return false, fmt.Sprintf("storage pool %s is a plain directory: volumes grow past their sizes until the disk is full; "+
			"use a btrfs pool (scripts/incus-up.sh makes one)", pool)
	default: // lvm, zfs, ceph: a volume has its size by its nature
		return true, ""
	}
}

// btrfsEnforces reads how the kernel counts the pool's blocks. Incus sets a limit on
// each volume in any case; without valid counts the kernel never finds it exceeded.
func btrfsEnforces(root fs.FS, pool string) (enforced bool, problem string) {
	repair := fmt.Sprintf("btrfs quota rescan -w /var/lib/incus/storage-pools/%s", pool)
	accounting, err := btrfsAccounting(root, pool)
	if err != nil {
		return false, fmt.Sprintf("whether storage pool %s enforces the sizes of volumes is unknown: %v", pool, err)
	}
	mode, err := readLine(root, path.Join(accounting, "mode"))
	if err != nil {
		// The kernel shows the folder only while quotas are on.
		return false, fmt.Sprintf("storage pool %s does not enforce the sizes of volumes: quotas are off; scripts/incus-up.sh turns them on", pool)
	}
	if inconsistent, err := readLine(root, path.Join(accounting, "inconsistent")); err != nil || inconsistent != "0" {
		return false, fmt.Sprintf("storage pool %s does not enforce the sizes of volumes: its counts are not valid; run: %s", pool, repair)
	}
	if mode != "squota" {
		return true, fmt.Sprintf("storage pool %s counts with full quotas, which makes creating desktops several times slower: "+
			"with Linux 6.7 or newer, make the pool anew with scripts/incus-up.sh, which turns on simple quotas", pool)
	}
	return true, ""
}

// btrfsAccounting returns the folder in which the kernel shows the quotas of the file
// system that is mounted as the pool.
func btrfsAccounting(root fs.FS, pool string) (string, error) {
	device, err := poolDevice(root, pool)
	if err != nil {
		return "", err
	}
	members, err := fs.Glob(root, "sys/fs/btrfs/*/devices/"+device)
	if err != nil || len(members) != 1 {
		return "", fmt.Errorf("the kernel shows no btrfs file system on %s", device)
	}
	return path.Join(path.Dir(path.Dir(members[0])), "qgroups"), nil
}

// poolDevice returns the name of the block device that is mounted as the pool, e.g. loop0.
func poolDevice(root fs.FS, pool string) (string, error) {
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if m := parseMount(line); m.kind == "btrfs" && strings.HasSuffix(m.point, "/storage-pools/"+pool) {
			return path.Base(m.source), nil
		}
	}
	return "", fmt.Errorf("no btrfs file system is mounted as .../storage-pools/%s", pool)
}

func readLine(root fs.FS, name string) (string, error) {
	content, err := fs.ReadFile(root, name)
	return strings.TrimSpace(string(content)), err
}
