package operation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func rebuildWorkSpaces(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error) {
	t.Helper()
	out, err := c.RebuildWorkspaces(t.Context(), &sdk.RebuildWorkspacesInput{
		RebuildWorkspaceRequests: requests(ids, func(id *string) types.RebuildRequest { return types.RebuildRequest{WorkspaceId: id} }),
	})
	if err != nil {
		return nil, err
	}
	return out.FailedRequests, nil
}

func restore(t *testing.T, c client, id string) error {
	t.Helper()
	_, err := c.RestoreWorkspace(t.Context(), &sdk.RestoreWorkspaceInput{WorkspaceId: &id})
	return err
}

// snapshots returns when the volumes are from that a rebuild and a restore would take, none or one each.
func snapshots(t *testing.T, c client, id string) (rebuild, restore []time.Time) {
	t.Helper()
	out, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	if out.RebuildSnapshots == nil || out.RestoreSnapshots == nil {
		t.Errorf("a list is missing: %s", show(out))
	}
	for _, s := range out.RebuildSnapshots {
		rebuild = append(rebuild, *s.SnapshotTime)
	}
	for _, s := range out.RestoreSnapshots {
		restore = append(restore, *s.SnapshotTime)
	}
	return rebuild, restore
}

// keep moves the service's clock and waits for a snapshot that is newer than that.
func (s *server) keep(t *testing.T, d time.Duration, c client, id string) {
	t.Helper()
	before := s.clock.Now()
	s.advance(t, d, c)
	s.await(t, "a snapshot of "+id, func() bool {
		rebuild, _ := snapshots(t, c, id)
		return len(rebuild) == 1 && rebuild[0].After(before)
	})
}

// put changes a WorkSpace behind the service's back.
func (s *server) put(t *testing.T, c client, id string, f func(*workspaces.WorkSpace)) {
	t.Helper()
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		w, found, err := tx.WorkSpace(t.Context(), c.scope, id)
		if err != nil || !found {
			return errors.Join(errors.New("no WorkSpace "+id), err)
		}
		read := w.Generation
		f(w)
		w.Generation = read + 1
		_, err = tx.SaveWorkSpace(t.Context(), w, read)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSnapshots takes the first within a minute and then one every 12 hours, and none from before
// can be seen.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	if rebuild, restore := snapshots(t, c, id); len(rebuild)+len(restore) > 0 {
		t.Errorf("%v, %v", rebuild, restore)
	}
	fails(t, rebuildWorkSpaces, c, id, wrongMode, "snapshot")
	refused(t, restore(t, c, id), notSupported, "snapshot", id)
	for _, after := range []time.Duration{time.Minute, workspaces.SnapshotEvery} {
		s.keep(t, after, c, id)
		rebuild, restore := snapshots(t, c, id)
		if len(restore) != 1 || !rebuild[0].Equal(restore[0]) || s.clock.Now().Sub(restore[0]) > time.Second {
			t.Errorf("%v, %v at %v", rebuild, restore, s.clock.Now())
		}
	}
	s.put(t, c, id, func(w *workspaces.WorkSpace) { w.State, w.NextSnapshotAt = workspaces.Unhealthy, s.clock.Now() })
	s.keep(t, time.Second, c, id)
	if rebuild, restore := snapshots(t, c, id); !rebuild[0].After(restore[0]) {
		t.Errorf("an unhealthy root volume counts: %v, %v", rebuild, restore)
	}
	_, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: new(unknown)})
	refused(t, err, notFound, unknown)
}

// With the service's limits the first pair may take half an hour.
func TestFirstSnapshotOfTheService(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow, func(set *setup) { set.Limits.FirstSnapshot = workspaces.AWSLimits().FirstSnapshot })
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	s.advance(t, 5*time.Minute, c)
	if rebuild, _ := snapshots(t, c, id); len(rebuild) > 0 {
		t.Errorf("%v", rebuild)
	}
	s.keep(t, 25*time.Minute, c, id)
}

