package gateway_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/gateway"
	"carrel/internal/saml/samltest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	post     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// come has a browser sign in at the identity provider.
func (f *federated) come() *browser {
	f.Helper()
	f.advance(f.real, time.Minute) // the limits are tested elsewhere
	b := f.browser()
	f.arrive(b, f.post(b, f.start(b, startPath))).want(f.TB, http.StatusSeeOther)
	b.get("/desktops").want(f.TB, http.StatusOK)
	return b
}

// bring has a browser bring what the identity provider makes it, from that site.
func (f *federated) bring(b *browser, c samltest.Carried) page {
	f.Helper()
	if c.Form == nil {
		return b.get(strings.TrimPrefix(c.URL, f.server.URL))
	}
	jar := b.client.Jar
	b.client.Jar = nil
	defer func() { b.client.Jar = jar }()
	b.header.Set("Sec-Fetch-Site", "cross-site")
	defer b.header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(http.MethodPost, strings.TrimPrefix(c.URL, f.server.URL), c.Form)
}

var passingPattern = regexp.MustCompile(`(?:http-equiv="refresh" content="0; url=|(action)="|name="(SAML[A-Za-z]+|RelayState)" value=")([^"]*)"`)

// passed is what a page of ours has the browser carry away.
func passed(p page) (c samltest.Carried) {
	for _, field := range passingPattern.FindAllStringSubmatch(p.text, -1) {
		switch value := html.UnescapeString(field[3]); {
		case field[2] == "":
			c.URL = value
		case c.Form == nil:
			c.Form = url.Values{field[2]: {value}}
		default:
			c.Form.Set(field[2], value)
		}
	}
	return c
}

// TestSigningOutEverywhere signs out here, and has the identity provider told of it.
func TestSigningOutEverywhere(t *testing.T) {
	t.Parallel()
	for name, bindings := range map[string][]string{"by address": {redirect, post}, "by form": {post}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := federate(t, workspaces.EnabledWithFallback)
			f.idp.LogoutBy(bindings...)
			f.provider.Metadata = f.idp.Metadata()
			f.update(func(tx *store.Tx) error { return tx.PutSAMLProvider(f.Context(), f.provider) })
			b := f.come()
			out := b.do(http.MethodPost, "/sign-out", url.Values{})
			out.want(t, http.StatusOK, "You are signed out here.")
			b.get("/desktops").want(t, http.StatusSeeOther)
			carried := passed(out)
			if policy := out.Header.Get("Content-Security-Policy"); strings.Contains(policy, "form-action 'self' "+f.idp.URL+";") != (carried.Form != nil) {
				t.Errorf("forms may go to %s", policy)
			}
			answer := f.idp.Hear(carried)
			if !slices.Equal(f.idp.Left(), []string{"jane"}) {
				t.Errorf("left have %v", f.idp.Left())
			}
			got := f.bring(b, answer)
			got.want(t, http.StatusSeeOther)
			if to := got.Header.Get("Location"); to != "/" {
				t.Errorf("sent on to %s", to)
			}
			f.advance(f.clock, time.Hour)
			f.bring(b, answer).want(t, http.StatusForbidden, "perhaps not elsewhere", "too old")
			// Who came with a password has no session there.
			f.signedIn("jane").do(http.MethodPost, "/sign-out", url.Values{}).want(t, http.StatusSeeOther)
		})
	}
}

// TestWhoeverCannotBeToldIsLeft signs out where the identity provider takes no word of it.
func TestWhoeverCannotBeToldIsLeft(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b, c := f.come(), f.come()
	f.idp.LogoutBy()
	f.provider.Metadata = f.idp.Metadata()
	f.update(func(tx *store.Tx) error { return tx.PutSAMLProvider(f.Context(), f.provider) })
	b.do(http.MethodPost, "/sign-out", url.Values{}).want(t, http.StatusSeeOther)
	f.provider.KeyPair = "broken"
	f.update(func(tx *store.Tx) error { return tx.PutSAMLProvider(f.Context(), f.provider) })
	c.do(http.MethodPost, "/sign-out", url.Values{}).want(t, http.StatusSeeOther)
	c.get("/desktops").want(t, http.StatusSeeOther)
}

