package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"carrel/internal/directory"
	"carrel/internal/saml"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// A sign-in by SAML 2.0 goes from /start to the identity provider, which makes the browser post
// its response to /acs, from another site and so without our cookies. What it says is kept as an
// arrival, and the browser sent to /arrive with the arrival's name and, this time, its cookie:
// that shows that it is the browser that began.
const (
	samlStart    = "GET /saml/{provider}/start"
	samlConsume  = "POST /saml/{provider}/acs"
	samlArrive   = "GET /saml/{provider}/arrive"
	samlMetadata = "GET /saml/{provider}/metadata"
)

const (
	// samlCookie holds what a sign-in began with: the relay state, and the page to go on to.
	samlCookie = "carrel-saml"
	// samlLife is how long a person may take at the identity provider, by the browser's time.
	samlLife = 15 * time.Minute
	// arrivalLife is how long a browser may take from one of our addresses to the next, by the machine's time.
	arrivalLife = time.Minute
	// maxResponse is the longest form with a response, in bytes: one with hundreds of groups fits.
	maxResponse = 512 << 10
)

// federation is a directory and its identity provider, as a request finds them.
type federation struct {
	client
	provider  *workspaces.SAMLProvider
	directory *workspaces.WorkspaceDirectory
}

// federated is a handler for a directory whose users sign in by SAML.
func (p *Portal) federated(next func(http.ResponseWriter, *http.Request, federation)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := federation{client: p.Proxies.client(r)}
		var found, known bool
		err := p.Store.View(func(tx *store.Tx) (err error) {
			if f.provider, found, err = tx.SAMLProviderByID(r.Context(), r.PathValue("provider")); err != nil || !found {
				return err
			}
			f.directory, known, err = tx.WorkspaceDirectory(r.Context(), f.provider.Scope, f.provider.DirectoryID)
			return err
		})
		switch {
		case err != nil:
			p.refuse(w, r, err)
		case !found || !known || f.directory.State != workspaces.Registered:
			p.nothing(w, r)
		default:
			w.Header().Set("Cache-Control", "no-store")
			next(w, r, f)
		}
	}
}

// samlWay returns where people of a directory begin to sign in by SAML, "" where they cannot.
func (p *Portal) samlWay(ctx context.Context, d *workspaces.WorkspaceDirectory, next string) (way string, err error) {
	if !d.Settings.TakesSAML() {
		return "", nil
	}
	err = p.Store.View(func(tx *store.Tx) error {
		provider, found, err := tx.SAMLProvider(ctx, d.Scope, d.ID)
		if err == nil && found {
			way = provider.StartURL() + "?" + url.Values{"next": {next}}.Encode()
		}
		return err
	})
	return way, err
}

// refuseSAML refuses sign-ins that the directory does not allow, from where the browser is.
func (p *Portal) refuseSAML(ctx context.Context, f federation) error {
	if !f.directory.Settings.TakesSAML() {
		return &refusal{
			status: http.StatusForbidden, title: "Sign in with your password.",
			text: "Your organisation does not use another sign-in page for this directory.",
		}
	}
	return p.refusePlace(ctx, f.directory, f.client)
}

// samlMetadata answers with what the administrator gives the identity provider.
func (p *Portal) samlMetadata(w http.ResponseWriter, r *http.Request, f federation) {
	text, err := saml.ServiceMetadata(f.provider, p.Clock.Now())
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(text) // the client has gone
}

