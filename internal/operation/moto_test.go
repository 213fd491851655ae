package operation_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/moto"
	"carrel/internal/workspaces"
)

// inBothWays starts a server that can keep moto's ways, and does not yet.
func inBothWays(t *testing.T, change ...func(*setup)) (*server, *moto.Ways) {
	t.Helper()
	ways := new(moto.Ways)
	return start(t, append(change, func(set *setup) { set.Ways = ways })...), ways
}

func smallRoot(gib int32) func(*types.WorkspaceRequest) {
	return properties(types.WorkspaceProperties{RootVolumeSizeGib: new(gib), UserVolumeSizeGib: new(int32(10))})
}

// TestSmallRootVolumes makes desktops whose volumes the service does not have.
func TestSmallRootVolumes(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, anybody)
	c, d := s.client(), s.home(t)
	create := func(gib int32) error {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "jane", smallRoot(gib))}})
		return err
	}
	refused(t, create(10), "InvalidParameterValuesException", "volume size")
	ways.Keep(true)
	refused(t, create(9), "InvalidParameterValuesException", "volume size")
	id := s.create(t, c, order(d, "jane", smallRoot(10)))[0]
	made := s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	if *made.WorkspaceProperties.RootVolumeSizeGib != 10 {
		t.Error(show(made))
	}
	ways.Keep(false)
	refused(t, create(10), "InvalidParameterValuesException", "volume size")
}

// TestSecondWorkSpaces gives a user several, in one call and in two, which live on when moto's ways end.
func TestSecondWorkSpaces(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, anybody)
	c, d := s.client(), s.home(t)
	create := func(n int) (*sdk.CreateWorkspacesOutput, error) {
		in := &sdk.CreateWorkspacesInput{}
		for range n {
			in.Workspaces = append(in.Workspaces, order(d, "jane"))
		}
		return c.CreateWorkspaces(t.Context(), in)
	}
	first := s.create(t, c, order(d, "jane"))[0]
	out, err := create(1)
	wantFailed(t, out, err, "ResourceExists.WorkSpace")
	ways.Keep(true)
	if out, err = create(2); err != nil || len(out.PendingRequests) != 2 {
		t.Fatalf("%s, %v", show(out), err)
	}
	for _, w := range append(out.PendingRequests, types.Workspace{WorkspaceId: &first}) {
		s.awaitState(t, c, *w.WorkspaceId, types.WorkspaceStateAvailable)
	}
	second := *out.PendingRequests[1].WorkspaceId
	if all := allIDs(t, c, sdk.DescribeWorkspacesInput{DirectoryId: &d, UserName: new("Jane")}); len(all) != 3 {
		t.Errorf("her WorkSpaces are %v", all)
	}

	ways.Keep(false)
	if _, err := c.TerminateWorkspaces(t.Context(), &sdk.TerminateWorkspacesInput{
		TerminateWorkspaceRequests: []types.TerminateRequest{{WorkspaceId: &first}},
	}); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, c, first)
	out, err = create(1)
	wantFailed(t, out, err, "ResourceExists.WorkSpace")
	s.await(t, "a snapshot", func() bool { return s.migrates(t, c, second) })
}

// migrates begins to migrate a WorkSpace and waits for what comes of it, unless it has no snapshot to begin with yet.
func (s *server) migrates(t *testing.T, c client, id string) bool {
	t.Helper()
	target, err := migrate(t, c, id, performance)
	if err != nil {
		t.Log(err)
		return false
	}
	s.awaitState(t, c, target, types.WorkspaceStateAvailable)
	s.awaitGone(t, c, id)
	return true
}

// TestMigrateSecond migrates a user's second WorkSpace while there is the first.
func TestMigrateSecond(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, anybody)
	c, d := s.client(), s.home(t)
	ways.Keep(true)
	both := s.create(t, c, order(d, "jane"), order(d, "jane"))
	for _, id := range both {
		s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	}
	if !s.migrates(t, c, both[1]) {
		t.Error("it is not migrated")
	}
	s.awaitState(t, c, both[0], types.WorkspaceStateAvailable)
}

// TestWholeReplies looks at what CreateWorkspaces answers at once.
func TestWholeReplies(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, anybody)
	c, d := s.client(), s.home(t)
	for _, kept := range []bool{false, true} {
		ways.Keep(kept)
		out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{
			order(d, map[bool]string{false: "jane", true: "john"}[kept], func(r *types.WorkspaceRequest) { r.RootVolumeEncryptionEnabled = new(true) }),
		}})
		if err != nil {
			t.Fatal(err)
		}
		w := out.PendingRequests[0]
		if (w.WorkspaceProperties != nil) != kept || (w.RootVolumeEncryptionEnabled != nil) != kept || w.State != types.WorkspaceStatePending {
			t.Errorf("%v: %s", kept, show(w))
		}
	}
}

func TestUnknownDirectories(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t)
	c := s.client()
	modify := func(id string) error {
		_, err := c.ModifyWorkspaceCreationProperties(t.Context(), &sdk.ModifyWorkspaceCreationPropertiesInput{
			ResourceId: &id, WorkspaceCreationProperties: &types.WorkspaceCreationProperties{EnableInternetAccess: new(true)},
		})
		return err
	}
	d := s.home(t)
	refused(t, modify("d-9067f6c44b"), "ResourceNotFoundException")
	ways.Keep(true)
	refused(t, modify("d-9067f6c44b"), "ValidationException", "invalid")
	if err := modify(d); err != nil {
		t.Error(err)
	}
}

// TestOddSubnets registers a directory with subnets of which moto takes any.
func TestOddSubnets(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, anybody, func(set *setup) { set.AnySubnet = true })
	c := s.client()
	id := s.directory(t, workspaces.Scope{Account: account, Region: region})
	in := &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id, SubnetIds: []string{"subnet-466844", "subnet-466845"}}
	_, err := c.RegisterWorkspaceDirectory(t.Context(), in)
	refused(t, err, "ValidationException", "subnetIds.1.member")
	ways.Keep(true)
	s.register(t, c, in)
	made := s.awaitState(t, c, s.create(t, c, order(id, "jane"))[0], types.WorkspaceStateAvailable)
	if *made.SubnetId != "subnet-466844" && *made.SubnetId != "subnet-466845" {
		t.Error(show(made))
	}
	s.advance(t, time.Hour, c, *made.WorkspaceId)
}
