// Package certificate is what the server proves itself with to those who speak TLS to it:
// files that somebody else renews, certificates that an ACME authority issues, or, for a
// first look, its own. It imports the standard library and x/crypto's ACME client. Start at
// [Identity].
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Identity is how the server proves itself.
type Identity struct {
	TLS *tls.Config
	// Host is a name that the certificate is for, "" where it is for the addresses of this machine.
	Host string
	// Authority is the file with the authority's own certificate where clients do not know it.
	Authority string
}

// Files uses a certificate, with those that lead to its authority behind it, and its key,
// both in PEM. When the files are replaced the next connection has the new ones.
func Files(certificate, key string) (*Identity, error) {
	f := &files{certificate: certificate, key: key}
	now, err := f.current()
	if err != nil {
		return nil, err
	}
	id := &Identity{TLS: config(f.get)}
	for _, name := range now.Leaf.DNSNames {
		if id.Host == "" && !strings.HasPrefix(name, "*.") {
			id.Host = name
		}
	}
	return id, nil
}

// files are a certificate and its key on disk.
type files struct {
	certificate, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]time.Time // when each was written, as loaded
}

// get returns the certificate for a connection. One that is being replaced, or was replaced
// by rubbish, leaves the last good one in use.
func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now, err := f.current()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && f.loaded != nil {
		return f.loaded, nil
	}
	return now, err
}

func (f *files) current() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stamp [2]time.Time
	for i, path := range []string{f.certificate, f.key} {
		about, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		stamp[i] = about.ModTime()
	}
	if f.loaded != nil && stamp == f.stamp {
		return f.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s and the key %s do not go together: %w", f.certificate, f.key, err)
	}
	f.loaded, f.stamp = &pair, stamp
	return f.loaded, nil
}

// ACME has certificates for the hosts issued and renewed by an ACME authority, at first use,
// and keeps them in a folder. The authority asks for proof at port 443 of each host, which
// has to lead here. directory is the authority's address; "": Let's Encrypt's.
func ACME(hosts []string, folder, directory string) (*Identity, error) {
	if len(hosts) == 0 {
		return nil, errors.New("certificate: no host to have one for")
	}
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(hosts...), Cache: autocert.DirCache(folder),
	}
	if directory != "" {
		manager.Client = &acme.Client{DirectoryURL: directory}
	}
	c := config(manager.GetCertificate)
	c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	return &Identity{TLS: c, Host: hosts[0]}, nil
}

func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// Trusting returns what a client trusts: the authorities that the machine knows, and those in the file.
func Trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the administrator's own path
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
