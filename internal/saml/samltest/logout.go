package samltest

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crewjam/saml"
)

// SLO is where it is told that people leave.
func (i *IdentityProvider) SLO() string { return i.URL + "/slo" }

// LogoutBy says by which bindings it is told so from now on, in its metadata; none: it is not.
func (i *IdentityProvider) LogoutBy(bindings ...string) {
	i.provider.LogoutBindings = bindings
	if len(bindings) == 0 {
		i.provider.LogoutURL = url.URL{}
	}
}

// InvalidateSession implements saml.SessionInvalidator.
func (i *IdentityProvider) InvalidateSession(_ http.ResponseWriter, _ *http.Request, r *saml.IdpLogoutRequest) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left = append(i.left, r.Request.NameID.Value)
	return nil
}

// Left are those whose sessions it was told to end.
func (i *IdentityProvider) Left() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.left)
}

// Carried is a message about a logout that it has a browser carry: to an address, or there with a form.
type Carried struct {
	URL  string
	Form url.Values // nil: there is none
}

// Request is the message as a request of a browser's.
func (c Carried) Request() *http.Request {
	if c.Form == nil {
		return httptest.NewRequestWithContext(context.Background(), http.MethodGet, c.URL, http.NoBody)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, c.URL, strings.NewReader(c.Form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// Leave has it say that somebody leaves, by a binding. indexes are those of their sessions; none: all of them.
func (i *IdentityProvider) Leave(binding, user string, indexes ...string) Carried {
	i.tb.Helper()
	service := i.Service()
	// Both sides ask alike; only their names are different.
	asking := saml.ServiceProvider{
		EntityID: i.URL + "/metadata", Key: i.provider.Signer, Certificate: i.provider.Certificate, SignatureMethod: i.provider.SignatureMethod,
		Clock: i.provider.Clock, IDPMetadata: &saml.EntityDescriptor{EntityID: service.EntityID, IDPSSODescriptors: []saml.IDPSSODescriptor{
			{SSODescriptor: service.SPSSODescriptors[0].SSODescriptor},
		}},
	}
	if binding == saml.HTTPRedirectBinding {
		to, err := asking.MakeRedirectLogoutRequest(user, "whence", saml.WithSessionIndexes(indexes...))
		if err != nil {
			i.tb.Fatal(err)
		}
		return Carried{URL: to.String()}
	}
	page, err := asking.MakePostLogoutRequest(user, "whence", saml.WithSessionIndexes(indexes...))
	if err != nil {
		i.tb.Fatal(err)
	}
	return carried(string(page))
}

// Hear has a browser carry a message to it, and returns what that carries back.
func (i *IdentityProvider) Hear(c Carried) Carried {
	i.tb.Helper()
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, c.Request())
	if to := w.Header().Get("Location"); to != "" {
		return Carried{URL: to}
	}
	if w.Code != http.StatusOK {
		i.tb.Fatalf("the identity provider answers %d\n%s", w.Code, w.Body)
	}
	return carried(w.Body.String())
}

// Farewell is an address of its Handler's at which somebody signs out there, which their browser then tells Carrel too.
func (i *IdentityProvider) Farewell(user string) string {
	return i.URL + "/farewell?user=" + url.QueryEscape(user)
}

// farewell has the browser tell Carrel, by a form where it is told of logouts by forms.
func (i *IdentityProvider) farewell(w http.ResponseWriter, r *http.Request) {
	binding := i.provider.LogoutBindings[0]
	c := i.Leave(binding, r.URL.Query().Get("user"))
	if c.Form == nil {
		http.Redirect(w, r, c.URL, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input name="SAMLRequest" value="%s"><input name="RelayState" value="%s"></form>`+
		`<script>document.forms[0].submit()</script>`, html.EscapeString(c.URL), c.Form.Get("SAMLRequest"), c.Form.Get("RelayState"))
}

// serveLogout answers what it is told of a logout; what answers its own is the end of it.
func (i *IdentityProvider) serveLogout(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("SAMLResponse") == "" {
		i.provider.ServeSLO(w, r)
		return
	}
	_, _ = w.Write([]byte(`<p id="over">You have signed out everywhere.</p>`))
}

var formPattern = regexp.MustCompile(`(?:(action)|name="(SAML[A-Za-z]+|RelayState)" value)="([^"]*)"`) // a constant

func carried(page string) Carried {
	c := Carried{Form: url.Values{}}
	for _, field := range formPattern.FindAllStringSubmatch(page, -1) {
		if value := html.UnescapeString(field[3]); field[1] != "" {
			c.URL = value
		} else {
			c.Form.Set(field[2], value)
		}
	}
	return c
}

// Text is the message of the form, in XML.
func (c Carried) Text(field string) string {
	text, err := base64.StdEncoding.DecodeString(c.Form.Get(field))
	if err != nil {
		return ""
	}
	return string(text)
}
