package operation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/compute/simulated"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const noPool = "wspool-000000000" // does not exist

// poolsDirectory registers a directory in which pools can be.
func (s *server) poolsDirectory(t *testing.T, c client) string {
	t.Helper()
	return s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged, SubnetIds: []string{subnetA, subnetB},
		WorkspaceDirectoryName: new("Pools"), WorkspaceDirectoryDescription: new("For pools"),
	})
}

// poolOrder asks for a pool of two desktops.
func poolOrder(directory, name string) *sdk.CreateWorkspacesPoolInput {
	return &sdk.CreateWorkspacesPoolInput{
		PoolName: &name, Description: new("A pool"), BundleId: new(value), DirectoryId: &directory,
		Capacity: &types.Capacity{DesiredUserSessions: new(int32(2))},
	}
}

func newPool(t *testing.T, c client, in *sdk.CreateWorkspacesPoolInput) types.WorkspacesPool {
	t.Helper()
	out, err := c.CreateWorkspacesPool(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.WorkspacesPool
}

// pools describes pools.
func pools(t *testing.T, c client, in sdk.DescribeWorkspacesPoolsInput) []types.WorkspacesPool {
	t.Helper()
	out, err := c.DescribeWorkspacesPools(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out.WorkspacesPools
}

// awaitPool waits until a pool is in a state with so many desktops ready.
func (s *server) awaitPool(t *testing.T, c client, id string, state types.WorkspacesPoolState, ready int32) (p types.WorkspacesPool) {
	t.Helper()
	s.await(t, id+" "+string(state), func() bool {
		found := pools(t, c, sdk.DescribeWorkspacesPoolsInput{PoolIds: []string{id}})
		if len(found) == 1 {
			p = found[0]
		}
		return p.State == state && *p.CapacityStatus.ActualUserSessions == ready
	})
	return p
}

func startPool(t *testing.T, c client, id string) error {
	t.Helper()
	_, err := c.StartWorkspacesPool(t.Context(), &sdk.StartWorkspacesPoolInput{PoolId: &id})
	return err
}

func stopPool(t *testing.T, c client, id string) error {
	t.Helper()
	_, err := c.StopWorkspacesPool(t.Context(), &sdk.StopWorkspacesPoolInput{PoolId: &id})
	return err
}

func terminatePool(t *testing.T, c client, id string) error {
	t.Helper()
	_, err := c.TerminateWorkspacesPool(t.Context(), &sdk.TerminateWorkspacesPoolInput{PoolId: &id})
	return err
}

func updatePool(t *testing.T, c client, id string, change func(*sdk.UpdateWorkspacesPoolInput)) error {
	t.Helper()
	in := &sdk.UpdateWorkspacesPoolInput{PoolId: &id}
	change(in)
	_, err := c.UpdateWorkspacesPool(t.Context(), in)
	return err
}

// machines counts the desktops that the engine has.
func (s *server) machines(t *testing.T) int {
	t.Helper()
	all, err := s.engine.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestPoolLife(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.poolsDirectory(t, c)
	order := poolOrder(d, "lab")
	order.Tags = tags(1, "")
	p := newPool(t, c, order)
	id := *p.PoolId
	if p.State != types.WorkspacesPoolStateCreating || p.ApplicationSettings.Status != types.ApplicationSettingsStatusEnumDisabled ||
		p.RunningMode != types.PoolsRunningModeAutoStop || *p.TimeoutSettings.DisconnectTimeoutInSeconds != 900 || len(p.Errors) > 0 ||
		*p.PoolArn != "arn:aws:workspaces:"+region+":"+account+":workspacespool/"+id {
		t.Errorf("%s", show(p))
	}
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStopped, 0)
	if got := tagsOf(t, c, id); len(got) != 1 {
		t.Errorf("%s", show(got))
	}
	refused(t, stopPool(t, c, id), badState, "STOPPED")
	if err := startPool(t, c, id); err != nil {
		t.Fatal(err)
	}
	p = s.awaitPool(t, c, id, types.WorkspacesPoolStateRunning, 2)
	if n := *p.CapacityStatus; *n.AvailableUserSessions != 2 || *n.DesiredUserSessions != 2 || *n.ActiveUserSessions != 0 || s.machines(t) != 2 {
		t.Errorf("%s with %d desktops", show(p), s.machines(t))
	}
	if got := allIDs(t, c, sdk.DescribeWorkspacesInput{}); len(got) > 0 {
		t.Errorf("desktops of a pool are shown as WorkSpaces: %v", got)
	}
	refused(t, startPool(t, c, id), badState, "RUNNING")

	for _, desired := range []int32{4, 1} {
		if err := updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) {
			in.Capacity = &types.Capacity{DesiredUserSessions: &desired}
		}); err != nil {
			t.Fatal(err)
		}
		s.awaitPool(t, c, id, types.WorkspacesPoolStateRunning, desired)
	}
	refused(t, updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) { in.BundleId = new(standard) }), badState, "STOPPED")
	refused(t, updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) { in.RunningMode = types.PoolsRunningModeAlwaysOn }), badState)

	if err := stopPool(t, c, id); err != nil {
		t.Fatal(err)
	}
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStopped, 0)
	s.await(t, "no desktop is left", func() bool { return s.machines(t) == 0 })
	if err := updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) {
		in.Description, in.RunningMode, in.BundleId = new("Better"), types.PoolsRunningModeAlwaysOn, new(standard)
		in.TimeoutSettings = &types.TimeoutSettings{IdleDisconnectTimeoutInSeconds: new(int32(60))}
	}); err != nil {
		t.Fatal(err)
	}
	p = s.awaitPool(t, c, id, types.WorkspacesPoolStateRunning, 1)
	if *p.Description != "Better" || *p.BundleId != standard || *p.TimeoutSettings.IdleDisconnectTimeoutInSeconds != 60 ||
		*p.TimeoutSettings.DisconnectTimeoutInSeconds != 900 {
		t.Errorf("%s", show(p))
	}
	refused(t, stopPool(t, c, id), badState, "AUTO_STOP")
	_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d})
	refused(t, err, notSupported, "pools")

	if err := terminatePool(t, c, id); err != nil {
		t.Fatal(err)
	}
	s.await(t, "it is gone", func() bool { return len(pools(t, c, sdk.DescribeWorkspacesPoolsInput{})) == 0 })
	if n := s.machines(t); n != 0 {
		t.Errorf("%d desktops are left", n)
	}
	refused(t, terminatePool(t, c, id), notFound, id)
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Error(err)
	}
}

