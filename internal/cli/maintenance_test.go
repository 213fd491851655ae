package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/internal/workspaces"
)

func TestMaintenanceSettings(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil)
	r.succeed(t)
	zone, err := c.Maintenance.Zone()
	must(t, err)
	text, err := c.Maintenance.Text()
	must(t, err)
	if !c.Maintenance.On("incus") || c.Maintenance.On("simulated") || zone != time.Local || text != workspaces.MaintenanceScript() ||
		c.Maintenance.Parallel != 2 || c.Maintenance.Reboot || c.Maintenance.Limit != 30*time.Minute {
		t.Errorf("by default: %+v in %v", c.Maintenance, zone)
	}
	c, r = settings(t, nil, "--ci", "--maintenance-windows=on")
	r.succeed(t)
	if zone, err = c.Maintenance.Zone(); err != nil || zone != time.UTC || !c.Maintenance.On("simulated") {
		t.Errorf("for test suites: %+v in %v, %v", c.Maintenance, zone, err)
	}
	script := filepath.Join(t.TempDir(), "own.sh")
	c, r = settings(t, []string{"CARREL_MAINTENANCE_WINDOWS=off"}, "--config",
		file(t, "maintenance-script: "+script+"\nmaintenance-time-zone: Europe/Berlin\nmaintenance-reboot: true\n"))
	r.succeed(t)
	if zone, err = c.Maintenance.Zone(); err != nil || zone.String() != "Europe/Berlin" || c.Maintenance.On("incus") || !c.Maintenance.Reboot {
		t.Errorf("of a file: %+v in %v, %v", c.Maintenance, zone, err)
	}
	if _, err := c.Maintenance.Text(); err == nil || !strings.Contains(err.Error(), "--maintenance-script: ") {
		t.Errorf("without its script: %v", err)
	}
	must(t, os.WriteFile(script, []byte("a\x00b"), 0o600))
	if _, err := c.Maintenance.Text(); err == nil || !strings.Contains(err.Error(), "is no script") {
		t.Errorf("with no text: %v", err)
	}
	must(t, os.WriteFile(script, []byte("echo hello\n"), 0o600))
	if text, err := c.Maintenance.Text(); err != nil || text != "echo hello\n" {
		t.Errorf("with its own: %q, %v", text, err)
	}
}
