package operation_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/compute/simulated"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// standBy asks for standby WorkSpaces of primaries in the test's region.
func standBy(t *testing.T, c client, items ...types.StandbyWorkspace) (*sdk.CreateStandbyWorkspacesOutput, error) {
	t.Helper()
	return c.CreateStandbyWorkspaces(t.Context(), &sdk.CreateStandbyWorkspacesInput{PrimaryRegion: new(region), StandbyWorkspaces: items})
}

func standby(primary, directoryID string) types.StandbyWorkspace {
	return types.StandbyWorkspace{PrimaryWorkspaceId: &primary, DirectoryId: &directoryID}
}

// stoodBy makes the standby WorkSpace of an item, waits for it and returns its id.
func (s *server) stoodBy(t *testing.T, c client, item types.StandbyWorkspace) string {
	t.Helper()
	out, err := standBy(t, c, item)
	if err != nil || len(out.PendingStandbyRequests) != 1 {
		t.Fatalf("%s %v", show(out), err)
	}
	id := *out.PendingStandbyRequests[0].WorkspaceId
	s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	return id
}

// down says that a region is down, or up again.
func (s *server) down(t *testing.T, name string, down bool) { //nolint:revive // it says which
	t.Helper()
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		if down {
			return tx.PutRegionDown(t.Context(), name, s.clock.Now())
		}
		return tx.DeleteRegionDown(t.Context(), name)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStandby makes a standby WorkSpace and looks at it from both regions.
func TestStandby(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	hd, fd := s.home(t), s.homeOf(t, far)
	id := s.create(t, here, order(hd, "jane", byHand, func(r *types.WorkspaceRequest) {
		r.WorkspaceProperties.UserVolumeSizeGib = new(int32(100))
		r.UserVolumeEncryptionEnabled, r.VolumeEncryptionKey = new(true), new("here")
	}))[0]
	item := standby(id, fd)
	item.DataReplication, item.VolumeEncryptionKey, item.Tags = types.DataReplicationPrimaryAsSource, new("far"), tags(2, "")
	out, err := standBy(t, far, item)
	if err != nil || len(out.FailedStandbyRequests) != 0 || len(out.PendingStandbyRequests) != 1 {
		t.Fatalf("%s %v", show(out), err)
	}
	pending := out.PendingStandbyRequests[0]
	if *pending.UserName != "jane" || *pending.DirectoryId != fd || pending.State != types.WorkspaceStatePending {
		t.Errorf("%s", show(pending))
	}
	got := s.awaitState(t, far, *pending.WorkspaceId, types.WorkspaceStateAvailable)
	p := got.WorkspaceProperties
	if *got.UserName != "jane" || *got.BundleId != standard || *got.VolumeEncryptionKey != "far" || !*got.UserVolumeEncryptionEnabled ||
		*got.SubnetId != farA && *got.SubnetId != farB || p.RunningMode != types.RunningModeAutoStop || *p.UserVolumeSizeGib != 100 {
		t.Errorf("%s", show(got))
	}
	if len(got.RelatedWorkspaces) != 1 || got.StandbyWorkspacesProperties != nil || got.DataReplicationSettings.RecoverySnapshotTime != nil ||
		got.DataReplicationSettings.DataReplication != types.DataReplicationPrimaryAsSource {
		t.Fatalf("%s", show(got))
	}
	if r := got.RelatedWorkspaces[0]; *r.WorkspaceId != id || *r.Region != region || r.Type != types.StandbyWorkspaceRelationshipTypePrimary ||
		r.State != types.WorkspaceStateAvailable {
		t.Errorf("%s", show(r))
	}
	if got := tagsOf(t, far, *got.WorkspaceId); len(got) != 2 {
		t.Errorf("%s", show(got))
	}
	primary := s.describe(t, here, id)[0]
	if len(primary.RelatedWorkspaces) != 1 || len(primary.StandbyWorkspacesProperties) != 1 || primary.DataReplicationSettings != nil {
		t.Fatalf("%s", show(primary))
	}
	if r := primary.RelatedWorkspaces[0]; r.Type != types.StandbyWorkspaceRelationshipTypeStandby || *r.Region != farRegion ||
		*r.WorkspaceId != *pending.WorkspaceId || r.State != types.WorkspaceStateAvailable {
		t.Errorf("%s", show(r))
	}
	if r := primary.StandbyWorkspacesProperties[0]; *r.StandbyWorkspaceId != *pending.WorkspaceId || r.DataReplication != types.DataReplicationPrimaryAsSource {
		t.Errorf("%s", show(r))
	}
	if got := allIDs(t, s.as(stranger, farRegion), sdk.DescribeWorkspacesInput{}); len(got) != 0 {
		t.Errorf("a stranger sees %v", got)
	}
}

// TestStandbyIsSeenChanging polls one side while the other changes: no reply is an old one.
func TestStandbyIsSeenChanging(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	id := s.create(t, here, order(s.home(t), "jane", byHand))[0]
	other := s.stoodBy(t, far, standby(id, s.homeOf(t, far)))
	related := func(c client, id string) types.WorkspaceState {
		w := s.describe(t, c, id)[0]
		if len(w.RelatedWorkspaces) != 1 {
			return ""
		}
		return w.RelatedWorkspaces[0].State
	}
	for _, way := range []struct {
		changes, shows client
		id, other      string
	}{{far, here, other, id}, {here, far, id, other}} {
		if got := related(way.shows, way.other); got != types.WorkspaceStateAvailable {
			t.Errorf("related is %s", got)
		}
		if failed, err := stopWorkSpaces(t, way.changes, way.id); err != nil || len(failed) != 0 {
			t.Fatalf("%s %v", show(failed), err)
		}
		s.awaitState(t, way.changes, way.id, types.WorkspaceStateStopped)
		if got := related(way.shows, way.other); got != types.WorkspaceStateStopped {
			t.Errorf("related is %s", got)
		}
	}
	// Without its primary it is there, and related to nothing; it is terminated by itself.
	terminated := func(c client, id string) {
		if failed, err := terminateWorkSpaces(t, c, id); err != nil || len(failed) != 0 {
			t.Fatalf("%s %v", show(failed), err)
		}
		s.awaitGone(t, c, id)
	}
	terminated(here, id)
	if got := s.describe(t, far, other)[0]; got.RelatedWorkspaces != nil || got.DataReplicationSettings == nil {
		t.Errorf("%s", show(got))
	}
	terminated(far, other)
}

// TestStandbyFollows refuses what would make a standby WorkSpace another than its primary, and its primary leave it.
func TestStandbyFollows(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	id := s.create(t, here, order(s.home(t), "jane"))[0]
	fd := s.homeOf(t, far)
	other := s.stoodBy(t, far, standby(id, fd))
	fails(t, rebuildWorkSpaces, far, other, "OperationNotSupported.Workspace", "standby")
	refused(t, restore(t, far, other), notSupported, "standby")
	_, err := migrate(t, far, other, performance)
	refused(t, err, notSupported, "standby")
	for _, p := range []types.WorkspaceProperties{{RunningMode: types.RunningModeAlwaysOn}, {UserVolumeSizeGib: new(int32(100))}, {ComputeTypeName: types.ComputePower}} {
		refused(t, modify(t, far, other, p), unsupportedWorkSpace, "standby")
	}
	_, err = migrate(t, here, id, performance)
	refused(t, err, notSupported, other)
	snapshots, err := far.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &other})
	if err != nil || len(snapshots.RebuildSnapshots) != 0 {
		t.Errorf("%s %v", show(snapshots), err)
	}
	// Without it the primary is free again, and can have another, even before it is forgotten.
	if failed, err := terminateWorkSpaces(t, far, other); err != nil || len(failed) != 0 {
		t.Fatalf("%s %v", show(failed), err)
	}
	s.awaitGone(t, far, other)
	s.stoodBy(t, far, standby(id, fd))
}

