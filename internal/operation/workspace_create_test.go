package operation_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go/middleware"

	"carrel/internal/workspaces"
)

// show is a value of the SDK for people.
func show(v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// wantFailed wants each item refused alone, with these codes.
func wantFailed(t *testing.T, out *sdk.CreateWorkspacesOutput, err error, codes ...string) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	var got []string
	for _, f := range out.FailedRequests {
		got = append(got, *f.ErrorCode)
		if f.ErrorMessage == nil || *f.ErrorMessage == "" {
			t.Errorf("%s has no message", *f.ErrorCode)
		}
	}
	if !slices.Equal(got, codes) || len(out.PendingRequests) > 0 {
		t.Errorf("got %v and %d WorkSpaces, want %v", got, len(out.PendingRequests), codes)
	}
}

// properties changes an item's WorkspaceProperties.
func properties(p types.WorkspaceProperties) func(*types.WorkspaceRequest) {
	return func(r *types.WorkspaceRequest) { r.WorkspaceProperties = &p }
}

func bundle(id string) func(*types.WorkspaceRequest) {
	return func(r *types.WorkspaceRequest) { r.BundleId = &id }
}

func TestCreateWorkspaces(t *testing.T) {
	t.Parallel()
	s := start(t, pending)
	c := s.client()
	d := s.home(t, "jane")
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "Jane")}})
	if err != nil {
		t.Fatal(err)
	}
	id := out.PendingRequests[0].WorkspaceId
	want := &sdk.CreateWorkspacesOutput{
		FailedRequests: []types.FailedCreateWorkspaceRequest{},
		PendingRequests: []types.Workspace{{
			WorkspaceId: id, DirectoryId: &d, UserName: new("Jane"), State: types.WorkspaceStatePending, BundleId: new(standard),
		}},
	}
	out.ResultMetadata = middleware.Metadata{}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got %s\nwant %s", show(out), show(want))
	}
	w := types.Workspace{
		WorkspaceId: id, DirectoryId: &d, UserName: new("Jane"), BundleId: new(standard), State: types.WorkspaceStatePending,
		ModificationStates: []types.ModificationState{},
		WorkspaceProperties: &types.WorkspaceProperties{
			ComputeTypeName: types.ComputeStandard, RootVolumeSizeGib: new(int32(80)), UserVolumeSizeGib: new(int32(50)),
			RunningMode: types.RunningModeAlwaysOn, Protocols: []types.Protocol{types.ProtocolWsp},
		},
	}
	if got := s.describe(t, c, *id)[0]; !reflect.DeepEqual(got, w) {
		t.Errorf("got %s\nwant %s", show(got), show(w))
	}
	s.advance(t, 2*time.Minute, c, *id)
	w.State = types.WorkspaceStateAvailable
	got := s.awaitState(t, c, *id, w.State)
	if !slices.Contains([]string{subnetA, subnetB}, *got.SubnetId) || !strings.HasPrefix(*got.IpAddress, "10.") || !strings.HasPrefix(*got.ComputerName, "A-1") {
		t.Errorf("%s %s %s", *got.SubnetId, *got.IpAddress, *got.ComputerName)
	}
	got.SubnetId, got.IpAddress, got.ComputerName = nil, nil, nil
	if !reflect.DeepEqual(got, w) {
		t.Errorf("got %s\nwant %s", show(got), show(w))
	}
}

