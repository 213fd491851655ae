package gateway

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// place is where a visitor can work: a WorkSpace of theirs, or a pool of their directory, with the session
// that they have in it, if any.
type place struct {
	id        string                // in the portal's addresses
	workspace *workspaces.WorkSpace // nil: it is a pool
	pool      *workspaces.Pool
	session   *workspaces.PoolSession // nil: they have none
	free      bool                    // the pool has a desktop for them
	connected bool                    // somebody is connected to it
}

// idPattern is what the id of a WorkSpace or of a pool looks like; nothing else is looked up.
// Source: the API model, WorkspaceId and WorkspacesPoolId.
var idPattern = regexp.MustCompile(`^(ws-[0-9a-z]{8,63}|wspool-[0-9a-z]{9})$`) // a constant

func noPlace() error {
	return &refusal{status: http.StatusNotFound, title: "No such WorkSpace.", text: "You have no WorkSpace of that name. It may have been removed."}
}

// place returns what an id in an address stands for. What is somebody else's is not there.
func (p *Portal) place(ctx context.Context, v visitor, id string) (at place, err error) {
	if !idPattern.MatchString(id) {
		return place{}, noPlace()
	}
	if v.directory.WorkspaceType != poolsType {
		w, err := p.own(ctx, v, id)
		return place{id: id, workspace: w}, err
	}
	places, err := p.pools(ctx, v, id)
	if err == nil && len(places) == 0 {
		err = noPlace()
	}
	if err != nil {
		return place{}, err
	}
	return places[0], nil
}

// entered is place for somebody who wants to go there: a standby WorkSpace may let nobody in.
func (p *Portal) entered(ctx context.Context, v visitor, id string) (place, error) {
	at, err := p.place(ctx, v, id)
	if err == nil && at.workspace != nil {
		err = p.refuseStandby(ctx, at.workspace)
	}
	return at, err
}

// poolsType is the WorkspaceType of directories that have pools, and no WorkSpaces.
const poolsType = "POOLS"

// pools are those of the visitor's directory, or the one with the id.
func (p *Portal) pools(ctx context.Context, v visitor, id ...string) (places []place, err error) {
	err = p.Store.View(func(tx *store.Tx) error {
		page, err := tx.Pools(ctx, store.PoolFilter{Scope: v.session.Scope, DirectoryID: v.session.DirectoryID, IDs: id})
		if err != nil {
			return err
		}
		for _, pool := range page.Pools {
			if pool.State == workspaces.PoolDeleting {
				continue
			}
			at := place{id: pool.ID, pool: pool, free: page.Sizes[pool.ID].Ready > 0}
			session, found, err := tx.PoolSessionOf(ctx, v.session.Scope, pool.ID, v.user.Name)
			if err != nil {
				return err
			}
			if found {
				connections, err := tx.Connections(ctx, v.session.Scope, []string{session.DesktopID})
				if err != nil {
					return err
				}
				at.session, at.connected = session, connections[session.DesktopID].Connected
			}
			places = append(places, at)
		}
		return nil
	})
	return places, err
}

// errSessionOver says that a session in a pool has ended.
var errSessionOver = errors.New("gateway: the session in the pool is over")

// visited returns where a visit is. Errors: errSessionOver.
func (p *Portal) visited(ctx context.Context, v visitor, desktop Desktop) (at place, err error) {
	if v.directory.WorkspaceType != poolsType {
		return p.place(ctx, v, desktop.ID)
	}
	err = p.Store.View(func(tx *store.Tx) error {
		session, found, err := tx.PoolSessionOn(ctx, v.session.Scope, desktop.ID)
		if err == nil && (!found || session.State != workspaces.PoolSessionActive || session.DirectoryID != v.session.DirectoryID ||
			workspaces.UserKey(session.UserName) != workspaces.UserKey(v.user.Name)) {
			err = errSessionOver
		}
		at = place{session: session}
		return err
	})
	return at, err
}

// desktop is what is carried to the visitor.
func (at place) desktop() Desktop {
	switch {
	case at.workspace != nil:
		return Desktop{Scope: at.workspace.Scope, ID: at.workspace.ID}
	case at.session != nil:
		return Desktop{Scope: at.session.Scope, ID: at.session.DesktopID}
	default:
		return Desktop{}
	}
}

// name is what its user knows it by.
func (at place) name() string {
	if at.workspace != nil {
		return title(at.workspace.Properties.ComputeType) + " desktop"
	}
	return at.pool.Name
}

// takesVisits reports whether it can be connected to now.
func (at place) takesVisits() bool {
	if at.workspace != nil {
		return at.workspace.State.TakesVisits()
	}
	return at.session != nil && at.session.State == workspaces.PoolSessionActive
}

// keepsVisits reports whether there may be a picture of its screen.
func (at place) keepsVisits() bool {
	if at.workspace != nil {
		return at.workspace.State.KeepsVisits()
	}
	return at.takesVisits()
}

// startable reports whether there is a desktop once its user asks for it.
func (at place) startable() bool {
	if at.workspace != nil {
		return startsByItself(at.workspace)
	}
	return at.session == nil && at.pool != nil && at.pool.KeepsDesktops()
}

// state tells apart what the place comes to.
func (at place) state() string {
	switch {
	case at.workspace != nil:
		return string(at.workspace.State)
	case at.session != nil:
		return string(at.session.State)
	default:
		return string(at.pool.State)
	}
}

// describe is the place's state in words.
func (at place) describe() (state, label, text string) {
	switch {
	case at.workspace != nil:
		return describe(at.workspace)
	case at.session == nil && !at.startable():
		return "asleep", "Stopped", "Your administrator starts it."
	case at.session == nil && !at.free:
		return "asleep", "None is free", "All desktops are in use, or still being made. Try again in a moment."
	case at.session == nil:
		return "ready", "Ready", "A desktop waits for you. It is yours until you end your session; keep your files elsewhere."
	case at.session.State == workspaces.PoolSessionPreparing:
		return "busy", "Being prepared", "Your settings are being brought."
	case at.session.State == workspaces.PoolSessionEnding:
		return "busy", "Ending", "Your last session is being ended."
	case at.connected:
		return "ready", "In use", "You have it open in another window."
	default:
		return "ready", "In use", "Your session goes on. Its desktop is removed when you are away for " +
			counted(at.session.Timeouts.Disconnect/int(time.Minute/time.Second), "minute") + "."
	}
}

// start has the desktop be there that the visitor asks for. Errors: *workspaces.Error where there is none.
func (p *Portal) start(ctx context.Context, v visitor, at place) error {
	if at.workspace == nil {
		return p.Actions.Join(ctx, Desktop{Scope: v.session.Scope, ID: at.id}, v.user.Name)
	}
	err := p.Actions.Start(ctx, at.desktop())
	if _, raced := errors.AsType[*workspaces.Error](err); raced {
		return nil
	}
	return err
}

// poolCard is a pool as its user sees it in the list.
func poolCard(at place) card {
	c := card{ID: at.id, Name: at.name(), Detail: at.pool.Description, Picture: at.keepsVisits()}
	c.State, c.Label, c.Text = at.describe()
	c.Connect = at.takesVisits() || at.startable()
	c.End = at.session != nil && at.session.State != workspaces.PoolSessionEnding
	return c
}