// samlStart sends the browser to the identity provider. It does so at the provider's address,
// where the browser will come back to and has to have its cookie.
func (p *Portal) samlStart(w http.ResponseWriter, r *http.Request, f federation) {
	next := localPath(r.URL.Query().Get("next"))
	if at, err := url.Parse(f.provider.Address); err == nil && !strings.EqualFold(at.Host, r.Host) && r.URL.Query().Get("here") == "" {
		// here: a proxy that passes another Host on must not send browsers round for ever.
		http.Redirect(w, r, f.provider.StartURL()+"?"+url.Values{"next": {next}, "here": {"1"}}.Encode(), http.StatusSeeOther)
		return
	}
	err := p.refuseSAML(r.Context(), f)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	state := secret()
	var to string
	exchange, err := saml.Open(f.provider, p.Clock.Now())
	if err == nil {
		to, err = exchange.SignOnURL(f.directory.Settings.SAML, state)
	}
	if err == nil {
		err = p.setSAMLCookie(w, f.client, state, next)
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (p *Portal) setSAMLCookie(w http.ResponseWriter, c client, state, next string) error {
	value, err := p.cookies.Encode(samlCookie, []byte(state+"\n"+next))
	if err != nil {
		return err
	}
	setCookie(w, c, &http.Cookie{Name: samlCookie, Value: value, MaxAge: int(samlLife.Seconds())})
	return nil
}

// takeSAMLCookie returns what the browser's sign-in began with, and forgets it; "" where none did.
func (p *Portal) takeSAMLCookie(w http.ResponseWriter, r *http.Request, c client) (state, next string) {
	setCookie(w, c, &http.Cookie{Name: samlCookie, MaxAge: -1})
	var held []byte
	if err := p.cookies.Decode(samlCookie, cookie(r, c, samlCookie), &held); err != nil {
		return "", ""
	}
	state, next, _ = strings.Cut(string(held), "\n")
	return state, next
}

// samlConsume takes the identity provider's response from a browser that it sent here.
func (p *Portal) samlConsume(w http.ResponseWriter, r *http.Request, f federation) {
	r.Body = http.MaxBytesReader(w, r.Body, maxResponse)
	err := p.refuseSAML(r.Context(), f)
	if err == nil {
		if wait := p.attempts.arrive(f.address); wait > 0 {
			err = &refusal{status: http.StatusTooManyRequests, title: "That was too many attempts.", text: "Wait a moment, then sign in again."}
		}
	}
	if err == nil && r.ParseForm() != nil {
		err = &refusal{status: http.StatusBadRequest, title: "That was no form.", text: "Go back and try again."}
	}
	var ticket string
	if err == nil {
		ticket, err = p.keepArrival(r, f)
	}
	if why, ok := errors.AsType[*saml.Refusal](err); ok {
		p.Log.WarnContext(r.Context(), "a SAML response was refused", "directory", f.directory.ID, "address", f.address, "why", why)
		err = &refusal{
			status: http.StatusForbidden, title: "Your organisation’s sign-in was not accepted.",
			text: "What its page sent here is not to be believed. " + why.Text + " Sign in again, or ask your administrator, whom the server's log tells more.",
		}
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, f.provider.ArriveURL()+"?"+url.Values{"ticket": {ticket}}.Encode(), http.StatusSeeOther)
}

// keepArrival keeps what the request's response claims, once, and returns the arrival's name.
// Errors: *saml.Refusal, also for an assertion that has come before.
func (p *Portal) keepArrival(r *http.Request, f federation) (ticket string, err error) {
	exchange, err := saml.Open(f.provider, p.Clock.Now())
	if err != nil {
		return "", err
	}
	state := r.PostForm.Get("RelayState")
	claim, err := exchange.Read(r.PostForm.Get("SAMLResponse"), state)
	if err != nil {
		return "", err
	}
	ticket = secret()
	arrival := store.SAMLArrival{
		Scope: f.directory.Scope, ID: hash(ticket), DirectoryID: f.directory.ID, UserName: claim.UserName, Email: claim.Email, SID: claim.SID,
		SessionEnds: claim.Ends, Subject: claim.Subject, ExpiresAt: p.Real.Now().Add(arrivalLife),
	}
	if state != "" && (claim.Answers || !exchange.Answers(f.directory.Settings.SAML)) {
		arrival.State = hash(state)
	}
	return ticket, p.Store.Update(r.Context(), func(tx *store.Tx) error {
		first, err := tx.UseSAMLAssertion(r.Context(), hash(f.provider.ID+"\n"+claim.ID), claim.Until, p.Clock.Now())
		if err != nil {
			return err
		}
		if !first {
			return saml.Again()
		}
		return tx.InsertSAMLArrival(r.Context(), arrival, p.Real.Now())
	})
}

// samlArrive signs in whom the identity provider vouches for.
func (p *Portal) samlArrive(w http.ResponseWriter, r *http.Request, f federation) {
	var a store.SAMLArrival
	var found bool
	err := p.Store.Update(r.Context(), func(tx *store.Tx) (err error) {
		a, found, err = tx.TakeSAMLArrival(r.Context(), hash(r.URL.Query().Get("ticket")), p.Real.Now())
		return err
	})
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	state, next := p.takeSAMLCookie(w, r, f.client)
	if found && state == "" {
		// It began at the identity provider's own page, or somebody else began it and wants to have this
		// person signed in as them. To begin here takes one more turn, in which nobody is asked anything.
		http.Redirect(w, r, f.provider.StartURL(), http.StatusSeeOther)
		return
	}
	v := visitor{client: f.client, directory: f.directory}
	switch {
	case !found || a.Scope != f.directory.Scope || a.DirectoryID != f.directory.ID:
		err = &refusal{status: http.StatusForbidden, title: "This sign-in is over.", text: "It has been used, or is too old. Sign in again."}
	case a.State != hash(state):
		err = &refusal{
			status: http.StatusForbidden, title: "This sign-in began elsewhere.",
			text: fmt.Sprintf("What your organisation’s page sent here does not belong to what this browser began. Sign in again; if it happens "+
				"each time, that page loses the parameter %s, and your administrator has to know.", f.directory.Settings.SAML.RelayStateParameter),
		}
	default:
		v.user, err = p.vouched(r.Context(), f, a)
	}
	if err == nil {
		err = p.begin(w, r, v, entry{bySAML: true, as: a.Subject, ends: a.SessionEnds})
	}
	if err != nil {
		p.Log.WarnContext(r.Context(), "a sign-in by SAML was refused", "user", short(a.UserName), "directory", f.directory.ID, "address", f.address, "why", err)
		p.refuse(w, r, err)
		return
	}
	p.Log.InfoContext(r.Context(), "signed in by SAML", "user", v.user.Name, "directory", f.directory.ID, "address", f.address)
	http.Redirect(w, r, localPath(next), http.StatusSeeOther)
}

// vouched returns the directory's user whom an identity provider vouches for, if the directory
// lets them in. Errors: *refusal.
func (p *Portal) vouched(ctx context.Context, f federation, a store.SAMLArrival) (*workspaces.User, error) {
	if err := p.refuseSAML(ctx, f); err != nil {
		return nil, err
	}
	no := func(why string) error {
		return &refusal{
			status: http.StatusForbidden, title: "You cannot come in.",
			text: fmt.Sprintf("Your organisation’s page says that you are %s, but %s. Ask your administrator.", short(a.UserName), why),
		}
	}
	user, err := p.Directories.Of(f.directory.Scope, f.directory.ID).Lookup(ctx, a.UserName)
	switch {
	case errors.Is(err, directory.ErrNoUser):
		return nil, no("the directory of the desktops has no such user")
	case err != nil:
		return nil, err
	case !user.Enabled:
		return nil, no("that user is disabled in the directory of the desktops")
	// Source: the service's administration guide, PrincipalTag:Email, and PrincipalTag:ObjectSid with certificates.
	case a.Email != "" && user.EmailAddress != "" && !strings.EqualFold(a.Email, user.EmailAddress):
		return nil, no("with another email address than the directory of the desktops")
	case a.SID != "" && a.SID != user.SID && f.directory.Settings.CertificateAuth.Status == workspaces.Enabled:
		return nil, no("with another security identifier than the directory of the desktops")
	}
	return user, refuseWeb(f.directory)
}
