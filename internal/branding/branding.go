// Package branding shows what an organisation has imported with ImportClientBranding: its
// logos, at public addresses, and its message, as HTML that is safe on a page.
//
// It imports the domain and the store. The gateway takes messages from it, and main mounts
// Handler.
package branding

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/microcosm-cc/bluemonday"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// logoPath is what workspaces.ClientBranding.LogoPath makes. Nothing else is looked up.
var logoPath = regexp.MustCompile(`^` + workspaces.BrandingPath + `([a-z0-9-]{1,65})/([A-Za-z]{1,30})/([0-9a-f]{32})\.png$`)

// Handler answers with logos at their paths. Anybody may see them.
func Handler(s *store.Store, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Logos can be looked at.", http.StatusMethodNotAllowed)
			return
		}
		var content []byte
		var found bool
		parts := logoPath.FindStringSubmatch(r.URL.Path)
		err := s.View(func(tx *store.Tx) (err error) {
			if parts != nil {
				content, found, err = tx.ClientLogo(r.Context(), parts[1], workspaces.Platform(parts[2]), parts[3])
			}
			return err
		})
		switch {
		case err != nil:
			log.ErrorContext(r.Context(), "a logo could not be read", "path", r.URL.Path, "error", err)
			http.Error(w, "The logo cannot be read now.", http.StatusServiceUnavailable)
		case !found:
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
			w.Header().Set("ETag", `"`+parts[3]+`"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	})
}

// Message is a login message as it may stand on a page: of its HTML what ImportClientBranding
// allows remains, and of the rest the text. Links leave the page and lead to the web or to a mail.
func Message(message string) template.HTML {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("b", "blockquote", "br", "cite", "code", "dd", "dl", "dt", "div", "em", "i", "li", "ol", "p", "pre", "q", "small",
		"span", "strike", "strong", "sub", "sup", "u", "ul")
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowURLSchemes("http", "https", "mailto")
	policy.RequireParseableURLs(true)
	policy.RequireNoReferrerOnLinks(true)
	policy.RequireNoFollowOnLinks(true)
	policy.AddTargetBlankToFullyQualifiedLinks(true)
	return template.HTML(policy.Sanitize(message)) //nolint:gosec // what is left is harmless
}
