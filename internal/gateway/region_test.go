package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// What there is in a second region: a directory with jane and her standby WorkSpace, under the host name of the first.
const (
	farCode      = "WSyul+DEF456"
	farDirectory = "d-9876543210"
	standbyID    = "ws-standby01"
	deskHost     = "desk.example.com"
)

func there() workspaces.Scope {
	return workspaces.Scope{Account: here().Account, Region: "ca-central-1"}
}

// pair adds the second region, and an alias that leads to both directories.
func (h *house) pair() {
	h.Helper()
	h.update(func(tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(h.Context(), here(), directoryID)
		if err != nil {
			return err
		}
		d.Scope, d.ID, d.RegistrationCode = there(), farDirectory, farCode
		u, _, err := tx.User(h.Context(), here(), directoryID, "jane")
		if err != nil {
			return err
		}
		u.Scope, u.DirectoryID = there(), farDirectory
		w, _, err := tx.WorkSpace(h.Context(), here(), janes)
		if err != nil {
			return err
		}
		w.Scope, w.ID, w.DirectoryID, w.Standby = there(), standbyID, farDirectory, true
		for _, err := range []error{
			tx.InsertWorkspaceDirectory(h.Context(), d), tx.PutUser(h.Context(), u), tx.InsertWorkSpace(h.Context(), w),
			tx.InsertStandby(h.Context(), &workspaces.Standby{
				Scope: there(), ID: standbyID, PrimaryRegion: here().Region, PrimaryID: janes, Replication: workspaces.PrimaryAsSource,
				RecoveredAt: time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC),
			}),
			h.alias(tx, there(), farDirectory),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// alias leads the host name to a directory.
func (h *house) alias(tx *store.Tx, scope workspaces.Scope, directory string) error {
	a := workspaces.NewConnectionAlias(nil, scope, deskHost, h.clock.Now())
	a.Proceed(h.clock.Now())
	if err := a.BeginAssociate(nil, scope.Account, directory, h.clock.Now()); err != nil {
		return err
	}
	a.Proceed(h.clock.Now())
	return tx.InsertConnectionAlias(h.Context(), a)
}

// down says that a region is down, or up again.
func (h *house) down(region string, down bool) { //nolint:revive // it says which
	h.Helper()
	h.update(func(tx *store.Tx) error {
		if down {
			return tx.PutRegionDown(h.Context(), region, h.clock.Now())
		}
		return tx.DeleteRegionDown(h.Context(), region)
	})
}

// paired is a house with two regions.
func paired(t *testing.T) *house {
	t.Helper()
	h := open(t)
	h.update(func(tx *store.Tx) error { return h.alias(tx, here(), directoryID) })
	h.pair() // its region's name would come first
	return h
}

// atDesk is a browser that was given the host name of the alias.
func (h *house) atDesk() *browser {
	h.Helper()
	b := h.browser()
	b.host = deskHost
	return b
}

// TestRedirection signs in under one host name to the first region, to the second while the first is down, and back.
func TestRedirection(t *testing.T) {
	t.Parallel()
	h := paired(t)
	b := h.atDesk()
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	b.get("/desktops").want(t, http.StatusOK, janes)

	h.down(here().Region, true)
	if to := b.get("/desktops").Header.Get("Location"); to != "/?from=/desktops" {
		t.Errorf("sent to %q", to)
	}
	got := b.get("/") // the browser remembers the code of the first region, and the name counts
	got.want(t, http.StatusOK, "At "+deskHost)
	if strings.Contains(got.text, code[len(code)-6:]) {
		t.Error("the code of the region that is down is filled in")
	}
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	list := b.get("/desktops")
	list.want(t, http.StatusOK, standbyID, "Standby desktop", "which is down", "24 November 2026, 14:00 UTC", "Connect")
	if strings.Contains(list.text, janes) || strings.Contains(list.text, "running-mode") {
		t.Errorf("%s", list.text)
	}
	b.get("/desktop/"+standbyID).want(t, http.StatusOK, `data-desktop="`+standbyID+`"`)

	h.down(here().Region, false)
	list = b.get("/desktops")
	list.want(t, http.StatusOK, "Standby", "Sign out and in again")
	if strings.Contains(list.text, "Connect") {
		t.Errorf("%s", list.text)
	}
	b.get("/desktop/"+standbyID).want(t, http.StatusForbidden, "This desktop is a standby.")
	b.get("/desktops/"+standbyID+"/screen").want(t, http.StatusForbidden)
	b.do(http.MethodPost, "/desktops/"+standbyID+"/restart", nil).want(t, http.StatusForbidden)
	b.do(http.MethodPost, "/sign-out", nil).want(t, http.StatusSeeOther)
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	b.get("/desktops").want(t, http.StatusOK, janes)
}

// TestRegionDown tells who signs in by the code of a region that is down, or when all are, and lets in nobody.
func TestRegionDown(t *testing.T) {
	t.Parallel()
	h := paired(t)
	h.down(here().Region, true)
	h.browser().get("/?code="+strings.ReplaceAll(code, "+", "%2B")).want(t, http.StatusOK, "Password")
	h.browser().signIn("jane", password).want(t, http.StatusServiceUnavailable, "This Region is down.", here().Region)
	h.browser().signIn("jane", password, "code", farCode).want(t, http.StatusSeeOther)
	h.down(there().Region, true)
	h.atDesk().signIn("jane", password, "code", "").want(t, http.StatusServiceUnavailable, here().Region)
	h.down(here().Region, false)
	h.atDesk().signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	// Guesses are counted as any others are.
	h.down(here().Region, true)
	guesser := h.browser()
	for range 30 {
		guesser.signIn("jane", "wrong")
	}
	guesser.signIn("jane", "wrong").want(t, http.StatusTooManyRequests)
}

// TestStreamsOfARegionThatGoesDown are cut; one to the standby WorkSpace goes on when the region is back, and no new one begins.
func TestStreamsOfARegionThatGoesDown(t *testing.T) {
	t.Parallel()
	h := paired(t)
	b := h.atDesk()
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	ticket, _ := b.ticket(janes)
	way, status := b.connect(janes, ticket)
	if status != http.StatusSwitchingProtocols {
		t.Fatal(status)
	}
	h.down(here().Region, true)
	_, _, err := way.Read(t.Context())
	if websocket.CloseStatus(err) != gateway.CutAccess || !strings.Contains(err.Error(), here().Region) {
		t.Errorf("the stream ended with %v", err)
	}

	b = h.atDesk()
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	ticket, _ = b.ticket(standbyID)
	if way, status = b.connect(standbyID, ticket); status != http.StatusSwitchingProtocols {
		t.Fatal(status)
	}
	h.update(func(tx *store.Tx) error { // what the real streams note
		return tx.OpenStream(t.Context(), store.Stream{Scope: there(), WorkSpaceID: standbyID, ID: "1", OpenedAt: h.clock.Now()})
	})
	h.down(here().Region, false)
	b.header.Set("Accept", "text/html")
	b.get("/desktop/"+standbyID).want(t, http.StatusOK) // until they leave
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := way.Read(t.Context()); err != nil || string(got) != "still here" {
		t.Errorf("%q %v", got, err)
	}
	h.update(func(tx *store.Tx) error {
		return tx.CloseStream(t.Context(), store.Stream{Scope: there(), WorkSpaceID: standbyID, ID: "1"}, h.clock.Now())
	})
	if ticket, said := b.ticket(standbyID); ticket != "" {
		t.Errorf("%v", said)
	}
}

// TestAliasWithoutDirectory leads to the next region where the first has no directory any more, up or not.
func TestAliasWithoutDirectory(t *testing.T) {
	t.Parallel()
	for what, lose := range map[string]func(h *house, a *workspaces.ConnectionAlias){
		"disassociated": func(h *house, a *workspaces.ConnectionAlias) {
			read := a.Generation
			if err := a.BeginDisassociate(here().Account, h.clock.Now()); err != nil {
				t.Error(err)
			}
			h.update(func(tx *store.Tx) error {
				_, err := tx.SaveConnectionAlias(t.Context(), a, read)
				return err
			})
		},
		"being deregistered": func(h *house, _ *workspaces.ConnectionAlias) {
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.State = workspaces.Deregistering })
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := paired(t)
			var all []*workspaces.ConnectionAlias
			h.update(func(tx *store.Tx) (err error) {
				all, err = tx.ConnectionAliasesOfHost(t.Context(), deskHost)
				return err
			})
			if len(all) != 2 || all[0].Scope != here() {
				t.Fatalf("%+v", all)
			}
			lose(h, all[0])
			b := h.atDesk()
			b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
			b.get("/desktops").want(t, http.StatusOK, standbyID, "Standby")
			b.get("/desktop/"+standbyID).want(t, http.StatusForbidden) // the first region is up
		})
	}
}