// TestStandbyOfACustomBundle is made of the image that the bundle has now, which its own region does not have. That shows a
// bundle of the type STANDBY in its place.
func TestStandbyOfACustomBundle(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	hd, fd := s.home(t), s.homeOf(t, far)
	captured := func(text string) string {
		from := s.create(t, here, order(hd, "maker of "+text))[0]
		if err := s.engine.WriteFile(t.Context(), from, simulated.Root, "note", []byte(text)); err != nil {
			t.Fatal(err)
		}
		out, err := here.CreateWorkspaceImage(t.Context(), &sdk.CreateWorkspaceImageInput{Name: &text, Description: &text, WorkspaceId: &from})
		if err != nil {
			t.Fatal(err)
		}
		s.awaitImage(t, here, *out.ImageId, types.WorkspaceImageStateAvailable)
		return *out.ImageId
	}
	bundle := *s.bundle(t, here, captured("old"), "custom").BundleId
	id := s.create(t, here, order(hd, "jane", func(r *types.WorkspaceRequest) { r.BundleId = &bundle }))[0]
	_, err := here.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: &bundle, ImageId: new(captured("new"))})
	if err != nil {
		t.Fatal(err)
	}
	other := s.stoodBy(t, far, standby(id, fd))
	mirror := s.describeBundle(t, far, *s.describe(t, far, other)[0].BundleId)
	if mirror == nil || *mirror.BundleId == bundle || mirror.BundleType != types.BundleTypeStandby || *mirror.Name != "custom" || *mirror.Owner != account {
		t.Fatalf("%s", show(mirror))
	}
	if is := s.describeBundle(t, here, bundle); is.BundleType != types.BundleTypeRegular || *is.ImageId != *mirror.ImageId {
		t.Errorf("%s and %s", show(is), show(mirror))
	}
	for id, want := range map[string]string{id: "old", other: "new"} {
		if got, err := s.engine.ReadFile(t.Context(), id, simulated.Root, "note"); err != nil || string(got) != want {
			t.Errorf("%s has %q, want %q: %v", id, got, want, err)
		}
	}
}

