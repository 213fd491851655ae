package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"carrel/internal/compute"
	"carrel/web"
)

// machine is what doctor looks at of the machine that it runs on.
type machine struct {
	root     fs.FS // the file system
	uid      int
	name     string // of the user
	groups   []string
	lookPath func(program string) (string, error)
}

// thisMachine is the machine that this process runs on.
func thisMachine() machine {
	m := machine{root: os.DirFS("/"), uid: os.Geteuid(), name: strconv.Itoa(os.Geteuid()), lookPath: exec.LookPath}
	self, err := user.Current()
	if err != nil {
		return m
	}
	m.name = self.Username
	ids, err := self.GroupIds()
	if err != nil {
		return m
	}
	for _, id := range ids {
		if group, err := user.LookupGroupId(id); err == nil {
			m.groups = append(m.groups, group.Name)
		}
	}
	return m
}

// user looks at who runs Carrel: Incus lets in root and one group.
func (d *doctor) user(context.Context) []finding {
	m := d.machine
	if m.uid == 0 {
		return []finding{okf("user", "root")}
	}
	if slices.Contains(m.groups, "incus-admin") {
		return []finding{{statusWarn, "user", m.name + ", who may use Incus", "carrel image build needs root: sudo carrel image build"}}
	}
	if d.config.Engine == "simulated" {
		return []finding{okf("user", "%s; simulated desktops need no rights", m.name)}
	}
	return []finding{{
		d.unlessAuto(), "user", m.name + ", who may not use Incus",
		"run carrel as root, or: sudo usermod -aG incus-admin " + quote(m.name),
	}}
}

// unlessAuto is how bad it is to have no Incus: with --engine auto desktops are simulated then.
func (d *doctor) unlessAuto() status {
	if d.config.Engine == "auto" {
		return statusWarn
	}
	return statusMissing
}

// littleRoom is the free space under which doctor warns. The database needs far less; a full disk
// stops everything.
const littleRoom = 1 << 30

// dataFolder looks at whether the data folder can be written, or made.
func (d *doctor) dataFolder(context.Context) []finding {
	const what = "data folder"
	path, note := d.config.Data, ""
	for {
		_, err := os.Stat(path)
		if err == nil {
			break
		}
		if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
			path, note = parent, ", which the first start makes"
			continue
		}
		return []finding{{statusMissing, what, err.Error(), "name another folder with --data"}}
	}
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return []finding{{
			statusMissing, what, fmt.Sprintf("%s cannot be written: %v", path, err),
			"let the user of carrel serve write it, or name another with --data",
		}}
	}
	var room unix.Statfs_t
	if err := unix.Statfs(path, &room); err == nil {
		if free := room.Bavail * uint64(room.Bsize); free < littleRoom { //nolint:gosec // a block size is positive
			return []finding{{statusWarn, what, fmt.Sprintf("%s, with %d MiB free", d.config.Data, free>>20), "make room on that disk"}}
		}
	}
	return []finding{okf(what, "%s%s", d.config.Data, note)}
}

// kernel looks at what containers and their isolation need of the kernel.
func (d *doctor) kernel(context.Context) []finding {
	const what = "kernel"
	text, err := fs.ReadFile(d.machine.root, "proc/sys/kernel/osrelease")
	if err != nil {
		return []finding{{d.unlessAuto(), what, "this is no Linux", "run carrel serve on Linux, and this command against it by AWS_ENDPOINT_URL"}}
	}
	release := strings.TrimSpace(string(text))
	findings := []finding{okf(what, "Linux %s", release)}
	switch {
	case olderThan(release, 5, 6): // openat2, by which the gateway reaches a screen without following the user's links
		findings[0] = finding{d.unlessAuto(), what, "Linux " + release, "real desktops need Linux 5.6 or newer"}
	case olderThan(release, 6, 7): // btrfs's simple quotas
		findings[0] = finding{statusWarn, what, "Linux " + release, "with Linux 6.7 or newer, volumes with enforced sizes are made several times faster"}
	}
	spaces, err := fs.ReadFile(d.machine.root, "proc/sys/user/max_user_namespaces")
	if err != nil || strings.TrimSpace(string(spaces)) == "0" {
		findings = append(findings, finding{d.unlessAuto(), "user namespaces", "off", "sysctl user.max_user_namespaces=10000"})
	} else {
		findings = append(findings, okf("user namespaces", "on"))
	}
	return append(findings, d.subordinateIDs()...)
}

