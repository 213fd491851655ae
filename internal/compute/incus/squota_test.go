package incus_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"carrel/internal/compute/incus"
)

const mountinfo = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
47 22 0:44 / /var/lib/incus/storage-pools/carrel rw,relatime shared:1 - btrfs /dev/loop0 rw,subvol=/
48 22 0:45 / /var/lib/incus/storage-pools/other rw,relatime - btrfs /dev/sdb1 rw,subvol=/
`

func TestSizesEnforced(t *testing.T) {
	t.Parallel()
	const fileSystem = "sys/fs/btrfs/0123-4567/"
	kernel := func(files ...string) fstest.MapFS {
		shown := fstest.MapFS{"proc/self/mountinfo": {Data: []byte(mountinfo)}, "sys/fs/btrfs/89ab/devices/sdb1": {}}
		for i := 0; i < len(files); i += 2 {
			shown[fileSystem+files[i]] = &fstest.MapFile{Data: []byte(files[i+1] + "\n")}
		}
		return shown
	}
	for _, c := range []struct {
		what     string
		driver   string
		kernel   fstest.MapFS
		enforced bool
		problem  string // a part of it; "" for none
	}{
		{"simple quotas", "btrfs", kernel("devices/loop0", "", "qgroups/mode", "squota", "qgroups/inconsistent", "0"), true, ""},
		{"full quotas", "btrfs", kernel("devices/loop0", "", "qgroups/mode", "qgroup", "qgroups/inconsistent", "0"), true, "slower"},
		{"wrong counts", "btrfs", kernel("devices/loop0", "", "qgroups/mode", "qgroup", "qgroups/inconsistent", "1"), false, "rescan"},
		{"no quotas", "btrfs", kernel("devices/loop0", ""), false, "quotas are off"},
		{"another file system", "btrfs", kernel(), false, "unknown"},
		{"no kernel", "btrfs", fstest.MapFS{}, false, "unknown"},
		{"a directory", "dir", kernel(), false, "plain directory"},
		{"ZFS", "zfs", kernel(), true, ""},
	} {
		enforced, problem := incus.SizesEnforced(c.kernel, c.driver, "carrel")
		if enforced != c.enforced || (problem == "") != (c.problem == "") || !strings.Contains(problem, c.problem) {
			t.Errorf("%s: enforced %v, problem %q; want %v, %q", c.what, enforced, problem, c.enforced, c.problem)
		}
	}
}
