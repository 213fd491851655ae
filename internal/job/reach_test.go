package job_test

import (
	"context"
	"testing"

	"carrel/internal/compute"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// set changes the directory as ModifyWorkspaceCreationProperties does, and who may leave its subnet.
func set(w *jobtest.World, internet string, p workspaces.CreationProperties) {
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		subnet := jobtest.Subnet()
		subnet.Internet = internet
		if err := tx.PutSubnet(ctx, subnet); err != nil {
			return err
		}
		d, _, err := tx.WorkspaceDirectory(ctx, jobtest.Scope(), jobtest.DirectoryID)
		if err != nil {
			return err
		}
		d.SecurityGroupID = "sg-0000000b"
		d.Settings.Creation = p
		_, err = tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
		return err
	})
}

// wantReach fails the test unless the engine holds the desktop to this.
func wantReach(t *testing.T, w *jobtest.World, id string, want compute.Reach) {
	t.Helper()
	if d, there := w.Engine.Desktop(id); !there || d.Reach != want {
		t.Errorf("%s is held to %+v, want %+v", id, d.Reach, want)
	}
}

// TestReach makes WorkSpaces under settings that change, and sees which of them follow.
func TestReach(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	first := w.Create("jane")[0]
	w.Settle()
	wantReach(t, w, first, compute.Reach{})

	const custom, own = "sg-0000000a", "sg-0000000b"
	set(w, workspaces.InternetEnabled, workspaces.CreationProperties{SecurityGroupID: custom})
	held := compute.Reach{Groups: [2]string{custom}, Offline: true}
	second := w.Create("mary")[0]
	lab := pool(w, 1).ID
	w.Settle()
	wantReach(t, w, second, held)
	_, desktops := poolNow(w, lab)
	wantReach(t, w, desktops[0].ID, held)
	wantReach(t, w, first, compute.Reach{})

	// Neither a start nor a restore asks the directory again; a rebuild does.
	w.Keep(first)
	for _, action := range []workspaces.Action{workspaces.ActionStop, workspaces.ActionStart, workspaces.ActionReboot, workspaces.ActionRestore} {
		w.Must(action, first)
		w.Settle()
		w.Keep(first)
	}
	wantReach(t, w, first, compute.Reach{})
	w.Must(workspaces.ActionRebuild, first)
	w.Settle()
	wantReach(t, w, first, held)

	// The directory's own group counts once it is declared, beside the one that is named.
	w.Runner.SecurityGroups = []string{own}
	set(w, workspaces.InternetEnabled, workspaces.CreationProperties{SecurityGroupID: custom, InternetAccess: true})
	target := migrate(w, second)
	w.Settle()
	wantReach(t, w, target, compute.Reach{Groups: [2]string{custom, own}})
	set(w, workspaces.InternetAlways, workspaces.CreationProperties{})
	third := w.Create("paul")[0]
	w.Settle()
	wantReach(t, w, third, compute.Reach{Groups: [2]string{"", own}})
	set(w, workspaces.InternetAlways, workspaces.CreationProperties{SecurityGroupID: own})
	fourth := w.Create("ann")[0]
	w.Settle()
	wantReach(t, w, fourth, compute.Reach{Groups: [2]string{own}})
}
