package branding_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/branding"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// answer is a reply without its body.
type answer struct {
	status int
	header http.Header
	length int64
}

func TestHandler(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		const hash = "0123456789abcdef0123456789abcdef"
		b := &workspaces.ClientBranding{
			DirectoryID: "d-0123456789", Platform: workspaces.PlatformWeb, Logos: []workspaces.Logo{{Size: 1, Hash: hash, PNG: []byte("a picture")}},
		}
		err = s.Update(t.Context(), func(tx *store.Tx) error { return tx.PutClientBranding(t.Context(), b) })
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(branding.Handler(s, slog.New(slog.DiscardHandler)))
		t.Cleanup(server.Close)
		ask := func(method, path string, header ...string) (answer, string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			reply, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer reply.Body.Close()
			body, err := io.ReadAll(reply.Body)
			if err != nil {
				t.Fatal(err)
			}
			return answer{reply.StatusCode, reply.Header, reply.ContentLength}, string(body)
		}
		path := b.LogoPath(b.Logos[0])
		reply, body := ask(http.MethodGet, path)
		if reply.status != http.StatusOK || body != "a picture" || reply.header.Get("Content-Type") != "image/png" ||
			!strings.Contains(reply.header.Get("Cache-Control"), "immutable") || reply.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %q %v", reply.status, body, reply.header)
		}
		if again, body := ask(http.MethodGet, path, "If-None-Match", reply.header.Get("ETag")); again.status != http.StatusNotModified || body != "" {
			t.Errorf("again: %d", again.status)
		}
		if head, _ := ask(http.MethodHead, path); head.status != http.StatusOK || head.length != int64(len("a picture")) {
			t.Errorf("head: %d", head.status)
		}
		if post, _ := ask(http.MethodPost, path); post.status != http.StatusMethodNotAllowed {
			t.Errorf("post: %d", post.status)
		}
		for _, wrong := range []string{
			"/branding/", "/branding/d-0123456789/DeviceTypeWeb/", strings.TrimSuffix(path, ".png"), strings.Replace(path, "0123456789/", "0123456780/", 1),
			strings.Replace(path, "Web", "Ios", 1), strings.Replace(path, "abcdef", "abcdee", 1), strings.ToUpper(path), path + "/", path + "x",
			strings.Replace(path, "DeviceTypeWeb", "DeviceType%00", 1), strings.Replace(path, "d-", "d-%ff", 1), strings.Replace(path, "d-", strings.Repeat("d", 70000), 1),
			"/branding/d-0123456789/DeviceTypeWeb/..%2f..%2fetc%2fpasswd", "/branding//DeviceTypeWeb/" + hash + ".png",
		} {
			if reply, _ := ask(http.MethodGet, wrong); reply.status != http.StatusNotFound {
				t.Errorf("%.80s: %d", wrong, reply.status)
			}
		}
	})
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"":                               "",
		"Plain & simple":                 "Plain &amp; simple",
		"<b>bold</b><br><i>it</i>":       "<b>bold</b><br><i>it</i>",
		"<ul><li>one</li></ul>":          "<ul><li>one</li></ul>",
		"<h1>large</h1>":                 "large",
		"<script>alert(1)</script>ok":    "ok",
		"<style>*{}</style>ok":           "ok",
		"<img src=x onerror=alert(1)>ok": "ok",
		`<p onclick="alert(1)" style="color:red">ok</p>`:     "<p>ok</p>",
		`<a href="javascript:alert(1)">ok</a>`:               "ok",
		`<a href="data:text/html,x">ok</a>`:                  "ok",
		`<a href="https://a.example/?a=1&b=2" id="x">ok</a>`: `<a href="https://a.example/?a=1&amp;b=2" rel="nofollow noreferrer noopener" target="_blank">ok</a>`,
		`<a href="mailto:a@example.com">ok</a>`:              `<a href="mailto:a@example.com" rel="nofollow noreferrer">ok</a>`,
		`<iframe src="https://a.example"></iframe>ok`:        "ok",
		`<form action="/sign-out"><input name=a>ok</form>`:   "ok",
		"<svg><script>alert(1)</script></svg>ok":             "ok",
		"<b>not closed":                                      "<b>not closed",
	} {
		got := string(branding.Message(message))
		if got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}