func TestPoolRefused(t *testing.T) { //nolint:tparallel // afterwards there is a pool more
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits.Pools, set.Limits.SessionsPerPool = 2, 5 })
	c := s.client()
	d, personal := s.poolsDirectory(t, c), s.home(t)
	newPool(t, c, poolOrder(d, "taken"))
	for name, try := range map[string]struct { //nolint:paralleltest // see above
		change func(*sdk.CreateWorkspacesPoolInput)
		code   string
	}{
		"name taken":   {func(in *sdk.CreateWorkspacesPoolInput) { in.PoolName = new("taken") }, exists},
		"no directory": {func(in *sdk.CreateWorkspacesPoolInput) { in.DirectoryId = new("wsd-000000000") }, notFound},
		"personal":     {func(in *sdk.CreateWorkspacesPoolInput) { in.DirectoryId = &personal }, invalid},
		"no bundle":    {func(in *sdk.CreateWorkspacesPoolInput) { in.BundleId = new("wsb-000000000") }, notFound},
		"too large":    {func(in *sdk.CreateWorkspacesPoolInput) { in.Capacity.DesiredUserSessions = new(int32(6)) }, limit},
		"reserved tag": {func(in *sdk.CreateWorkspacesPoolInput) { in.Tags = []types.Tag{{Key: new("aws:x")}} }, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			in := poolOrder(d, "other")
			try.change(in)
			_, err := c.CreateWorkspacesPool(t.Context(), in)
			refused(t, err, try.code)
		})
	}
	newPool(t, c, poolOrder(d, "second"))
	_, err := c.CreateWorkspacesPool(t.Context(), poolOrder(d, "third"))
	refused(t, err, limit, "2")
	refused(t, startPool(t, c, noPool), notFound, noPool)
}

