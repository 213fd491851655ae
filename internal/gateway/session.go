package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"

	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// How long somebody stays signed in, by the service's clock: a working day, or, where the
// directory's client properties let browsers reconnect and the user asks for it, a month.
const (
	sessionLife = 12 * time.Hour
	stayingLife = 30 * 24 * time.Hour
	// codeLife is how long a browser remembers the registration code that it was used with.
	codeLife = 365 * 24 * time.Hour
)

// The cookies' names. The prefix makes browsers take one only over TLS and for this host alone.
const (
	sessionCookie = "carrel-session"
	codeCookie    = "carrel-code"
	hostPrefix    = "__Host-"
)

// visitor is somebody who is signed in.
type visitor struct {
	client
	session   store.PortalSession
	directory *workspaces.WorkspaceDirectory
	user      *workspaces.User
}

// keySetting is what the store keeps the cookies' key under, for all processes and restarts.
const keySetting = "portal-key"

// openCookies returns what signs cookies, with the installation's key, made where there is none.
func openCookies(ctx context.Context, s *store.Store) (*securecookie.SecureCookie, error) {
	var text string
	err := s.Update(ctx, func(tx *store.Tx) (err error) {
		if text, err = tx.Setting(ctx, keySetting); err != nil || text != "" {
			return err
		}
		text = base64.StdEncoding.EncodeToString(securecookie.GenerateRandomKey(sha256.BlockSize))
		return tx.PutSetting(ctx, keySetting, text)
	})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) < sha256.Size {
		return nil, errors.New("gateway: the store holds no good key for cookies")
	}
	// Their age is the session's affair, which follows the service's clock.
	return securecookie.New(key, nil).MaxAge(0).SetSerializer(securecookie.NopEncoder{}), nil
}

// secret is something random for a browser to hold; of it only a hash is kept.
func secret() string { return rand.Text() + rand.Text() }

// hash is what is kept of a secret.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// entry is how somebody signs in.
type entry struct {
	stay   bool                   // they ask to stay signed in
	bySAML bool                   // an identity provider vouches for them
	as     workspaces.SAMLSubject // whom that vouches for
	ends   time.Time              // when that provider ends the session; zero: it does not
}

// begin signs a user in: it keeps the session and gives the browser its cookie.
func (p *Portal) begin(w http.ResponseWriter, r *http.Request, v visitor, e entry) error {
	now, token := p.Clock.Now(), secret()
	v.session = store.PortalSession{
		Scope: v.directory.Scope, ID: hash(token), DirectoryID: v.directory.ID, RegistrationCode: v.directory.RegistrationCode,
		UserName: v.user.Name, Credential: credential(v.user), Staying: e.stay && v.directory.Settings.KeepsSignedIn(), CreatedAt: now,
		BySAML: e.bySAML, Subject: e.as,
	}
	v.session.ExpiresAt = now.Add(life(v.session.Staying))
	if !e.ends.IsZero() && e.ends.Before(v.session.ExpiresAt) {
		v.session.ExpiresAt = e.ends
	}
	err := p.Store.Update(r.Context(), func(tx *store.Tx) error {
		if before := p.sessionID(r, v.client); before != "" {
			if err := tx.DeletePortalSession(r.Context(), before); err != nil {
				return err
			}
		}
		return tx.InsertPortalSession(r.Context(), v.session, now)
	})
	if err != nil {
		return err
	}
	value, err := p.cookies.Encode(sessionCookie, []byte(token))
	if err != nil {
		return err
	}
	code, err := p.cookies.Encode(codeCookie, []byte(v.directory.RegistrationCode))
	if err != nil {
		return err
	}
	cookie := &http.Cookie{Name: sessionCookie, Value: value}
	if v.session.Staying {
		cookie.MaxAge = int(stayingLife.Seconds())
	}
	setCookie(w, v.client, cookie)
	setCookie(w, v.client, &http.Cookie{Name: codeCookie, Value: code, MaxAge: int(codeLife.Seconds())})
	return nil
}

