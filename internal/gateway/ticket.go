package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
	"carrel/web"
)

// ticketLife is how long a ticket can be used, by the machine's time.
const ticketLife = 20 * time.Second

// desktopView is the page of one desktop.
type desktopView struct {
	ID, Name    string
	Built       bool // the page's client is there
	Copy, Paste bool // text, from the desktop and to it
	FilesIn     bool
	FilesOut    bool
	Sound       bool
}

// desktop shows the page in which the user works on a desktop.
func (p *Portal) desktop(w http.ResponseWriter, r *http.Request, v visitor) {
	at, err := p.entered(r.Context(), v, r.PathValue("id"))
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	name, rules := at.name(), rulesOf(v.directory)
	p.showTo(w, r, v, http.StatusOK, "desktop.html", name, desktopView{
		ID: at.id, Name: name, Built: web.HasClient(), Copy: rules.ClipboardOut > 0, Paste: rules.ClipboardIn > 0,
		FilesIn: rules.FilesIn && p.Channels != nil, FilesOut: rules.FilesOut && p.Channels != nil, Sound: p.Channels != nil,
	})
}

// ticketHold is how long the reply is held back while a desktop is on its way.
const ticketHold = 20 * time.Second

// ticket gives the right to open one connection to a desktop, or says what that waits for.
// A stopped desktop that starts by itself is started, and one of a pool given, where the person, and
// not the page by itself, asks for it. A page that has been told the state gets the next reply when there is another.
func (p *Portal) ticket(w http.ResponseWriter, r *http.Request, v visitor) {
	at, err := p.ready(r, v)
	if no, refused := errors.AsType[*workspaces.Error](err); refused {
		p.tell(w, http.StatusConflict, message{Title: "No desktop.", Text: no.Message, Startable: true})
		return
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if !at.takesVisits() {
		state, label, text := at.describe()
		if at.startable() && at.workspace == nil { // nobody has asked for another
			label, text = "Your session has ended", "Its desktop has been removed. You can begin another session."
		}
		status := http.StatusConflict
		if state == "busy" {
			status = http.StatusAccepted
		}
		p.tell(w, status, message{Title: label, Text: text, State: at.state(), Wait: state == "busy", Startable: at.startable()})
		return
	}
	token, now := secret(), p.Real.Now()
	err = p.Store.Update(r.Context(), func(tx *store.Tx) error {
		return tx.InsertPortalTicket(r.Context(), store.PortalTicket{
			Scope: v.session.Scope, ID: hash(token), SessionID: v.session.ID, WorkSpace: at.id, Address: v.address.String(),
			Share: r.PostFormValue("share") != "", ExpiresAt: now.Add(ticketLife),
		}, now)
	})
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.tell(w, http.StatusOK, message{Text: "Connecting.", Ticket: token})
}

// ready returns the place that the request is for, started where it asks for that, and while it
// is on its way as soon as its state is another than the one that the page has seen.
func (p *Portal) ready(r *http.Request, v visitor) (place, error) {
	start := r.PostFormValue("start") != ""
	hold, release := context.WithTimeout(r.Context(), ticketHold)
	defer release()
	for {
		changed := p.Store.Changed()
		at, err := p.entered(r.Context(), v, r.PathValue("id"))
		if err != nil {
			return at, err
		}
		if start && at.startable() {
			if err := p.start(r.Context(), v, at); err != nil {
				return at, err
			}
			start = false // once is enough
			continue
		}
		if state, _, _ := at.describe(); state != "busy" || at.state() != r.PostFormValue("seen") {
			return at, nil
		}
		if !p.wait(hold, changed, holdPause, holdEvery) {
			return at, nil
		}
	}
}

// How often a WorkSpace is looked at again while a reply is held back, as with events.
const (
	holdPause = 20 * time.Millisecond
	holdEvery = 500 * time.Millisecond
)

// stream opens the connection that a ticket is for.
func (p *Portal) stream(w http.ResponseWriter, r *http.Request, v visitor) {
	visit, err := p.redeem(r, v)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if v.directory.WorkspaceType == poolsType && p.Channels != nil {
		defer p.attend(r.Context(), visit)()
	}
	p.Streams.Serve(w, r, visit)
}

// redeem takes the request's ticket, which is gone then, whatever comes of it.
func (p *Portal) redeem(r *http.Request, v visitor) (Visit, error) {
	var ticket store.PortalTicket
	var found bool
	err := p.Store.Update(r.Context(), func(tx *store.Tx) (err error) {
		ticket, found, err = tx.TakePortalTicket(r.Context(), hash(r.URL.Query().Get("ticket")), p.Real.Now())
		return err
	})
	if err != nil {
		return Visit{}, err
	}
	if !found || ticket.SessionID != v.session.ID || ticket.WorkSpace != r.PathValue("id") || ticket.Address != v.address.String() {
		return Visit{}, &refusal{status: http.StatusForbidden, title: "No such ticket.", text: "It has been used, or is too old. Open the desktop again."}
	}
	visit, err := p.visit(r, v)
	visit.Share = ticket.Share
	return visit, err
}

// visit describes a connection of the visitor's to the desktop that the request names.
func (p *Portal) visit(r *http.Request, v visitor) (Visit, error) {
	at, err := p.entered(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return Visit{}, err
	}
	if !at.takesVisits() {
		_, label, text := at.describe()
		return Visit{}, &refusal{status: http.StatusConflict, title: label + ".", text: text}
	}
	return Visit{
		Desktop: at.desktop(), ID: secret(), Session: v.session.ID, DirectoryID: v.session.DirectoryID,
		User: v.user.Name, Address: v.address, Approved: v.approved, Rules: rulesOf(v.directory),
	}, nil
}

// channel hands a request for what goes beside the screen to whoever carries it.
func (p *Portal) channel(serve func(http.ResponseWriter, *http.Request, Visit)) func(http.ResponseWriter, *http.Request, visitor) {
	return func(w http.ResponseWriter, r *http.Request, v visitor) {
		if p.Channels == nil {
			p.nothing(w, r)
			return
		}
		visit, err := p.visit(r, v)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		serve(w, r, visit)
	}
}
