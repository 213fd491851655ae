package operation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// act is one of the four operations on WorkSpaces by id; "" is a request without one.
type act func(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error)

func requests[R any](ids []string, one func(id *string) R) []R {
	out := make([]R, len(ids))
	for i := range ids {
		id := &ids[i]
		if *id == "" {
			id = nil
		}
		out[i] = one(id)
	}
	return out
}

func startWorkSpaces(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error) {
	t.Helper()
	out, err := c.StartWorkspaces(t.Context(), &sdk.StartWorkspacesInput{
		StartWorkspaceRequests: requests(ids, func(id *string) types.StartRequest { return types.StartRequest{WorkspaceId: id} }),
	})
	if err != nil {
		return nil, err
	}
	return out.FailedRequests, nil
}

func stopWorkSpaces(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error) {
	t.Helper()
	out, err := c.StopWorkspaces(t.Context(), &sdk.StopWorkspacesInput{
		StopWorkspaceRequests: requests(ids, func(id *string) types.StopRequest { return types.StopRequest{WorkspaceId: id} }),
	})
	if err != nil {
		return nil, err
	}
	return out.FailedRequests, nil
}

func rebootWorkSpaces(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error) {
	t.Helper()
	out, err := c.RebootWorkspaces(t.Context(), &sdk.RebootWorkspacesInput{
		RebootWorkspaceRequests: requests(ids, func(id *string) types.RebootRequest { return types.RebootRequest{WorkspaceId: id} }),
	})
	if err != nil {
		return nil, err
	}
	return out.FailedRequests, nil
}

func terminateWorkSpaces(t *testing.T, c client, ids ...string) ([]types.FailedWorkspaceChangeRequest, error) {
	t.Helper()
	out, err := c.TerminateWorkspaces(t.Context(), &sdk.TerminateWorkspacesInput{
		TerminateWorkspaceRequests: requests(ids, func(id *string) types.TerminateRequest { return types.TerminateRequest{WorkspaceId: id} }),
	})
	if err != nil {
		return nil, err
	}
	return out.FailedRequests, nil
}

// terminate begins to terminate WorkSpaces, which must work.
func terminate(t *testing.T, c client, ids ...string) {
	t.Helper()
	succeeds(t, terminateWorkSpaces, c, ids...)
}

// succeeds does something to WorkSpaces, which must work and answer an empty list.
func succeeds(t *testing.T, do act, c client, ids ...string) {
	t.Helper()
	failed, err := do(t, c, ids...)
	if err != nil || failed == nil || len(failed) > 0 {
		t.Fatalf("failed %s, %v", show(failed), err)
	}
}

// fails does something to one WorkSpace, which must not work.
func fails(t *testing.T, do act, c client, id, code, says string) {
	t.Helper()
	failed, err := do(t, c, id)
	if err != nil || len(failed) != 1 {
		t.Errorf("failed %s, %v, want %s", show(failed), err, code)
		return
	}
	f := failed[0]
	if got := f.WorkspaceId; (got == nil) != (id == "") || got != nil && *got != id {
		t.Errorf("failed %s, want %q", show(f), id)
	}
	if *f.ErrorCode != code || !strings.Contains(*f.ErrorMessage, says) {
		t.Errorf("failed %s, want %s", show(f), code)
	}
}

const (
	wrongState  = "InvalidResourceState.Workspace"
	wrongMode   = "OperationNotSupported.Workspace"
	wrongID     = "ResourceNotFound.Workspace"
	noID        = "InvalidParameterValues.WorkspaceId"
	unknown     = "ws-012345678"
	alsoUnknown = "ws-876543210"
)

func autoStop(r *types.WorkspaceRequest) {
	r.WorkspaceProperties = &types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop}
}

func byHand(r *types.WorkspaceRequest) {
	r.WorkspaceProperties = &types.WorkspaceProperties{RunningMode: types.RunningModeManual}
}

// slow makes everything after the creation take a minute of a clock that stands.
func slow(set *setup) {
	set.Clock.Freeze()
	set.Limits.TerminatedStays = time.Minute
	for _, b := range []*time.Duration{
		&set.engine.Start.Min, &set.engine.Start.Max, &set.engine.Stop.Min, &set.engine.Stop.Max, &set.engine.Reboot.Min, &set.engine.Reboot.Max,
		&set.engine.Delete.Min, &set.engine.Delete.Max, &set.engine.Rebuild.Min, &set.engine.Rebuild.Max, &set.engine.Restore.Min,
		&set.engine.Restore.Max, &set.engine.Resize.Min, &set.engine.Resize.Max,
	} {
		*b = time.Minute
	}
}

