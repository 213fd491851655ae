package operation

import (
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateWorkspacesPool makes a pool of desktops for the users of a directory of the
// WorkspaceType POOLS. With the running mode ALWAYS_ON it starts by itself; with AUTO_STOP,
// which it has where the request names none, it waits STOPPED for StartWorkspacesPool.
//
// Effect: desktop. An ALWAYS_ON pool makes its desktops at once.
func (s WorkSpaces) CreateWorkspacesPool(ctx context.Context, in *wsapi.CreateWorkspacesPoolRequest) (*wsapi.CreateWorkspacesPoolResult, error) {
	tags := tagsOf(in.Tags)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	p := workspaces.NewPool(Chance(ctx), workspaces.Pool{
		Scope: Scope(ctx), Name: deref(in.PoolName), Description: deref(in.Description), DirectoryID: deref(in.DirectoryId),
		BundleID: deref(in.BundleId), RunningMode: deref(in.RunningMode), Desired: int(deref(in.Capacity.DesiredUserSessions)),
		Timeouts: poolTimeouts(in.TimeoutSettings, workspaces.DefaultPoolTimeouts()),
	}, s.Clock.Now())
	if p.RunningMode == "" {
		p.RunningMode = workspaces.AutoStop
	}
	p.SettingsGroup = settingsGroup(in.ApplicationSettings, p.ID)
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.checkNewPool(ctx, tx, p); err != nil {
			return err
		}
		if err := tx.InsertPool(ctx, p); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, p.Scope, p.ID, tags); err != nil {
			return err
		}
		return enqueuePool(ctx, tx, p)
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindPool, p.Ref())
	return &wsapi.CreateWorkspacesPoolResult{WorkspacesPool: new(describePool(p, store.PoolSize{}))}, nil
}

// checkNewPool looks at a new pool among all that is there.
func (s WorkSpaces) checkNewPool(ctx context.Context, tx *store.Tx, p *workspaces.Pool) error {
	taken, err := tx.PoolNameTaken(ctx, p.Scope, p.Name)
	if err != nil {
		return err
	}
	if taken {
		return workspaces.Errorf(workspaces.CodeAlreadyExists, "There is a pool named %s already.", p.Name)
	}
	n, err := tx.CountPools(ctx, p.Scope)
	if err != nil {
		return err
	}
	if n >= s.Limits.Pools {
		return workspaces.Errorf(workspaces.CodeLimitExceeded, "The account %s can have %d pools in %s.", p.Account, s.Limits.Pools, p.Region)
	}
	if err := s.checkPoolCapacity(p.Desired); err != nil {
		return err
	}
	if err := checkPoolDirectory(ctx, tx, p.DirectoryID); err != nil {
		return err
	}
	p.Design, err = s.poolDesign(ctx, tx, p.BundleID)
	return err
}

func (s WorkSpaces) checkPoolCapacity(desired int) error {
	if desired > s.Limits.SessionsPerPool {
		return workspaces.Errorf(workspaces.CodeLimitExceeded, "A pool can have %d user sessions; %d are asked for.", s.Limits.SessionsPerPool, desired)
	}
	return nil
}

// checkPoolDirectory refuses directories in which no pool can be.
func checkPoolDirectory(ctx context.Context, tx *store.Tx, id string) error {
	d, err := registration(ctx, tx, id)
	if err != nil {
		return err
	}
	if d.WorkspaceType != wsapi.WorkspaceTypePools {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "The directory %s is of the WorkspaceType %s; it must be POOLS.", id, d.WorkspaceType).About(id)
	}
	return d.CheckRegistered(workspaces.CodeNotSupported)
}

// poolDesign is what the desktops of a pool of the bundle are made of.
func (s WorkSpaces) poolDesign(ctx context.Context, tx *store.Tx, id string) (workspaces.PoolDesign, error) {
	b, found, err := s.Bundle(ctx, tx, id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The bundle %s could not be found.", id).About(id)
	}
	return workspaces.PoolDesign{Image: b.Image, ComputeType: b.ComputeType, RootGiB: b.RootGiB, UserGiB: b.UserGiB}, err
}

// settingsGroup is what users' settings are to be kept under by a request, "" where they are not to be
// kept; without a group of its own a pool keeps them under its id, which no other has.
func settingsGroup(in *wsapi.ApplicationSettingsRequest, poolID string) string {
	switch {
	case in == nil || deref(in.Status) != wsapi.ApplicationSettingsStatusEnumEnabled:
		return ""
	case deref(in.SettingsGroup) == "":
		return poolID
	default:
		return *in.SettingsGroup
	}
}

