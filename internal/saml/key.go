package saml

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"time"

	"carrel/internal/workspaces"
)

const (
	// keyBits is the length of keys. Identity providers know RSA, and XML encryption nothing else.
	keyBits = 3072
	// keyYears is how long the certificate of a key is good: identity providers look at that, and renewing takes both sides.
	keyYears = 5
)

// keyPair is a key of Carrel's, with the certificate that it is published in.
type keyPair struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

// NewKeyPair makes a key pair for a directory, as a SAMLProvider keeps it. It takes part of a second.
func NewKeyPair(directoryID string, now time.Time) (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Carrel " + directoryID},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(keyYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), nil
}

func readKeyPair(text string) (*keyPair, error) {
	held, err := tls.X509KeyPair([]byte(text), []byte(text))
	if err != nil {
		return nil, err
	}
	key, ok := held.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key for SAML is not an RSA key")
	}
	return &keyPair{key, held.Leaf}, nil
}

// keyPairs returns the key pairs of a provider, that which signs first: none, one, or two while it is renewed.
func keyPairs(p *workspaces.SAMLProvider) (pairs []*keyPair, err error) {
	for _, text := range []string{p.KeyPair, p.NextKeyPair} {
		if text == "" {
			continue
		}
		pair, err := readKeyPair(text)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// OwnCertificates returns the certificates that Carrel publishes for a directory, that which it signs with first.
func OwnCertificates(p *workspaces.SAMLProvider) (all []*x509.Certificate, err error) {
	pairs, err := keyPairs(p)
	for _, pair := range pairs {
		all = append(all, pair.certificate)
	}
	return all, err
}