// olderThan reports whether a release such as 6.1.0-18-amd64 comes before a version. One that
// cannot be read does not.
func olderThan(release string, major, minor int) bool {
	var gotMajor, gotMinor int
	if n, err := fmt.Sscanf(release, "%d.%d", &gotMajor, &gotMinor); n != 2 || err != nil {
		return false
	}
	return gotMajor < major || gotMajor == major && gotMinor < minor
}

const (
	// idsEach is how many user ids a desktop takes, so that no two share one.
	idsEach = 65536
	// fewDesktops is what a machine should be able to run.
	fewDesktops = 100
)

// subordinateIDs looks at how many user ids root may give to desktops.
func (d *doctor) subordinateIDs() []finding {
	text, err := fs.ReadFile(d.machine.root, "etc/subuid")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Incus then has a range of its own
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 3 && fields[0] == "root" {
			count, _ := strconv.Atoi(fields[2]) // what cannot be read is no range
			if count/idsEach >= fewDesktops {
				return []finding{okf("user ids", "enough for %d desktops", count/idsEach)}
			}
			break
		}
	}
	return []finding{{
		statusWarn, "user ids", "root has too few subordinate ids for " + strconv.Itoa(fewDesktops) + " desktops in /etc/subuid",
		"scripts/incus-up.sh enlarges them",
	}}
}

// incusEngine looks at Incus.
func (d *doctor) incusEngine(ctx context.Context) []finding {
	about, err := d.incus(ctx)
	if err != nil {
		found := finding{d.unlessAuto(), "Incus", err.Error(), "apt install incus-base incus-client (Debian 12: from backports), then scripts/incus-up.sh"}
		if _, installErr := d.machine.lookPath("incusd"); installErr == nil && errors.Is(err, compute.ErrUnavailable) {
			found.Advice = "start it with: scripts/incus-up.sh, or: systemctl start incus"
		}
		if d.config.Engine == "auto" {
			found.Found += "; desktops are only simulated until it answers"
		}
		return []finding{found}
	}
	return engineFindings(about, d.config.Image)
}

// engineFindings is what an engine's account of itself comes to.
func engineFindings(about compute.About, image string) []finding {
	findings := []finding{okf("engine", "%s %s", about.Name, about.Version)}
	if about.SizesEnforced {
		findings = append(findings, okf("volume sizes", "enforced"))
	}
	if about.ReachEnforced {
		findings = append(findings, okf("network", "holds desktops to their security groups and Internet access"))
	}
	found := finding{statusMissing, "desktop image", "there is no " + image, "sudo carrel image build"}
	for _, i := range about.Images {
		if i.Name == image {
			found = okf("desktop image", "%s, serial %s", i.Name, i.Serial)
		}
	}
	if about.Name != "simulated" { // which takes any image for there
		findings = append(findings, found)
	}
	for _, problem := range about.Problems {
		if found.Status == statusMissing && len(about.Images) == 0 && strings.Contains(problem, "carrel image build") {
			continue // has been said
		}
		findings = append(findings, finding{Status: statusWarn, What: about.Name, Found: problem})
	}
	return findings
}

// imageTools looks at what carrel image build needs.
func (d *doctor) imageTools(context.Context) []finding {
	var findings []finding
	if _, err := d.machine.lookPath("mmdebstrap"); err != nil {
		findings = append(findings, finding{statusWarn, "mmdebstrap", "not installed; carrel image build needs it", "apt install mmdebstrap"})
	}
	agent, err := agentProgram("")
	if err != nil {
		return append(findings, finding{
			statusWarn, "carrel-agent", "not beside carrel; carrel image build needs it",
			"make build makes it; or name it with carrel image build --agent PATH",
		})
	}
	return append(findings, okf("carrel-agent", "%s", agent))
}

// portal looks at whether users can open their desktops in a browser.
func (*doctor) portal(context.Context) []finding {
	if !web.HasClient() {
		return []finding{{statusWarn, "portal", "built without the client that shows desktops in a browser", "install nodejs and npm, then: make build"}}
	}
	return []finding{okf("portal", "shows desktops in a browser")}
}