func TestCreateWorkspacesOptions(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	const key = "arn:aws:kms:eu-central-1:111111111111:key/51d81fab-b138-4bd2-8a09-07fd6d37224d"
	for name, o := range map[string]struct {
		change func(*types.WorkspaceRequest)
		want   func(*types.Workspace)
	}{
		"auto stop": {
			properties(types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop}),
			func(w *types.Workspace) {
				w.WorkspaceProperties.RunningMode = types.RunningModeAutoStop
				w.WorkspaceProperties.RunningModeAutoStopTimeoutInMinutes = new(int32(60))
			},
		},
		"auto stop of three hours": {
			properties(types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop, RunningModeAutoStopTimeoutInMinutes: new(int32(180))}),
			func(w *types.Workspace) {
				w.WorkspaceProperties.RunningMode = types.RunningModeAutoStop
				w.WorkspaceProperties.RunningModeAutoStopTimeoutInMinutes = new(int32(180))
			},
		},
		"by hand": {
			properties(types.WorkspaceProperties{RunningMode: types.RunningModeManual}),
			func(w *types.Workspace) { w.WorkspaceProperties.RunningMode = types.RunningModeManual },
		},
		"large volumes": {
			properties(types.WorkspaceProperties{RootVolumeSizeGib: new(int32(2000)), UserVolumeSizeGib: new(int32(175))}),
			func(w *types.Workspace) {
				w.WorkspaceProperties.RootVolumeSizeGib, w.WorkspaceProperties.UserVolumeSizeGib = new(int32(2000)), new(int32(175))
			},
		},
		"a user volume alone": {
			properties(types.WorkspaceProperties{UserVolumeSizeGib: new(int32(100))}),
			func(w *types.Workspace) { w.WorkspaceProperties.UserVolumeSizeGib = new(int32(100)) },
		},
		"a compute type that is not the bundle's": {
			properties(types.WorkspaceProperties{ComputeTypeName: types.ComputePower}),
			func(w *types.Workspace) { w.WorkspaceProperties.ComputeTypeName = types.ComputePower },
		},
		"protocols": {
			properties(types.WorkspaceProperties{Protocols: []types.Protocol{types.ProtocolPcoip, types.ProtocolWsp}}),
			func(w *types.Workspace) {
				w.WorkspaceProperties.Protocols = []types.Protocol{types.ProtocolPcoip, types.ProtocolWsp}
			},
		},
		"no protocols": {properties(types.WorkspaceProperties{Protocols: []types.Protocol{}}), func(*types.Workspace) {}},
		"an accelerator": {
			properties(types.WorkspaceProperties{GlobalAccelerator: &types.GlobalAcceleratorForWorkSpace{
				Mode: types.AGAModeForWorkSpaceEnumInherited, PreferredProtocol: types.AGAPreferredProtocolForWorkSpaceTcp,
			}}),
			func(w *types.Workspace) {
				w.WorkspaceProperties.GlobalAccelerator = &types.GlobalAcceleratorForWorkSpace{
					Mode: types.AGAModeForWorkSpaceEnumInherited, PreferredProtocol: types.AGAPreferredProtocolForWorkSpaceTcp,
				}
			},
		},
		"the operating system is the bundle's": {
			properties(types.WorkspaceProperties{OperatingSystemName: types.OperatingSystemNameWindows11}), func(*types.Workspace) {},
		},
		"encrypted": {
			func(r *types.WorkspaceRequest) {
				r.VolumeEncryptionKey, r.RootVolumeEncryptionEnabled, r.UserVolumeEncryptionEnabled = new(key), new(true), new(true)
			},
			func(w *types.Workspace) {
				w.VolumeEncryptionKey, w.RootVolumeEncryptionEnabled, w.UserVolumeEncryptionEnabled = new(key), new(true), new(true)
			},
		},
		"half encrypted": {
			func(r *types.WorkspaceRequest) {
				r.RootVolumeEncryptionEnabled, r.UserVolumeEncryptionEnabled = new(false), new(true)
			},
			func(w *types.Workspace) { w.UserVolumeEncryptionEnabled = new(true) },
		},
		"of nobody": {
			func(r *types.WorkspaceRequest) { r.UserName, r.WorkspaceName = new("[UNDEFINED]"), new("desk-1") },
			func(w *types.Workspace) { w.UserName, w.WorkspaceName = new("[UNDEFINED]"), new("desk-1") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := s.home(t, "jane")
			id := s.create(t, c, order(d, "jane", o.change))[0]
			want := types.Workspace{
				WorkspaceId: &id, DirectoryId: &d, UserName: new("jane"), BundleId: new(standard), State: types.WorkspaceStateAvailable,
				ModificationStates: []types.ModificationState{},
				WorkspaceProperties: &types.WorkspaceProperties{
					ComputeTypeName: types.ComputeStandard, RootVolumeSizeGib: new(int32(80)), UserVolumeSizeGib: new(int32(50)),
					RunningMode: types.RunningModeAlwaysOn, Protocols: []types.Protocol{types.ProtocolWsp},
				},
			}
			o.want(&want)
			got := s.describe(t, c, id)[0]
			got.SubnetId, got.IpAddress, got.ComputerName = nil, nil, nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %s\nwant %s", show(got), show(want))
			}
		})
	}
}

