package operation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go"

	"carrel/internal/fault"
	"carrel/internal/store"
)

// faulty makes a server that can have faults.
func faulty(set *setup) { set.faulty, set.anybody = true, true }

// fault sets faults, and returns the id of the first.
func (s *server) fault(t *testing.T, text string) string {
	t.Helper()
	rules, err := fault.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	set, err := s.faults.Add(t.Context(), rules)
	if err != nil {
		t.Fatal(err)
	}
	return set[0].ID
}

// mend takes faults away.
func (s *server) mend(t *testing.T, id string) {
	t.Helper()
	if err := s.faults.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// order asks for WorkSpaces and returns their ids, whatever becomes of them.
func (*server) order(t *testing.T, c client, d string, users ...string) []string {
	t.Helper()
	in := &sdk.CreateWorkspacesInput{}
	for _, u := range users {
		in.Workspaces = append(in.Workspaces, order(d, u, autoStop))
	}
	out, err := c.CreateWorkspaces(t.Context(), in)
	if err != nil || len(out.PendingRequests) != len(users) {
		t.Fatalf("%s, %v", show(out), err)
	}
	var ids []string
	for _, w := range out.PendingRequests {
		ids = append(ids, *w.WorkspaceId)
	}
	return ids
}

func TestStuckPending(t *testing.T) {
	t.Parallel()
	s := start(t, faulty)
	c, d := s.client(), s.home(t)
	before := s.order(t, c, d, "jane-before") // is not concerned: it was made before
	s.awaitState(t, c, before[0], "AVAILABLE")
	id := s.fault(t, `{"name": "stuck-pending", "user": "JANE*", "count": 1}`)
	ids := s.order(t, c, d, "john", "jane1", "jane2")
	s.awaitState(t, c, ids[0], "AVAILABLE")
	s.awaitState(t, c, ids[2], "AVAILABLE")
	s.await(t, "held", func() bool { return s.faults.Holds(ids[1]) })
	for range 3 { // no deadline counts
		if err := s.clock.Advance(time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := s.describe(t, c, ids[1]); got[0].State != "PENDING" || got[0].IpAddress != nil {
			t.Fatalf("it is %s", show(got))
		}
	}
	if got := s.faults.All(); len(got) != 1 || got[0].Hits != 1 {
		t.Errorf("%+v", got)
	}
	s.clock.Freeze()
	s.mend(t, id)
	s.awaitState(t, c, ids[1], "AVAILABLE")
}

// TestStuckPendingIsNotWaitedFor has an instant reply all the same, and the fault end by itself.
func TestStuckPendingIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := start(t, faulty, func(set *setup) { set.instant = true })
	c, d := s.client(), s.home(t)
	until := s.clock.Now().Add(time.Hour)
	s.fault(t, `{"name": "stuck-pending", "until": "`+until.Format(time.RFC3339Nano)+`"}`)
	began := time.Now()
	ids := s.order(t, c, d, "jane")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the reply took %v", took)
	}
	if got := s.describe(t, c, ids[0]); got[0].State != "PENDING" {
		t.Errorf("it is %s", got[0].State)
	}
	if err := s.clock.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	s.awaitState(t, c, ids[0], "AVAILABLE")
	if got := s.faults.All(); len(got) > 0 {
		t.Errorf("still set: %+v", got)
	}
	if s.faults.Holds(ids[0]) {
		t.Error("it is still held")
	}
}

func TestErrorAfterN(t *testing.T) {
	t.Parallel()
	for _, postgres := range []bool{false, true} {
		t.Run(fmt.Sprintf("postgres %v", postgres), func(t *testing.T) {
			t.Parallel()
			errorAfterN(t, start(t, faulty, func(set *setup) {
				set.Clock.Freeze()
				set.postgres = postgres
			}))
		})
	}
}

func errorAfterN(t *testing.T, s *server) {
	t.Helper()
	c, d := s.client(), s.home(t)
	s.fault(t, `{"name": "error-after-n", "after": 2, "count": 2, "error_code": "OutOfCarrels", "error_message": "There are none left."}`)
	ids := s.order(t, c, d, "a", "b", "c", "d", "e")
	for i, want := range []types.WorkspaceState{"AVAILABLE", "AVAILABLE", "ERROR", "ERROR", "AVAILABLE"} {
		got := s.awaitState(t, c, ids[i], want)
		if want == "ERROR" && (*got.ErrorCode != "OutOfCarrels" || *got.ErrorMessage != "There are none left.") {
			t.Errorf("it shows %s", show(got))
		}
	}
	// Another account counts by itself.
	other := s.as(stranger, region)
	far := s.order(t, other, s.homeOf(t, other), "a", "b", "c")
	for i, want := range []types.WorkspaceState{"AVAILABLE", "AVAILABLE", "ERROR"} {
		s.awaitState(t, other, far[i], want)
	}
	terminate(t, c, ids...)
	s.awaitGone(t, c, ids...)
}

