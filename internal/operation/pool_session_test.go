package operation_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/api"
	"carrel/internal/control"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const noSession = "00000000-0000-4000-a000-000000000000" // does not exist

// runningPool is a pool of a directory of its own with all its desktops ready.
func (s *server) runningPool(t *testing.T, c client, desired int32, change ...func(*sdk.CreateWorkspacesPoolInput)) (id string) {
	t.Helper()
	order := poolOrder(s.poolsDirectory(t, c), "lab")
	order.Capacity.DesiredUserSessions = &desired
	for _, f := range change {
		f(order)
	}
	id = *newPool(t, c, order).PoolId
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStopped, 0)
	if err := startPool(t, c, id); err != nil {
		t.Fatal(err)
	}
	s.awaitPool(t, c, id, types.WorkspacesPoolStateRunning, desired)
	return id
}

// join has a user sign in to a pool.
func (s *server) join(t *testing.T, c client, pool, user string) (*workspaces.PoolSession, error) {
	t.Helper()
	return s.api.JoinPool(api.WithCaller(t.Context(), api.Caller{Account: c.scope.Account, Region: c.scope.Region}), pool, user)
}

func (s *server) mustJoin(t *testing.T, c client, pool, user string) *workspaces.PoolSession {
	t.Helper()
	session, err := s.join(t, c, pool, user)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// insertSession writes a session on a desktop that is not there, and returns its id.
func (s *server) insertSession(t *testing.T, c client, pool string, change ...func(*workspaces.PoolSession)) (id string) {
	t.Helper()
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		p, _, err := tx.Pool(t.Context(), c.scope, pool)
		if err != nil {
			return err
		}
		session := workspaces.NewPoolSession(nil, p, &workspaces.PoolDesktop{ID: "pd-nowhere"}, "jane", false, s.clock.Now())
		for _, f := range change {
			f(session)
		}
		id = session.ID
		return tx.InsertPoolSession(t.Context(), session)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sessions(t *testing.T, c client, pool string, change ...func(*sdk.DescribeWorkspacesPoolSessionsInput)) []types.WorkspacesPoolSession {
	t.Helper()
	in := &sdk.DescribeWorkspacesPoolSessionsInput{PoolId: &pool}
	for _, f := range change {
		f(in)
	}
	out, err := c.DescribeWorkspacesPoolSessions(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Sessions
}

// refusals counts the sessions that a pool had no desktop for.
func (s *server) refusals(t *testing.T, c client, pool string) (n int64) {
	t.Helper()
	filter := store.PoolMetricFilter{Scope: c.scope, PoolIDs: []string{pool}, To: s.clock.Now().Add(time.Second)}
	err := s.store.View(func(tx *store.Tx) error {
		return tx.PoolRefusals(t.Context(), filter, func(r workspaces.PoolRefusals) { n += r.N })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func terminateSession(t *testing.T, c client, id string) error {
	t.Helper()
	_, err := c.TerminateWorkspacesPoolSession(t.Context(), &sdk.TerminateWorkspacesPoolSessionInput{SessionId: &id})
	return err
}

// wantCapacity waits until a pool has so many desktops available, in use, and in all.
func (s *server) wantCapacity(t *testing.T, c client, pool string, available, active int32) {
	t.Helper()
	s.await(t, "the pool's capacity", func() bool {
		n := pools(t, c, sdk.DescribeWorkspacesPoolsInput{PoolIds: []string{pool}})[0].CapacityStatus
		return *n.AvailableUserSessions == available && *n.ActiveUserSessions == active && *n.ActualUserSessions == available+active
	})
}

func TestPoolSessions(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id := s.runningPool(t, c, 2, func(in *sdk.CreateWorkspacesPoolInput) {
		in.TimeoutSettings = &types.TimeoutSettings{MaxUserDurationInSeconds: new(int32(3600))}
	})
	jane := s.mustJoin(t, c, id, "Jane")
	s.wantCapacity(t, c, id, 1, 1)
	if again := s.mustJoin(t, c, id, "jane"); again.ID != jane.ID {
		t.Errorf("jane has two sessions: %+v", again)
	}
	got := sessions(t, c, id)
	if len(got) != 1 {
		t.Fatalf("%s", show(got))
	}
	one := got[0]
	if *one.SessionId != jane.ID || *one.UserId != "Jane" || *one.PoolId != id || one.ConnectionState != types.SessionConnectionStateNotConnected ||
		one.AuthenticationType != types.AuthenticationTypeSaml || one.ExpirationTime.Sub(*one.StartTime) != time.Hour ||
		*one.NetworkAccessConfiguration.EniPrivateIpAddress != jane.Address ||
		!regexp.MustCompile(`^eni-[0-9a-f]{17}$`).MatchString(*one.NetworkAccessConfiguration.EniId) ||
		!regexp.MustCompile(`^i-[0-9a-f]{17}$`).MatchString(*one.InstanceId) {
		t.Errorf("%s", show(one))
	}
	stream := store.Stream{Scope: c.scope, WorkSpaceID: jane.DesktopID, ID: "a", OpenedAt: s.clock.Now()}
	if err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.OpenStream(t.Context(), stream) }); err != nil {
		t.Fatal(err)
	}
	if state := sessions(t, c, id)[0].ConnectionState; state != types.SessionConnectionStateConnected {
		t.Errorf("connected, she is %s", state)
	}

	john := s.mustJoin(t, c, id, "john")
	s.wantCapacity(t, c, id, 0, 2)
	_, err := s.join(t, c, id, "jim")
	if no, ok := errors.AsType[*workspaces.Error](err); !ok || no.Code != workspaces.CodeUnavailable {
		t.Errorf("jim is let in where there is no room: %v", err)
	}
	if n := s.refusals(t, c, id); n != 1 {
		t.Errorf("%d refused sessions are noted", n)
	}
	of := func(user string) func(*sdk.DescribeWorkspacesPoolSessionsInput) {
		return func(in *sdk.DescribeWorkspacesPoolSessionsInput) { in.UserId = &user }
	}
	if got := sessions(t, c, id, of("JOHN")); len(got) != 1 || *got[0].SessionId != john.ID {
		t.Errorf("%s", show(got))
	}
	if got := sessions(t, c, id, of("jim")); len(got) > 0 {
		t.Errorf("%s", show(got))
	}
	var paged []string
	for in := (&sdk.DescribeWorkspacesPoolSessionsInput{PoolId: &id, Limit: new(int32(1))}); len(paged) == 0 || in.NextToken != nil; {
		page, err := c.DescribeWorkspacesPoolSessions(t.Context(), in)
		if err != nil || len(page.Sessions) != 1 {
			t.Fatal(show(page), err)
		}
		paged, in.NextToken = append(paged, *page.Sessions[0].SessionId), page.NextToken
	}
	if !slices.Equal(paged, []string{jane.ID, john.ID}) {
		t.Errorf("page by page there are %v", paged)
	}

	// Ended, it is gone, and another desktop is there instead.
	if err := terminateSession(t, c, jane.ID); err != nil {
		t.Fatal(err)
	}
	s.wantCapacity(t, c, id, 1, 1)
	if got := sessions(t, c, id); len(got) != 1 || *got[0].SessionId != john.ID {
		t.Errorf("%s", show(got))
	}
	refused(t, terminateSession(t, c, jane.ID), notFound, jane.ID)
	refused(t, terminateSession(t, c, noSession), notFound, noSession)
	if next := s.mustJoin(t, c, id, "jane"); next.DesktopID == jane.DesktopID || next.ID == jane.ID {
		t.Errorf("jane is back on what she left: %+v", next)
	}

	// Less capacity takes nobody's desktop; stopping does.
	if err := updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) {
		in.Capacity = &types.Capacity{DesiredUserSessions: new(int32(0))}
	}); err != nil {
		t.Fatal(err)
	}
	s.awaitPool(t, c, id, types.WorkspacesPoolStateRunning, 2)
	s.wantCapacity(t, c, id, 0, 2)
	if err := stopPool(t, c, id); err != nil {
		t.Fatal(err)
	}
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStopped, 0)
	if got := sessions(t, c, id); len(got) > 0 || s.machines(t) > 0 {
		t.Errorf("%s, and %d desktops", show(got), s.machines(t))
	}
}

// TestPoolSettings has a pool keep settings under a group of its own, then another, then none.
func TestPoolSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	order := poolOrder(s.poolsDirectory(t, c), "lab")
	order.ApplicationSettings = &types.ApplicationSettingsRequest{Status: types.ApplicationSettingsStatusEnumEnabled}
	p := newPool(t, c, order)
	id := *p.PoolId
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStopped, 0)
	is := func() string {
		a := pools(t, c, sdk.DescribeWorkspacesPoolsInput{PoolIds: []string{id}})[0].ApplicationSettings
		if a.SettingsGroup == nil {
			return string(a.Status)
		}
		return string(a.Status) + " " + *a.SettingsGroup
	}
	if is() != "ENABLED "+id {
		t.Errorf("a pool without a group: %s", is())
	}
	for _, step := range []struct {
		ask  *types.ApplicationSettingsRequest
		want string
	}{
		{&types.ApplicationSettingsRequest{Status: types.ApplicationSettingsStatusEnumEnabled, SettingsGroup: new("chemists")}, "ENABLED chemists"},
		{nil, "ENABLED chemists"},
		{&types.ApplicationSettingsRequest{Status: types.ApplicationSettingsStatusEnumDisabled}, "DISABLED"},
	} {
		if err := updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) { in.ApplicationSettings = step.ask }); err != nil {
			t.Fatal(err)
		}
		if is() != step.want {
			t.Errorf("%s, want %s", is(), step.want)
		}
	}
}

