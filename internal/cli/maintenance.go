package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // where the machine has no list of time zones

	"github.com/spf13/pflag"

	"carrel/internal/compute"
	"carrel/internal/workspaces"
)

// MaintenanceConfig says whether and how WorkSpaces are kept up to date in their maintenance windows.
type MaintenanceConfig struct {
	Windows  string // auto, on, off
	TimeZone string // as the IANA database names it, or Local
	Script   string // a file; "": the updates of the desktop's distribution
	Limit    time.Duration
	Parallel int
	Reboot   bool
}

func (m *MaintenanceConfig) flags(f *pflag.FlagSet) {
	f.StringVar(&m.Windows, "maintenance-windows", "auto", "whether WorkSpaces are kept up to date in their maintenance windows: on, off or auto (on with Incus)")
	f.StringVar(&m.TimeZone, "maintenance-time-zone", "Local", "the time zone of maintenance windows, such as Europe/Berlin; Local is the machine's")
	f.StringVar(&m.Script, "maintenance-script", "", "a shell script that is run as root in a desktop in its window; empty: the updates of its distribution")
	f.DurationVar(&m.Limit, "maintenance-limit", compute.MaxRun, "how long that may take")
	f.IntVar(&m.Parallel, "maintenance-parallel", 2, "how many WorkSpaces are maintained at once")
	f.BoolVar(&m.Reboot, "maintenance-reboot", false, "reboot an ALWAYS_ON WorkSpace after its updates, unless its user is connected")
}

func (m *MaintenanceConfig) check() error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if choices := []string{"auto", "on", "off"}; !slices.Contains(choices, m.Windows) {
		refuse("--maintenance-windows is one of %s, not %q", strings.Join(choices, ", "), m.Windows)
	}
	if _, err := m.Zone(); err != nil {
		problems = append(problems, err)
	}
	if m.Limit < time.Second || m.Limit > compute.MaxRun {
		refuse("--maintenance-limit lies between 1s and %v", compute.MaxRun)
	}
	if m.Parallel < 1 {
		refuse("--maintenance-parallel is at least 1")
	}
	return errors.Join(problems...)
}

// Zone returns the time zone of the windows.
func (m *MaintenanceConfig) Zone() (*time.Location, error) {
	zone, err := time.LoadLocation(m.TimeZone)
	if err != nil || m.TimeZone == "" {
		return nil, fmt.Errorf("--maintenance-time-zone is one such as Europe/Berlin, UTC or Local, not %q", m.TimeZone)
	}
	return zone, nil
}

// On reports whether there are windows with an engine.
func (m *MaintenanceConfig) On(engine string) bool {
	return m.Windows == "on" || m.Windows == "auto" && engine == "incus"
}

// Text returns the script, which it reads.
func (m *MaintenanceConfig) Text() (string, error) {
	if m.Script == "" {
		return workspaces.MaintenanceScript(), nil
	}
	text, err := readScript(m.Script)
	if err != nil {
		return "", fmt.Errorf("--maintenance-script: %w", err)
	}
	return text, nil
}