// TestTheIdentityProviderSignsOut has it end the sessions that it began.
func TestTheIdentityProviderSignsOut(t *testing.T) {
	t.Parallel()
	for _, binding := range []string{redirect, post} {
		t.Run(binding, func(t *testing.T) {
			t.Parallel()
			f := federate(t, workspaces.EnabledWithFallback)
			by := f.signedIn("jane")
			one, two := f.come(), f.come()
			f.idp.SignIn("john", nil)
			john := f.come()
			f.bring(one, f.idp.Leave(binding, "jane", "another session")).want(t, status(binding))
			one.get("/desktops").want(t, http.StatusOK)

			word := f.idp.Leave(binding, "jane", "s")
			got := f.bring(one, word)
			got.want(t, status(binding))
			answer := passed(got)
			if binding == redirect {
				answer.URL = got.Header.Get("Location")
			}
			if !strings.HasPrefix(answer.URL, f.idp.SLO()) {
				t.Errorf("the answer goes to %+v", answer)
			}
			for _, b := range []*browser{one, two} {
				b.get("/desktops").want(t, http.StatusSeeOther)
			}
			for _, b := range []*browser{by, john} { // whom it does not mean
				b.get("/desktops").want(t, http.StatusOK)
			}
			f.bring(one, word).want(t, http.StatusForbidden, "It has been used before.")
			f.bring(one, f.idp.Leave(binding, "john")).want(t, status(binding))
			john.get("/desktops").want(t, http.StatusSeeOther)
			// Whoever has gone already has gone.
			f.bring(one, f.idp.Leave(binding, "john")).want(t, status(binding))
			late := f.idp.Leave(binding, "john")
			f.advance(f.clock, 10*time.Minute)
			f.bring(one, late).want(t, http.StatusForbidden, "too old", "sign out here")
		})
	}
}

func status(binding string) int {
	if binding == redirect {
		return http.StatusSeeOther
	}
	return http.StatusOK
}

// TestLogoutBetweenArriving ends a session that is about to begin.
func TestLogoutBetweenArriving(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b := f.browser()
	posted := f.post(b, f.start(b, startPath))
	f.bring(f.browser(), f.idp.Leave(redirect, "jane")).want(t, http.StatusSeeOther)
	f.arrive(b, posted).want(t, http.StatusForbidden, "This sign-in is over.")
}

func TestLogoutsThatAreNone(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b := f.come()
	f.browser().get("/saml/federation/slo").want(t, http.StatusForbidden, "Signing out everywhere did not work here.")
	f.browser().get("/saml/nowhere/slo").want(t, http.StatusNotFound)
	f.browser().do(http.MethodPost, "/saml/federation/slo", url.Values{"SAMLRequest": {"%%%"}}).want(t, http.StatusForbidden)
	f.browser().do(http.MethodPost, "/saml/federation/slo", url.Values{"SAMLResponse": {"x"}}).want(t, http.StatusForbidden, "perhaps not elsewhere")
	f.browser().do(http.MethodPost, "/saml/federation/slo", url.Values{"SAMLRequest": {strings.Repeat("x", 600<<10)}}).want(t, http.StatusBadRequest)
	stranger := samltest.NewAt(t, f.clock.Now(), f.idp.URL)
	stranger.Register(f.browser().get("/saml/federation/metadata").text)
	f.bring(f.browser(), stranger.Leave(redirect, "jane")).want(t, http.StatusForbidden, "It is not")
	b.get("/desktops").want(t, http.StatusOK)
	for range 30 {
		f.browser().get("/saml/federation/slo")
	}
	f.browser().get("/saml/federation/slo").want(t, http.StatusTooManyRequests)
}

// TestKeysAreCompleted gives a key pair to a provider of a time when there were none, once.
func TestKeysAreCompleted(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	f.provider.KeyPair = ""
	f.update(func(tx *store.Tx) error { return tx.PutSAMLProvider(f.Context(), f.provider) })
	var before string
	for range 2 {
		if _, err := gateway.New(t.Context(), f.config); err != nil {
			t.Fatal(err)
		}
		f.update(func(tx *store.Tx) error {
			p, _, err := tx.SAMLProvider(f.Context(), here(), directoryID)
			if p.KeyPair == "" || before != "" && p.KeyPair != before {
				t.Error("the key pair is not completed, or made anew")
			}
			before = p.KeyPair
			return err
		})
	}
	f.browser().get("/saml/federation/metadata").want(t, http.StatusOK, `use="encryption"`, "aes256-gcm", f.provider.LogoutURL())
}

func TestEncryptedArrival(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	f.idp.Encrypt()
	f.come()
}
