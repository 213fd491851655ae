package control

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"carrel/internal/api"
	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ConnectionMark is what PUT /_carrel/connections/{id} takes: that somebody is connected to a WorkSpace, or that a
// user is in a pool, or that they have left.
type ConnectionMark struct {
	Connected *bool  `json:"connected"`
	User      string `json:"user"` // who is in the pool; of WorkSpaces it is known
	// SignedOut says that who leaves a pool has signed out inside the desktop, which ends their session.
	SignedOut bool `json:"signed_out"`
}

// ConnectionState is what it answers.
type ConnectionState struct {
	ID        string `json:"id"`
	Connected bool   `json:"connected"`
	Session   string `json:"session_id,omitempty"` // of the user in the pool; none: it has ended
}

// connect has somebody be connected to a desktop, as the portal would, without a browser. They stay until it is said
// that they have left, or the desktop can be visited no more, or somebody takes it over in the portal.
func (c *Control) connect(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	var mark ConnectionMark
	err := take(w, r, &mark)
	if err == nil && mark.Connected == nil {
		err = errors.New("connected is missing")
	}
	if pool := strings.HasPrefix(id, "wspool-"); err == nil && pool && mark.User == "" {
		err = errors.New("user is missing, who is in the pool")
	} else if err == nil && !pool && (mark.User != "" || mark.SignedOut) {
		err = errors.New("user and signed_out are for pools only")
	} else if err == nil && mark.SignedOut && *mark.Connected {
		err = errors.New("who has signed out is not connected")
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, `A connection takes {"connected": true} or {"connected": false}, one to a pool with {"user": "jane"}: `+err.Error()+".")
		return
	}
	state, err := c.mark(r.Context(), id, mark)
	refusal, refused := errors.AsType[*workspaces.Error](err)
	switch {
	case refused && refusal.Code == workspaces.CodeNotFound:
		refuse(w, http.StatusNotFound, refusal.Message)
	case refused:
		refuse(w, http.StatusConflict, refusal.Message)
	case err != nil:
		c.fail(w, r, err)
	case *mark.Connected && !state.Connected:
		reply(w, http.StatusAccepted, state)
	default:
		reply(w, http.StatusOK, state)
	}
}

// mark makes it so. Errors: *workspaces.Error.
func (c *Control) mark(ctx context.Context, id string, mark ConnectionMark) (state ConnectionState, err error) {
	state = ConnectionState{ID: id, Connected: *mark.Connected}
	var scope workspaces.Scope
	err = c.Store.View(func(tx *store.Tx) error {
		var found bool
		if scope, found, err = tx.ScopeOf(ctx, id); err == nil && !found {
			err = workspaces.Errorf(workspaces.CodeNotFound, "There is no WorkSpace and no pool %s.", id)
		}
		return err
	})
	desktop := id
	if err == nil && mark.User != "" {
		state.Session, desktop, err = c.session(ctx, scope, id, mark)
	}
	if err != nil || desktop == "" {
		return state, err
	}
	err = c.Store.Update(ctx, func(tx *store.Tx) error {
		now := c.Clock.Now()
		if !*mark.Connected {
			return tx.TellDisconnected(ctx, scope, desktop, now)
		}
		is, err := tx.VisitState(ctx, scope, desktop)
		switch {
		case err != nil:
			return err
		case is.TakesVisits():
			return tx.TellConnected(ctx, scope, desktop, now)
		case mark.User != "": // the session has begun, and what is kept of the user is being brought
			state.Connected = false
			return nil
		default:
			return workspaces.Errorf(workspaces.CodeInvalidState, "The WorkSpace %s is %s; users connect to one that is %s.",
				id, is, workspaces.Available)
		}
	})
	if err == nil && mark.SignedOut {
		err = c.API.LeavePool(api.WithCaller(ctx, api.Caller{Account: scope.Account, Region: scope.Region}), id, mark.User)
		c.rest(ctx)
	}
	return state, err
}

// session returns the session of a user in a pool, begun now where they connect and have none, and its desktop; no
// desktop: they have none, and leave none.
func (c *Control) session(ctx context.Context, scope workspaces.Scope, pool string, mark ConnectionMark) (id, desktop string, err error) {
	var s *workspaces.PoolSession
	if *mark.Connected {
		if err := c.checkUser(ctx, scope, pool, mark.User); err != nil {
			return "", "", err
		}
		s, err = c.API.JoinPool(api.WithCaller(ctx, api.Caller{Account: scope.Account, Region: scope.Region}), pool, mark.User)
		c.rest(ctx) // what is kept of them may have to be brought
	} else {
		err = c.Store.View(func(tx *store.Tx) (err error) {
			s, _, err = tx.PoolSessionOf(ctx, scope, pool, mark.User)
			return err
		})
	}
	if err != nil || s == nil {
		return "", "", err
	}
	return s.ID, s.DesktopID, nil
}

// checkUser refuses whom the pool's directory does not know, or has disabled.
func (c *Control) checkUser(ctx context.Context, scope workspaces.Scope, id, name string) error {
	var directoryID string
	err := c.Store.View(func(tx *store.Tx) error {
		p, found, err := tx.Pool(ctx, scope, id)
		if found {
			directoryID = p.DirectoryID
		}
		return err
	})
	if err != nil {
		return err
	}
	user, err := c.API.Directories.Of(scope, directoryID).Lookup(ctx, name)
	if errors.Is(err, directory.ErrNoUser) || err == nil && !user.Enabled {
		return workspaces.Errorf(workspaces.CodeNotFound, "There is no enabled user %s in the directory %s.", name, directoryID)
	}
	return err
}
