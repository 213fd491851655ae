package main

import (
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/gateway"
	"carrel/internal/gateway/channel"
	"carrel/internal/journal"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// portal puts together what browsers see.
func (s *server) portal(ctx context.Context, core *operation.Core) (*gateway.Portal, error) {
	proxies, err := s.config.Proxies()
	if err != nil {
		return nil, err
	}
	return gateway.New(ctx, gateway.Config{
		Store: s.store, Clock: s.clock, Real: s.real, Directories: core.Directories, Log: s.log, Proxies: proxies,
		Actions:  actions{operation.WorkSpaces{Core: core}, s.journal},
		Pictures: s.streams, Streams: s.streams,
		Channels: channel.New(channel.Config{Dial: s.engine.driver.DialSide, Real: s.real, Log: s.log}),
	})
}

// actions does what the portal's users ask for as the API's operations do, on behalf of the
// account that their directory is in.
type actions struct {
	of      operation.WorkSpaces
	journal *journal.Journal
}

func (actions) caller(ctx context.Context, d gateway.Desktop) context.Context {
	return api.WithCaller(ctx, api.Caller{Account: d.Account, Region: d.Region})
}

// refusedItem is the refusal among what an operation on several WorkSpaces could not do.
func refusedItem(failed []wsapi.FailedWorkspaceChangeRequest) error {
	if len(failed) == 0 {
		return nil
	}
	return workspaces.Errorf(workspaces.CodeUnavailable, "%s", *failed[0].ErrorMessage)
}

// Start starts a stopped WorkSpace.
func (a actions) Start(ctx context.Context, d gateway.Desktop) error {
	out, err := journal.Do(a.caller(ctx, d), a.journal, wsapi.StartWorkspaces, &wsapi.StartWorkspacesRequest{
		StartWorkspaceRequests: []wsapi.StartRequest{{WorkspaceId: &d.ID}},
	}, a.of.StartWorkspaces)
	if err != nil {
		return err
	}
	return refusedItem(out.FailedRequests)
}

// Restart reboots a WorkSpace.
func (a actions) Restart(ctx context.Context, d gateway.Desktop) error {
	out, err := journal.Do(a.caller(ctx, d), a.journal, wsapi.RebootWorkspaces, &wsapi.RebootWorkspacesRequest{
		RebootWorkspaceRequests: []wsapi.RebootRequest{{WorkspaceId: &d.ID}},
	}, a.of.RebootWorkspaces)
	if err != nil {
		return err
	}
	return refusedItem(out.FailedRequests)
}

// Rebuild rebuilds a WorkSpace.
func (a actions) Rebuild(ctx context.Context, d gateway.Desktop) error {
	out, err := journal.Do(a.caller(ctx, d), a.journal, wsapi.RebuildWorkspaces, &wsapi.RebuildWorkspacesRequest{
		RebuildWorkspaceRequests: []wsapi.RebuildRequest{{WorkspaceId: &d.ID}},
	}, a.of.RebuildWorkspaces)
	if err != nil {
		return err
	}
	return refusedItem(out.FailedRequests)
}

// Modify changes a property of a WorkSpace.
func (a actions) Modify(ctx context.Context, d gateway.Desktop, c gateway.Change) error {
	properties := new(wsapi.WorkspaceProperties)
	switch {
	case c.ComputeType != "":
		properties.ComputeTypeName = &c.ComputeType
	case c.RunningMode != "":
		properties.RunningMode = &c.RunningMode
	case c.RootGiB != 0:
		properties.RootVolumeSizeGib = new(int32(c.RootGiB)) //nolint:gosec // one of a few sizes
	default:
		properties.UserVolumeSizeGib = new(int32(c.UserGiB)) //nolint:gosec // one of a few sizes
	}
	_, err := journal.Do(a.caller(ctx, d), a.journal, wsapi.ModifyWorkspaceProperties, &wsapi.ModifyWorkspacePropertiesRequest{
		WorkspaceId: &d.ID, WorkspaceProperties: properties,
	}, a.of.ModifyWorkspaceProperties)
	return err
}

// Join gives a user a desktop of a pool.
func (a actions) Join(ctx context.Context, pool gateway.Desktop, user string) error {
	act := &store.Act{Kind: store.ActJoin, Scope: pool.Scope, Pool: pool.ID, User: user}
	return a.journal.Act(a.caller(ctx, pool), act, func(ctx context.Context) error {
		_, err := a.of.JoinPool(ctx, pool.ID, user)
		return err
	})
}

// Leave ends the session of a user in a pool.
func (a actions) Leave(ctx context.Context, pool gateway.Desktop, user string) error {
	act := &store.Act{Kind: store.ActLeave, Scope: pool.Scope, Pool: pool.ID, User: user}
	return a.journal.Act(a.caller(ctx, pool), act, func(ctx context.Context) error { return a.of.LeavePool(ctx, pool.ID, user) })
}

// SignOut ends the session that is on a desktop of a pool.
func (a actions) SignOut(ctx context.Context, d gateway.Desktop) error {
	act := &store.Act{Kind: store.ActLeave, Scope: d.Scope}
	return a.journal.Act(a.caller(ctx, d), act, func(ctx context.Context) error {
		session, err := a.of.EndPoolSessionOn(ctx, d.ID)
		if session != nil { // in whose words a journal can repeat it
			act.Pool, act.User = session.PoolID, session.UserName
		}
		return err
	})
}