// poolTimeouts are those of a request; members that it does not have stay as they are.
func poolTimeouts(in *wsapi.TimeoutSettings, t workspaces.PoolTimeouts) workspaces.PoolTimeouts {
	if in == nil {
		return t
	}
	for to, from := range map[*int]*int32{
		&t.Disconnect: in.DisconnectTimeoutInSeconds, &t.Idle: in.IdleDisconnectTimeoutInSeconds, &t.Maximum: in.MaxUserDurationInSeconds,
	} {
		if from != nil {
			*to = int(*from)
		}
	}
	return t
}

// DescribeWorkspacesPools lists pools by id or name, or all. Ids that do not exist are left out.
//
// Effect: answer. Read from the store, with the desktops that are there and in use.
func (s WorkSpaces) DescribeWorkspacesPools(ctx context.Context, in *wsapi.DescribeWorkspacesPoolsRequest) (*wsapi.DescribeWorkspacesPoolsResult, error) {
	filter := store.PoolFilter{Scope: Scope(ctx), IDs: in.PoolIds, Limit: PageSize(in.Limit)}
	criteria := [][]string{in.PoolIds}
	for _, f := range in.Filters {
		op := deref(f.Operator)
		filter.Names = append(filter.Names, store.PoolNameFilter{
			Contains: op == wsapi.DescribeWorkspacesPoolsFilterOperatorContains || op == wsapi.DescribeWorkspacesPoolsFilterOperatorNotcontains,
			Not:      op == wsapi.DescribeWorkspacesPoolsFilterOperatorNotequals || op == wsapi.DescribeWorkspacesPoolsFilterOperatorNotcontains,
			Values:   f.Values,
		})
		criteria = append(criteria, []string{op}, f.Values)
	}
	about := list(ctx, "DescribeWorkspacesPools", criteria...)
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page store.PoolPage
	err = s.Store.View(func(tx *store.Tx) (err error) {
		page, err = tx.Pools(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeWorkspacesPoolsResult{
		WorkspacesPools: make([]wsapi.WorkspacesPool, len(page.Pools)), NextToken: PageToken(page.Next, about...),
	}
	for i, p := range page.Pools {
		out.WorkspacesPools[i] = describePool(p, page.Sizes[p.ID])
	}
	return out, nil
}

// describePool is a pool as the API shows it, which has so many desktops. What is ready or in use is
// actually there, and the desired number bounds both together.
func describePool(p *workspaces.Pool, size store.PoolSize) wsapi.WorkspacesPool {
	count := func(n int) *int32 { return new(int32(n)) } //nolint:gosec // a quota bounds them
	out := wsapi.WorkspacesPool{
		PoolId: &p.ID, PoolArn: new(p.ARN("workspacespool", p.ID)), PoolName: &p.Name, Description: &p.Description,
		State: (*string)(&p.State), CreatedAt: api.At(p.CreatedAt), BundleId: &p.BundleID, DirectoryId: &p.DirectoryID, RunningMode: &p.RunningMode,
		CapacityStatus: &wsapi.CapacityStatus{
			AvailableUserSessions: count(size.Ready), DesiredUserSessions: count(p.Desired), ActualUserSessions: count(size.Ready + size.InUse),
			ActiveUserSessions: count(size.InUse),
		},
		ApplicationSettings: &wsapi.ApplicationSettingsResponse{Status: new(wsapi.ApplicationSettingsStatusEnumDisabled)},
		TimeoutSettings: &wsapi.TimeoutSettings{
			DisconnectTimeoutInSeconds: count(p.Timeouts.Disconnect), IdleDisconnectTimeoutInSeconds: count(p.Timeouts.Idle),
			MaxUserDurationInSeconds: count(p.Timeouts.Maximum),
		},
	}
	if p.SettingsGroup != "" {
		out.ApplicationSettings = &wsapi.ApplicationSettingsResponse{
			Status: new(wsapi.ApplicationSettingsStatusEnumEnabled), SettingsGroup: &p.SettingsGroup,
		}
	}
	if p.ErrorCode != "" {
		out.Errors = []wsapi.WorkspacesPoolError{{ErrorCode: &p.ErrorCode, ErrorMessage: &p.ErrorMessage}}
	}
	return out
}
