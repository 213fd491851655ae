package operation

import (
	"cmp"
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// sessionPage is how many sessions a page holds where the request does not say. Source: Limit of
// DescribeWorkspacesPoolSessions.
const sessionPage = 20

// DescribeWorkspacesPoolSessions lists the sessions of a pool, all or a user's, in the order in which they
// began. Those that are ending are over for their users, and are left out. All are of the one
// AuthenticationType that the API has, SAML, also where users sign in with their directory's password.
//
// Effect: answer. Read from the store; ConnectionState is of streams that run.
func (s WorkSpaces) DescribeWorkspacesPoolSessions(
	ctx context.Context, in *wsapi.DescribeWorkspacesPoolSessionsRequest,
) (*wsapi.DescribeWorkspacesPoolSessionsResult, error) {
	filter := store.PoolSessionFilter{
		Scope: Scope(ctx), PoolID: deref(in.PoolId), UserName: deref(in.UserId), Lasting: true, Limit: int(cmp.Or(deref(in.Limit), sessionPage)),
	}
	about := list(ctx, "DescribeWorkspacesPoolSessions", []string{filter.PoolID, workspaces.UserKey(filter.UserName)})
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page store.PoolSessionPage
	err = s.Store.View(func(tx *store.Tx) error {
		_, found, err := tx.Pool(ctx, filter.Scope, filter.PoolID)
		if err == nil && !found {
			err = noPool(filter.PoolID)
		}
		if err == nil {
			page, err = tx.PoolSessions(ctx, filter)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeWorkspacesPoolSessionsResult{
		Sessions: make([]wsapi.WorkspacesPoolSession, len(page.Sessions)), NextToken: PageToken(page.Next, about...),
	}
	for i, session := range page.Sessions {
		out.Sessions[i] = describePoolSession(session, page.Connections[session.DesktopID])
	}
	return out, nil
}

func describePoolSession(s *workspaces.PoolSession, c workspaces.Connection) wsapi.WorkspacesPoolSession {
	state := wsapi.SessionConnectionStateNotConnected
	if c.Connected {
		state = wsapi.SessionConnectionStateConnected
	}
	return wsapi.WorkspacesPoolSession{
		SessionId: &s.ID, PoolId: &s.PoolID, UserId: &s.UserName, ConnectionState: &state,
		AuthenticationType: new(wsapi.AuthenticationTypeSaml), InstanceId: new(s.InstanceID()),
		StartTime: api.At(s.StartedAt), ExpirationTime: api.At(s.ExpiresAt()),
		NetworkAccessConfiguration: &wsapi.NetworkAccessConfiguration{EniPrivateIpAddress: &s.Address, EniId: new(s.InterfaceID())},
	}
}

// TerminateWorkspacesPoolSession ends a session at once: its user is cut off, and the desktop is removed
// and replaced.
//
// Effect: desktop, stream. What the pool keeps of the user's settings is taken from the desktop first.
func (s WorkSpaces) TerminateWorkspacesPoolSession(
	ctx context.Context, in *wsapi.TerminateWorkspacesPoolSessionRequest,
) (*wsapi.TerminateWorkspacesPoolSessionResult, error) {
	id := deref(in.SessionId)
	var session *workspaces.PoolSession
	err := s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		var found bool
		if session, found, err = tx.PoolSession(ctx, Scope(ctx), id); err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeNotFound, "The session %s could not be found.", id).About(id)
		}
		if session.State == workspaces.PoolSessionEnding {
			return workspaces.Errorf(workspaces.CodeInProgress, "The session %s is being ended already.", id).About(id)
		}
		return tx.EndPoolSession(ctx, session, s.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindPoolSession, session.Ref())
	return &wsapi.TerminateWorkspacesPoolSessionResult{}, nil
}

// JoinPool gives a user of the pool's directory a desktop: that of the session which they have, or one
// that is ready, with a session that begins now. It is what a sign-in does, and no operation of the API.
// The refusals are for the user: CodeInProgress while their last session is ending, CodeUnavailable where
// no desktop is ready.
func (s WorkSpaces) JoinPool(ctx context.Context, poolID, user string) (session *workspaces.PoolSession, err error) {
	scope := Scope(ctx)
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		p, found, err := tx.Pool(ctx, scope, poolID)
		if err != nil {
			return err
		}
		if !found || !p.KeepsDesktops() {
			return workspaces.Errorf(workspaces.CodeUnavailable, "This pool is not running. Your administrator starts it.").About(poolID)
		}
		if session, found, err = tx.PoolSessionOf(ctx, scope, poolID, user); err != nil {
			return err
		}
		switch {
		case found && session.State == workspaces.PoolSessionEnding:
			return workspaces.Errorf(workspaces.CodeInProgress, "Your last session is being ended. Try again in a moment.").About(poolID)
		case found:
			return nil
		}
		session, err = s.beginSession(ctx, tx, p, user)
		return err
	})
	if err == nil && session == nil { // which is kept, for the pool's metrics
		err = workspaces.Errorf(workspaces.CodeUnavailable,
			"All desktops of this pool are in use, or still being made. Try again in a moment.").About(poolID)
	}
	return session, err
}

// beginSession assigns a desktop that is ready and begins a session on it. Where none is, there is no
// session, and the pool's refusal is noted.
func (s WorkSpaces) beginSession(ctx context.Context, tx *store.Tx, p *workspaces.Pool, user string) (*workspaces.PoolSession, error) {
	now := s.Clock.Now()
	d, found, err := tx.ReadyPoolDesktop(ctx, p.Scope, p.ID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, tx.RefusePoolSession(ctx, p, now)
	}
	kept := false
	if p.SettingsGroup != "" {
		if kept, err = tx.HasPoolSettings(ctx, p, user); err != nil {
			return nil, err
		}
	}
	read := d.Generation
	d.Assign(now)
	if _, err := tx.SavePoolDesktop(ctx, d, read); err != nil {
		return nil, err
	}
	session := workspaces.NewPoolSession(Chance(ctx), p, d, user, kept, now)
	if err := tx.InsertPoolSession(ctx, session); err != nil || !kept {
		return session, err
	}
	return session, tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPoolSession, Refs: []workspaces.Ref{session.Ref()}})
}

// EndPoolSessionOn ends the session that a desktop of a pool is in use by, whose user has signed out inside, and returns
// it; nil where there is none.
func (s WorkSpaces) EndPoolSessionOn(ctx context.Context, desktopID string) (session *workspaces.PoolSession, err error) {
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		on, found, err := tx.PoolSessionOn(ctx, Scope(ctx), desktopID)
		if session = nil; err != nil || !found {
			return err
		}
		session = on
		return tx.EndPoolSession(ctx, session, s.Clock.Now())
	})
	return session, err
}

// LeavePool ends the session that a user has in a pool, where there is one.
func (s WorkSpaces) LeavePool(ctx context.Context, poolID, user string) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error {
		session, found, err := tx.PoolSessionOf(ctx, Scope(ctx), poolID, user)
		if err != nil || !found {
			return err
		}
		return tx.EndPoolSession(ctx, session, s.Clock.Now())
	})
}