// TestPoolBusy asks for things while a pool is at something.
func TestPoolBusy(t *testing.T) {
	t.Parallel()
	s := start(t, pending, func(set *setup) { set.engine.Delete.Min, set.engine.Delete.Max = time.Minute, time.Minute })
	c := s.client()
	order := poolOrder(s.poolsDirectory(t, c), "lab")
	order.RunningMode = types.PoolsRunningModeAlwaysOn
	id := *newPool(t, c, order).PoolId
	s.awaitPool(t, c, id, types.WorkspacesPoolStateStarting, 0)
	refused(t, startPool(t, c, id), inProgress, "STARTING")
	refused(t, stopPool(t, c, id), inProgress, "STARTING")
	refused(t, updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) { in.Description = new("x") }), inProgress)
	for range 2 { // asked again it changes nothing
		if err := terminatePool(t, c, id); err != nil {
			t.Error(err)
		}
	}
}

// TestPoolInstant has nothing to wait for after each reply.
func TestPoolInstant(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.instant, set.engine = true, simulated.Config{AnyImage: true} })
	c := s.client()
	id := *newPool(t, c, poolOrder(s.poolsDirectory(t, c), "lab")).PoolId
	if err := startPool(t, c, id); err != nil {
		t.Fatal(err)
	}
	p := pools(t, c, sdk.DescribeWorkspacesPoolsInput{PoolIds: []string{id}})[0]
	if p.State != types.WorkspacesPoolStateRunning || *p.CapacityStatus.AvailableUserSessions != 2 {
		t.Errorf("%s", show(p))
	}
	if err := terminatePool(t, c, id); err != nil {
		t.Fatal(err)
	}
	if got := pools(t, c, sdk.DescribeWorkspacesPoolsInput{}); len(got) > 0 {
		t.Errorf("%s", show(got))
	}
}

func TestDescribePools(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.poolsDirectory(t, c)
	names := []string{"lab_1", "labX1", "Lab", "office"}
	ids := make(map[string]string, len(names))
	for _, name := range names {
		ids[*newPool(t, c, poolOrder(d, name)).PoolId] = name
	}
	filter := func(op types.DescribeWorkspacesPoolsFilterOperator, values ...string) []types.DescribeWorkspacesPoolsFilter {
		return []types.DescribeWorkspacesPoolsFilter{{Name: types.DescribeWorkspacesPoolsFilterNamePoolname, Operator: op, Values: values}}
	}
	for name, try := range map[string]struct {
		filters []types.DescribeWorkspacesPoolsFilter
		want    []string
	}{
		"all":         {nil, names},
		"equals":      {filter(types.DescribeWorkspacesPoolsFilterOperatorEquals, "lab_1", "Lab"), []string{"lab_1", "Lab"}},
		"notequals":   {filter(types.DescribeWorkspacesPoolsFilterOperatorNotequals, "lab_1", "Lab"), []string{"labX1", "office"}},
		"contains":    {filter(types.DescribeWorkspacesPoolsFilterOperatorContains, "b_1", "ffi"), []string{"lab_1", "office"}},
		"notcontains": {filter(types.DescribeWorkspacesPoolsFilterOperatorNotcontains, "lab"), []string{"Lab", "office"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			in := sdk.DescribeWorkspacesPoolsInput{Filters: try.filters, Limit: new(int32(1))}
			for more := true; more; more = in.NextToken != nil {
				out, err := c.DescribeWorkspacesPools(t.Context(), &in)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range out.WorkspacesPools {
					got = append(got, ids[aws.ToString(p.PoolId)])
				}
				in.NextToken = out.NextToken
			}
			if !slices.Equal(got, try.want) {
				t.Errorf("got %v, want %v", got, try.want)
			}
		})
	}
	_, err := c.DescribeWorkspacesPools(t.Context(), &sdk.DescribeWorkspacesPoolsInput{NextToken: new("x")})
	refused(t, err, invalid)
}

