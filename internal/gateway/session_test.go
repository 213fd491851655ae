package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// sessionCookie returns the browser's.
func (b *browser) sessionCookie() *http.Cookie {
	b.Helper()
	at, err := url.Parse(b.at)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "carrel-session" {
			return c
		}
	}
	b.Fatal("the browser has no session")
	return nil
}

// isIn reports whether the browser's user is signed in.
func (b *browser) isIn() bool {
	b.Helper()
	return b.get("/desktops").StatusCode == http.StatusOK
}

func TestCookies(t *testing.T) {
	t.Parallel()
	h := open(t)
	for why, c := range map[string]struct {
		form   []string
		change func(*workspaces.WorkspaceDirectory)
		stays  bool
	}{
		"by itself":            {stays: false},
		"asked to stay":        {form: []string{"stay", "yes"}, stays: true},
		"asked, not permitted": {form: []string{"stay", "yes"}, change: func(d *workspaces.WorkspaceDirectory) { d.Settings.Client.Reconnect = workspaces.Disabled }},
	} {
		if c.change != nil {
			h.directory(c.change)
		}
		got := h.browser().signIn("jane", password, c.form...)
		h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Client.Reconnect = workspaces.Enabled })
		text := strings.Join(got.Header.Values("Set-Cookie"), "\n")
		first, _, _ := strings.Cut(text, "\n")
		if !strings.HasPrefix(first, "carrel-session=") || !strings.Contains(first, "; Path=/; ") || !strings.Contains(first, "; HttpOnly; SameSite=Lax") {
			t.Errorf("%s: %s", why, first)
		}
		if stays := strings.Contains(first, "Max-Age=2592000"); stays != c.stays {
			t.Errorf("%s: stays is %v: %s", why, stays, first)
		}
	}
}

func TestForgedCookies(t *testing.T) {
	t.Parallel()
	h := open(t)
	in := h.signedIn("jane")
	good := in.sessionCookie().Value
	var id string
	h.update(func(tx *store.Tx) (err error) {
		id, err = tx.Setting(t.Context(), "portal-key")
		return err
	})
	for why, value := range map[string]string{
		"none":              "",
		"rubbish":           "x",
		"not base64":        "%%%",
		"cut":               good[:len(good)-4],
		"a letter changed":  flip(good, len(good)/2),
		"another name's":    in.codeCookie(),
		"the key itself":    id,
		"very long":         strings.Repeat("A", 5000),
		"the signed, twice": good + good,
	} {
		other := h.browser()
		other.header.Set("Cookie", "carrel-session="+value)
		if other.isIn() {
			t.Errorf("%s: let in", why)
		}
	}
	other := h.browser()
	other.header.Set("Cookie", "carrel-session="+good)
	if !other.isIn() {
		t.Error("the good one is not let in")
	}
}

// TestCookiesOfAnotherInstallation signs sessions that there are with keys that are not the store's.
func TestCookiesOfAnotherInstallation(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	there := open(t).signedIn("jane") // a house like this one, with a key of its own
	jane.header.Set("Cookie", "carrel-session="+there.sessionCookie().Value)
	jane.client.Jar = nil
	if jane.isIn() {
		t.Error("another installation's cookie is let in")
	}
	jane = h.signedIn("jane")
	h.update(func(tx *store.Tx) error {
		return tx.PutSetting(t.Context(), "portal-key", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 64)))
	})
	jane.at = h.serve().URL
	if jane.isIn() {
		t.Error("a session that there is is let in by another's signature")
	}
}

func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

func (b *browser) codeCookie() string {
	at, err := url.Parse(b.at)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "carrel-code" {
			return c.Value
		}
	}
	return ""
}

// TestWhatEndsASession changes one thing after the other under somebody who is signed in.
func TestWhatEndsASession(t *testing.T) {
	t.Parallel()
	for why, f := range map[string]func(h *house){
		"time":           func(h *house) { h.advance(h.clock, 12*time.Hour) },
		"a new password": func(h *house) { h.user("jane", func(u *workspaces.User) { u.PasswordHash = "another" }) },
		"disabled":       func(h *house) { h.user("jane", func(u *workspaces.User) { u.Enabled = false }) },
		"deleted":        func(h *house) { h.deleteUser("jane") },
		"deregistering": func(h *house) {
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.State = workspaces.Deregistering })
		},
		"registered anew": func(h *house) {
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.RegistrationCode = "WSfra+NEW001" })
		},
		"a reset": func(h *house) { h.update(func(tx *store.Tx) error { return tx.Reset(h.Context()) }) },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			jane := h.signedIn("jane")
			if !jane.isIn() {
				t.Fatal("not signed in to begin with")
			}
			f(h)
			if jane.isIn() {
				t.Error("still signed in")
			}
			jane.header.Set("Accept", "application/json")
			jane.get("/desktops").want(t, http.StatusUnauthorized, "signed out")
		})
	}
}

