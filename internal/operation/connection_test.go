package operation_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/compute/simulated"
	"carrel/internal/store"
)

// connections are the connection statuses of WorkSpaces, of all where none is named.
func connections(t *testing.T, c client, ids ...string) map[string]types.WorkspaceConnectionStatus {
	t.Helper()
	all := make(map[string]types.WorkspaceConnectionStatus)
	in := &sdk.DescribeWorkspacesConnectionStatusInput{WorkspaceIds: ids}
	for more := true; more; more = in.NextToken != nil {
		page, err := c.DescribeWorkspacesConnectionStatus(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range page.WorkspacesConnectionStatus {
			if _, twice := all[*status.WorkspaceId]; twice {
				t.Errorf("%s is listed twice", *status.WorkspaceId)
			}
			all[*status.WorkspaceId] = status
		}
		in.NextToken = page.NextToken
	}
	return all
}

func (s *server) visit(t *testing.T, c client, id string) (leave func()) {
	t.Helper()
	stream := store.Stream{Scope: c.scope, WorkSpaceID: id, ID: "stream of " + id, OpenedAt: s.clock.Now()}
	if err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.OpenStream(t.Context(), stream) }); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.CloseStream(t.Context(), stream, s.clock.Now()) }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDescribeWorkspacesConnectionStatus(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Clock.Freeze() })
	c := s.client()
	home := s.home(t, "jane", "joe")
	ids := s.create(t, c, order(home, "jane", autoStop), order(home, "joe", autoStop))
	jane, joe := ids[0], ids[1]
	wants := func(id string, state types.ConnectionState, known time.Time) {
		t.Helper()
		got := connections(t, c, id)[id]
		if got.ConnectionState != state || !got.ConnectionStateCheckTimestamp.Equal(s.clock.Now().Truncate(time.Millisecond)) {
			t.Errorf("%s is %s at %v, want %s at %v", id, got.ConnectionState, got.ConnectionStateCheckTimestamp, state, s.clock.Now())
		}
		switch at := got.LastKnownUserConnectionTimestamp; {
		case known.IsZero() != (at == nil), at != nil && !at.Equal(known.Truncate(time.Millisecond)):
			t.Errorf("somebody was last connected to %s at %v, want %v", id, at, known)
		}
	}
	wants(jane, types.ConnectionStateDisconnected, time.Time{})
	leave := s.visit(t, c, jane)
	s.advance(t, 10*time.Minute, c)
	wants(jane, types.ConnectionStateConnected, s.clock.Now())
	wants(joe, types.ConnectionStateDisconnected, time.Time{})
	leave()
	left := s.clock.Now()
	s.advance(t, 10*time.Minute, c)
	wants(jane, types.ConnectionStateDisconnected, left)
	succeeds(t, stopWorkSpaces, c, jane)
	s.awaitState(t, c, jane, types.WorkspaceStateStopped)
	wants(jane, types.ConnectionStateUnknown, left)

	// Unknown ids are left out, and so are those of others.
	if got := connections(t, c, unknown, jane); len(got) != 1 {
		t.Errorf("got %s", show(got))
	}
	for _, other := range []client{s.as(stranger, region), s.as(account, farRegion)} {
		if got := connections(t, other, jane); len(got) != 0 {
			t.Errorf("a stranger sees %s", show(got))
		}
	}
	terminate(t, c, jane, joe)
	s.awaitGone(t, c, jane, joe)
	if got := connections(t, c); len(got) != 0 {
		t.Errorf("of those that are gone: %s", show(got))
	}
}

// Those that have never been AVAILABLE have no connection status, yet or ever.
func TestConnectionStatusOfTheNew(t *testing.T) {
	t.Parallel()
	s := start(t, pending)
	c := s.client()
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(s.home(t, "jane"), "jane")}})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.PendingRequests[0].WorkspaceId
	if got := connections(t, c, id); len(got) != 0 {
		t.Errorf("of a PENDING one: %s", show(got))
	}
	s.advance(t, time.Minute, c, id)
	s.awaitState(t, c, id, types.WorkspaceStateAvailable)
	if got := connections(t, c, id); len(got) != 1 {
		t.Errorf("of an AVAILABLE one: %s", show(got))
	}
}

func TestConnectionStatusOfTheFailed(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.engine.Create = simulated.Behaviour{Fail: 1} })
	c := s.client()
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(s.home(t, "jane"), "jane")}})
	if err != nil {
		t.Fatal(err)
	}
	s.await(t, "ERROR", func() bool {
		if err := s.clock.Advance(time.Minute); err != nil {
			t.Fatal(err)
		}
		return s.describe(t, c)[0].State == types.WorkspaceStateError
	})
	if got := connections(t, c, *out.PendingRequests[0].WorkspaceId); len(got) != 0 {
		t.Errorf("of a failed one: %s", show(got))
	}
}

func TestConnectionStatusPages(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.anybody = true })
	c := s.client()
	home := s.home(t)
	var orders []types.WorkspaceRequest
	for i := range 25 {
		orders = append(orders, order(home, fmt.Sprintf("user-%d", i)))
	}
	ids := s.create(t, c, orders...)
	ids = append(ids, s.create(t, c, order(home, "one-more"))...)
	if got := connections(t, c); len(got) != len(ids) {
		t.Errorf("%d of %d are listed", len(got), len(ids))
	}
	in := &sdk.DescribeWorkspacesConnectionStatusInput{}
	page, err := c.DescribeWorkspacesConnectionStatus(t.Context(), in)
	if err != nil || len(page.WorkspacesConnectionStatus) != 25 || page.NextToken == nil {
		t.Fatalf("%s, %v", show(page), err)
	}
	_, err = c.DescribeWorkspacesConnectionStatus(t.Context(), &sdk.DescribeWorkspacesConnectionStatusInput{
		NextToken: page.NextToken, WorkspaceIds: ids[:1],
	})
	refused(t, err, invalid)
	_, err = c.DescribeWorkspacesConnectionStatus(t.Context(), &sdk.DescribeWorkspacesConnectionStatusInput{WorkspaceIds: ids})
	refused(t, err, validation, "25")
	_, err = c.DescribeWorkspacesConnectionStatus(t.Context(), &sdk.DescribeWorkspacesConnectionStatusInput{WorkspaceIds: []string{"d-1"}})
	refused(t, err, validation)
}
