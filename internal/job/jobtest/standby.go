package jobtest

import (
	"context"
	"net/netip"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// FarScope is where standby WorkSpaces are.
func FarScope() workspaces.Scope {
	return workspaces.Scope{Account: Scope().Account, Region: "eu-west-1"}
}

// farDirectoryID is the directory that every standby WorkSpace is in.
const farDirectoryID = "d-9876543210"

// StandBy asks for a standby WorkSpace of a primary, with the DataReplication, and returns its id.
func (w *World) StandBy(primary, replication string) string {
	w.tb.Helper()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		if _, found, err := tx.WorkspaceDirectory(ctx, FarScope(), farDirectoryID); err != nil || found {
			return err
		}
		subnet := Subnet()
		subnet.ID, subnet.Region, subnet.Zone = "subnet-0123456789abcdef1", FarScope().Region, "eu-west-1a"
		subnet.Prefix, subnet.Gateway = netip.MustParsePrefix("10.10.0.0/16"), netip.MustParseAddr("10.10.0.1")
		if err := tx.PutSubnet(ctx, subnet); err != nil {
			return err
		}
		d := &workspaces.WorkspaceDirectory{
			Scope: FarScope(), ID: farDirectoryID, Type: "SIMPLE_AD", WorkspaceType: "PERSONAL", SubnetIDs: []string{subnet.ID},
			RegistrationCode: "WSdub+ABC123", Settings: workspaces.NewDirectorySettings(), EmptySince: w.Clock.Now(),
		}
		d.Enter(workspaces.Registered, w.Clock.Now())
		return tx.InsertWorkspaceDirectory(ctx, d)
	})
	far := api.WithCaller(w.ctx, api.Caller{Account: FarScope().Account, Region: FarScope().Region})
	out, err := w.API.CreateStandbyWorkspaces(far, &wsapi.CreateStandbyWorkspacesRequest{
		PrimaryRegion: new(Scope().Region), StandbyWorkspaces: []wsapi.StandbyWorkspace{{
			PrimaryWorkspaceId: &primary, DirectoryId: new(farDirectoryID), DataReplication: &replication,
		}},
	})
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	for _, failed := range out.FailedStandbyRequests {
		w.tb.Fatalf("CreateStandbyWorkspaces: %s: %s", *failed.ErrorCode, *failed.ErrorMessage)
	}
	return *out.PendingStandbyRequests[0].WorkspaceId
}

// Standby returns a standby WorkSpace and what ties it to its primary, nil where it is gone.
func (w *World) Standby(id string) (found *workspaces.WorkSpace, tie *workspaces.Standby) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		if found, _, err = tx.WorkSpace(ctx, FarScope(), id); err != nil {
			return err
		}
		t, tied, err := tx.Standby(ctx, FarScope(), id)
		if tied {
			tie = t
		}
		return err
	})
	return found, tie
}

// ReplicateDue brings standby WorkSpaces up to date, as the loop of replications does.
func (w *World) ReplicateDue() {
	w.tb.Helper()
	if _, err := w.Runner.ReplicateDue(w.ctx); err != nil {
		w.tb.Fatalf("%v", err)
	}
}
