package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/internal/saml"
	"carrel/internal/saml/samltest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// federated is a house whose users sign in at an identity provider.
type federated struct {
	*house
	idp      *samltest.IdentityProvider
	provider *workspaces.SAMLProvider
}

// keyPair is one for all tests: to make one takes a while.
var keyPair = sync.OnceValues(func() (string, error) { return saml.NewKeyPair(directoryID, time.Now()) })

func federate(t *testing.T, status string) *federated {
	t.Helper()
	h := open(t)
	f := &federated{house: h, idp: samltest.New(t, h.clock.Now())}
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	f.provider = &workspaces.SAMLProvider{Scope: here(), DirectoryID: directoryID, ID: "federation", Address: h.server.URL, Metadata: f.idp.Metadata(), KeyPair: pair}
	h.update(func(tx *store.Tx) error { return tx.PutSAMLProvider(h.Context(), f.provider) })
	h.directory(func(d *workspaces.WorkspaceDirectory) {
		d.Settings.SAML = workspaces.SAMLProperties{Status: status, UserAccessURL: f.idp.SSO(), RelayStateParameter: "RelayState"}
	})
	got := h.browser().get("/saml/federation/metadata")
	got.want(t, http.StatusOK, f.provider.EntityID(), f.provider.ConsumerURL())
	f.idp.Register(got.text)
	f.idp.SignIn("jane", nil)
	return f
}

// start goes to the identity provider, and returns what it makes the browser post.
func (f *federated) start(b *browser, path string) samltest.Form {
	f.Helper()
	got := b.get(path)
	got.want(f.TB, http.StatusSeeOther)
	return f.idp.Visit(got.Header.Get("Location"))
}

// post posts the form from the identity provider's page, without cookies, as browsers do from another site.
func (f *federated) post(b *browser, form samltest.Form) page {
	f.Helper()
	jar := b.client.Jar
	b.client.Jar = nil
	defer func() { b.client.Jar = jar }()
	b.header.Set("Sec-Fetch-Site", "cross-site")
	defer b.header.Set("Sec-Fetch-Site", "same-origin")
	b.header.Set("Origin", f.idp.URL)
	defer b.header.Del("Origin")
	return b.do(http.MethodPost, strings.TrimPrefix(form.Action, f.server.URL), form.Values())
}

// arrive goes on to where a reply sends the browser.
func (f *federated) arrive(b *browser, posted page) page {
	f.Helper()
	posted.want(f.TB, http.StatusSeeOther)
	return b.get(strings.TrimPrefix(posted.Header.Get("Location"), f.server.URL))
}

const startPath = "/saml/federation/start"

func TestSAMLInPlaceOfPasswords(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b := f.browser()
	front := b.get("/?code=" + url.QueryEscape(code))
	front.want(t, http.StatusOK, "Sign in with your organisation", f.provider.StartURL()+"?next=%2Fdesktops")
	if strings.Contains(front.text, "password") {
		t.Errorf("a password is asked for:\n%s", front.text)
	}
	b.signIn("jane", password).want(t, http.StatusForbidden, "a page of its own", "Sign in with your organisation")
	b.get("/desktops").want(t, http.StatusSeeOther)

	got := f.arrive(b, f.post(b, f.start(b, startPath+"?next=/desktop/"+janes)))
	got.want(t, http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != "/desktop/"+janes {
		t.Errorf("sent on to %s", to)
	}
	b.get("/desktops").want(t, http.StatusOK, janes)

	f.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.SAML.Status = workspaces.Disabled })
	b.get("/desktops").want(t, http.StatusSeeOther) // a session ends with what it was begun by
	b.get(startPath).want(t, http.StatusForbidden, "Sign in with your password.")
	f.signedIn("jane").get("/desktops").want(t, http.StatusOK)
}

func TestSAMLBesidePasswords(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.EnabledWithFallback)
	f.browser().get("/?code="+url.QueryEscape(code)).want(t, http.StatusOK, "Sign in with your organisation", `type="password"`)
	by := f.signedIn("jane")
	b := f.browser()
	f.arrive(b, f.post(b, f.start(b, startPath))).want(t, http.StatusSeeOther)
	b.get("/desktops").want(t, http.StatusOK)
	f.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.SAML.Status = workspaces.Enabled })
	b.get("/desktops").want(t, http.StatusOK)
	by.get("/desktops").want(t, http.StatusSeeOther) // it was begun with a password
}

