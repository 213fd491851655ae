package operation_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/store"
)

func modify(t *testing.T, c client, id string, p types.WorkspaceProperties) error {
	t.Helper()
	_, err := c.ModifyWorkspaceProperties(t.Context(), &sdk.ModifyWorkspacePropertiesInput{WorkspaceId: &id, WorkspaceProperties: &p})
	return err
}

func modifyState(t *testing.T, c client, id string, state types.TargetWorkspaceState) error {
	t.Helper()
	_, err := c.ModifyWorkspaceState(t.Context(), &sdk.ModifyWorkspaceStateInput{WorkspaceId: &id, WorkspaceState: state})
	return err
}

// modification is the one that a WorkSpace shows, "" for none.
func modification(w types.Workspace) string {
	if len(w.ModificationStates) == 0 {
		return ""
	}
	m := w.ModificationStates[0]
	return string(m.Resource) + " " + string(m.State)
}

// awaitModified advances the clock until a modification is over.
func (s *server) awaitModified(t *testing.T, c client, id string) types.Workspace {
	t.Helper()
	for range 10 {
		s.advance(t, 2*time.Minute, c, id)
		var w types.Workspace
		s.await(t, "a step", func() bool {
			w = s.describe(t, c, id)[0]
			return modification(w) == "" || s.waits(t, c, id)
		})
		if modification(w) == "" {
			return w
		}
	}
	t.Fatal("the modification has no end")
	return types.Workspace{}
}

// waits reports whether the engine has said how long it will still take.
func (s *server) waits(t *testing.T, c client, id string) (waits bool) {
	t.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		w, found, err := tx.WorkSpace(t.Context(), c.scope, id)
		waits = found && w.WakeAt.After(s.clock.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return waits && s.begun(t, c, id)
}

// TestModifyVolume grows a volume beside the state, which Terraform's provider relies on.
func TestModifyVolume(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	for _, stopped := range []bool{false, true} {
		state, size := types.WorkspaceStateAvailable, int32(100)
		if stopped {
			succeeds(t, stopWorkSpaces, c, id)
			s.advance(t, 2*time.Minute, c, id)
			state, size = s.awaitState(t, c, id, types.WorkspaceStateStopped).State, 500
			if err := modify(t, c, id, types.WorkspaceProperties{RootVolumeSizeGib: new(int32(175))}); err != nil {
				t.Fatal(err)
			}
			s.awaitModified(t, c, id)
		}
		if err := modify(t, c, id, types.WorkspaceProperties{UserVolumeSizeGib: &size}); err != nil {
			t.Fatal(err)
		}
		s.await(t, "in progress", func() bool { return modification(s.describe(t, c, id)[0]) == "USER_VOLUME UPDATE_IN_PROGRESS" })
		if w := s.describe(t, c, id)[0]; w.State != state || *w.WorkspaceProperties.UserVolumeSizeGib == size {
			t.Errorf("%s", show(w))
		}
		refused(t, modify(t, c, id, types.WorkspaceProperties{RunningMode: types.RunningModeManual}), inProgress,
			"The properties of this WorkSpace are currently under modification. Please try again in a moment.")
		for _, do := range []act{rebootWorkSpaces, rebuildWorkSpaces, startWorkSpaces} {
			fails(t, do, c, id, "OperationInProgress.Workspace", "under modification")
		}
		refused(t, restore(t, c, id), notSupported, "under modification")
		_, err := migrate(t, c, id, performance)
		refused(t, err, inProgress)
		w := s.awaitModified(t, c, id)
		if w.State != state || *w.WorkspaceProperties.UserVolumeSizeGib != size {
			t.Errorf("%s", show(w))
		}
	}
	if err := modify(t, c, id, types.WorkspaceProperties{UserVolumeSizeGib: new(int32(600))}); err != nil {
		t.Fatal(err)
	}
	terminate(t, c, id)
	s.advance(t, 2*time.Minute, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateTerminated)
}

// TestModifyCompute goes through UPDATING and back to where it was.
func TestModifyCompute(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	for state, to := range map[types.WorkspaceState]types.Compute{
		types.WorkspaceStateAvailable: types.ComputePerformance, types.WorkspaceStateStopped: types.ComputeValue,
	} {
		if now := s.describe(t, c, id)[0].State; state == types.WorkspaceStateStopped {
			succeeds(t, stopWorkSpaces, c, id)
			s.advance(t, 2*time.Minute, c, id)
		} else if now == types.WorkspaceStateStopped {
			succeeds(t, startWorkSpaces, c, id)
			s.advance(t, 2*time.Minute, c, id)
		}
		s.awaitState(t, c, id, state)
		if err := modify(t, c, id, types.WorkspaceProperties{ComputeTypeName: to}); err != nil {
			t.Fatal(err)
		}
		s.await(t, "in progress", func() bool { return modification(s.describe(t, c, id)[0]) == "COMPUTE_TYPE UPDATE_IN_PROGRESS" })
		if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateUpdating || w.WorkspaceProperties.ComputeTypeName == to {
			t.Errorf("%s", show(w))
		}
		refused(t, modify(t, c, id, types.WorkspaceProperties{ComputeTypeName: types.ComputePower}), inProgress)
		fails(t, rebootWorkSpaces, c, id, wrongState, "UPDATING")
		if w := s.awaitModified(t, c, id); w.State != state || w.WorkspaceProperties.ComputeTypeName != to {
			t.Errorf("%s", show(w))
		}
	}
}

// A modification that fails changes nothing, says so, and can be asked for again.
func TestModifyFails(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.engine.Reboot.Fail = 1 })
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	for range 2 {
		if err := modify(t, c, id, types.WorkspaceProperties{ComputeTypeName: types.ComputePower}); err != nil {
			t.Fatal(err)
		}
		s.await(t, "failed", func() bool {
			return modification(s.describe(t, c, id)[0]) == "COMPUTE_TYPE UPDATE_FAILED" || s.hasten(t)
		})
		w := s.describe(t, c, id)[0]
		if w.State != types.WorkspaceStateAvailable || w.WorkspaceProperties.ComputeTypeName != types.ComputeStandard || w.ErrorMessage == nil {
			t.Errorf("%s", show(w))
		}
	}
}

