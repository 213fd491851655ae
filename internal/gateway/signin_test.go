package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/directory"
	"carrel/internal/gateway"
	"carrel/internal/workspaces"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser()
	b.get("/").want(t, http.StatusOK, "Registration code", "Password")
	got := b.signIn("jane", password)
	got.want(t, http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != "/desktops" {
		t.Errorf("sent on to %q", to)
	}
	b.get("/desktops").want(t, http.StatusOK, "Jane", janes, "Ready", "Connect")
	if list := b.get("/desktops").text; strings.Contains(list, johns) {
		t.Errorf("jane sees john's WorkSpace:\n%s", list)
	}
	if to := b.get("/").Header.Get("Location"); to != "/desktops" {
		t.Errorf("who is signed in is sent from / to %q", to)
	}
	b.do(http.MethodPost, "/sign-out", nil).want(t, http.StatusSeeOther)
	if to := b.get("/desktops").Header.Get("Location"); to != "/?from=/desktops" {
		t.Errorf("signed out, sent to %q", to)
	}
	b.get("/").want(t, http.StatusOK, `value="WSfra&#43;ABC123"`) // the browser remembers the code
}

// TestRefusalsAreAlike compares all of the reply but what was typed.
func TestRefusalsAreAlike(t *testing.T) {
	t.Parallel()
	h := open(t)
	want := h.browser().signIn("jane", "wrong")
	want.want(t, http.StatusForbidden, "That did not work.")
	for why, form := range map[string][3]string{
		"a wrong name":      {code, "jane2", password},
		"a wrong code":      {"WSfra+ABC124", "jane", password},
		"no code":           {"", "jane", password},
		"no password":       {code, "jane", ""},
		"no name":           {code, "", password},
		"a long password":   {code, "jane", strings.Repeat("x", 5000)},
		"a name with a NUL": {code, "jane\x00", password},
		"a broken name":     {code, "\xff", password},
		"a code of rubbish": {"'; --", "jane", password},
	} {
		got := h.browser().signIn(form[1], form[2], "code", form[0])
		if got.StatusCode != want.StatusCode || len(got.Header) != len(want.Header) || !strings.Contains(got.text, "That did not work.") {
			t.Errorf("%s: %s %v\n%s", why, got.Status, got.Header, got.text)
		}
	}
}

// TestRefusalsTakeAsLong counts how often a password is looked at, which is what takes time.
func TestRefusalsTakeAsLong(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	h := open(t, func(c *gateway.Config) { c.Directories = counted{c.Directories, &asked} })
	for why, form := range map[string][3]string{
		"a wrong password": {code, "jane", "wrong"}, "a wrong name": {code, "nobody", password}, "a wrong code": {"WSfra+ABC124", "jane", password},
		"no code": {"", "jane", password}, "a code of rubbish": {"'; --", "jane", password}, "a long name": {code, strings.Repeat("x", 64), password},
		"a long password": {code, "jane", strings.Repeat("x", 128)},
	} {
		asked.Store(0)
		h.browser().signIn(form[1], form[2], "code", form[0]).want(t, http.StatusForbidden)
		if n := asked.Load(); n != 1 {
			t.Errorf("%s: a password was looked at %d times", why, n)
		}
	}
}

// counted are directories that count how often a password is looked at.
type counted struct {
	directory.Directories
	asked *atomic.Int32
}

func (c counted) Of(scope workspaces.Scope, id string) directory.Directory {
	return countedDirectory{c.Directories.Of(scope, id), c.asked}
}

type countedDirectory struct {
	directory.Directory
	asked *atomic.Int32
}

func (c countedDirectory) Authenticate(ctx context.Context, name, given string) (*workspaces.User, error) {
	c.asked.Add(1)
	return c.Directory.Authenticate(ctx, name, given)
}

func TestCodeAsAPersonTypesIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, typed := range []string{"wsfra+abc123", " WSFRA+ABC123 ", "wsfra abc123"} {
		h.browser().signIn("jane", password, "code", typed).want(t, http.StatusSeeOther)
	}
}

func TestSignInLimits(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser()
	refused := func() page {
		for range 100 {
			if got := b.signIn("jane", "wrong"); got.StatusCode != http.StatusForbidden {
				return got
			}
		}
		t.Fatal("100 attempts were let through")
		return page{}
	}
	got := refused()
	got.want(t, http.StatusTooManyRequests, "too many attempts")
	if wait := got.Header.Get("Retry-After"); wait != "15" {
		t.Errorf("Retry-After is %q", wait)
	}
	b.signIn("jane", password).want(t, http.StatusTooManyRequests)
	b.signIn("john", password).want(t, http.StatusSeeOther) // another name has attempts of its own
	h.advance(h.real, 15*time.Second)
	b.signIn("jane", password).want(t, http.StatusSeeOther)
	for i := range 100 { // and the address has a limit for all names together
		if got = b.signIn("nobody"+strings.Repeat("x", i%60), "wrong"); got.StatusCode != http.StatusForbidden {
			break
		}
	}
	got.want(t, http.StatusTooManyRequests)
	if wait := got.Header.Get("Retry-After"); wait != "1" && wait != "2" {
		t.Errorf("Retry-After of the address is %q", wait)
	}
}

func TestWebAccess(t *testing.T) {
	t.Parallel()
	h := open(t)
	in := h.signedIn("jane")
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Access.Web = "DENY" })
	const command = "aws workspaces modify-workspace-access-properties --region eu-central-1 --resource-id d-0123456789" +
		" --workspace-access-properties DeviceTypeWeb=ALLOW"
	h.browser().signIn("jane", "wrong").want(t, http.StatusForbidden, "That did not work.") // who is not jane is not told
	h.browser().signIn("jane", password).want(t, http.StatusForbidden, command)
	in.get("/desktops").want(t, http.StatusForbidden, command)
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Access.Web = "ALLOW" })
	in.get("/desktops").want(t, http.StatusOK)
}