// TestCreateWorkspacesFailsAlone has every reason for which an item alone fails beside one that does not.
func TestCreateWorkspacesFailsAlone(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Encryption = false })
	c := s.client()
	d, unregistered := s.home(t, "jane", "john", "disabled", "owner"), s.directory(t, c.scope, "jane")
	far := s.homeOf(t, s.as(account, farRegion), "jane")
	pools := s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged, SubnetIds: []string{subnetA, subnetB},
		WorkspaceDirectoryName: new("Pools"), WorkspaceDirectoryDescription: new("For pools"),
	})
	s.create(t, c, order(d, "owner"))
	timeout := func(mode types.RunningMode) func(*types.WorkspaceRequest) {
		return properties(types.WorkspaceProperties{RunningMode: mode, RunningModeAutoStopTimeoutInMinutes: new(int32(60))})
	}
	items := []struct {
		order types.WorkspaceRequest
		code  string
		says  string
	}{
		{order("d-0123456789", "jane"), "ResourceNotFound.Directory", "The specified directory could not be found in the specified region."},
		{order(unregistered, "jane"), "ResourceNotFound.Directory", ""},
		{order(far, "jane"), "ResourceNotFound.Directory", ""},
		{order(pools, "jane"), "ResourceNotFound.Directory", ""},
		{order(d, "nobody"), "ResourceNotFound.User", "nobody"},
		{order(d, "disabled"), "ResourceNotFound.User", "disabled"},
		{order(d, " "), "ResourceNotFound.User", ""},
		{order(d, "jane", bundle("wsb-012345678")), "ResourceNotFound.Bundle", "wsb-012345678"},
		{order(d, "OWNER"), "ResourceExists.WorkSpace", "A WorkSpace already exists for the specified user."},
		{
			order(d, "jane", timeout(types.RunningModeAlwaysOn)), "AutoStopTimeoutIsNotApplicableForAnAlwaysOnWorkspace",
			"RunningModeAutoStopTimeoutInMinutes is not applicable for WorkSpace with running mode set to ALWAYS_ON.",
		},
		{order(d, "jane", timeout("")), "AutoStopTimeoutIsNotApplicableForAnAlwaysOnWorkspace", ""},
		{order(d, "jane", timeout(types.RunningModeManual)), "AutoStopTimeoutIsNotDefaultForManualWorkspace", ""},
		{order(d, "[UNDEFINED]"), "InvalidParameterValues.WorkspaceName", "WorkspaceName"},
		{order(d, "jane", func(r *types.WorkspaceRequest) { r.WorkspaceName = new("desk-1") }), "InvalidParameterValues.WorkspaceName", "[UNDEFINED]"},
		{order(d, "jane", func(r *types.WorkspaceRequest) { r.RootVolumeEncryptionEnabled = new(true) }), "OperationNotSupported.VolumeEncryption", ""},
		{order(d, "jane", func(r *types.WorkspaceRequest) { r.UserVolumeEncryptionEnabled = new(true) }), "OperationNotSupported.VolumeEncryption", ""},
		{order(d, "jane", func(r *types.WorkspaceRequest) { r.Ipv6Address = new("1:2:3:4:5:6:7:8") }), "InvalidParameterValues.Ipv6Address", "IPv4"},
	}
	var orders []types.WorkspaceRequest
	for _, item := range items {
		orders = append(orders, item.order)
	}
	good := order(d, "john", func(r *types.WorkspaceRequest) { r.Tags = tags(1, "") })
	twice := order(d, "JOHN")
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: append(orders, good, twice)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.PendingRequests) != 1 || *out.PendingRequests[0].UserName != "john" || len(out.FailedRequests) != len(items)+1 {
		t.Fatalf("%d pending and %d failed of %d", len(out.PendingRequests), len(out.FailedRequests), len(items)+2)
	}
	for i, item := range items {
		f := out.FailedRequests[i]
		if *f.ErrorCode != item.code || !strings.Contains(*f.ErrorMessage, item.says) || !reflect.DeepEqual(*f.WorkspaceRequest, item.order) {
			t.Errorf("%s: %s\nof %s\nwant %s: %s", *f.ErrorCode, *f.ErrorMessage, show(f.WorkspaceRequest), item.code, item.says)
		}
	}
	if f := out.FailedRequests[len(items)]; *f.ErrorCode != "ResourceExists.WorkSpace" || *f.WorkspaceRequest.UserName != "JOHN" {
		t.Errorf("twice in a call: %s", show(f))
	}
	s.awaitState(t, c, *out.PendingRequests[0].WorkspaceId, types.WorkspaceStateAvailable)
	if n := len(s.describe(t, c)); n != 2 {
		t.Errorf("there are %d WorkSpaces", n)
	}
}

