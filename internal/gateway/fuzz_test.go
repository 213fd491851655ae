package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"carrel/internal/directory"
	"carrel/internal/gateway"
	"carrel/internal/workspaces"
)

// handler is the house's portal without a network.
func (h *house) handler() http.Handler {
	portal, err := gateway.New(h.Context(), h.config)
	if err != nil {
		h.Fatal(err)
	}
	mux := http.NewServeMux()
	portal.Register(mux)
	return mux
}

// FuzzSignIn sends any form. Only the one that is right lets anybody in.
func FuzzSignIn(f *testing.F) {
	for _, seed := range []string{
		"code=WSfra%2BABC123&name=jane&password=wrong", "code=&name=&password=", "%", "a=b&a=c;d", "name=%00&code=%ff&password=%f0%9f",
		"code=WSfra+ABC123&name=jane&password=" + password + "&next=//evil.example", strings.Repeat("a=b&", 2000), "next=/desktop/../../x",
	} {
		f.Add(seed)
	}
	h := open(f, func(c *gateway.Config) { c.Directories = unhashed{c.Directories} })
	handler := h.handler()
	f.Fuzz(func(t *testing.T, body string) {
		if err := h.real.Advance(time.Hour); err != nil { // the limits are tested elsewhere
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		if w.Code != http.StatusSeeOther {
			return
		}
		if !strings.Contains(body, "Horse") {
			t.Fatal("let in")
		}
		if to := w.Header().Get("Location"); to != "/desktops" && !strings.HasPrefix(to, "/desktop/") {
			t.Fatalf("sent to %q", to)
		}
	})
}

// FuzzCookie sends any cookie, ticket and path. Nobody is let in, and nothing breaks.
func FuzzCookie(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "", "/desktops"},
		{"MTc2NDA4NjQwMHxhYmN8AAAA", "x", "/desktop/" + janes},
		{"\xff;\x00", "%00", "/desktop/x/stream"},
		{strings.Repeat("A", 5000), strings.Repeat("B", 5000), "/desktops/" + janes + "/screen"},
		{"a=b; carrel-session=", "", "/?code=%ff&from=//x"},
		{"", "", "/desktop/%2e%2e/files/../../x"},
		{"", "", "/assets/x/../y"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	h := open(f, func(c *gateway.Config) { c.Directories = unhashed{c.Directories} })
	handler := h.handler()
	f.Fuzz(func(t *testing.T, value, ticket, path string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader("start=yes"))
			where, err := url.ParseRequestURI(path)
			if err != nil {
				return // no server gets to see it
			}
			where.RawQuery += "&ticket=" + url.QueryEscape(ticket)
			r.URL = where
			r.Header = http.Header{
				"Cookie": {"carrel-session=" + value, "carrel-code=" + value}, "Accept": {"text/html"}, "Content-Type": {"application/x-www-form-urlencoded"},
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError {
				t.Fatalf("%s %s: %d\n%s", method, path, w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), janes+"-name") || len(h.streams.Visits()) > 0 {
				t.Fatal("let in")
			}
		}
	})
}

// unhashed is a directory that compares passwords as they are, for tests that try many.
type unhashed struct{ directory.Directories }

func (u unhashed) Of(scope workspaces.Scope, id string) directory.Directory {
	return unhashedDirectory{u.Directories.Of(scope, id)}
}

type unhashedDirectory struct{ directory.Directory }

func (u unhashedDirectory) Authenticate(ctx context.Context, name, given string) (*workspaces.User, error) {
	user, err := u.Lookup(ctx, name)
	if err == nil && given != password {
		err = directory.ErrNoUser
	}
	return user, err
}
