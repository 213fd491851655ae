package certificate_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/internal/certificate"
)

// answering starts a server with the identity and returns its address.
func answering(t *testing.T, id *certificate.Identity) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = server.Serve(tls.NewListener(listener, id.TLS)) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// ask connects as a client that trusts the file, and returns the server's certificate's serial number.
func ask(t *testing.T, address, trusted string) (serial string, err error) {
	t.Helper()
	trust, err := certificate.Trusting(trusted)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	return response.TLS.PeerCertificates[0].SerialNumber.String(), nil
}

func TestOwn(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "tls")
	id, err := certificate.Own(folder, []string{"localhost", "127.0.0.1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	first, err := ask(t, answering(t, id), id.Authority)
	if err != nil {
		t.Fatal(err)
	}
	if about, err := os.Stat(filepath.Join(folder, "authority.key")); err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", about, err)
	}
	again, err := certificate.Own(folder, []string{"127.0.0.1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if serial, err := ask(t, answering(t, again), id.Authority); err != nil || serial == first {
		t.Errorf("after a restart: %s, %v", serial, err)
	}
	stranger, err := certificate.Own(t.TempDir(), []string{"127.0.0.1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, answering(t, stranger), id.Authority); err == nil {
		t.Error("another installation's certificate is trusted")
	}
	elsewhere, err := certificate.Own(folder, []string{"example.com"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, answering(t, elsewhere), id.Authority); err == nil {
		t.Error("a certificate for another host is trusted")
	}
}

// TestOwnIsRenewed lets the time pass under a running server.
func TestOwnIsRenewed(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(-250 * 24 * time.Hour)
	id, err := certificate.Own(t.TempDir(), []string{"127.0.0.1"}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	address := answering(t, id)
	first, err := ask(t, address, id.Authority)
	if err != nil {
		t.Fatal(err)
	}
	now = time.Now()
	if second, err := ask(t, address, id.Authority); err != nil || second == first {
		t.Errorf("250 days later: %s, %v", second, err)
	}
}

func TestOwnDamaged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "authority.pem"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "authority.key"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Own(folder, nil, time.Now); err == nil || !strings.Contains(err.Error(), "remove both") {
		t.Errorf("got %v", err)
	}
}

// pair writes a certificate and its key, which an authority of their own has issued.
func pair(t *testing.T, folder, into string) {
	t.Helper()
	id, err := certificate.Own(folder, []string{"127.0.0.1", "desk.example.com"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	certificate.WritePair(t, id, into)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	folder, into := t.TempDir(), t.TempDir()
	pair(t, folder, into)
	cert, key, authority := filepath.Join(into, "cert.pem"), filepath.Join(into, "key.pem"), filepath.Join(folder, "authority.pem")
	id, err := certificate.Files(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if id.Host != "desk.example.com" {
		t.Errorf("the host is %q", id.Host)
	}
	address := answering(t, id)
	first, err := ask(t, address, authority)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, folder, into)
	later := time.Now().Add(time.Hour)
	for _, path := range []string{cert, key} {
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
	}
	second, err := ask(t, address, authority)
	if err != nil || second == first {
		t.Errorf("after a renewal: %s, %v", second, err)
	}
	if err := os.WriteFile(cert, []byte("half of a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if third, err := ask(t, address, authority); err != nil || third != second {
		t.Errorf("while it is replaced: %s, %v", third, err)
	}
	if _, err := certificate.Files(cert, key); err == nil {
		t.Error("rubbish is taken")
	}
	if _, err := certificate.Files(filepath.Join(into, "none"), key); err == nil {
		t.Error("a file that does not exist is taken")
	}
}

func TestACMEIsForItsHosts(t *testing.T) {
	t.Parallel()
	id, err := certificate.ACME([]string{"desk.example.com"}, t.TempDir(), "http://127.0.0.1:1/directory")
	if err != nil || id.Host != "desk.example.com" {
		t.Fatal(id, err)
	}
	address := answering(t, id)
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: "other.example.com"}} // as any client
	if _, err := dialer.DialContext(ctx, "tcp", address); err == nil {
		t.Error("a certificate for any host")
	}
	if _, err := certificate.ACME(nil, t.TempDir(), ""); err == nil {
		t.Error("no host is taken")
	}
}