// TestInstantSnapshot has a reply wait for the first pair too, so that a suite can go on from there.
func TestInstantSnapshot(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.instant, set.Limits = true, set.Limits.Instantly() })
	c := s.client()
	d := s.home(t)
	for _, user := range []string{"a", "b", "c", "d", "e"} {
		out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, user)}})
		if err != nil {
			t.Fatal(err)
		}
		id := *out.PendingRequests[0].WorkspaceId
		for _, do := range []func() error{
			func() error { return restore(t, c, id) },
			func() error { succeeds(t, rebuildWorkSpaces, c, id); return nil },
		} {
			if _, restore := snapshots(t, c, id); len(restore) != 1 {
				t.Fatalf("%v", restore)
			}
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateAvailable {
				t.Fatalf("%s", show(w))
			}
		}
	}
}

// TestRebuild gives the WorkSpace another address, and leaves what it is known by.
func TestRebuild(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	d := s.home(t)
	id := s.create(t, c, order(d, "jane", func(r *types.WorkspaceRequest) { r.Tags = tags(1, "") }))[0]
	s.keep(t, time.Minute, c, id)
	before := s.describe(t, c, id)[0]
	succeeds(t, rebuildWorkSpaces, c, id)
	if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateRebuilding {
		t.Errorf("%s", show(w))
	}
	for _, do := range []act{startWorkSpaces, rebootWorkSpaces, rebuildWorkSpaces} {
		if failed, err := do(t, c, id); err != nil || len(failed) != 1 {
			t.Errorf("%s %v", show(failed), err)
		}
	}
	other := s.create(t, c, order(d, "joe"))[0] // does not get the address that is given up
	s.advance(t, 2*time.Minute, c, id)
	after := s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	if *after.IpAddress == *before.IpAddress || *after.SubnetId != *before.SubnetId {
		t.Errorf("%s after %s", *after.IpAddress, *before.IpAddress)
	}
	before.IpAddress = after.IpAddress
	if show(before) != show(after) {
		t.Errorf("%s\nbecame\n%s", show(before), show(after))
	}
	if w := s.describe(t, c, other)[0]; *w.IpAddress == *before.IpAddress {
		t.Errorf("%s is given twice", *w.IpAddress)
	}
	if got := tagsOf(t, c, id); len(got) != 1 {
		t.Errorf("%s", show(got))
	}
	if _, restore := snapshots(t, c, id); len(restore) > 0 {
		t.Errorf("the old root volume can be restored: %v", restore)
	}
	s.keep(t, time.Minute, c, id)
	if _, restore := snapshots(t, c, id); len(restore) != 1 {
		t.Error("the new root volume is not kept")
	}
}

// TestRebuildInFullSubnet keeps the address where there is no other.
func TestRebuildInFullSubnet(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Limits.FirstSnapshot = 0 })
	c := s.client()
	d := s.directory(t, c.scope)
	s.change(t, d, func(d *workspaces.Directory) { d.SubnetIDs = []string{small1, small2} })
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
	var ids []string
	for _, user := range []string{"a", "b", "c", "d", "e", "f"} {
		ids = append(ids, s.create(t, c, order(d, user))...)
	}
	before := s.describe(t, c, ids[0])[0]
	s.keep(t, workspaces.SnapshotEvery, c, ids[0])
	succeeds(t, rebuildWorkSpaces, c, ids[0])
	if after := s.awaitState(t, c, ids[0], types.WorkspaceStateAvailable); *after.IpAddress != *before.IpAddress {
		t.Errorf("%s", show(after))
	}
}

// TestRebuildWithoutUser refuses what nobody could sign in to.
func TestRebuildWithoutUser(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits.FirstSnapshot = 0 })
	c := s.client()
	d := s.home(t, "jane")
	id := s.create(t, c, order(d, "jane"))[0]
	s.keep(t, workspaces.SnapshotEvery, c, id)
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.DeleteUser(t.Context(), c.scope, d, "jane")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	fails(t, rebuildWorkSpaces, c, id, "InvalidUserConfiguration.Workspace", "The user was either not found or is misconfigured.")
	if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateAvailable {
		t.Errorf("%s", show(w))
	}
}