// TestPower takes WorkSpaces through every state of these operations and tries all four in each.
func TestPower(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	d := s.home(t)
	for _, id := range s.create(t, c, order(d, "auto", autoStop), order(d, "manual", byHand)) {
		pass := func(do act, during, after types.WorkspaceState) {
			t.Helper()
			succeeds(t, do, c, id)
			if w := s.describe(t, c, id)[0]; w.State != during {
				t.Errorf("%s is %s, want %s", id, w.State, during)
			}
			for _, other := range []act{startWorkSpaces, stopWorkSpaces, rebootWorkSpaces} {
				fails(t, other, c, id, wrongState, string(during))
			}
			s.advance(t, 2*time.Minute, c, id)
			s.awaitState(t, c, id, after)
		}
		fails(t, startWorkSpaces, c, id, wrongState, "AVAILABLE")
		pass(rebootWorkSpaces, types.WorkspaceStateRebooting, types.WorkspaceStateAvailable)
		pass(stopWorkSpaces, types.WorkspaceStateStopping, types.WorkspaceStateStopped)
		fails(t, stopWorkSpaces, c, id, wrongState, "STOPPED")
		fails(t, rebootWorkSpaces, c, id, wrongState, "STOPPED")
		pass(startWorkSpaces, types.WorkspaceStateStarting, types.WorkspaceStateAvailable)
		pass(terminateWorkSpaces, types.WorkspaceStateTerminating, types.WorkspaceStateTerminated)
		succeeds(t, terminateWorkSpaces, c, id)
		s.advance(t, 2*time.Minute, c)
		s.awaitGone(t, c, id)
		fails(t, terminateWorkSpaces, c, id, "400", "WorkSpace "+id+" could not be found.")
	}
}

// TestPowerOfAlwaysOn cannot be started and stopped, in whatever state.
func TestPowerOfAlwaysOn(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.create(t, c, order(s.home(t), "jane"))[0]
	fails(t, startWorkSpaces, c, id, wrongMode, "ALWAYS_ON")
	fails(t, stopWorkSpaces, c, id, wrongMode, "ALWAYS_ON")
	succeeds(t, rebootWorkSpaces, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateAvailable)
}

// TestPowerOfNone has ids that nobody has, and requests without one.
func TestPowerOfNone(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	for name, do := range map[string]act{"start": startWorkSpaces, "stop": stopWorkSpaces, "reboot": rebootWorkSpaces} {
		fails(t, do, c, unknown, wrongID, "WorkSpace "+unknown+" could not be found.")
		if name != "reboot" {
			fails(t, do, c, "", noID, "WorkspaceId")
		}
	}
	fails(t, terminateWorkSpaces, c, unknown, "400", "WorkSpace "+unknown+" could not be found.")
	for _, do := range []act{startWorkSpaces, stopWorkSpaces, rebootWorkSpaces, terminateWorkSpaces} {
		for _, ids := range [][]string{{}, slices.Repeat([]string{unknown}, 26), {"ws-1"}} {
			_, err := do(t, c, ids...)
			refused(t, err, validation, "WorkspaceRequests")
		}
	}
}

// TestPowerOfMany does what can be done and tells what cannot; an id that is given twice is one.
func TestPowerOfMany(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, slow)
	c := s.client()
	d := s.home(t)
	ids := s.create(t, c, order(d, "a", autoStop), order(d, "b"), order(d, "c", autoStop))
	failed, err := stopWorkSpaces(t, c, ids[0], unknown, ids[1], ids[2], ids[0], "", unknown, "")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range failed {
		codes = append(codes, *f.ErrorCode)
	}
	if want := []string{wrongID, wrongMode, noID, noID}; !slices.Equal(codes, want) {
		t.Errorf("failed %s", show(failed))
	}
	for i, want := range []types.WorkspaceState{types.WorkspaceStateStopping, types.WorkspaceStateAvailable, types.WorkspaceStateStopping} {
		if w := s.describe(t, c, ids[i])[0]; w.State != want {
			t.Errorf("%d is %s", i, w.State)
		}
	}
	failed, err = terminateWorkSpaces(t, c, append(slices.Repeat(ids, 7), unknown, alsoUnknown)...)
	if err != nil || len(failed) != 2 || *failed[0].WorkspaceId != unknown || *failed[1].WorkspaceId != alsoUnknown {
		t.Errorf("failed %s, %v", show(failed), err)
	}
	s.advance(t, 2*time.Minute, c, ids...)
	for _, id := range ids {
		s.awaitState(t, c, id, types.WorkspaceStateTerminated)
	}
}

// TestTerminateWhilePending leaves nothing.
func TestTerminateWhilePending(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, pending, func(set *setup) { set.Limits.TerminatedStays = time.Minute })
	c := s.client()
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(s.home(t), "jane", autoStop)}})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	for _, do := range []act{startWorkSpaces, stopWorkSpaces, rebootWorkSpaces} {
		fails(t, do, c, id, wrongState, "PENDING")
	}
	terminate(t, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateTerminated)
	s.advance(t, time.Minute, c)
	s.awaitGone(t, c, id)
}
