package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// refusal is why somebody may not do something, in words for them.
type refusal struct {
	status  int // of the reply
	title   string
	text    string
	command string // with which an administrator allows it
	cut     string // what somebody at work is told, in a few words; "": title and text
}

func (r *refusal) Error() string { return r.title + " " + r.text }

// refuseAddress refuses clients whose address no IP access control group of the directory
// allows. A directory without groups allows all.
func (p *Portal) refuseAddress(ctx context.Context, d *workspaces.WorkspaceDirectory, from netip.Addr) error {
	var groups workspaces.IPGroups
	err := p.Store.View(func(tx *store.Tx) (err error) {
		groups, err = tx.DirectoryIPGroups(ctx, d.Scope, d.ID)
		return err
	})
	if err != nil || groups.Allows(from) {
		return err
	}
	return &refusal{
		status: http.StatusForbidden, title: "Not from here.",
		text: fmt.Sprintf("Your organisation lets people in from certain networks only, and you come from %s. "+
			"Connect to its network and try again, or ask your administrator.", from),
		cut: fmt.Sprintf("Your organisation does not let you in from %s any more.", from),
	}
}

// refusePlace refuses clients from where, and over which connection, the directory lets nobody in, and
// everybody where its region is down.
func (p *Portal) refusePlace(ctx context.Context, d *workspaces.WorkspaceDirectory, c client) error {
	if err := refuseEncryption(d, c); err != nil {
		return err
	}
	if err := p.refuseAddress(ctx, d, c.address); err != nil {
		return err
	}
	return p.refuseDown(ctx, d)
}

// refuseWeb refuses browsers where the directory does.
// Source: ModifyWorkspaceAccessProperties, DeviceTypeWeb, which is DENY in a fresh registration.
func refuseWeb(d *workspaces.WorkspaceDirectory) error {
	if d.Settings.AllowsWeb() {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, title: "Browsers are not let in yet.",
		text: "You are who you say, but your organisation's directory does not allow WorkSpaces in a browser. An administrator allows it with:",
		cut:  "Your organisation does not let browsers in any more.",
		command: "aws workspaces modify-workspace-access-properties --region " + d.Region + " --resource-id " + d.ID +
			" --workspace-access-properties DeviceTypeWeb=ALLOW",
	}
}

// admit refuses a visitor whom the directory does not let in from where they are, now.
func (p *Portal) admit(ctx context.Context, v visitor) error {
	if err := p.refusePlace(ctx, v.directory, v.client); err != nil {
		return err
	}
	return refuseWeb(v.directory)
}

// own returns a WorkSpace of the visitor's. What is somebody else's is not there.
func (p *Portal) own(ctx context.Context, v visitor, id string) (w *workspaces.WorkSpace, err error) {
	var found bool
	err = p.Store.View(func(tx *store.Tx) error {
		w, found, err = tx.WorkSpace(ctx, v.session.Scope, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found || w.IsEnding() || w.DirectoryID != v.session.DirectoryID ||
		workspaces.UserKey(w.UserName) != workspaces.UserKey(v.user.Name) || w.UserName == workspaces.Undefined {
		return nil, noPlace()
	}
	return w, nil
}
