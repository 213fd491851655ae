package gateway_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/gateway"
	"carrel/internal/workspaces"
)

func needsFIPS(d *workspaces.WorkspaceDirectory) { d.Settings.EndpointMode = "FIPS_VALIDATED" }

// TestEncryption comes over real TLS of several kinds, and asks a directory that is particular and one that is not.
func TestEncryption(t *testing.T) {
	t.Parallel()
	h := open(t)
	server := httptest.NewTLSServer(h.handler())
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs //nolint:errcheck // what httptest has
	for name, c := range map[string]struct {
		config *tls.Config
		good   bool
	}{
		"AES-GCM and P-256":               {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, CurvePreferences: []tls.CurveID{tls.CurveP256}}, true},
		"AES-256-GCM and P-384":           {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}, CurvePreferences: []tls.CurveID{tls.CurveP384}}, true},
		"AES-GCM and X25519":              {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, CurvePreferences: []tls.CurveID{tls.X25519}}, false},
		"ChaCha20-Poly1305":               {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}, CurvePreferences: []tls.CurveID{tls.CurveP256}}, false},
		"AES-CBC":                         {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}, CurvePreferences: []tls.CurveID{tls.CurveP256}}, false},
		"TLS 1.3 and P-256":               {&tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.CurveP256}}, true},
		"TLS 1.3 and ML-KEM, as browsers": {&tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}, true},
		"TLS 1.3 and X25519":              {&tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}, false},
	} {
		h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.EndpointMode = "STANDARD_TLS" })
		b := h.browser()
		b.at = server.URL
		c.config.RootCAs = roots
		b.client.Transport = &http.Transport{TLSClientConfig: c.config}
		got := b.signIn("jane", password)
		got.want(t, http.StatusSeeOther)
		good := c.good && got.TLS.CipherSuite != tls.TLS_CHACHA20_POLY1305_SHA256 // which a machine without AES may have agreed on

		h.directory(needsFIPS)
		for _, reply := range []page{b.get("/desktops"), b.do(http.MethodPost, "/desktop/"+janes+"/ticket", nil), b.signIn("jane", password)} {
			if refused := reply.StatusCode == http.StatusForbidden && strings.Contains(reply.text, "not encrypted as it has to be"); refused == good {
				t.Errorf("%s: %s: %s\n%s", name, reply.Request.URL.Path, reply.Status, reply.text)
			}
		}
		if warned := strings.Contains(h.overTLS(c.config, server.URL).get("/?code="+code).text, "not encrypted as it has to be"); warned == good {
			t.Errorf("%s: warned before a password is typed: %v", name, warned)
		}
	}
}

// overTLS is somebody else's browser, which speaks the TLS of the configuration.
func (h *house) overTLS(config *tls.Config, at string) *browser {
	h.Helper()
	b := h.browser()
	b.at = at
	b.client.Transport = &http.Transport{TLSClientConfig: config}
	return b
}

func TestEncryptionThatAProxyDoes(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *gateway.Config) { c.Proxies = loopback() })
	h.directory(needsFIPS)
	for protocol, status := range map[string]int{"https": http.StatusSeeOther, "http": http.StatusForbidden, "": http.StatusForbidden} {
		b := h.browser()
		b.header.Set("X-Forwarded-Proto", protocol)
		b.signIn("jane", password).want(t, status)
	}
	h.config.Proxies = nil
	b := h.browser()
	b.at = h.serve().URL
	b.header.Set("X-Forwarded-Proto", "https") // an invention
	b.signIn("jane", password).want(t, http.StatusForbidden, "not encrypted as it has to be")
}
