package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gorilla/securecookie"

	"carrel/internal/clock"
	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/web"
)

// Config is what a Portal is made of.
type Config struct {
	Store       *store.Store
	Clock       *clock.Clock // the service's time: how long people stay signed in
	Real        *clock.Clock // the machine's time: tickets and attempts to sign in
	Directories directory.Directories
	Actions     Actions
	Pictures    Pictures
	Streams     Streams
	Channels    Channels // nil: nothing goes beside the screen
	Proxies     Proxies
	Log         *slog.Logger
}

// Portal is what a browser sees of Carrel. Its methods may be called from any goroutine.
type Portal struct {
	Config
	cookies  *securecookie.SecureCookie
	attempts *attempts
	pages    *pages
	strict   *http.CrossOriginProtection
	over     chan struct{} // closed when the server is to stop
}

// New makes a portal. It keeps what signs its cookies in the store.
func New(ctx context.Context, c Config) (*Portal, error) {
	p := &Portal{Config: c, strict: http.NewCrossOriginProtection(), over: make(chan struct{})}
	for _, pattern := range []string{samlConsume, samlLogoutForm} { // they come from the identity provider's site
		p.strict.AddInsecureBypassPattern(pattern)
	}
	var err error
	if p.cookies, err = openCookies(ctx, c.Store); err != nil {
		return nil, err
	}
	if err = p.completeKeys(ctx); err != nil {
		return nil, err
	}
	if p.attempts, err = newAttempts(c.Real); err != nil {
		return nil, err
	}
	p.pages, err = openPages(web.Files())
	return p, err
}

// files is the pattern of what channels answer with files. They and SAML responses have limits of their own.
const files = "/desktop/{id}/files/{rest...}"

// Register adds the portal's paths to the server's. All others stay the AWS APIs', POST / among them.
func (p *Portal) Register(mux *http.ServeMux) {
	routes := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":                     p.signInPage,
		"POST /sign-in":                p.signIn,
		"GET /sign-in":                 p.toFront,
		"POST /sign-out":               p.signOut,
		"GET /desktops":                p.signedIn(p.desktops),
		"GET /desktops/events":         p.signedIn(p.events),
		"GET /desktops/{id}/screen":    p.signedIn(p.screen),
		"POST /desktops/{id}/{action}": p.signedIn(p.act),
		"GET /desktops/{id}/{action}":  p.toDesktops,
		"GET /desktop/{id}":            p.signedIn(p.desktop),
		"POST /desktop/{id}/ticket":    p.signedIn(p.ticket),
		"GET /desktop/{id}/stream":     p.signedIn(p.stream),
		files:                          p.signedIn(p.channel(func(w http.ResponseWriter, r *http.Request, v Visit) { p.Channels.Files(w, r, v) })),
		"GET /desktop/{id}/sound":      p.signedIn(p.channel(func(w http.ResponseWriter, r *http.Request, v Visit) { p.Channels.Sound(w, r, v) })),
		"GET /assets/{version}/{file}": p.asset,
		samlStart:                      p.federated(p.samlStart),
		samlArrive:                     p.federated(p.samlArrive),
		samlMetadata:                   p.federated(p.samlMetadata),
		samlConsume:                    p.federated(p.samlConsume),
		samlLogout:                     p.federated(p.samlLeave),
		samlLogoutForm:                 p.federated(p.samlLeave),
		"/":                            p.nothing,
	} {
		if pattern != files && pattern != samlConsume && pattern != samlLogoutForm {
			handle = bounded(handle)
		}
		routes.HandleFunc(pattern, handle)
	}
	for _, path := range []string{"GET /{$}", "/sign-in", "/sign-out", "/desktops", "/desktops/", "/desktop/", "/assets/", "/saml/"} {
		mux.Handle(path, p.guard(routes))
	}
}

// guard refuses what another site makes a browser ask for, and keeps others from framing or
// guessing at what is answered.
func (p *Portal) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.secure(w.Header(), p.Proxies.client(r))
		if err := p.sameSite(r); err != nil {
			p.refuse(w, r, &refusal{status: http.StatusForbidden, title: "This came from another site.", text: "Open Carrel's own address and try again."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxForm is the most that a form may hold, in bytes.
const maxForm = 64 << 10

// bounded is a handler of requests that hold no more than a form.
func bounded(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		handle(w, r)
	}
}

// sameSite refuses changes, and WebSockets, that another site asks for.
func (p *Portal) sameSite(r *http.Request) error {
	if r.Header.Get("Upgrade") == "" {
		return p.strict.Check(r)
	}
	change := r.Clone(r.Context())
	change.Method = http.MethodPost // a WebSocket is opened by a GET, but is as good as a change
	return p.strict.Check(change)
}

// Otherwise tells people with a browser that there is no such page, and leaves everything else to next, which answers
// programs: a browser cannot show what those are told.
func (p *Portal) Otherwise(next http.Handler) http.Handler {
	nothing := p.guard(http.HandlerFunc(p.nothing))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && wantsPage(r) {
			nothing.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// signedIn is a handler for those who are, and whom the directory lets in.
func (p *Portal) signedIn(next func(http.ResponseWriter, *http.Request, visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.visitor(r)
		if errors.Is(err, errSignedOut) {
			p.askToSignIn(w, r)
			return
		}
		if err == nil {
			err = p.admit(r.Context(), v)
		}
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next(w, r, v)
	}
}

// askToSignIn sends a person to the sign-in page, and tells a page that its person has to go there.
func (p *Portal) askToSignIn(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) && r.Method == http.MethodGet {
		http.Redirect(w, r, "/?from="+r.URL.EscapedPath(), http.StatusSeeOther)
		return
	}
	p.refuse(w, r, &refusal{status: http.StatusUnauthorized, title: "You are signed out.", text: "Sign in again to go on."})
}

func (*Portal) toFront(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (*Portal) toDesktops(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/desktops", http.StatusSeeOther)
}

func (p *Portal) nothing(w http.ResponseWriter, r *http.Request) {
	p.refuse(w, r, &refusal{status: http.StatusNotFound, title: "There is nothing here.", text: fmt.Sprintf("Carrel has no page %s.", r.URL.Path)})
}
