package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// desktopsView is the page with the user's WorkSpaces.
type desktopsView struct {
	Cards   []card
	AddIn   *workspaces.ClientAddIn // the directory's link to Amazon Connect; nil: it has none
	Problem string
}

// desktops shows the visitor's WorkSpaces.
func (p *Portal) desktops(w http.ResponseWriter, r *http.Request, v visitor) {
	p.showDesktops(w, r, v, http.StatusOK, "")
}

func (p *Portal) showDesktops(w http.ResponseWriter, r *http.Request, v visitor, status int, problem string) {
	cards, err := p.cards(r.Context(), v)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	content := desktopsView{Cards: cards, Problem: problem}
	err = p.Store.View(func(tx *store.Tx) error {
		addIn, found, err := tx.ClientAddIn(r.Context(), v.session.Scope, v.session.DirectoryID)
		if found {
			content.AddIn = addIn
		}
		return err
	})
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.showTo(w, r, v, status, "desktops.html", "Your WorkSpaces", content)
}

// cards are the visitor's WorkSpaces, or the pools that they may use.
func (p *Portal) cards(ctx context.Context, v visitor) ([]card, error) {
	if v.directory.WorkspaceType == poolsType {
		places, err := p.pools(ctx, v)
		cards := make([]card, len(places))
		for i, at := range places {
			cards[i] = poolCard(at)
		}
		return cards, err
	}
	var page store.WorkSpacePage
	var connections map[string]workspaces.Connection
	err := p.Store.View(func(tx *store.Tx) (err error) {
		filter := store.WorkSpaceFilter{Scope: v.session.Scope, DirectoryID: v.session.DirectoryID, UserName: v.user.Name}
		if page, err = tx.WorkSpaces(ctx, filter); err != nil {
			return err
		}
		var ids []string
		for _, w := range page.WorkSpaces {
			ids = append(ids, w.ID)
		}
		connections, err = tx.Connections(ctx, v.session.Scope, ids)
		return err
	})
	cards := make([]card, 0, len(page.WorkSpaces))
	for _, w := range page.WorkSpaces {
		if err != nil || w.HasEnded() {
			continue
		}
		c := newCard(w, v.directory.Settings.SelfService)
		if c.State == "ready" && connections[w.ID].Connected {
			c.Text = "You have it open in another window."
		}
		var s *standby
		if s, err = p.standby(ctx, w); s != nil {
			c = standbyCard(c, s)
		}
		cards = append(cards, c)
	}
	return cards, err
}

// How often the list is looked at again while a page shows it: after a change in this
// process at once, but not more often than eventsPause; what other processes change, every eventsEvery.
const (
	eventsPause = 250 * time.Millisecond
	eventsEvery = 2 * time.Second
	// eventsTake is how long a browser may leave what it is sent, in the machine's time: one that sleeps, or
	// has gone without a word, must not hold a connection for ever.
	eventsTake = 20 * time.Second
)

// events sends the cards whenever they have changed, as server-sent events.
func (p *Portal) events(w http.ResponseWriter, r *http.Request, v visitor) {
	stream := http.NewResponseController(w)
	if err := stream.SetReadDeadline(time.Time{}); err != nil { // the server's own is for requests that end
		p.refuse(w, r, err)
		return
	}
	defer func() { _ = stream.SetWriteDeadline(time.Time{}) }() // the browser has gone
	w.Header().Set("Content-Type", "text/event-stream")
	last := ""
	for {
		changed := p.Store.Changed()
		now, err := p.eventData(r, v)
		if late := stream.SetWriteDeadline(time.Now().Add(eventsTake)); late != nil { //nolint:forbidigo // connections live in real time
			return
		}
		if err != nil {
			_, _ = fmt.Fprint(w, "event: over\ndata:\n\n") // the browser has gone
			return
		}
		if now != last {
			_, err = fmt.Fprintf(w, "event: cards\ndata: %s\n\n", strings.ReplaceAll(now, "\n", "\ndata: "))
			last = now
		} else {
			_, err = fmt.Fprint(w, ": still here\n\n")
		}
		if err == nil {
			err = stream.Flush()
		}
		if err != nil || !p.wait(r.Context(), changed, eventsPause, eventsEvery) {
			return
		}
	}
}

// eventData is the list's part of the page, for somebody who is still let in.
func (p *Portal) eventData(r *http.Request, v visitor) (string, error) {
	again, err := p.resume(r.Context(), v.session.ID)
	if err != nil {
		return "", err
	}
	again.client = v.client
	if err := p.admit(r.Context(), again); err != nil {
		return "", err
	}
	cards, err := p.cards(r.Context(), again)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = p.pages.templates.ExecuteTemplate(&out, "cards", desktopsView{Cards: cards})
	return out.String(), err
}

// screen answers with a picture of a WorkSpace's screen.
func (p *Portal) screen(w http.ResponseWriter, r *http.Request, v visitor) {
	at, err := p.entered(r.Context(), v, r.PathValue("id"))
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if !at.keepsVisits() {
		p.refuse(w, r, errNoPicture())
		return
	}
	image, mediaType, err := p.Pictures.Picture(r.Context(), at.desktop())
	if err != nil {
		p.Log.DebugContext(r.Context(), "no picture of a screen", "desktop", at.desktop().ID, "error", err)
		p.refuse(w, r, errNoPicture())
		return
	}
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(image) // the browser has gone
}

func errNoPicture() error {
	return &refusal{status: http.StatusNotFound, title: "No picture.", text: "There is no picture of this screen now."}
}

// act does to a WorkSpace, or in a pool, what the visitor asks for and their directory lets them.
func (p *Portal) act(w http.ResponseWriter, r *http.Request, v visitor) {
	at, err := p.entered(r.Context(), v, r.PathValue("id"))
	switch {
	case err != nil:
	case at.workspace != nil:
		err = p.do(r, v, at.workspace)
	case r.PathValue("action") == "end":
		err = p.Actions.Leave(r.Context(), Desktop{Scope: v.session.Scope, ID: at.id}, v.user.Name)
	default:
		err = noSuchAction()
	}
	no, refused := errors.AsType[*workspaces.Error](err)
	switch {
	case refused && wantsPage(r):
		p.showDesktops(w, r, v, http.StatusConflict, no.Message)
	case refused:
		p.tell(w, http.StatusConflict, message{Text: no.Message})
	case err != nil:
		p.refuse(w, r, err)
	case wantsPage(r):
		http.Redirect(w, r, "/desktops", http.StatusSeeOther)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