// TestCreateWorkspacesFailsWhole has every reason for which a call fails. It leaves nothing of the good item before it.
func TestCreateWorkspacesFailsWhole(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.home(t, "jane", "john")
	sizes := func(computeType types.Compute, root, user int32) func(*types.WorkspaceRequest) {
		return properties(types.WorkspaceProperties{ComputeTypeName: computeType, RootVolumeSizeGib: &root, UserVolumeSizeGib: &user})
	}
	for name, f := range map[string]struct {
		change func(*types.WorkspaceRequest)
		want   string
		says   string
	}{
		"a pair that there is not": {sizes("", 80, 60), invalid, "Standard: Invalid root and user volume size selected. Root and user volume size (GB) must be"},
		"a root volume alone":      {properties(types.WorkspaceProperties{RootVolumeSizeGib: new(int32(175))}), invalid, "Standard"},
		"small graphics": {
			sizes(types.ComputeGraphics, 80, 100), invalid,
			"Graphics: Invalid root and user volume size selected. Root and user volume size (GB) must be (100+|100+).",
		},
		"a negative size": {sizes("", -80, 10), invalid, "Standard"},
		"half an hour": {
			properties(types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop, RunningModeAutoStopTimeoutInMinutes: new(int32(30))}), invalid, "60",
		},
		"no time": {
			properties(types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop, RunningModeAutoStopTimeoutInMinutes: new(int32(0))}), invalid, "60",
		},
		"one protocol twice": {
			properties(types.WorkspaceProperties{Protocols: []types.Protocol{types.ProtocolPcoip, types.ProtocolWsp, types.ProtocolWsp}}), invalid, "WSP",
		},
		"a reserved tag":   {func(r *types.WorkspaceRequest) { r.Tags = tags(1, "AWS:x") }, invalid, "AWS:x"},
		"one tag twice":    {func(r *types.WorkspaceRequest) { r.Tags = append(tags(1, ""), tags(1, "")...) }, invalid, "twice"},
		"too many tags":    {func(r *types.WorkspaceRequest) { r.Tags = tags(51, "") }, limit, "50"},
		"no such mode":     {properties(types.WorkspaceProperties{RunningMode: "SOMETIMES"}), validation, "workspaces.2.member.workspaceProperties.runningMode"},
		"no such protocol": {properties(types.WorkspaceProperties{Protocols: []types.Protocol{"DCV"}}), validation, "protocols"},
		"a bad directory":  {func(r *types.WorkspaceRequest) { r.DirectoryId = new("d-906787e2cx") }, validation, "directoryId"},
		"a long name":      {func(r *types.WorkspaceRequest) { r.UserName = new(strings.Repeat("x", 64)) }, validation, "userName"},
	} {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
			Workspaces: []types.WorkspaceRequest{order(d, "jane"), order(d, "john", f.change)},
		})
		if err == nil {
			t.Errorf("%s succeeds", name)
			continue
		}
		refused(t, err, f.want, f.says)
	}
	for _, n := range []int{0, 26} {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: slices.Repeat([]types.WorkspaceRequest{order(d, "jane")}, n)})
		refused(t, err, validation, "workspaces")
	}
	if left := s.describe(t, c); len(left) > 0 {
		t.Errorf("there is %s", show(left))
	}
}

