package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"carrel/internal/saml"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// samlLogout is where the identity provider says that somebody leaves, and where it answers when it was told so. A browser
// carries either, by an address or a form, from another site and so perhaps without our cookies: what is signed counts.
const (
	samlLogout     = "GET /saml/{provider}/slo"
	samlLogoutForm = "POST /saml/{provider}/slo"
)

// samlLeave takes what the identity provider makes a browser bring.
func (p *Portal) samlLeave(w http.ResponseWriter, r *http.Request, f federation) {
	r.Body = http.MaxBytesReader(w, r.Body, maxResponse)
	if wait := p.attempts.arrive(f.address); wait > 0 {
		p.refuse(w, r, &refusal{status: http.StatusTooManyRequests, title: "That was too many attempts.", text: "Wait a moment, then try again."})
		return
	}
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, &refusal{status: http.StatusBadRequest, title: "That was no form.", text: "Go back and try again."})
		return
	}
	exchange, err := saml.Open(f.provider, p.Clock.Now())
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if r.Form.Get("SAMLResponse") != "" {
		p.samlLeft(w, r, f, exchange)
		return
	}
	logout, err := exchange.ReadLogout(r)
	if err == nil {
		err = p.endFederated(r.Context(), f, logout)
	}
	if err != nil {
		p.refuseMessage(w, r, f, err, "Signing out everywhere did not work here.",
			"You may still be signed in to Carrel: sign out here, or ask your administrator, whom the server's log tells more.")
		return
	}
	to, answered, err := exchange.Confirm(logout, r.Form.Get("RelayState"))
	switch {
	case err != nil:
		p.refuse(w, r, err)
	case answered && to.Field == "":
		http.Redirect(w, r, to.URL, http.StatusSeeOther)
	case answered:
		p.carry(w, r, to)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// endFederated ends the sessions that the identity provider means, once. Errors: *saml.Refusal.
func (p *Portal) endFederated(ctx context.Context, f federation, logout *saml.Logout) error {
	var ended int64
	err := p.Store.Update(ctx, func(tx *store.Tx) error {
		first, err := tx.UseSAMLAssertion(ctx, hash(f.provider.ID+"\n"+logout.ID), logout.Until, p.Clock.Now())
		if err != nil {
			return err
		}
		if !first {
			return saml.Again()
		}
		ended, err = tx.DeleteSAMLSessions(ctx, f.provider, logout.NameID, logout.Sessions...)
		return err
	})
	if err == nil {
		p.Log.InfoContext(ctx, "signed out by the identity provider", "name", short(logout.NameID), "sessions", ended, "directory", f.directory.ID)
	}
	return err
}

// samlLeft takes the identity provider's answer to what signOut told it. The session here is over already, so
// that whatever the answer is, it changes nothing.
func (p *Portal) samlLeft(w http.ResponseWriter, r *http.Request, f federation, exchange *saml.Exchange) {
	if err := exchange.ReadConfirmation(r, r.Form.Get("RelayState")); err != nil {
		p.refuseMessage(w, r, f, err, "You are signed out here, and perhaps not elsewhere.",
			"Close the browser, so that nobody else can sign in as you.")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refuseMessage tells a person what came of a message that is not believed, and the log why.
func (p *Portal) refuseMessage(w http.ResponseWriter, r *http.Request, f federation, err error, title, text string) {
	if why, ok := errors.AsType[*saml.Refusal](err); ok {
		p.Log.WarnContext(r.Context(), "a SAML message about a logout was refused", "directory", f.directory.ID, "address", f.address, "why", why)
		err = &refusal{status: http.StatusForbidden, title: title, text: "What your organisation’s page sent here is not to be believed. " + why.Text + " " + text}
	}
	p.refuse(w, r, err)
}

// farewell is what the identity provider is to be told when a session ends here; false: nothing. It is no reason
// to keep the session that this fails.
func (p *Portal) farewell(ctx context.Context, session string) (saml.Message, bool) {
	now := p.Clock.Now()
	var s store.PortalSession
	var provider *workspaces.SAMLProvider
	var found bool
	err := p.Store.View(func(tx *store.Tx) (err error) {
		if s, found, err = tx.PortalSession(ctx, session, now); err == nil && found && s.BySAML {
			provider, found, err = tx.SAMLProvider(ctx, s.Scope, s.DirectoryID)
		}
		return err
	})
	if err != nil || !found || provider == nil {
		return saml.Message{}, false
	}
	exchange, err := saml.Open(provider, now)
	if err != nil {
		p.Log.WarnContext(ctx, "the identity provider is not told of a sign-out", "directory", s.DirectoryID, "error", err)
		return saml.Message{}, false
	}
	message, asked, err := exchange.Leave(s.Subject, secret())
	if err != nil {
		p.Log.WarnContext(ctx, "the identity provider is not told of a sign-out", "directory", s.DirectoryID, "error", err)
	}
	return message, err == nil && asked
}

// passing is what the page shows that a browser carries a message away with.
type passing struct {
	Message saml.Message
	Refresh string // of the address, where there is no form
}

// carry has the browser carry a message to the identity provider by a page, which may follow on a form of ours: browsers
// would hold an address alone against the form-action of the page before.
func (p *Portal) carry(w http.ResponseWriter, r *http.Request, m saml.Message) {
	to, err := url.Parse(m.URL)
	if err != nil || to.Scheme != "https" && to.Scheme != "http" {
		p.refuse(w, r, errors.Join(errors.New("gateway: the identity provider's address for logouts leads nowhere"), err))
		return
	}
	if m.Field != "" {
		allowForm(w.Header(), to.Scheme+"://"+to.Host)
	}
	p.show(w, r, http.StatusOK, "passing.html", view{Title: "Signing out", Content: passing{Message: m, Refresh: "0; url=" + m.URL}})
}

// completeKeys gives a key pair to those providers of directories that have none: they are of a time when there were none.
func (p *Portal) completeKeys(ctx context.Context) error {
	var all []*workspaces.SAMLProvider
	err := p.Store.View(func(tx *store.Tx) (err error) {
		all, err = tx.EverySAMLProvider(ctx)
		return err
	})
	for _, old := range all {
		if err != nil || old.KeyPair != "" {
			continue
		}
		var pair string
		if pair, err = saml.NewKeyPair(old.DirectoryID, p.Real.Now()); err != nil {
			return err
		}
		err = p.Store.Update(ctx, func(tx *store.Tx) error {
			now, found, err := tx.SAMLProvider(ctx, old.Scope, old.DirectoryID)
			if err != nil || !found || now.KeyPair != "" { // another process was faster
				return err
			}
			now.KeyPair = pair
			return tx.PutSAMLProvider(ctx, now)
		})
	}
	return err
}