func (h *house) user(name string, change func(*workspaces.User)) {
	h.update(func(tx *store.Tx) error {
		u, _, err := tx.User(h.Context(), here(), directoryID, name)
		if err != nil {
			return err
		}
		change(u)
		return tx.PutUser(h.Context(), u)
	})
}

func (h *house) deleteUser(name string) {
	h.update(func(tx *store.Tx) error {
		_, err := tx.DeleteUser(h.Context(), here(), directoryID, name)
		return err
	})
}

func TestStaying(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.browser()
	jane.signIn("jane", password, "stay", "yes")
	h.advance(h.clock, 29*24*time.Hour)
	if !jane.isIn() {
		t.Error("signed out before the month was over")
	}
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Client.Reconnect = workspaces.Disabled })
	if jane.isIn() {
		t.Error("stays although the directory does not permit it any more")
	}
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Client.Reconnect = workspaces.Enabled })
	h.advance(h.clock, 24*time.Hour)
	if jane.isIn() {
		t.Error("stays after the month")
	}
}

// TestProcessesShareSessions signs in at one process and goes on at another.
func TestProcessesShareSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	other := h.browser()
	other.at = h.serve().URL
	other.header.Set("Cookie", "carrel-session="+jane.sessionCookie().Value)
	if !other.isIn() {
		t.Error("the other process does not know the session")
	}
	jane.do(http.MethodPost, "/sign-out", nil).want(t, http.StatusSeeOther)
	if other.isIn() {
		t.Error("the session outlives its end at the other process")
	}
}

// TestOtherSites sends what a browser sends when another site makes it.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	h := open(t)
	for why, header := range map[string]http.Header{
		"another site":         {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
		"a sibling":            {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://other.example.com"}},
		"an old browser":       {"Origin": {"https://evil.example"}},
		"a sandboxed document": {"Origin": {"null"}},
		"another port":         {"Origin": {"http://127.0.0.1:1"}},
	} {
		jane := h.signedIn("jane")
		jane.header.Del("Sec-Fetch-Site")
		maps.Copy(jane.header, header)
		for _, path := range []string{"/sign-in", "/sign-out", "/desktops/" + janes + "/restart", "/desktop/" + janes + "/ticket"} {
			if got := jane.do(http.MethodPost, path, url.Values{}); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s: POST %s: %s", why, path, got.Status)
			}
		}
		jane.header.Set("Upgrade", "websocket")
		jane.get("/desktop/"+janes+"/stream?ticket=x").want(t, http.StatusForbidden, "another site")
	}
	if done := h.actions.list(); done != "" {
		t.Errorf("done: %s", done)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	for _, path := range []string{"/", "/desktops", "/desktop/" + janes, "/desktop/none", "/assets/x/y", "/desktops/x/y/z"} {
		got := jane.get(path).Header
		policy := got.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: no %s in %q", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || got.Get("X-Content-Type-Options") != "nosniff" || got.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := jane.get("/desktops").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page may be kept: %q", got)
	}
}

// TestTheAPIKeepsItsPaths asks for what is not the portal's.
func TestTheAPIKeepsItsPaths(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, request := range [][2]string{
		{http.MethodPost, "/"}, {http.MethodPost, "/Users/CreateUser"}, {http.MethodPost, "/Groups/ListGroups"}, {http.MethodGet, "/anything"},
	} {
		program := h.browser()
		program.header.Set("Accept", "application/json")
		program.do(request[0], request[1], url.Values{}).want(t, http.StatusTeapot, "the API")
	}
	person := h.browser()
	person.header.Set("Accept", "text/html,*/*;q=0.8")
	person.get("/anything").want(t, http.StatusNotFound, "Carrel has no page /anything.")
	person.do(http.MethodPost, "/", url.Values{}).want(t, http.StatusTeapot, "the API")
}

// until waits for a condition that others bring about.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	ctx, stop := context.WithTimeout(h.Context(), 10*time.Second)
	defer stop()
	for !is() {
		select {
		case <-ctx.Done():
			h.Fatalf("not in time: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}