func TestCreateWorkspacesOfMany(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	var users []string
	for i := range 25 {
		users = append(users, fmt.Sprintf("user%02d", i))
	}
	d := s.home(t, users...)
	var orders []types.WorkspaceRequest
	for _, u := range users {
		orders = append(orders, order(d, u))
	}
	addresses := map[string]bool{}
	for i, w := range s.describe(t, c, s.create(t, c, orders...)...) {
		if *w.UserName != users[i] {
			t.Errorf("%d is %s", i, *w.UserName)
		}
		addresses[*w.IpAddress] = true
	}
	if len(addresses) != 25 {
		t.Errorf("%d addresses", len(addresses))
	}
}

// TestCreateWorkspacesWithoutAddresses fills the subnets of a directory.
func TestCreateWorkspacesWithoutAddresses(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	users := []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"}
	d := s.directory(t, c.scope, users...)
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d, SubnetIds: []string{small1, small2}})
	var orders []types.WorkspaceRequest
	for _, u := range users {
		orders = append(orders, order(d, u))
	}
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: orders})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.PendingRequests) != 6 || len(out.FailedRequests) != 2 || *out.FailedRequests[1].ErrorCode != "InsufficientFreeAddresses" {
		t.Errorf("%d pending, %d failed: %s", len(out.PendingRequests), len(out.FailedRequests), show(out.FailedRequests))
	}
	id := *out.PendingRequests[0].WorkspaceId
	terminate(t, c, id)
	s.awaitGone(t, c, id)
	s.create(t, c, order(d, "u7"))
}

// TestCreateWorkspacesForAnybody is what --users any does.
func TestCreateWorkspacesForAnybody(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	d := s.home(t)
	s.create(t, s.client(), order(d, "whoever"), order(d, "Who else"))
	out, err := s.client().CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
		Workspaces: []types.WorkspaceRequest{order(d, "WHOEVER"), order("d-0123456789", "whoever")},
	})
	wantFailed(t, out, err, "ResourceExists.WorkSpace", "ResourceNotFound.Directory")
}

// anybody lets directories take any user name for existing.
func anybody(set *setup) { set.anybody = true }

func TestCreateWorkspacesQuota(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow, func(set *setup) {
		set.Limits = workspaces.AWSLimits()
		set.Limits.Registration = 0
	})
	c := s.client()
	d := s.home(t)
	create := func(orders ...types.WorkspaceRequest) error {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: orders})
		return err
	}
	refused(t, create(order(d, "a"), order(d, "b")), limit, "can have 1 WorkSpaces", "has 0")
	// What fails alone takes up no quota.
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "a"), order(d, "A")}})
	if err != nil || len(out.PendingRequests) != 1 {
		t.Fatalf("%s, %v", show(out), err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	refused(t, create(order(d, "b")), limit, "has 1")
	out, err = c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "a")}})
	wantFailed(t, out, err, "ResourceExists.WorkSpace")

	// Another account and another region have quotas of their own.
	for _, other := range []client{s.as(stranger, region), s.as(account, farRegion)} {
		s.create(t, other, order(s.homeOf(t, other), "b"))
	}

	// TERMINATING counts, TERMINATED does not.
	terminate(t, c, id)
	refused(t, create(order(d, "b")), limit, "has 1")
	s.advance(t, 2*time.Minute, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateTerminated)
	next := s.create(t, c, order(d, "b"))[0]
	refused(t, create(order(d, "a")), limit, "has 1")
	if n := len(s.describe(t, c)); n != 2 {
		t.Errorf("there are %d", n)
	}
	s.advance(t, time.Hour, c)
	s.awaitGone(t, c, id)
	s.awaitState(t, c, next, types.WorkspaceStateAvailable)
}