// TestStandbyBundle leads a bundle of the type STANDBY through its life.
func TestStandbyBundle(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	hd, fd := s.home(t), s.homeOf(t, far)
	image := s.image(t, here.scope).ID
	own := *s.bundle(t, here, image, "custom").BundleId
	primaries := s.create(t, here, order(hd, "jane", bundle(own)), order(hd, "john", bundle(own)))
	standbys := []string{s.stoodBy(t, far, standby(primaries[0], fd)), s.stoodBy(t, far, standby(primaries[1], fd))}
	mirror := *s.describe(t, far, standbys[0])[0].BundleId
	if ids := allIDs(t, far, sdk.DescribeWorkspacesInput{BundleId: &mirror}); len(ids) != 2 {
		t.Errorf("of the one mirror there are %v", ids)
	}

	// Nothing else is made of it, nobody changes it, and it takes away neither the name nor room.
	out, err := far.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(fd, "jim", bundle(mirror))}})
	if err != nil || len(out.FailedRequests) != 1 || *out.FailedRequests[0].ErrorCode != "ResourceNotFound.Bundle" {
		t.Errorf("%s %v", show(out), err)
	}
	update := func(c client, id, image string) error {
		_, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: &id, ImageId: &image})
		return err
	}
	refused(t, update(far, mirror, publicImage), notSupported, own, region)
	s.bundle(t, far, publicImage, "custom")

	// It follows what it mirrors.
	newer := s.image(t, here.scope).ID
	if err := update(here, own, newer); err != nil {
		t.Fatal(err)
	}
	if got := s.describeBundle(t, far, mirror); *got.ImageId != newer || got.BundleType != types.BundleTypeStandby {
		t.Errorf("%s", show(got))
	}

	// It stays as long as it has WorkSpaces, and its image with it, and goes when it is told to.
	remove := func(c client, id string) error {
		_, err := c.DeleteWorkspaceBundle(t.Context(), &sdk.DeleteWorkspaceBundleInput{BundleId: &id})
		return err
	}
	removeImage := func() error {
		_, err := here.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &newer})
		return err
	}
	terminate(t, here, primaries...)
	s.awaitGone(t, here, primaries...)
	if err := remove(here, own); err != nil {
		t.Fatal(err)
	}
	refused(t, remove(far, mirror), associated)
	refused(t, removeImage(), associated)
	terminate(t, far, standbys...)
	s.awaitGone(t, far, standbys...)
	if err := remove(far, mirror); err != nil {
		t.Error(err)
	}
	if err := removeImage(); err != nil {
		t.Error(err)
	}
}

// TestStandbyReplaced makes a standby WorkSpace while the one before it is still seen.
func TestStandbyReplaced(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Limits.TerminatedStays = time.Hour })
	here, far := s.client(), s.as(account, farRegion)
	id := s.create(t, here, order(s.home(t), "jane"))[0]
	fd := s.homeOf(t, far)
	old := s.stoodBy(t, far, standby(id, fd))
	if failed, err := terminateWorkSpaces(t, far, old); err != nil || len(failed) != 0 {
		t.Fatalf("%s %v", show(failed), err)
	}
	s.awaitState(t, far, old, types.WorkspaceStateTerminated)
	s.stoodBy(t, far, standby(id, fd))
	if got := s.describe(t, far, old); len(got) != 0 {
		t.Errorf("%s", show(got))
	}
}

