package operation_test

import (
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// TestInstant has every reply when its work is done, so that nothing is to be waited for.
func TestInstant(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) {
		set.instant, set.AnySubnet = true, true
		set.Limits = set.Limits.Instantly()
		for _, b := range []*time.Duration{
			&set.engine.Create.Min, &set.engine.Create.Max, &set.engine.Stop.Min, &set.engine.Stop.Max, &set.engine.Delete.Min, &set.engine.Delete.Max,
		} {
			*b = 20 * time.Millisecond
		}
	})
	c := s.client()
	d := s.directory(t, c.scope)
	registered, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
	if err != nil || registered.State != types.WorkspaceDirectoryStateRegistering {
		t.Fatalf("%s, %v", show(registered), err)
	}
	if got := s.describeDirectory(t, c, d); got.State != types.WorkspaceDirectoryStateRegistered {
		t.Errorf("it is %s", got.State)
	}
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
		Workspaces: []types.WorkspaceRequest{order(d, "a", autoStop), order(d, "b"), order(d, "B")},
	})
	if err != nil || len(out.PendingRequests) != 2 || out.PendingRequests[0].State != types.WorkspaceStatePending {
		t.Fatalf("%s, %v", show(out), err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	want := func(states ...types.WorkspaceState) {
		t.Helper()
		var got []types.WorkspaceState
		for _, w := range s.describe(t, c) {
			got = append(got, w.State)
		}
		if !slices.Equal(got, states) {
			t.Errorf("they are %v, want %v", got, states)
		}
	}
	want("AVAILABLE", "AVAILABLE")
	succeeds(t, rebootWorkSpaces, c, id)
	want("AVAILABLE", "AVAILABLE")
	succeeds(t, stopWorkSpaces, c, id)
	want("STOPPED", "AVAILABLE")
	succeeds(t, startWorkSpaces, c, id)
	want("AVAILABLE", "AVAILABLE")
	terminate(t, c, id, *out.PendingRequests[1].WorkspaceId)
	want()
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Error(err)
	}
	if got := s.describeDirectory(t, c, d); got != nil {
		t.Errorf("it is %s", got.State)
	}
}
