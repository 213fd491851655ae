package incus

import (
	"fmt"
	"strconv"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// processLimit bounds what a fork bomb in a desktop costs the host. Threads count; a
// browser with many tabs has some hundred, a large development environment 3,000.
const processLimit = 8192

// instanceRequest describes the desktop's instance to Incus, which is to make and
// start it in one operation.
func (d *Driver) instanceRequest(desktop compute.Desktop, fingerprint string, card map[string]string, homePool string) api.InstancesPost {
	return api.InstancesPost{
		Name:   desktop.ID,
		Type:   api.InstanceTypeContainer,
		Source: api.InstanceSource{Type: "image", Fingerprint: fingerprint},
		Start:  true,
		InstancePut: api.InstancePut{
			Description: printable(desktop.ComputerName + ", " + desktop.User.Name),
			Profiles:    []string{}, // not those of the image, nor the default one
			Config:      d.instanceConfig(desktop),
			Devices: map[string]map[string]string{
				"root": {"type": "disk", "path": "/", "pool": d.rootPool(desktop), "size": gibibytes(desktop.RootGiB)},
				"home": {"type": "disk", "path": "/home", "pool": homePool, "source": homeVolume(desktop.ID)},
				"eth0": card,
			},
		},
	}
}

// instanceConfig is the desktop's configuration. boot.autostart is absent on purpose:
// Incus then starts after a reboot of the host what ran before it.
func (d *Driver) instanceConfig(desktop compute.Desktop) map[string]string {
	config := map[string]string{
		tagInstallation: d.installation,
		tagDesktop:      desktop.ID,

		"limits.cpu":       cpuLimit(desktop),
		"limits.memory":    memoryLimit(desktop),
		"limits.processes": strconv.Itoa(processLimit),

		// Each desktop has users' ids of its own, so that one that breaks out owns
		// nothing of another. The rest are Incus's defaults, which a default profile
		// cannot change here because the instance has no profile.
		"security.idmap.isolated": "true",
		"security.privileged":     "false",
		"security.nesting":        "false",
		"security.guestapi":       "false",

		// The address is there when the first process starts, and the image needs
		// nothing to set it up. No text of anybody's may get into this value: its
		// lines are settings of LXC.
		"raw.lxc": fmt.Sprintf("lxc.net.0.ipv4.address=%s/%d\nlxc.net.0.ipv4.gateway=%s\n",
			desktop.Address, desktop.Subnet.Prefix.Bits(), desktop.Subnet.Gateway),
	}
	if desktop.Reach.Restricted() {
		config[tagHeld] = holding{desktop.Address, desktop.Reach}.String()
	}
	for name, value := range environment(desktop) {
		config["environment."+name] = value
	}
	return config
}

// environment is what the desktop's first process, Carrel's agent, is told.
func environment(desktop compute.Desktop) map[string]string {
	told := map[string]string{
		"CARREL_USER":        printable(desktop.User.Name),
		"CARREL_FULLNAME":    printable(desktop.User.FullName),
		"CARREL_HOSTNAME":    printable(desktop.ComputerName),
		"CARREL_DNS":         desktop.Subnet.Gateway.String(),
		"CARREL_LOCAL_ADMIN": "0",
	}
	if desktop.User.LocalAdministrator {
		told["CARREL_LOCAL_ADMIN"] = "1"
	}
	return told
}

func cpuLimit(desktop compute.Desktop) string { return strconv.Itoa(desktop.CPUs) }

func memoryLimit(desktop compute.Desktop) string { return strconv.Itoa(desktop.MemoryMiB) + "MiB" }

func gibibytes(n int) string { return strconv.Itoa(n) + "GiB" }