// TestStandbyFailures has one item of a call succeed among all that can be wrong with others.
func TestStandbyFailures(t *testing.T) {
	t.Parallel()
	s := start(t)
	here, far := s.client(), s.as(account, farRegion)
	hd, fd := s.home(t, "jane", "joe", "sue", "disabled"), s.homeOf(t, far, "jane", "joe", "disabled-sue")
	ids := s.create(t, here, order(hd, "jane"), order(hd, "joe"), order(hd, "sue"),
		order(hd, workspaces.Undefined, func(r *types.WorkspaceRequest) { r.WorkspaceName = new("kiosk") }))
	jane, joe, sue, kiosk := ids[0], ids[1], ids[2], ids[3]
	if err := modifyState(t, here, joe, types.TargetWorkspaceStateAdminMaintenance); err != nil {
		t.Fatal(err)
	}
	taken := s.directory(t, far.scope, "jane")
	s.register(t, far, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &taken})
	s.create(t, far, order(taken, "JANE"))
	unregistered := s.directory(t, far.scope, "jane")
	out, err := standBy(t, far,
		standby(unknown, fd), standby(joe, fd), standby(kiosk, fd), standby(sue, fd), standby(jane, hd), standby(jane, unregistered),
		standby(jane, taken), standby(jane, fd), standby(jane, fd),
	)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range out.FailedStandbyRequests {
		got = append(got, *f.ErrorCode)
		if f.StandbyWorkspaceRequest == nil || f.ErrorMessage == nil {
			t.Errorf("%s", show(f))
		}
	}
	want := []string{
		"ResourceNotFound.Workspace", wrongState, "OperationNotSupported.Workspace", "ResourceNotFound.User", "ResourceNotFound.Directory",
		"ResourceNotFound.Directory", "ResourceExists.WorkSpace", "ResourceExists.WorkSpace",
	}
	if show(got) != show(want) || len(out.PendingStandbyRequests) != 1 {
		t.Errorf("failed %v, want %v, made %d", got, want, len(out.PendingStandbyRequests))
	}
	// Another account's primary is not there.
	if out, err := standBy(t, s.as(stranger, farRegion), standby(jane, fd)); err != nil || *out.FailedStandbyRequests[0].ErrorCode != "ResourceNotFound.Workspace" {
		t.Errorf("%s %v", show(out), err)
	}
	// A standby WorkSpace has none of its own.
	made := *out.PendingStandbyRequests[0].WorkspaceId
	back, err := here.CreateStandbyWorkspaces(t.Context(), &sdk.CreateStandbyWorkspacesInput{
		PrimaryRegion: new(farRegion), StandbyWorkspaces: []types.StandbyWorkspace{standby(made, hd)},
	})
	if err != nil || *back.FailedStandbyRequests[0].ErrorCode != "OperationNotSupported.Workspace" {
		t.Errorf("%s %v", show(back), err)
	}
}

// TestStandbyQuota has standby WorkSpaces take nothing from the quota of others, nor the other way round.
func TestStandbyQuota(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Limits.WorkSpaces, set.Limits.StandbyWorkSpaces = 2, 1 })
	here, far := s.client(), s.as(account, farRegion)
	hd, fd := s.home(t), s.homeOf(t, far)
	ids := s.create(t, here, order(hd, "jane"), order(hd, "joe"))
	_, err := standBy(t, far, standby(ids[0], fd), standby(ids[1], fd))
	refused(t, err, limit, "1 standby")
	s.stoodBy(t, far, standby(ids[0], fd))
	_, err = standBy(t, far, standby(ids[1], fd))
	refused(t, err, limit)
	s.create(t, far, order(fd, "sue"), order(fd, "max"))
	_, err = far.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(fd, "ann")}})
	refused(t, err, limit)
}

// TestReplicationIsSwitched changes at the primary whether its standby WorkSpace follows.
func TestReplicationIsSwitched(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	here, far := s.client(), s.as(account, farRegion)
	id := s.create(t, here, order(s.home(t), "jane"))[0]
	set := func(c client, id string, to types.DataReplication, p *types.WorkspaceProperties) error {
		_, err := c.ModifyWorkspaceProperties(t.Context(), &sdk.ModifyWorkspacePropertiesInput{WorkspaceId: &id, DataReplication: to, WorkspaceProperties: p})
		return err
	}
	refused(t, set(here, id, types.DataReplicationPrimaryAsSource, nil), invalid, "standby")
	other := s.stoodBy(t, far, standby(id, s.homeOf(t, far)))
	shown := func() types.DataReplication {
		here, there := s.describe(t, here, id)[0].StandbyWorkspacesProperties[0].DataReplication, s.describe(t, far, other)[0].DataReplicationSettings.DataReplication
		if here != there {
			t.Errorf("%s here, %s there", here, there)
		}
		return here
	}
	for _, to := range []types.DataReplication{types.DataReplicationNoReplication, types.DataReplicationPrimaryAsSource, types.DataReplicationNoReplication} {
		if got := shown(); to == types.DataReplicationPrimaryAsSource && got != types.DataReplicationNoReplication {
			t.Errorf("at first %s", got)
		}
		if err := set(here, id, to, nil); err != nil {
			t.Error(err)
		}
		if got := shown(); got != to {
			t.Errorf("%s, want %s", got, to)
		}
	}
	refused(t, set(far, other, types.DataReplicationPrimaryAsSource, nil), unsupportedWorkSpace, "primary")
	refused(t, set(here, id, types.DataReplicationPrimaryAsSource, &types.WorkspaceProperties{RunningMode: types.RunningModeManual}), invalid, "together")
}

