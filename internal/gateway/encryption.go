package gateway

import (
	"crypto/tls"
	"net/http"

	"carrel/internal/workspaces"
)

// approved reports whether a connection is encrypted with what FIPS 140-3 approves: TLS 1.2 or
// newer with AES-GCM, and keys agreed on NIST's curves, alone or beside ML-KEM.
// Source: crypto/tls of Go, which negotiates nothing else in its FIPS mode; NIST SP 800-52r2 for TLS 1.2.
func approved(c *tls.ConnectionState) bool {
	if c == nil {
		return false
	}
	switch c.CipherSuite {
	case tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:
	default:
		return false
	}
	switch c.CurveID {
	case tls.CurveP256, tls.CurveP384, tls.CurveP521, tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024:
		return c.Version >= tls.VersionTLS12
	default:
		return false
	}
}

// refuseEncryption refuses connections that are not encrypted as the directory asks for.
// Source: ModifyEndpointEncryptionMode, FIPS_VALIDATED.
func refuseEncryption(d *workspaces.WorkspaceDirectory, c client) error {
	if c.approved || !d.Settings.NeedsFIPS() {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, title: "This connection is not encrypted as it has to be.",
		text: "Your organisation asks for encryption that FIPS 140 approves: TLS 1.2 or newer with AES-GCM, and keys agreed on the curves P-256, " +
			"P-384 or P-521. What your browser and this server agreed on is something else. Use an up-to-date browser, or ask your administrator.",
		cut: "Your organisation asks for encryption that FIPS 140 approves, from now on.",
	}
}