// poolAttempts are a stranger's, on a pool.
func poolAttempts(d, id, session string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"CreateWorkspacesPool": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.CreateWorkspacesPool(t.Context(), poolOrder(d, "lab"))
			refused(t, err, notFound, d)
		},
		"DescribeWorkspacesPools": func(t *testing.T, c client) {
			t.Helper()
			if got := pools(t, c, sdk.DescribeWorkspacesPoolsInput{PoolIds: []string{id}}); len(got) > 0 {
				t.Errorf("%s", show(got))
			}
		},
		"UpdateWorkspacesPool": func(t *testing.T, c client) {
			t.Helper()
			refused(t, updatePool(t, c, id, func(in *sdk.UpdateWorkspacesPoolInput) { in.Description = new("x") }), notFound, id)
		},
		"StartWorkspacesPool":     func(t *testing.T, c client) { t.Helper(); refused(t, startPool(t, c, id), notFound, id) },
		"StopWorkspacesPool":      func(t *testing.T, c client) { t.Helper(); refused(t, stopPool(t, c, id), notFound, id) },
		"TerminateWorkspacesPool": func(t *testing.T, c client) { t.Helper(); refused(t, terminatePool(t, c, id), notFound, id) },
		"DescribeWorkspacesPoolSessions": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DescribeWorkspacesPoolSessions(t.Context(), &sdk.DescribeWorkspacesPoolSessionsInput{PoolId: &id})
			refused(t, err, notFound, id)
		},
		"TerminateWorkspacesPoolSession": func(t *testing.T, c client) {
			t.Helper()
			refused(t, terminateSession(t, c, session), notFound, session)
		},
	}
}

