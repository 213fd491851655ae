package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// How long the installation's own certificates are good: the authority's as long as anybody
// may have it in a browser, the server's as long as browsers accept, and renewed before.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 300 * 24 * time.Hour
	renewBefore   = 100 * 24 * time.Hour
)

// Own makes an authority for this installation alone and keeps it in a folder, with its
// certificate in authority.pem; it certifies the server for the hosts, names and addresses.
// A client that has been given the file trusts this server, and goes on to do so when the
// server's own certificate is renewed. now is the machine's time.
func Own(folder string, hosts []string, now func() time.Time) (*Identity, error) {
	folder, err := filepath.Abs(folder) // clients are told where the authority is
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return nil, err
	}
	authority, err := openAuthority(folder, now())
	if err != nil {
		return nil, err
	}
	o := &own{authority: authority, hosts: hosts, now: now}
	if _, err := o.get(nil); err != nil {
		return nil, err
	}
	return &Identity{TLS: config(o.get), Authority: filepath.Join(folder, "authority.pem")}, nil
}

// own issues the server's certificate. It lives in memory only: the authority is what clients keep.
type own struct {
	authority *tls.Certificate
	hosts     []string
	now       func() time.Time

	mu     sync.Mutex
	issued *tls.Certificate
}

func (o *own) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if o.issued != nil && now.Before(o.issued.Leaf.NotAfter.Add(-renewBefore)) {
		return o.issued, nil
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Carrel"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, host := range o.hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	var err error
	o.issued, err = issue(template, o.authority)
	return o.issued, err
}

// openAuthority reads the folder's authority, or makes one where there is none, or one that is
// about to be no good any more.
func openAuthority(folder string, now time.Time) (*tls.Certificate, error) {
	certificate, key := filepath.Join(folder, "authority.pem"), filepath.Join(folder, "authority.key")
	kept, err := tls.LoadX509KeyPair(certificate, key)
	switch {
	case err == nil && now.Before(kept.Leaf.NotAfter.Add(-serverLife)):
		return &kept, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s and %s do not go together; remove both, and the next start makes new ones: %w", certificate, key, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	made, err := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Carrel on " + host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		return nil, err
	}
	// The key first: a certificate without one is made anew, one that somebody has seen must keep its key.
	err = write(key, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err == nil {
		err = write(certificate, 0o644, &pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]})
	}
	return made, err
}

// write writes a file so that readers see it whole, or not at all.
func write(path string, mode os.FileMode, block *pem.Block) error {
	part := path + ".new"
	if err := os.WriteFile(part, pem.EncodeToMemory(block), mode); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// issue makes a key and certifies it by the authority; nil: by itself.
func issue(template *x509.Certificate, authority *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, signer := template, crypto.PrivateKey(key)
	chain := [][]byte{nil}
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
		chain = append(chain, authority.Certificate[0])
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	chain[0] = der
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}
