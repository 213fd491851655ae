package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// pages are the templates and assets of package web.
type pages struct {
	templates *template.Template
	assets    fs.FS
	version   string // of all assets together, in their address, so that browsers may keep them
}

func openPages(files fs.FS) (*pages, error) {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	p := &pages{assets: assets}
	sum := sha256.New()
	err = fs.WalkDir(assets, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(assets, name)
		sum.Write([]byte(name))
		sum.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.version = hex.EncodeToString(sum.Sum(nil)[:8])
	asset := func(name string) string { return path.Join("/assets", p.version, name) }
	p.templates, err = template.New("").Funcs(template.FuncMap{
		"asset": asset,
		"icon": func(name string) template.HTML {
			return template.HTML(`<svg aria-hidden="true"><use href="` + asset("icon.svg") + "#" + name + `"/></svg>`) //nolint:gosec // the names are the templates'
		},
	}).ParseFS(files, "pages/*.html")
	return p, err
}

// view is what every page shows.
type view struct {
	Title   string
	User    string // who is signed in, "" where nobody is
	Brand   brand
	Content any
}

// contentPolicy is what pages may do, and where else than here their forms may go.
func contentPolicy(forms string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
		"connect-src 'self'; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; " +
		"form-action 'self'" + forms + "; frame-ancestors 'none'; base-uri 'none'"
}

// allowForm lets a page's form go to another site.
func allowForm(h http.Header, origin string) {
	h.Set("Content-Security-Policy", contentPolicy(" "+origin))
}

// secure sets what browsers are told with every reply.
func (*Portal) secure(h http.Header, c client) {
	h.Set("Content-Security-Policy", contentPolicy(""))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if c.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// show answers with a page.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var out bytes.Buffer
	if err := p.pages.templates.ExecuteTemplate(&out, name, v); err != nil {
		p.Log.ErrorContext(r.Context(), "a page of the portal failed", "page", name, "error", err)
		http.Error(w, "This page failed; the server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser has gone
}

// showTo answers with a page for somebody who is signed in.
func (p *Portal) showTo(w http.ResponseWriter, r *http.Request, to visitor, status int, name, title string, content any) {
	look, err := p.brandOf(r.Context(), to.directory)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.show(w, r, status, name, view{Title: title, User: to.user.FullName(), Brand: look, Content: content})
}

// wantsPage reports whether a person will look at the reply, and not a page's script.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// refuse answers with why not: a page for a person, JSON for a script. What is our own fault
// is told to the log only.
func (p *Portal) refuse(w http.ResponseWriter, r *http.Request, err error) {
	why, ok := errors.AsType[*refusal](err)
	if !ok {
		p.Log.ErrorContext(r.Context(), "a request to the portal failed", "path", r.URL.Path, "error", err)
		why = &refusal{
			status: http.StatusServiceUnavailable, title: "That did not work.",
			text: "Something is wrong on our side; it may be over in a moment. The server's log says more.",
		}
	}
	if !wantsPage(r) {
		p.tell(w, why.status, message{Title: why.title, Text: why.text})
		return
	}
	p.show(w, r, why.status, "refusal.html", view{Title: why.title, Content: refusalView{Text: why.text, Command: why.command}})
}

type refusalView struct{ Text, Command string }

// message is what a page's script is told.
type message struct {
	Title     string `json:"title,omitempty"`
	Text      string `json:"text"`
	State     string `json:"state,omitempty"` // of the WorkSpace
	Wait      bool   `json:"wait,omitempty"`  // it will be possible by itself
	Startable bool   `json:"startable,omitempty"`
	Ticket    string `json:"ticket,omitempty"`
}

func (*Portal) tell(w http.ResponseWriter, status int, m message) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(m) // the browser has gone
}

// asset answers with a file that pages need. Its address changes with it, so that browsers keep it.
func (p *Portal) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, err := fs.ReadFile(p.pages.assets, name)
	if err != nil || r.PathValue("version") != p.pages.version {
		p.nothing(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(content) // the browser has gone
}
