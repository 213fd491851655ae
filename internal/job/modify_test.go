package job_test

import (
	"slices"
	"testing"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/compute"
	"carrel/internal/job/jobtest"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestModifyCalls asks the engine for no more than a modification needs.
func TestModifyCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  workspaces.Action
		stopped bool
		want    []string
	}{
		"compute":          {workspaces.ActionModify, false, []string{"Resize", "Reboot"}},
		"compute, stopped": {workspaces.ActionModify, true, []string{"Resize"}},
		"volume":           {workspaces.ActionGrow, false, []string{"Resize"}},
		"volume, stopped":  {workspaces.ActionGrow, true, []string{"Resize"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New(t, storetest.SQLite(t), engine(0))
			id := available(t, w)
			if c.stopped {
				w.Must(workspaces.ActionStop, id)
				w.Settle()
			}
			before := w.State(id)
			w.Driver.Calls()
			w.Must(c.action, id)
			w.Settle()
			w.Want(id, before)
			if got := methods(w); !slices.Equal(got, c.want) {
				t.Errorf("the engine was asked to %v", got)
			}
			desktop, _ := w.Engine.Desktop(id)
			p := w.WorkSpace(id).Properties
			if size := workspaces.ComputeOf(p.ComputeType); desktop.CPUs != size.CPUs || desktop.MemoryMiB != size.MemoryMiB || desktop.UserGiB != p.UserGiB {
				t.Errorf("the desktop is %+v, and the WorkSpace %+v", desktop, p)
			}
			w.Sound()
		})
	}
}

// TestModifyUndone gives the desktop back what it had.
func TestModifyUndone(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := available(t, w)
	before, _ := w.Engine.Desktop(id)
	w.Driver.Fail("Reboot", compute.ErrFailed)
	w.Must(workspaces.ActionModify, id)
	w.Settle()
	got := w.WorkSpace(id)
	if got.ModificationState() != "UPDATE_FAILED" || got.Properties.ComputeType != "VALUE" || got.ErrorCode != "InternalFailure" {
		t.Errorf("%+v", got)
	}
	if after, _ := w.Engine.Desktop(id); after.MemoryMiB != before.MemoryMiB {
		t.Errorf("the desktop has %d MiB", after.MemoryMiB)
	}
	w.Driver.Fail("", nil)
	w.Must(workspaces.ActionModify, id)
	w.Settle()
	if got := w.WorkSpace(id); got.ModificationState() != "" || got.ErrorCode != "" || got.Properties.ComputeType != "PERFORMANCE" {
		t.Errorf("%+v", got)
	}
}

// TestProtocolIsOnlyNoted leaves a desktop alone that is reached the same way whatever its protocol.
func TestProtocolIsOnlyNoted(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	w.API.Bundles[0].Protocol = "PCOIP"
	id := available(t, w)
	_, err := w.API.ModifyWorkspaceProperties(w.Context(), &wsapi.ModifyWorkspacePropertiesRequest{
		WorkspaceId: &id, WorkspaceProperties: &wsapi.WorkspaceProperties{Protocols: []string{"WSP"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Want(id, workspaces.Updating)
	w.Settle()
	w.Want(id, workspaces.Available)
	if got := w.WorkSpace(id).Properties.Protocols; !slices.Equal(got, []string{"WSP"}) || len(w.Driver.Calls()) > 0 {
		t.Errorf("%v", got)
	}
}

// What is asked to be encrypted the engine is asked to encrypt, also where it is made anew.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	w.API.Encryption = true
	out, err := w.API.CreateWorkspaces(w.Context(), &wsapi.CreateWorkspacesRequest{Workspaces: []wsapi.WorkspaceRequest{{
		DirectoryId: new(jobtest.DirectoryID), UserName: new("jane"), BundleId: &w.API.Bundles[0].ID, UserVolumeEncryptionEnabled: new(true),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	w.Settle()
	check := func(id string) {
		t.Helper()
		if desktop, _ := w.Engine.Desktop(id); desktop.RootEncrypted || !desktop.UserEncrypted {
			t.Errorf("%+v", desktop)
		}
	}
	check(id)
	w.Keep(id)
	w.Must(workspaces.ActionRebuild, id)
	w.Settle()
	check(id)
	target := migrate(w, id)
	w.Settle()
	check(target)
}