// hasten ends the pauses after a failure.
func (s *server) hasten(t *testing.T) (failed bool) {
	t.Helper()
	if err := s.clock.Advance(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	return false
}

// TestTerraform changes what the AWS provider changes, as it does: one property in a call, each
// read back after it.
func TestTerraform(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", func(r *types.WorkspaceRequest) {
		r.RootVolumeEncryptionEnabled, r.UserVolumeEncryptionEnabled = new(false), new(false)
		r.WorkspaceProperties = &types.WorkspaceProperties{
			ComputeTypeName: types.ComputeValue, RootVolumeSizeGib: new(int32(80)), UserVolumeSizeGib: new(int32(10)), RunningMode: types.RunningModeAlwaysOn,
		}
	}))[0]
	for _, change := range []types.WorkspaceProperties{
		{ComputeTypeName: types.ComputeStandard},
		{UserVolumeSizeGib: new(int32(100))},
		{RootVolumeSizeGib: new(int32(175))},
		{RunningMode: types.RunningModeAutoStop},
		{RunningModeAutoStopTimeoutInMinutes: new(int32(120))},
		{RunningMode: types.RunningModeAlwaysOn},
	} {
		if err := modify(t, c, id, change); err != nil {
			t.Fatal(err)
		}
		s.await(t, "modified", func() bool {
			w := s.describe(t, c, id)[0]
			if w.State != types.WorkspaceStateUpdating && w.State != types.WorkspaceStateAvailable {
				t.Errorf("the provider does not expect %s", w.State)
			}
			return w.State == types.WorkspaceStateAvailable && len(w.ModificationStates) == 0
		})
		got := s.describe(t, c, id)[0].WorkspaceProperties
		for _, same := range []bool{
			change.ComputeTypeName == "" || change.ComputeTypeName == got.ComputeTypeName,
			change.UserVolumeSizeGib == nil || *change.UserVolumeSizeGib == *got.UserVolumeSizeGib,
			change.RootVolumeSizeGib == nil || *change.RootVolumeSizeGib == *got.RootVolumeSizeGib,
			change.RunningMode == "" || change.RunningMode == got.RunningMode,
			(got.RunningModeAutoStopTimeoutInMinutes == nil) == (got.RunningMode != types.RunningModeAutoStop),
			change.RunningModeAutoStopTimeoutInMinutes == nil || *change.RunningModeAutoStopTimeoutInMinutes == *got.RunningModeAutoStopTimeoutInMinutes,
		} {
			if !same {
				t.Errorf("%s after %s", show(got), show(change))
			}
		}
	}
}

// One that is stopped and is to run always is started.
func TestAlwaysOnStarts(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	succeeds(t, stopWorkSpaces, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateStopped)
	if err := modify(t, c, id, types.WorkspaceProperties{RunningMode: types.RunningModeAlwaysOn}); err != nil {
		t.Fatal(err)
	}
	s.awaitState(t, c, id, types.WorkspaceStateAvailable)
}

// TestModifyNothing has requests that ask for nothing that there is.
func TestModifyNothing(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	for _, in := range []sdk.ModifyWorkspacePropertiesInput{
		{WorkspaceId: &id},
		{WorkspaceId: &id, WorkspaceProperties: &types.WorkspaceProperties{}},
		{WorkspaceId: &id, WorkspaceProperties: &types.WorkspaceProperties{Protocols: []types.Protocol{}}},
		{WorkspaceId: &id, DataReplication: types.DataReplicationPrimaryAsSource},
	} {
		_, err := c.ModifyWorkspaceProperties(t.Context(), &in)
		refused(t, err, invalid)
	}
	if err := modify(t, c, id, types.WorkspaceProperties{UserVolumeSizeGib: new(int32(50)), RunningMode: types.RunningModeAlwaysOn}); err != nil {
		t.Error(err)
	}
}

// TestAdminMaintenance locks a desktop, which nothing then starts, stops or makes anew.
func TestAdminMaintenance(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	for range 2 { // the second changes nothing
		if err := modifyState(t, c, id, types.TargetWorkspaceStateAdminMaintenance); err != nil {
			t.Fatal(err)
		}
		s.awaitState(t, c, id, types.WorkspaceStateAdminMaintenance)
	}
	for _, do := range []act{startWorkSpaces, stopWorkSpaces, rebootWorkSpaces, rebuildWorkSpaces} {
		fails(t, do, c, id, wrongState, "ADMIN_MAINTENANCE")
	}
	s.advance(t, 24*time.Hour, c)
	for range 2 {
		if err := modifyState(t, c, id, types.TargetWorkspaceStateAvailable); err != nil {
			t.Fatal(err)
		}
	}
	if w := s.describe(t, c, id)[0]; w.State != types.WorkspaceStateAvailable {
		t.Errorf("%s", show(w))
	}
	succeeds(t, stopWorkSpaces, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateStopped)
	refused(t, modifyState(t, c, id, types.TargetWorkspaceStateAdminMaintenance), badState, "STOPPED")
}