// waysOfPools are those of pools: one that rests, and one that is at something.
func waysOfPools(t *testing.T) []way {
	t.Helper()
	s := start(t, pending, func(set *setup) { set.Limits.Pools, set.Limits.SessionsPerPool = 2, 5 })
	c := s.client()
	d, personal := s.poolsDirectory(t, c), s.home(t)
	rests := *newPool(t, c, poolOrder(d, "rests")).PoolId
	s.awaitPool(t, c, rests, types.WorkspacesPoolStateStopped, 0)
	create := func(change func(*sdk.CreateWorkspacesPoolInput)) func() error {
		return func() error {
			in := poolOrder(d, "other")
			change(in)
			_, err := c.CreateWorkspacesPool(t.Context(), in)
			return err
		}
	}
	update := func(id string, change func(*sdk.UpdateWorkspacesPoolInput)) func() error {
		return func() error { return updatePool(t, c, id, change) }
	}
	gone := s.poolsDirectory(t, c) // it cannot be used any more
	if err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		r, _, err := tx.WorkspaceDirectory(t.Context(), c.scope, gone)
		if err != nil {
			return err
		}
		read := r.Generation
		r.Enter(workspaces.RegistrationError, s.clock.Now())
		_, err = tx.SaveWorkspaceDirectory(t.Context(), r, read)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	busy := poolOrder(d, "busy")
	busy.RunningMode, busy.Capacity.DesiredUserSessions = types.PoolsRunningModeAlwaysOn, new(int32(1))
	var atWork string
	empty := poolOrder(d, "empty")
	empty.RunningMode, empty.Capacity.DesiredUserSessions = types.PoolsRunningModeAlwaysOn, new(int32(0))
	var running string
	return []way{
		{wsapi.CreateWorkspacesPool.Info, exists, create(func(in *sdk.CreateWorkspacesPoolInput) { in.PoolName = new("rests") })},
		{wsapi.CreateWorkspacesPool.Info, notFound, create(func(in *sdk.CreateWorkspacesPoolInput) { in.DirectoryId = new("wsd-000000000") })},
		{wsapi.CreateWorkspacesPool.Info, invalid, create(func(in *sdk.CreateWorkspacesPoolInput) { in.DirectoryId = &personal })},
		{wsapi.CreateWorkspacesPool.Info, notSupported, create(func(in *sdk.CreateWorkspacesPoolInput) { in.DirectoryId = &gone })},
		{wsapi.CreateWorkspacesPool.Info, limit, create(func(in *sdk.CreateWorkspacesPoolInput) { in.Capacity.DesiredUserSessions = new(int32(6)) })},
		{wsapi.DescribeWorkspacesPools.Info, invalid, func() error {
			_, err := c.DescribeWorkspacesPools(t.Context(), &sdk.DescribeWorkspacesPoolsInput{NextToken: new("x")})
			return err
		}},
		{wsapi.UpdateWorkspacesPool.Info, notFound, update(noPool, func(in *sdk.UpdateWorkspacesPoolInput) { in.Description = new("x") })},
		{wsapi.UpdateWorkspacesPool.Info, invalid, update(rests, func(in *sdk.UpdateWorkspacesPoolInput) { in.DirectoryId = &personal })},
		{wsapi.UpdateWorkspacesPool.Info, notSupported, update(rests, func(in *sdk.UpdateWorkspacesPoolInput) { in.DirectoryId = &gone })},
		{wsapi.UpdateWorkspacesPool.Info, limit, update(rests, func(in *sdk.UpdateWorkspacesPoolInput) {
			in.Capacity = &types.Capacity{DesiredUserSessions: new(int32(6))}
		})},
		{wsapi.StopWorkspacesPool.Info, badState, func() error { return stopPool(t, c, rests) }},
		{wsapi.StartWorkspacesPool.Info, notFound, func() error { return startPool(t, c, noPool) }},
		{wsapi.StopWorkspacesPool.Info, notFound, func() error { return stopPool(t, c, noPool) }},
		{wsapi.TerminateWorkspacesPool.Info, notFound, func() error { return terminatePool(t, c, noPool) }},
		{wsapi.StartWorkspacesPool.Info, inProgress, func() error {
			atWork = *newPool(t, c, busy).PoolId
			s.awaitPool(t, c, atWork, types.WorkspacesPoolStateStarting, 0)
			return startPool(t, c, atWork)
		}},
		{wsapi.StopWorkspacesPool.Info, inProgress, func() error { return stopPool(t, c, atWork) }},
		{wsapi.UpdateWorkspacesPool.Info, inProgress, func() error {
			return updatePool(t, c, atWork, func(in *sdk.UpdateWorkspacesPoolInput) { in.Description = new("x") })
		}},
		{wsapi.StartWorkspacesPool.Info, badState, func() error {
			if err := terminatePool(t, c, rests); err != nil {
				return err
			}
			s.await(t, "room for another", func() bool { return len(pools(t, c, sdk.DescribeWorkspacesPoolsInput{})) == 1 })
			running = *newPool(t, c, empty).PoolId
			s.awaitPool(t, c, running, types.WorkspacesPoolStateRunning, 0)
			return startPool(t, c, running)
		}},
		{wsapi.DescribeWorkspacesPoolSessions.Info, notFound, func() error {
			_, err := c.DescribeWorkspacesPoolSessions(t.Context(), &sdk.DescribeWorkspacesPoolSessionsInput{PoolId: new(noPool)})
			return err
		}},
		{wsapi.DescribeWorkspacesPoolSessions.Info, invalid, func() error {
			_, err := c.DescribeWorkspacesPoolSessions(t.Context(), &sdk.DescribeWorkspacesPoolSessionsInput{PoolId: &running, NextToken: new("x")})
			return err
		}},
		{wsapi.TerminateWorkspacesPoolSession.Info, notFound, func() error { return terminateSession(t, c, noSession) }},
		{wsapi.TerminateWorkspacesPoolSession.Info, inProgress, func() error {
			return terminateSession(t, c, s.insertSession(t, c, running, func(session *workspaces.PoolSession) {
				session.End(s.clock.Now())
				session.WakeAt = time.Time{} // nobody goes on with it
			}))
		}},
		{wsapi.UpdateWorkspacesPool.Info, badState, func() error {
			return updatePool(t, c, running, func(in *sdk.UpdateWorkspacesPoolInput) { in.BundleId = new(standard) })
		}},
	}
}
