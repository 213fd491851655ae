package gateway

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"carrel/internal/directory"
	"carrel/internal/workspaces"
)

// What can be in the form. Whatever is longer is nobody's, and is not looked up.
// Source: CreateWorkspaces for user names, ResetUserPassword for passwords.
const (
	maxName     = 63
	maxPassword = 127
)

// signInForm is what the sign-in page shows again.
type signInForm struct {
	Code, Name string
	Host       string // the connection alias in place of a code
	Next       string // the page to go on to
	Problem    string
	Retry      int  // seconds until the next attempt, 0: at once
	NoStay     bool // the directory keeps nobody signed in
	Stay       bool
	NoPassword bool   // the directory takes no passwords
	Elsewhere  string // where to sign in by SAML, "" where one cannot
}

// signInPage shows the form, or sends those who are signed in on.
func (p *Portal) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, err := p.visitor(r); err == nil {
		http.Redirect(w, r, "/desktops", http.StatusSeeOther)
		return
	}
	form := signInForm{Code: tidyCode(r.URL.Query().Get("code")), Next: localPath(r.URL.Query().Get("from"))}
	if form.Code == "" {
		d, _, err := p.byHost(r)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		if d == nil { // a name that leads somewhere says more than where the browser was last
			form.Code = p.rememberedCode(r)
		}
	} else if p.attempts.look(p.Proxies.client(r).address) > 0 {
		form.Code = "" // nobody may try codes until one has a face
	}
	p.showSignIn(w, r, http.StatusOK, form)
}

// showSignIn shows the form, with the face of the organisation where it is known whose it is.
func (p *Portal) showSignIn(w http.ResponseWriter, r *http.Request, status int, form signInForm) {
	v := view{Title: "Sign in", Content: &form}
	d, err := p.face(r, &form)
	if err == nil && d != nil {
		if refused, is := errors.AsType[*refusal](refuseEncryption(d, p.Proxies.client(r))); is && form.Problem == "" {
			form.Problem = refused.Error() // before a password is typed
		}
		form.NoStay, form.NoPassword = !d.Settings.KeepsSignedIn(), !d.Settings.TakesPasswords()
		if form.Elsewhere, err = p.samlWay(r.Context(), d, form.Next); err == nil {
			v.Brand, err = p.brandOf(r.Context(), d)
		}
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.show(w, r, status, "signin.html", v)
}

// face returns the directory that the form is for, nil where that is not known, or is not to
// be told: after too many attempts, codes could be tried on.
func (p *Portal) face(r *http.Request, form *signInForm) (*workspaces.WorkspaceDirectory, error) {
	if form.Code != "" {
		d, found, err := p.byCode(r.Context(), tidyCode(form.Code))
		if err != nil || !found || form.Retry > 0 {
			return nil, err
		}
		return d, nil
	}
	d, host, err := p.byHost(r)
	if d != nil {
		form.Host = host
	}
	return d, err
}

// rememberedCode is the registration code that the browser was last used with.
func (p *Portal) rememberedCode(r *http.Request) string {
	var code []byte
	if err := p.cookies.Decode(codeCookie, cookie(r, p.Proxies.client(r), codeCookie), &code); err != nil {
		return ""
	}
	return string(code)
}

// signIn answers the form. A wrong code, a wrong name and a wrong password are answered
// alike, and take as long.
func (p *Portal) signIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, &refusal{status: http.StatusBadRequest, title: "That was no form.", text: "Go back and try again."})
		return
	}
	form := signInForm{
		Code: strings.TrimSpace(r.PostForm.Get("code")), Name: strings.TrimSpace(r.PostForm.Get("name")), Next: localPath(r.PostForm.Get("next")),
		Stay: r.PostForm.Get("stay") != "",
	}
	v := visitor{client: p.Proxies.client(r)}
	err := p.authenticate(r, &v, form, r.PostForm.Get("password"))
	if err != nil {
		p.Log.WarnContext(r.Context(), "a sign-in was refused", "user", short(form.Name), "code", tidyCode(form.Code), "address", v.address, "why", err)
	}
	if wait, ok := errors.AsType[tooOften](err); ok {
		form.Retry = wait.seconds()
		w.Header().Set("Retry-After", strconv.Itoa(form.Retry))
		form.Problem = "That was too many attempts. Wait a moment, then try again."
		p.showSignIn(w, r, http.StatusTooManyRequests, form)
		return
	}
	if errors.Is(err, directory.ErrNoUser) {
		form.Problem = "That did not work. Check the registration code, the name and the password."
		p.showSignIn(w, r, http.StatusForbidden, form)
		return
	}
	if errors.Is(err, errNoPasswords) {
		form.Problem = "Your organisation signs you in at a page of its own."
		p.showSignIn(w, r, http.StatusForbidden, form)
		return
	}
	if err == nil {
		err = refuseWeb(v.directory)
	}
	if err == nil {
		err = p.begin(w, r, v, entry{stay: form.Stay})
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.Log.InfoContext(r.Context(), "signed in", "user", v.user.Name, "directory", v.directory.ID, "address", v.address)
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// tooOften says how long to wait before the next attempt.
type tooOften float64

func (tooOften) Error() string { return "gateway: too many attempts" }

func (t tooOften) seconds() int { return int(math.Ceil(float64(t))) }

// errNoPasswords says that a directory's users sign in by SAML alone.
var errNoPasswords = errors.New("gateway: the directory takes no passwords")

// authenticate fills in the visitor's directory and user. Errors: tooOften, *refusal for an
// address that is not let in and a region that is down, errNoPasswords, directory.ErrNoUser for all
// that does not fit.
func (p *Portal) authenticate(r *http.Request, v *visitor, form signInForm, password string) error {
	ctx, name := r.Context(), form.Name
	if utf8.RuneCountInString(name) > maxName || len(password) > maxPassword {
		name, password = "", ""
	}
	d, err := p.face(r, &form)
	if err != nil {
		return err
	}
	found := d != nil
	if !found {
		d = new(workspaces.WorkspaceDirectory) // without users, and as slow as any
	}
	attempt := d.ID + "\n" + workspaces.UserKey(name)
	if wait := p.attempts.begin(v.address, attempt); wait > 0 {
		return tooOften(wait.Seconds())
	}
	if found {
		if err := p.refusePlace(ctx, d, v.client); err != nil {
			return err
		}
		if !d.Settings.TakesPasswords() {
			return errNoPasswords
		}
	}
	user, err := p.Directories.Of(d.Scope, d.ID).Authenticate(ctx, name, password)
	if err != nil {
		return err
	}
	if !found {
		return directory.ErrNoUser
	}
	p.attempts.succeeded(attempt)
	v.directory, v.user = d, user
	return nil
}

// signOut ends the session, and has the identity provider end its own that it came from.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	farewell, asked := p.farewell(r.Context(), p.sessionID(r, p.Proxies.client(r)))
	if err := p.end(w, r); err != nil {
		p.refuse(w, r, err)
		return
	}
	if asked {
		p.carry(w, r, farewell)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// localPath is a page of ours to go on to; whatever else it may be, the list of WorkSpaces.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/desktop/") || u.Path != path {
		return "/desktops"
	}
	return path
}