// TestFaultsRepeat creates the same WorkSpaces on two servers, of whose ids nothing is alike.
func TestFaultsRepeat(t *testing.T) {
	t.Parallel()
	run := func() (failed []string) {
		s := start(t, faulty)
		c, d := s.client(), s.home(t)
		s.fault(t, `{"name": "error-after-n", "probability": 0.4, "seed": 11}`)
		for i := range 3 {
			var users []string
			for j := range 8 {
				users = append(users, fmt.Sprintf("user-%d-%d", i, j))
			}
			ids := s.order(t, c, d, users...)
			s.await(t, "settled", func() bool {
				return !slices.ContainsFunc(s.describe(t, c, ids...), func(w types.Workspace) bool { return w.State == "PENDING" })
			})
			for _, w := range s.describe(t, c, ids...) {
				if w.State == "ERROR" {
					failed = append(failed, *w.UserName)
				}
			}
		}
		return failed
	}
	first, second := run(), run()
	if !slices.Equal(first, second) || len(first) < 4 || len(first) > 16 {
		t.Errorf("there failed %v, then %v", first, second)
	}
}

func TestUnhealthyFlapping(t *testing.T) {
	t.Parallel()
	s := start(t, faulty, func(set *setup) { set.Clock.Freeze() })
	c, d := s.client(), s.home(t)
	ids := s.create(t, c, order(d, "jane"), order(d, "john"))
	id := s.fault(t, `{"name": "unhealthy-flapping", "user": "jane", "period": "10m"}`)
	for range 2 {
		s.awaitState(t, c, ids[0], "UNHEALTHY")
		if err := s.clock.Advance(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		s.awaitState(t, c, ids[0], "AVAILABLE")
		if err := s.clock.Advance(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitState(t, c, ids[0], "UNHEALTHY")
	if got := s.describe(t, c, ids[1]); got[0].State != "AVAILABLE" {
		t.Errorf("the other is %s", got[0].State)
	}
	s.mend(t, id)
	s.awaitState(t, c, ids[0], "AVAILABLE")
}

func TestMissingUser(t *testing.T) {
	t.Parallel()
	s := start(t, faulty)
	c, d := s.client(), s.home(t)
	s.fault(t, `{"name": "missing-user", "user": "ghost*", "operation": "CreateWorkspaces"}`)
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
		Workspaces: []types.WorkspaceRequest{order(d, "jane"), order(d, "ghost1"), order(d, "Ghost2")},
	})
	if err != nil || len(out.PendingRequests) != 1 || len(out.FailedRequests) != 2 {
		t.Fatalf("%s, %v", show(out), err)
	}
	for _, f := range out.FailedRequests {
		if *f.ErrorCode != "ResourceNotFound.User" || !strings.Contains(strings.ToLower(*f.ErrorMessage), "ghost") {
			t.Errorf("%s: %s", *f.ErrorCode, *f.ErrorMessage)
		}
	}
	s.awaitState(t, c, *out.PendingRequests[0].WorkspaceId, "AVAILABLE")
}

// throttled reports whether the request was refused for its number.
func throttled(t *testing.T, err error) bool {
	t.Helper()
	if got, ok := errors.AsType[smithy.APIError](err); ok && got.ErrorCode() == "ThrottlingException" && got.ErrorMessage() == "Rate exceeded" {
		return true
	}
	if err != nil {
		t.Error(err)
	}
	return false
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	s := start(t, faulty, func(set *setup) { set.Clock.Freeze() })
	c := s.client()
	s.fault(t, `{"name": "throttling", "operation": "Describe*"}`)
	ask := func(c client, times int) (refused int) {
		for range times {
			_, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{})
			if throttled(t, err) {
				refused++
			}
		}
		return refused
	}
	for _, step := range []struct {
		after          time.Duration
		asked, refused int
	}{
		{0, 8, 3},                // a bucket of five
		{time.Second, 4, 2},      // two more in a second
		{time.Minute, 7, 2},      // it never holds more than five
		{time.Millisecond, 1, 1}, // and not by halves
	} {
		if err := s.clock.Advance(step.after); err != nil {
			t.Fatal(err)
		}
		if got := ask(c, step.asked); got != step.refused {
			t.Errorf("%v later %d of %d are refused, want %d", step.after, got, step.asked, step.refused)
		}
	}
	// Others have buckets of their own: another operation, region, account; and what the rule is not for.
	if _, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{}); err != nil {
		t.Error(err)
	}
	for _, other := range []client{s.as(stranger, region), s.as(account, farRegion)} {
		if got := ask(other, 5); got > 0 {
			t.Errorf("%v: %d refused", other.scope, got)
		}
	}
	for range 10 {
		if _, err := c.ListAccountLinks(t.Context(), &sdk.ListAccountLinksInput{}); err != nil {
			t.Error(err)
		}
	}
}

