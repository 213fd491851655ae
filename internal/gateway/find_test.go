package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestConnectionAlias signs in under a host name that leads to the directory.
func TestConnectionAlias(t *testing.T) {
	t.Parallel()
	h := open(t)
	alias := workspaces.NewConnectionAlias(nil, here(), "Desk.example.com", h.clock.Now())
	alias.Proceed(h.clock.Now())
	h.update(func(tx *store.Tx) error { return tx.InsertConnectionAlias(t.Context(), alias) })
	b := h.browser()
	b.host = "desk.EXAMPLE.com:8383"
	b.get("/").want(t, http.StatusOK, "Registration code") // it leads nowhere yet
	b.signIn("jane", password, "code", "").want(t, http.StatusForbidden, "That did not work.")

	if err := alias.BeginAssociate(nil, here().Account, directoryID, h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	alias.Proceed(h.clock.Now())
	read := alias.Generation - 2
	h.update(func(tx *store.Tx) error {
		saved, err := tx.SaveConnectionAlias(t.Context(), alias, read)
		if !saved {
			t.Error("not saved")
		}
		return err
	})
	got := b.get("/")
	got.want(t, http.StatusOK, "At Desk.example.com")
	if strings.Contains(got.text, "Registration code") {
		t.Error("the page asks for a code all the same")
	}
	b.signIn("jane", "wrong", "code", "").want(t, http.StatusForbidden, "At Desk.example.com", "That did not work.")
	b.signIn("jane", password, "code", "").want(t, http.StatusSeeOther)
	h.browser().signIn("jane", password, "code", "").want(t, http.StatusForbidden) // under another name it takes the code
}

// TestCodesCannotBeTriedBySigningIn looks whether the page that refuses too many attempts tells a
// code that there is from one that there is not.
func TestCodesCannotBeTriedBySigningIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Client.Reconnect = workspaces.Disabled }) // its page shows
	b := h.browser()
	for i := range 30 {
		b.signIn(fmt.Sprint("x", i), "wrong").want(t, http.StatusForbidden)
	}
	page := func(code string) string {
		got := b.signIn("jane", password, "code", code)
		got.want(t, http.StatusTooManyRequests)
		return strings.ReplaceAll(got.text, code[len(code)-6:], "")
	}
	if there, none := page(code), page("WSfra+ABC124"); there != none {
		t.Errorf("of a code that there is\n%s\nof one that there is not\n%s", there, none)
	}
}

// TestCodesCannotBeTried asks for the faces of many codes.
func TestCodesCannotBeTried(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser()
	seen := func() bool { return strings.Contains(b.get("/?code=wsfra%2Babc123").text, `value="WSfra&#43;ABC123"`) }
	if !seen() {
		t.Fatal("the code of the address is not in the form")
	}
	looked := 0
	for seen() {
		if looked++; looked > 100 {
			t.Fatal("100 codes were looked at")
		}
	}
	// Another site can have looked, in the user's browser.
	b.signIn("jane", password).want(t, http.StatusSeeOther)
}