// TestRebuildOfOne is for exactly one that exists.
func TestRebuildOfOne(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	fails(t, rebuildWorkSpaces, c, unknown, wrongID, "WorkSpace "+unknown+" could not be found.")
	for _, ids := range [][]string{{}, {unknown, alsoUnknown}, {"ws-1"}} {
		_, err := rebuildWorkSpaces(t, c, ids...)
		refused(t, err, validation, "WorkspaceRequests")
	}
	refused(t, restore(t, c, unknown), notFound, unknown)
}

// TestRestore goes from a running and from a stopped desktop to a running one.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	s.keep(t, time.Minute, c, id)
	before := s.describe(t, c, id)[0]
	for _, stopped := range []bool{false, true} {
		if stopped {
			succeeds(t, stopWorkSpaces, c, id)
			s.advance(t, 2*time.Minute, c, id)
			s.awaitState(t, c, id, types.WorkspaceStateStopped)
		}
		if err := restore(t, c, id); err != nil {
			t.Fatal(err)
		}
		if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateRestoring {
			t.Errorf("%s", show(w))
		}
		refused(t, restore(t, c, id), notSupported, "RESTORING")
		s.advance(t, 2*time.Minute, c, id)
		after := s.awaitState(t, c, id, types.WorkspaceStateAvailable)
		if show(before) != show(after) {
			t.Errorf("%s\nbecame\n%s", show(before), show(after))
		}
	}
}

// allowed are the states in which an operation may begin. Source: the table in spec, section B.
func allowed() map[string][]types.WorkspaceState {
	const (
		available, stopped, unhealthy = types.WorkspaceStateAvailable, types.WorkspaceStateStopped, types.WorkspaceStateUnhealthy
		broken                        = types.WorkspaceStateError
	)
	return map[string][]types.WorkspaceState{
		"rebuild": {available, unhealthy, types.WorkspaceStateRebooting, stopped, broken},
		"restore": {available, unhealthy, stopped, broken},
		"migrate": {available, stopped, broken},
		"modify":  {available, stopped},
		"grow":    {available, stopped},
		"switch":  {available, stopped},
		"lock":    {available, types.WorkspaceStateAdminMaintenance}, // the second is so already
	}
}

// TestAllowedStates tries each operation in each of the 17 states.
func TestAllowedStates(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	d := s.home(t)
	try := map[string]func(id string) (code string){
		"rebuild": func(id string) string {
			failed, err := rebuildWorkSpaces(t, c, id)
			if err == nil && len(failed) > 0 {
				return *failed[0].ErrorCode
			}
			return codeOf(err)
		},
		"restore": func(id string) string { return codeOf(restore(t, c, id)) },
		"migrate": func(id string) string { _, err := migrate(t, c, id, performance); return codeOf(err) },
		"modify": func(id string) string {
			return codeOf(modify(t, c, id, types.WorkspaceProperties{ComputeTypeName: types.ComputePower}))
		},
		"grow": func(id string) string {
			return codeOf(modify(t, c, id, types.WorkspaceProperties{UserVolumeSizeGib: new(int32(100))}))
		},
		"switch": func(id string) string {
			return codeOf(modify(t, c, id, types.WorkspaceProperties{RunningMode: types.RunningModeManual}))
		},
		"lock": func(id string) string {
			return codeOf(modifyState(t, c, id, types.TargetWorkspaceStateAdminMaintenance))
		},
	}
	refusals := map[string]string{"rebuild": wrongState, "restore": notSupported, "migrate": notSupported}
	for name, do := range try {
		id := s.create(t, c, order(d, name, autoStop))[0]
		s.keep(t, time.Minute, c, id)
		for _, state := range types.WorkspaceStateAvailable.Values() {
			s.put(t, c, id, func(w *workspaces.WorkSpace) {
				w.State, w.WakeAt, w.Deadline = workspaces.State(state), time.Time{}, time.Time{}
				w.Properties.RunningMode, w.Before, w.Aside, w.Modification = workspaces.AutoStop, "", "", workspaces.Modification{}
				w.Migrating = ""
			})
			want := badState
			if other, ok := refusals[name]; ok {
				want = other
			}
			if name != "rebuild" && name != "restore" && name != "migrate" && state == types.WorkspaceStateUpdating && name != "lock" {
				want = inProgress // it looks like a modification
			}
			if slices.Contains(allowed()[name], state) {
				want = ""
			}
			if got := do(id); got != want {
				t.Errorf("%s in %s: %q, not %q", name, state, got, want)
			}
		}
	}
}