// TestSAMLWithoutARequest begins where the service's clients do: at an address that takes none.
func TestSAMLWithoutARequest(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	f.directory(func(d *workspaces.WorkspaceDirectory) {
		d.Settings.SAML.UserAccessURL, d.Settings.SAML.RelayStateParameter = f.idp.App(), "Where"
	})
	b := f.browser()
	f.arrive(b, f.post(b, f.start(b, startPath))).want(t, http.StatusSeeOther)
	b.get("/desktops").want(t, http.StatusOK, janes)

	// At the identity provider's own page: once more round, from here.
	other := f.browser()
	got := f.arrive(other, f.post(other, f.idp.Visit(f.idp.App())))
	got.want(t, http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != f.provider.StartURL() {
		t.Fatalf("sent on to %s", to)
	}
	f.arrive(other, f.post(other, f.start(other, startPath))).want(t, http.StatusSeeOther)
	other.get("/desktops").want(t, http.StatusOK, janes)

	// One that loses the relay state gets nobody in, and nobody goes round for ever.
	lost := f.browser()
	form := f.start(lost, startPath)
	form.RelayState = ""
	f.arrive(lost, f.post(lost, form)).want(t, http.StatusForbidden, "loses the parameter Where")
}

// TestSAMLIsOfOneBrowser has somebody use what another browser began or brought.
func TestSAMLIsOfOneBrowser(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	mallory, jane := f.browser(), f.browser()
	// Mallory begins, and has jane finish: her arrival is told to her browser alone, and Mallory's has none.
	form := f.start(mallory, startPath)
	posted := f.post(jane, form)
	if to := f.arrive(jane, posted).Header.Get("Location"); to != f.provider.StartURL() {
		t.Errorf("a browser that began nothing is sent to %q", to)
	}
	jane.get("/desktops").want(t, http.StatusSeeOther)
	f.arrive(mallory, posted).want(t, http.StatusForbidden, "This sign-in is over.")
	// Mallory has jane's browser post what Mallory's has got, so that she works as Mallory.
	f.idp.SignIn("john", nil)
	form = f.start(mallory, startPath)
	f.start(jane, startPath)
	f.arrive(jane, f.post(jane, form)).want(t, http.StatusForbidden, "This sign-in began elsewhere.")
	jane.get("/desktops").want(t, http.StatusSeeOther)
}

func TestSAMLOnce(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b := f.browser()
	form := f.start(b, startPath)
	posted := f.post(b, form)
	f.post(b, form).want(t, http.StatusForbidden, "It has been used before.")
	f.arrive(b, posted).want(t, http.StatusSeeOther)
	f.arrive(b, posted).want(t, http.StatusForbidden, "This sign-in is over.")

	late := f.browser()
	form = f.start(late, startPath)
	f.advance(f.clock, 10*time.Minute)
	f.post(late, form).want(t, http.StatusForbidden, "It is too old.")
	f.idp.Advance(10 * time.Minute)
	posted = f.post(late, f.start(late, startPath))
	f.advance(f.real, 2*time.Minute)
	f.arrive(late, posted).want(t, http.StatusForbidden, "This sign-in is over.")
}

// TestWhoComesBySAML tries who is not let in although the identity provider vouches for them.
func TestWhoComesBySAML(t *testing.T) {
	t.Parallel()
	const email, sid = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:Email", "https://aws.amazon.com/SAML/Attributes/PrincipalTag:ObjectSid"
	f := federate(t, workspaces.Enabled)
	var jane *workspaces.User
	user := func(change func(*workspaces.User)) {
		f.update(func(tx *store.Tx) error {
			u, _, err := tx.User(f.Context(), here(), directoryID, "jane")
			if err != nil {
				return err
			}
			change(u)
			jane = u
			if _, err := tx.DeleteUser(f.Context(), here(), directoryID, "jane"); err != nil {
				return err
			}
			return tx.PutUser(f.Context(), u)
		})
	}
	user(func(u *workspaces.User) { u.EmailAddress, u.SID = "jane@example.com", "S-1" })
	arrive := func() page {
		b := f.browser()
		f.advance(f.real, time.Minute) // the limits are tested elsewhere
		return f.arrive(b, f.post(b, f.start(b, startPath)))
	}
	for _, c := range []struct {
		name       string
		attributes map[string]string
		status     int
		text       string
	}{
		{"JANE", nil, http.StatusSeeOther, ""},
		{"jane", map[string]string{email: "Jane@Example.com", sid: "S-2"}, http.StatusSeeOther, ""},
		{"jane", map[string]string{email: "jane@example.org"}, http.StatusForbidden, "another email address"},
		{"nobody", nil, http.StatusForbidden, "no such user"},
		{"<b>jane</b>", nil, http.StatusForbidden, "&lt;b&gt;jane&lt;/b&gt;"},
		{strings.Repeat("x", 5000), nil, http.StatusForbidden, "no such user"},
		{"jane\tdoe", nil, http.StatusForbidden, "no such user"},
	} {
		f.idp.SignIn(c.name, c.attributes)
		arrive().want(t, c.status, c.text)
	}
	f.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.CertificateAuth.Status = workspaces.Enabled })
	f.idp.SignIn("jane", map[string]string{sid: "S-2"})
	arrive().want(t, http.StatusForbidden, "another security identifier")
	f.idp.SignIn("jane", map[string]string{sid: jane.SID})
	arrive().want(t, http.StatusSeeOther)
	user(func(u *workspaces.User) { u.Enabled = false })
	arrive().want(t, http.StatusForbidden, "disabled")
	user(func(u *workspaces.User) { u.Enabled = true })
	f.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Access.Web = workspaces.Deny })
	arrive().want(t, http.StatusForbidden, "DeviceTypeWeb=ALLOW")
}