// attemptStandby tries to make a standby WorkSpace of a primary, in a directory, that are another's or elsewhere.
func attemptStandby(t *testing.T, c client, primary, directoryID string) {
	t.Helper()
	from := region
	if c.scope.Region == region {
		from = farRegion
	}
	out, err := c.CreateStandbyWorkspaces(t.Context(), &sdk.CreateStandbyWorkspacesInput{
		PrimaryRegion: &from, StandbyWorkspaces: []types.StandbyWorkspace{standby(primary, directoryID)},
	})
	if err != nil || len(out.PendingStandbyRequests) != 0 || len(out.FailedStandbyRequests) != 1 {
		t.Errorf("%s %v", show(out), err)
	}
}

// TestStandbyRecovers shows on both sides from when the files are that the standby WorkSpace has.
func TestStandbyRecovers(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Clock.Freeze() })
	here, far := s.client(), s.as(account, farRegion)
	id := s.create(t, here, order(s.home(t), "jane", byHand))[0]
	item := standby(id, s.homeOf(t, far))
	item.DataReplication = types.DataReplicationPrimaryAsSource
	other := s.stoodBy(t, far, item)
	var before time.Time
	for _, after := range []time.Duration{time.Minute, workspaces.SnapshotEvery} {
		text := after.String()
		if err := s.engine.WriteFile(t.Context(), id, simulated.Home, "note", []byte(text)); err != nil {
			t.Fatal(err)
		}
		s.keep(t, after, here, id)
		out, err := here.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &id})
		if err != nil {
			t.Fatal(err)
		}
		kept := *out.RebuildSnapshots[0].SnapshotTime
		if !kept.After(before) {
			t.Errorf("kept at %v, and before at %v", kept, before)
		}
		before = kept
		is := func(at *time.Time) bool { return at != nil && at.Equal(kept) }
		s.await(t, "recovery", func() bool {
			return is(s.describe(t, here, id)[0].StandbyWorkspacesProperties[0].RecoverySnapshotTime) &&
				is(s.describe(t, far, other)[0].DataReplicationSettings.RecoverySnapshotTime)
		})
		if got, err := s.engine.ReadFile(t.Context(), other, simulated.Home, "note"); err != nil || string(got) != text {
			t.Errorf("it has %q: %v", got, err)
		}
	}
}

// waysOfStandbys lead to the exceptions of CreateStandbyWorkspaces.
func waysOfStandbys(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, func(set *setup) { set.Limits.StandbyWorkSpaces = 0 })
	here, far := s.client(), s.as(account, farRegion)
	id, fd := s.create(t, here, order(s.home(t), "jane"))[0], s.homeOf(t, far)
	from := func(c client, primary string, items ...types.StandbyWorkspace) func() error {
		return func() error {
			_, err := c.CreateStandbyWorkspaces(t.Context(), &sdk.CreateStandbyWorkspacesInput{PrimaryRegion: &primary, StandbyWorkspaces: items})
			return err
		}
	}
	tagged, op := standby(id, fd), wsapi.CreateStandbyWorkspaces.Spec()
	tagged.Tags = tags(51, "")
	many := make([]types.StandbyWorkspace, 26)
	for i := range many {
		many[i] = standby(id, fd)
	}
	return []way{
		{op, invalid, from(far, farRegion, standby(id, fd))},
		{op, invalid, from(far, region, []types.StandbyWorkspace{}...)},
		{op, invalid, from(far, region, many...)},
		{op, limit, from(far, region, tagged)},
		{op, notFound, from(far, "eu-west-3", standby(id, fd))},
		{op, limit, from(far, region, standby(id, fd))},
		{op, notSupported, func() error {
			s.down(t, region, true)
			defer s.down(t, region, false)
			return from(far, region, standby(id, fd))()
		}},
		{op, notSupported, func() error {
			s.down(t, farRegion, true)
			return from(far, region, standby(id, fd))()
		}},
	}
}
