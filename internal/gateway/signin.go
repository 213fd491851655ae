package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// codePattern is what a registration code looks like.
var codePattern = regexp.MustCompile(`^[A-Za-z]{5,10}\+[A-Za-z0-9]{6,9}$`) //nolint:gochecknoglobals // a constant

// What can be in the form. Whatever is longer is nobody's, and is not looked up.
// Source: CreateWorkspaces for user names, ResetUserPassword for passwords.
const (
	maxName     = 63
	maxPassword = 127
)

// signInForm is what the sign-in page shows again.
type signInForm struct {
	Code, Name string
	Next       string // the page to go on to
	Problem    string
	Retry      int  // seconds until the next attempt, 0: at once
	NoStay     bool // the directory keeps nobody signed in
	Stay       bool
}

// signInPage shows the form, or sends those who are signed in on.
func (p *Portal) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, err := p.visitor(r); err == nil {
		http.Redirect(w, r, "/desktops", http.StatusSeeOther)
		return
	}
	form := signInForm{Code: r.URL.Query().Get("code"), Next: localPath(r.URL.Query().Get("from"))}
	if form.Code == "" {
		form.Code = rememberedCode(r, p.Proxies.client(r))
	}
	form.Code = tidyCode(form.Code)
	p.showSignIn(w, r, http.StatusOK, form)
}

func (p *Portal) showSignIn(w http.ResponseWriter, r *http.Request, status int, form signInForm) {
	d, found, err := p.byCode(r.Context(), form.Code)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	v := view{Title: "Sign in", Content: &form}
	if found {
		form.NoStay = !d.Settings.KeepsSignedIn()
		if v.Brand, err = p.brandOf(r.Context(), d); err != nil {
			p.refuse(w, r, err)
			return
		}
	}
	p.show(w, r, status, "signin.html", v)
}

// rememberedCode is the registration code that the browser was last used with.
func rememberedCode(r *http.Request, c client) string {
	code, err := base64.RawURLEncoding.DecodeString(cookie(r, c, codeCookie))
	if err != nil {
		return ""
	}
	return string(code)
}

// tidyCode is a registration code as it was given out, of one as a person types it; "" where
// it can be none. See workspaces.NewRegistrationCode.
func tidyCode(code string) string {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "+") // so is a plain + in an address read
	if !codePattern.MatchString(code) {
		return ""
	}
	region, own, _ := strings.Cut(code, "+")
	return strings.ToUpper(region[:2]) + strings.ToLower(region[2:]) + "+" + strings.ToUpper(own)
}

// byCode returns the directory that a registration code is for.
func (p *Portal) byCode(ctx context.Context, code string) (d *workspaces.WorkspaceDirectory, found bool, err error) {
	if code == "" {
		return nil, false, nil
	}
	err = p.Store.View(func(tx *store.Tx) error {
		d, found, err = tx.WorkspaceDirectoryByCode(ctx, code)
		return err
	})
	return d, found && d.State == workspaces.Registered, err
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
	err := p.authenticate(r.Context(), &v, form, r.PostForm.Get("password"))
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
	if err == nil {
		err = refuseWeb(v.directory)
	}
	if err == nil {
		err = p.begin(w, r, v, form.Stay)
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// tooOften says how long to wait before the next attempt.
type tooOften float64

func (tooOften) Error() string { return "gateway: too many attempts" }

func (t tooOften) seconds() int { return int(math.Ceil(float64(t))) }

// authenticate fills in the visitor's directory and user. Errors: tooOften, *refusal for an
// address that is not let in, directory.ErrNoUser for all that does not fit.
func (p *Portal) authenticate(ctx context.Context, v *visitor, form signInForm, password string) error {
	code, name := tidyCode(form.Code), form.Name
	if utf8.RuneCountInString(name) > maxName || len(password) > maxPassword {
		name, password = "", ""
	}
	d, found, err := p.byCode(ctx, code)
	if err != nil {
		return err
	}
	if !found {
		d = new(workspaces.WorkspaceDirectory) // without users, and as slow as any
	}
	attempt := d.ID + "\n" + workspaces.UserKey(name)
	if wait := p.attempts.begin(v.address, attempt); wait > 0 {
		return tooOften(wait.Seconds())
	}
	if found {
		if err := p.refuseAddress(ctx, d, v.address); err != nil {
			return err
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

// signOut ends the session.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	if err := p.end(w, r); err != nil {
		p.refuse(w, r, err)
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