func TestThrottlingByProbability(t *testing.T) {
	t.Parallel()
	run := func(seed int) (pattern string) {
		s := start(t, faulty)
		s.fault(t, fmt.Sprintf(`{"name": "throttling", "probability": 0.5, "seed": %d, "after": 2}`, seed))
		for range 40 {
			_, err := s.client().DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{})
			pattern += map[bool]string{true: "x", false: "."}[throttled(t, err)]
		}
		return pattern
	}
	first, again, other := run(1), run(1), run(2)
	if first != again || first == other || strings.Count(first, "x") < 8 || strings.Count(first, "x") > 30 {
		t.Errorf("%s\n%s\n%s", first, again, other)
	}
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	s := start(t, faulty, func(set *setup) { set.Clock.Freeze() })
	c, d := s.client(), s.home(t)
	old := s.create(t, c, order(d, "old", autoStop))[0]
	id := s.fault(t, `{"name": "stale-reads", "lag": "30s"}`)
	advance := func(by time.Duration) {
		t.Helper()
		if err := s.clock.Advance(by); err != nil {
			t.Fatal(err)
		}
	}
	states := func() string {
		var b strings.Builder
		for _, w := range s.describe(t, c) {
			fmt.Fprintf(&b, "%s %s ", *w.UserName, w.State)
		}
		return strings.TrimSpace(b.String())
	}
	want := func(what string) {
		t.Helper()
		if got := states(); got != what {
			t.Errorf("read: %q, want %q", got, what)
		}
	}
	want("old AVAILABLE")
	advance(time.Minute)
	created := s.order(t, c, d, "new")
	want("old AVAILABLE") // nobody sees it yet
	if got := s.describe(t, c, created...); len(got) > 0 {
		t.Errorf("it is seen: %s", show(got))
	}
	// What changes things is not fooled: the WorkSpace can be stopped though it cannot be seen.
	if err := s.faults.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.awaitState(t, c, created[0], "AVAILABLE")
	s.fault(t, `{"name": "stale-reads", "lag": "30s", "operation": "DescribeWorkspaces"}`)
	advance(time.Minute)
	succeeds(t, stopWorkSpaces, c, created[0], old)
	want("old AVAILABLE new AVAILABLE")
	advance(29 * time.Second)
	want("old AVAILABLE new AVAILABLE")
	advance(2 * time.Second)
	s.await(t, "the present", func() bool { return strings.HasPrefix(states(), "old STOP") }) // STOPPING, or STOPPED by then
	if tags, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &old}); err != nil {
		t.Errorf("%s, %v", show(tags), err)
	}
}

// TestNoStaleReadsOfASharedDatabase refuses what cannot be, and sets nothing of it.
func TestNoStaleReadsOfASharedDatabase(t *testing.T) {
	t.Parallel()
	s := start(t, faulty, func(set *setup) { set.postgres = true })
	rules, err := fault.Parse([]byte(`[{"name": "throttling"}, {"name": "stale-reads"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.faults.Add(t.Context(), rules); !errors.Is(err, store.ErrNoHistory) {
		t.Errorf("got %v", err)
	}
	if set := s.faults.All(); len(set) > 0 {
		t.Errorf("there is %v", set)
	}
}

// TestRefusal refuses some requests of one kind, which then do nothing.
func TestRefusal(t *testing.T) {
	t.Parallel()
	s := start(t, faulty)
	c := s.client()
	s.fault(t, `{"name": "exception", "operation": "Create*", "error_code": "AccessDeniedException", "error_message": "Not you.", "count": 1}`)
	create := func() error {
		_, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("office")})
		return err
	}
	if _, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{}); err != nil {
		t.Error(err)
	}
	refused(t, create(), denied, "Not you.")
	if err := create(); err != nil {
		t.Errorf("the second: %v", err)
	}
}
