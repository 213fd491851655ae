package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// refuseDown refuses everybody of a directory whose region the administrator has said is down.
func (p *Portal) refuseDown(ctx context.Context, d *workspaces.WorkspaceDirectory) error {
	var down bool
	err := p.Store.View(func(tx *store.Tx) (err error) {
		down, err = tx.IsRegionDown(ctx, d.Region)
		return err
	})
	if err != nil || !down {
		return err
	}
	return regionDown(d.Region)
}

func regionDown(region string) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, title: "This Region is down.",
		text: fmt.Sprintf("Your organisation's desktops in %s cannot be reached now. If it has given you an address to sign in at without "+
			"a registration code, use that; else try again later.", region),
		cut: fmt.Sprintf("Desktops in %s cannot be reached now. Sign in again to go on elsewhere.", region),
	}
}

// firstUp returns the first directory whose region is not down, or the first, where all are; nil where there is none.
func firstUp(all []*workspaces.WorkspaceDirectory, down []store.RegionDown) *workspaces.WorkspaceDirectory {
	for _, d := range all {
		if !slices.ContainsFunc(down, func(r store.RegionDown) bool { return r.Name == d.Region }) {
			return d
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// standby is what a standby WorkSpace is to its user now.
type standby struct {
	of     *workspaces.Standby
	opens  bool // its user may go there: the primary's region is down, or they are there already
	reason string
}

// standby looks at a WorkSpace; nil where it is an ordinary one. While the primary's region is up a standby WorkSpace
// lets nobody in. Those whom it let in before may stay until they leave: what they have not saved is there.
func (p *Portal) standby(ctx context.Context, w *workspaces.WorkSpace) (s *standby, err error) {
	if !w.Standby {
		return nil, nil //nolint:nilnil // an ordinary one is no failure
	}
	s = new(standby)
	var down, found bool
	var connections map[string]workspaces.Connection
	err = p.Store.View(func(tx *store.Tx) error {
		if s.of, found, err = tx.Standby(ctx, w.Scope, w.ID); err != nil || !found {
			return err
		}
		if down, err = tx.IsRegionDown(ctx, s.of.PrimaryRegion); err != nil {
			return err
		}
		connections, err = tx.Connections(ctx, w.Scope, []string{w.ID})
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found { // it is being forgotten
		s.of = &workspaces.Standby{Scope: w.Scope, ID: w.ID}
	}
	switch region := s.of.PrimaryRegion; {
	case down:
		s.reason = fmt.Sprintf("It stands in for yours in %s, which is down.", region)
	default:
		s.reason = fmt.Sprintf("It stands in for yours should %s be down. Sign out and in again to get to yours.", region)
	}
	if at := s.of.RecoveredAt; down && !at.IsZero() {
		s.reason += at.UTC().Format(" It has your files of 2 January 2006, 15:04 UTC.")
	}
	s.opens = down || connections[w.ID].Connected
	return s, nil
}

// refuseStandby refuses the user of a standby WorkSpace that lets nobody in now.
func (p *Portal) refuseStandby(ctx context.Context, w *workspaces.WorkSpace) error {
	s, err := p.standby(ctx, w)
	if err != nil || s == nil || s.opens {
		return err
	}
	return &refusal{status: http.StatusForbidden, title: "This desktop is a standby.", text: s.reason}
}

// standbyCard changes the card of a standby WorkSpace to what it is to its user.
func standbyCard(c card, s *standby) card {
	c.Name = "Standby desktop"
	if s.opens {
		c.Text += " " + s.reason
		return c
	}
	c.State, c.Label, c.Text = "closed", "Standby", s.reason
	c.Picture, c.Connect, c.Start, c.Restart, c.Manage = false, false, false, false, manage{}
	return c
}
