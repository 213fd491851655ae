package operation_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/workspaces"
)

func migrate(t *testing.T, c client, id, bundle string) (target string, err error) {
	t.Helper()
	out, err := c.MigrateWorkspace(t.Context(), &sdk.MigrateWorkspaceInput{SourceWorkspaceId: &id, BundleId: &bundle})
	if err != nil {
		return "", err
	}
	if *out.SourceWorkspaceId != id || *out.TargetWorkspaceId == id {
		t.Errorf("%s", show(out))
	}
	return *out.TargetWorkspaceId, nil
}

// TestMigrate shows two WorkSpaces of a user for a while, and in the end the other.
func TestMigrate(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow, func(set *setup) {
		set.engine.Create.Min, set.engine.Create.Max = time.Minute, time.Minute
		set.Limits.WorkSpaces = 1 // no quota stands in the way
	})
	c := s.client()
	d := s.home(t)
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{
		order(d, "jane", autoStop, func(r *types.WorkspaceRequest) { r.Tags = tags(2, "") }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	s.advance(t, time.Minute, c, id)
	before := s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	target, err := migrate(t, c, id, performance)
	if err != nil {
		t.Fatal(err)
	}
	both := allIDs(t, c, sdk.DescribeWorkspacesInput{DirectoryId: &d, UserName: new("Jane")})
	if len(both) != 2 {
		t.Errorf("her WorkSpaces are %v", both)
	}
	source, pending := s.describe(t, c, id)[0], s.describe(t, c, target)[0]
	if source.State != types.WorkspaceStateMaintenance || pending.State != types.WorkspaceStatePending || pending.IpAddress != nil {
		t.Errorf("%s\n%s", show(source), show(pending))
	}
	for _, do := range []act{startWorkSpaces, stopWorkSpaces, rebootWorkSpaces, rebuildWorkSpaces} {
		fails(t, do, c, id, wrongState, "MAINTENANCE")
		fails(t, do, c, target, wrongState, "PENDING")
	}
	s.advance(t, time.Minute, c, target)
	after := s.awaitState(t, c, target, types.WorkspaceStateAvailable)
	if got := s.describe(t, c, id)[0]; got.State != types.WorkspaceStateTerminating {
		t.Errorf("%s", show(got))
	}
	s.advance(t, 2*time.Minute, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateTerminated)
	s.advance(t, 2*time.Minute, c)
	s.awaitGone(t, c, id)
	if *after.IpAddress == *before.IpAddress || *after.ComputerName == *before.ComputerName || *after.BundleId != performance || *after.UserName != "jane" {
		t.Errorf("%s", show(after))
	}
	p := after.WorkspaceProperties
	if p.RunningMode != types.RunningModeAutoStop || *p.RunningModeAutoStopTimeoutInMinutes != 60 || *p.UserVolumeSizeGib != 100 ||
		*p.RootVolumeSizeGib != 80 || p.ComputeTypeName != types.ComputePerformance {
		t.Errorf("%s", show(p))
	}
	if got := tagsOf(t, c, target); len(got) != 2 {
		t.Errorf("%s", show(got))
	}
	created, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "JANE")}})
	wantFailed(t, created, err, "ResourceExists.WorkSpace")
}

// A migration that fails gives the WorkSpace back as it was, and says why.
func TestMigrateFails(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.engine.Capacity = 1 })
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	before := s.describe(t, c, id)[0]
	target, err := migrate(t, c, id, performance)
	if err != nil {
		t.Fatal(err)
	}
	after := s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	if after.ErrorCode == nil || *after.ErrorCode != "MigrationFailed" || after.ErrorMessage == nil {
		t.Errorf("%s", show(after))
	}
	after.ErrorCode, after.ErrorMessage = nil, nil
	if show(before) != show(after) {
		t.Errorf("%s\nbecame\n%s", show(before), show(after))
	}
	s.awaitGone(t, c, target)
	succeeds(t, rebootWorkSpaces, c, id)
	s.await(t, "rebooted", func() bool {
		w := s.describe(t, c, id)[0]
		return w.State == types.WorkspaceStateAvailable && w.ErrorCode == nil
	})
}

// A user-decoupled WorkSpace keeps its name.
func TestMigrateUndefined(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), workspaces.Undefined, func(r *types.WorkspaceRequest) { r.WorkspaceName = new("desk") }))[0]
	target, err := migrate(t, c, id, performance)
	if err != nil {
		t.Fatal(err)
	}
	s.awaitState(t, c, target, types.WorkspaceStateAvailable)
	s.awaitGone(t, c, id)
	if got := allIDs(t, c, sdk.DescribeWorkspacesInput{WorkspaceName: new("desk")}); len(got) != 1 || got[0] != target {
		t.Errorf("%v", got)
	}
}
