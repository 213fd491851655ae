package workspaces_test

import (
	"testing"
	"time"

	"carrel/internal/workspaces"
)

// TestAssociation asks everything of an association in each state, and sees where that leads.
func TestAssociation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	deploy := func(force bool) func(*workspaces.Association) error {
		return func(a *workspaces.Association) error { a.Deploy(force, now); return nil }
	}
	redeploy := func(anew bool) func(*workspaces.Association) error {
		return func(a *workspaces.Association) error { a.Redeploy(anew, now); return nil }
	}
	asks := map[string]func(*workspaces.Association) error{
		"associate":    func(a *workspaces.Association) error { return a.Associate(now) },
		"disassociate": func(a *workspaces.Association) error { return a.Disassociate(now) },
		"deploy":       deploy(false),
		"force":        deploy(true),
		"restored":     redeploy(false),
		"rebuilt":      redeploy(true),
	}
	const inUse, exists, missing = "!InUse", "!AlreadyExists", "!NotFound"
	for _, row := range []struct {
		state    workspaces.AssociationState
		removing bool
		leads    map[string]string // where nothing is said, the state stays
	}{
		{workspaces.PendingInstall, false, map[string]string{
			"associate": exists, "disassociate": "REMOVED", "deploy": "PENDING_INSTALL_DEPLOYMENT", "force": "PENDING_INSTALL_DEPLOYMENT",
		}},
		{workspaces.PendingInstallDeployment, false, map[string]string{"associate": inUse, "disassociate": inUse}},
		{workspaces.Installing, false, map[string]string{"associate": inUse, "disassociate": inUse}},
		{workspaces.InstallCompleted, false, map[string]string{
			"associate": exists, "disassociate": "PENDING_UNINSTALL", "restored": "PENDING_INSTALL_DEPLOYMENT", "rebuilt": "PENDING_INSTALL_DEPLOYMENT",
		}},
		{workspaces.AssociationErrored, false, map[string]string{
			"associate": exists, "disassociate": "PENDING_UNINSTALL", "force": "PENDING_INSTALL_DEPLOYMENT",
		}},
		{workspaces.AssociationErrored, true, map[string]string{
			"associate": exists, "disassociate": "PENDING_UNINSTALL", "force": "PENDING_UNINSTALL_DEPLOYMENT", "rebuilt": "REMOVED",
		}},
		{workspaces.PendingUninstall, false, map[string]string{
			"associate": "PENDING_INSTALL", "deploy": "PENDING_UNINSTALL_DEPLOYMENT", "force": "PENDING_UNINSTALL_DEPLOYMENT", "rebuilt": "REMOVED",
		}},
		{workspaces.PendingUninstallDeployment, true, map[string]string{"associate": inUse, "disassociate": inUse, "rebuilt": "REMOVED"}},
		{workspaces.Uninstalling, true, map[string]string{"associate": inUse, "disassociate": inUse, "rebuilt": "REMOVED"}},
		{workspaces.AssociationRemoved, true, map[string]string{"associate": "PENDING_INSTALL", "disassociate": missing}},
	} {
		for ask, do := range asks {
			a := &workspaces.Association{State: row.state, Removing: row.removing, Runs: 3}
			before := *a
			want, said := row.leads[ask]
			if !said {
				want = string(row.state)
			}
			var got string
			if err := do(a); err != nil {
				got = "!" + string(workspaces.CodeOf(err))
				if *a != before {
					t.Errorf("%s refuses to %s and changes", row.state, ask)
				}
			} else {
				got = string(a.State)
			}
			if got != want {
				t.Errorf("%s (removing: %v): %s leads to %s, want %s", row.state, row.removing, ask, got, want)
			}
			// Each deployment is a run of its own.
			if on := a.IsDeployed() && !before.IsDeployed(); (a.Runs == 4) != on || a.Runs != 3 && a.Runs != 4 {
				t.Errorf("%s: after %s it has %d runs", row.state, ask, a.Runs)
			}
		}
	}
}

// TestDeployedAssociation goes both ways, with every end.
func TestDeployedAssociation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, during, end workspaces.AssociationState
		code              string
	}{
		{workspaces.PendingInstall, workspaces.Installing, workspaces.InstallCompleted, ""},
		{workspaces.PendingInstall, workspaces.Installing, workspaces.AssociationErrored, "why"},
		{workspaces.PendingUninstall, workspaces.Uninstalling, workspaces.AssociationRemoved, ""},
		{workspaces.PendingUninstall, workspaces.Uninstalling, workspaces.AssociationErrored, "why"},
	} {
		for _, removedBefore := range []bool{false, true} {
			a := &workspaces.Association{State: c.from, Removing: removedBefore}
			a.Deploy(false, now)
			a.Begin(now)
			if a.State != c.during {
				t.Errorf("from %s it is %s, want %s", c.from, a.State, c.during)
			}
			a.Conclude(c.code, "m", now)
			if a.State != c.end || a.ErrorCode != c.code || !a.UpdatedAt.Equal(now) {
				t.Errorf("from %s it ends as %+v, want %s", c.from, a, c.end)
			}
		}
	}
}