func life(staying bool) time.Duration { //nolint:revive // what the user has ticked
	if staying {
		return stayingLife
	}
	return sessionLife
}

// credential is a hash of what a user signs in with. It is not the password's: to guess it takes
// the hash that the directory keeps.
func credential(u *workspaces.User) string { return hash(u.SID + "\n" + u.PasswordHash) }

// setCookie gives the browser a cookie that pages cannot read and other sites cannot send.
func setCookie(w http.ResponseWriter, c client, cookie *http.Cookie) {
	cookie.Path, cookie.HttpOnly, cookie.SameSite = "/", true, http.SameSiteLaxMode
	if c.secure {
		cookie.Name, cookie.Secure = hostPrefix+cookie.Name, true
	}
	http.SetCookie(w, cookie)
}

// cookie returns the value of one of ours, "" where the browser has none.
func cookie(r *http.Request, c client, name string) string {
	if c.secure {
		name = hostPrefix + name
	}
	found, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return found.Value
}

// sessionID returns the id of the session whose cookie the browser holds, "" where it holds
// none, or a forged one.
func (p *Portal) sessionID(r *http.Request, c client) string {
	var token []byte
	if err := p.cookies.Decode(sessionCookie, cookie(r, c, sessionCookie), &token); err != nil {
		return ""
	}
	return hash(string(token))
}

// errSignedOut says that there is no session, or that it has ended.
var errSignedOut = errors.New("gateway: not signed in")

// visitor returns who sent the request. Errors: errSignedOut.
func (p *Portal) visitor(r *http.Request) (visitor, error) {
	c := p.Proxies.client(r)
	v, err := p.resume(r.Context(), p.sessionID(r, c))
	v.client = c
	return v, err
}

// resume returns whose session it is, if that is still good: the directory registered as it
// was and its region up, the user enabled and with the same password. Errors: errSignedOut.
func (p *Portal) resume(ctx context.Context, session string) (v visitor, err error) {
	if session == "" {
		return v, errSignedOut
	}
	now := p.Clock.Now()
	var foundSession, foundDirectory, down bool
	err = p.Store.View(func(tx *store.Tx) error {
		if v.session, foundSession, err = tx.PortalSession(ctx, session, now); err != nil || !foundSession {
			return err
		}
		if down, err = tx.IsRegionDown(ctx, v.session.Region); err != nil {
			return err
		}
		v.directory, foundDirectory, err = tx.WorkspaceDirectory(ctx, v.session.Scope, v.session.DirectoryID)
		return err
	})
	switch {
	case err != nil:
		return v, err
	case down:
		return v, fmt.Errorf("%w: %w", errSignedOut, regionDown(v.session.Region))
	case !foundSession, !foundDirectory, v.directory.State != workspaces.Registered,
		v.directory.RegistrationCode != v.session.RegistrationCode,
		v.session.BySAML && !v.directory.Settings.TakesSAML(), !v.session.BySAML && !v.directory.Settings.TakesPasswords(),
		v.session.Staying && !v.directory.Settings.KeepsSignedIn() && !now.Before(v.session.CreatedAt.Add(sessionLife)):
		return v, errSignedOut
	}
	v.user, err = p.Directories.Of(v.session.Scope, v.session.DirectoryID).Lookup(ctx, v.session.UserName)
	switch {
	case errors.Is(err, directory.ErrNoUser):
		return v, errSignedOut
	case err != nil:
		return v, err
	case !v.user.Enabled, credential(v.user) != v.session.Credential:
		return v, errSignedOut
	}
	return v, nil
}

// end signs the browser out.
func (p *Portal) end(w http.ResponseWriter, r *http.Request) error {
	c := p.Proxies.client(r)
	setCookie(w, c, &http.Cookie{Name: sessionCookie, MaxAge: -1})
	id := p.sessionID(r, c)
	if id == "" {
		return nil
	}
	return p.Store.Update(r.Context(), func(tx *store.Tx) error { return tx.DeletePortalSession(r.Context(), id) })
}