func TestTheIdentityProviderEndsSessions(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	f.idp.End(time.Hour)
	b := f.browser()
	f.arrive(b, f.post(b, f.start(b, startPath))).want(t, http.StatusSeeOther)
	f.advance(f.clock, 59*time.Minute)
	b.get("/desktops").want(t, http.StatusOK)
	f.advance(f.clock, time.Minute)
	b.get("/desktops").want(t, http.StatusSeeOther)
}

func TestSAMLThatIsNotSetUp(t *testing.T) {
	t.Parallel()
	f := federate(t, workspaces.Enabled)
	b := f.browser()
	b.host = "desktops.example.com" // a name that the identity provider does not know
	got := b.get(startPath + "?next=/desktop/" + janes)
	got.want(t, http.StatusSeeOther)
	want := f.provider.StartURL() + "?here=1&next=%2Fdesktop%2F" + janes
	if to := got.Header.Get("Location"); to != want {
		t.Errorf("sent on to %s", to)
	}
	b.get(strings.TrimPrefix(want, f.server.URL)).want(t, http.StatusSeeOther) // a proxy that passes another name on
	if to := f.browser().get(strings.TrimPrefix(want, f.server.URL)).Header.Get("Location"); !strings.HasPrefix(to, f.idp.SSO()) {
		t.Errorf("sent round to %s", to)
	}
	for path, status := range map[string]int{
		"/saml/nowhere/start": http.StatusNotFound, "/saml/nowhere/metadata": http.StatusNotFound, "/saml/federation/arrive?ticket=x": http.StatusForbidden,
		"/saml/federation/acs": http.StatusNotFound, "/saml/federation": http.StatusNotFound,
	} {
		f.browser().get(path).want(t, status)
	}
	f.update(func(tx *store.Tx) error {
		_, err := tx.DeleteSAMLProvider(f.Context(), here(), directoryID)
		return err
	})
	f.browser().get("/?code="+url.QueryEscape(code)).want(t, http.StatusOK, "carrel saml set")
	f.browser().signIn("jane", password).want(t, http.StatusForbidden, "carrel saml set")
	f.browser().get(startPath).want(t, http.StatusNotFound)
}