// TestSigningOutOfAPool ends the session on a desktop, as its user does inside, with a browser and without.
func TestSigningOutOfAPool(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	pool := s.runningPool(t, c, 1)
	ctx := api.WithCaller(t.Context(), api.Caller{Account: c.scope.Account, Region: c.scope.Region})
	session := s.mustJoin(t, c, pool, "jane")
	for _, desktop := range []string{"pd-nowhere", session.DesktopID} {
		ended, err := s.api.EndPoolSessionOn(ctx, desktop)
		if err != nil || (ended != nil) != (desktop == session.DesktopID) || ended != nil && ended.ID != session.ID {
			t.Fatalf("%s: %+v, %v", desktop, ended, err)
		}
	}
	if got := sessions(t, c, pool); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	s.wantCapacity(t, c, pool, 1, 0)

	beside := (&control.Control{Store: s.store, Clock: s.clock, API: s.api, ForTests: true, Signed: func(next http.Handler) http.Handler { return next }}).Handler()
	tell := func(body string) int {
		w := httptest.NewRecorder()
		beside.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/_carrel/connections/"+pool, strings.NewReader(body)))
		return w.Code
	}
	for _, step := range []struct {
		body   string
		status int
		last   int
	}{
		{`{"connected": true, "user": "jane"}`, http.StatusOK, 1},
		{`{"connected": true, "user": "jane", "signed_out": true}`, http.StatusBadRequest, 1},
		{`{"connected": false, "user": "jane"}`, http.StatusOK, 1},
		{`{"connected": false, "user": "john", "signed_out": true}`, http.StatusOK, 1},
		{`{"connected": false, "user": "JANE", "signed_out": true}`, http.StatusOK, 0},
	} {
		if status := tell(step.body); status != step.status {
			t.Errorf("%s: %d", step.body, status)
		}
		if got := sessions(t, c, pool); len(got) != step.last {
			t.Errorf("%s: %d sessions last", step.body, len(got))
		}
	}
	s.wantCapacity(t, c, pool, 1, 0)
}