// TestCreateWorkspacesComputeQuota has the quotas on single compute types.
func TestCreateWorkspacesComputeQuota(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Limits.ByComputeType = workspaces.AWSLimits().ByComputeType })
	c := s.client()
	d := s.home(t)
	of := func(user string, computeType types.Compute) types.WorkspaceRequest {
		return order(d, user, properties(types.WorkspaceProperties{ComputeTypeName: computeType}))
	}
	for _, computeType := range []types.Compute{types.ComputeGraphics, types.ComputeGraphicsG4dn, types.ComputeGraphicspro, types.ComputeGraphicsproG4dn} {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{of("a", computeType)}})
		refused(t, err, limit, string(computeType)+" ", "can have 0")
	}
	big := types.ComputeGeneralpurpose4xlarge
	_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{of("a", big), of("b", big)}})
	refused(t, err, limit, string(big))
	s.create(t, c, of("a", big), of("b", types.ComputeGeneralpurpose8xlarge), of("c", types.ComputeValue))
	_, err = c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{of("d", big)}})
	refused(t, err, limit, "has 1")
}

// TestUserIsFreeAfterTermination creates again for a user, at the three moments that there are.
func TestUserIsFreeAfterTermination(t *testing.T) {
	t.Parallel()
	s := start(t, slow)
	c := s.client()
	d := s.home(t, "jane")
	first := s.create(t, c, order(d, "jane", func(r *types.WorkspaceRequest) { r.Tags = tags(3, "") }))[0]
	terminate(t, c, first)
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "jane")}})
	wantFailed(t, out, err, "ResourceExists.WorkSpace")
	s.advance(t, 2*time.Minute, c, first)
	s.awaitState(t, c, first, types.WorkspaceStateTerminated)
	second := s.create(t, c, order(d, "Jane"))[0]
	if left := s.describe(t, c, first); len(left) > 0 {
		t.Errorf("the first is still there: %s", show(left))
	}
	_, err = c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &first})
	refused(t, err, notFound)
	terminate(t, c, second)
	s.advance(t, 2*time.Minute, c, second)
	s.awaitState(t, c, second, types.WorkspaceStateTerminated)
	s.advance(t, time.Hour, c)
	s.awaitGone(t, c, second)
	s.create(t, c, order(d, "JANE"))
}

// TestUndefinedUsers has many WorkSpaces of nobody in one directory.
func TestUndefinedUsers(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.home(t, "jane")
	of := func(name string) types.WorkspaceRequest {
		return order(d, "[UNDEFINED]", func(r *types.WorkspaceRequest) { r.WorkspaceName = &name })
	}
	ids := s.create(t, c, of("desk-1"), of("desk-2"), of("desk-2"))
	s.create(t, c, order(d, "jane"))
	for name, f := range map[string]struct {
		in   sdk.DescribeWorkspacesInput
		want []string
	}{
		"a name":   {sdk.DescribeWorkspacesInput{WorkspaceName: new("desk-1")}, ids[:1]},
		"two":      {sdk.DescribeWorkspacesInput{WorkspaceName: new("desk-2")}, ids[1:]},
		"of those": {sdk.DescribeWorkspacesInput{DirectoryId: &d, UserName: new("[UNDEFINED]")}, ids},
	} {
		if got := allIDs(t, c, f.in); !slices.Equal(got, f.want) {
			t.Errorf("%s: got %v, want %v", name, got, f.want)
		}
	}
}

// TestCreateWorkspacesThatCannotBeMade ends in ERROR with the engine's reason.
func TestCreateWorkspacesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.engine.AnyImage = false })
	c := s.client()
	d := s.home(t, "jane")
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "jane")}})
	if err != nil {
		t.Fatal(err)
	}
	w := s.awaitState(t, c, *out.PendingRequests[0].WorkspaceId, types.WorkspaceStateError)
	if *w.ErrorCode != "ResourceNotFound.Image" || !strings.Contains(*w.ErrorMessage, "image") {
		t.Errorf("%s: %s", *w.ErrorCode, *w.ErrorMessage)
	}
	terminate(t, c, *w.WorkspaceId)
	s.awaitGone(t, c, *w.WorkspaceId)
}