// waysOfVolumes lead to the exceptions of what is made of volumes.
func waysOfVolumes(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, slow, func(set *setup) { set.Limits.ByComputeType = map[string]int{"GENERALPURPOSE_4XLARGE": 0} })
	c := s.client()
	d := s.home(t)
	ids := s.create(t, c, order(d, "jane", autoStop), order(d, "joe", autoStop), order(d, "grows"), order(d, "power", func(r *types.WorkspaceRequest) { r.BundleId = new("wsb-carrelpwr") }))
	jane, joe, grows, power := ids[0], ids[1], ids[2], ids[3]
	locked := s.create(t, c, order(d, "locked"))[0]
	if err := errors.Join(
		modify(t, c, grows, types.WorkspaceProperties{UserVolumeSizeGib: new(int32(100))}),
		modifyState(t, c, locked, types.TargetWorkspaceStateAdminMaintenance),
	); err != nil {
		t.Fatal(err)
	}
	full := s.directory(t, c.scope)
	s.change(t, full, func(d *workspaces.Directory) { d.SubnetIDs = []string{small1, small2} })
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &full})
	var last string
	for _, user := range []string{"a", "b", "c", "d", "e", "f"} {
		last = s.create(t, c, order(full, user))[0]
	}
	properties := func(id string, p types.WorkspaceProperties) func() error {
		return func() error { return modify(t, c, id, p) }
	}
	migrates := func(id, bundle string) func() error {
		return func() error { _, err := migrate(t, c, id, bundle); return err }
	}
	describe, restores, changes := wsapi.DescribeWorkspaceSnapshots.Spec(), wsapi.RestoreWorkspace.Spec(), wsapi.ModifyWorkspaceProperties.Spec()
	states, migration := wsapi.ModifyWorkspaceState.Spec(), wsapi.MigrateWorkspace.Spec()
	return []way{
		{describe, notFound, func() error {
			_, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: new(unknown)})
			return err
		}},
		{restores, notFound, func() error { return restore(t, c, unknown) }},
		{restores, notSupported, func() error { return restore(t, c, jane) }},
		{changes, notFound, properties(unknown, types.WorkspaceProperties{RunningMode: types.RunningModeManual})},
		{changes, invalid, properties(jane, types.WorkspaceProperties{UserVolumeSizeGib: new(int32(60))})},
		{changes, badState, properties(locked, types.WorkspaceProperties{RunningMode: types.RunningModeManual})},
		{changes, inProgress, properties(grows, types.WorkspaceProperties{RunningMode: types.RunningModeManual})},
		{changes, unavailable, properties(power, types.WorkspaceProperties{ComputeTypeName: types.ComputeGeneralpurpose4xlarge})},
		{changes, unsupportedWorkSpace, properties(jane, types.WorkspaceProperties{Protocols: []types.Protocol{types.ProtocolPcoip}})},
		{states, notFound, func() error { return modifyState(t, c, unknown, types.TargetWorkspaceStateAvailable) }},
		{states, badState, func() error { return modifyState(t, c, grows, types.TargetWorkspaceStateAdminMaintenance) }},
		{migration, notFound, migrates(unknown, performance)},
		{migration, notFound, migrates(jane, "wsb-012345678")},
		{migration, invalid, migrates(jane, standard)},
		{migration, notSupported, migrates(locked, performance)},
		{migration, unavailable, migrates(last, performance)},
		{migration, inProgress, func() error {
			s.put(t, c, joe, func(w *workspaces.WorkSpace) { w.State, w.Migrating = workspaces.Maintenance, unknown })
			_, err := migrate(t, c, joe, value)
			return err
		}},
	}
}

// codeOf is the name of an exception, "" where there is none.
func codeOf(err error) string {
	if got, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		return got.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
