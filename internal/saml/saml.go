// Package saml is Carrel's part in SAML 2.0 as a service provider: what an identity provider's
// metadata says, the address that a browser is sent to, whether a response may be
// believed, and how each side tells the other that somebody leaves. The protocol and its cryptography are
// crewjam/saml's. It imports the domain and keeps nothing: that an assertion is taken once is for its caller to see to.
//
// Start at Open. Source: OASIS saml-core, saml-bindings and saml-profiles 2.0; for the flow, the
// administration guide of the service, which begins every sign-in at the directory's UserAccessUrl.
package saml

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	"github.com/jonboulle/clockwork"
	dsig "github.com/russellhaering/goxmldsig"

	"carrel/internal/workspaces"
)

// IdentityProvider is what metadata says of one.
type IdentityProvider struct {
	EntityID     string
	SignOnURL    string              // takes requests by the HTTP-Redirect binding; "": none does
	Certificates []*x509.Certificate // of which one has to have signed
	LogoutURL    string              // where it is told of people leaving; "": nowhere
	entity       *saml.EntityDescriptor
}

// ReadMetadata reads an identity provider's metadata and refuses what nobody could sign in by.
func ReadMetadata(text string) (*IdentityProvider, error) {
	entity, err := samlsp.ParseMetadata([]byte(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("this is no SAML metadata of one identity provider: %w", err)
	case entity.EntityID == "":
		return nil, errors.New("the metadata has no entityID")
	case len(entity.IDPSSODescriptors) == 0:
		return nil, errors.New("the metadata has no IDPSSODescriptor: it is not an identity provider's")
	}
	p := &IdentityProvider{EntityID: entity.EntityID, entity: entity}
	for _, role := range entity.IDPSSODescriptors {
		for _, key := range role.KeyDescriptors {
			if key.Use != "" && key.Use != "signing" {
				continue
			}
			for _, c := range key.KeyInfo.X509Data.X509Certificates {
				parsed, err := certificate(c.Data)
				if err != nil {
					return nil, fmt.Errorf("a certificate in the metadata is broken: %w", err)
				}
				p.Certificates = append(p.Certificates, parsed)
			}
		}
		for _, service := range role.SingleSignOnServices {
			if p.SignOnURL == "" && service.Binding == saml.HTTPRedirectBinding {
				p.SignOnURL = service.Location
			}
		}
	}
	p.LogoutURL = cmp.Or(logoutEndpoint(entity, saml.HTTPRedirectBinding), logoutEndpoint(entity, saml.HTTPPostBinding))
	if len(p.Certificates) == 0 {
		return nil, errors.New("the metadata has no certificate to check signatures with")
	}
	return p, nil
}

func certificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Exchange is what a directory and its identity provider say to each other, at one moment of
// the service's time.
type Exchange struct {
	IdentityProvider *IdentityProvider
	provider         *workspaces.SAMLProvider
	service          saml.ServiceProvider
}

// Open prepares an exchange with a directory's provider.
func Open(p *workspaces.SAMLProvider, now time.Time) (*Exchange, error) {
	idp, err := ReadMetadata(p.Metadata)
	if err != nil {
		return nil, err
	}
	x := &Exchange{IdentityProvider: idp, provider: p}
	x.service, err = service(p, now)
	if err != nil {
		return nil, err
	}
	x.service.IDPMetadata = idp.entity
	if signs := idp.entity.IDPSSODescriptors[0].WantAuthnRequestsSigned; signs != nil && *signs && x.service.Key != nil {
		x.service.SignatureMethod = dsig.RSASHA256SignatureMethod
	}
	return x, nil
}

func service(p *workspaces.SAMLProvider, now time.Time) (saml.ServiceProvider, error) {
	consumer, err := url.Parse(p.ConsumerURL())
	if err != nil {
		return saml.ServiceProvider{}, err
	}
	logout, err := url.Parse(p.LogoutURL())
	if err != nil {
		return saml.ServiceProvider{}, err
	}
	s := saml.ServiceProvider{
		EntityID: p.EntityID(), AcsURL: *consumer, SloURL: *logout,
		// The service's time stands still for as long as an exchange takes.
		Clock: dsig.NewFakeClock(clockwork.NewFakeClockAt(now)),
		// Whatever name the administrator has made the identity provider give.
		AuthnNameIDFormat:                saml.UnspecifiedNameIDFormat,
		AssertionConsumerServiceBindings: []string{saml.HTTPPostBinding},
		AllowIDPInitiated:                true, // Claim.Answers tells
		MetadataOmitValidUntil:           true,
		RejectSHA1Signatures:             true,
		RejectUnknownConditions:          true,
	}
	pairs, err := keyPairs(p)
	if err != nil || len(pairs) == 0 {
		return s, err
	}
	s.Key, s.Certificate = pairs[0].key, pairs[0].certificate
	newest := pairs[len(pairs)-1]
	s.EncryptionKey, s.EncryptionCertificate = newest.key, newest.certificate
	s.DecryptionKeys = []*rsa.PrivateKey{pairs[0].key}
	s.LogoutSignatureMethod, s.LogoutBindings = dsig.RSASHA256SignatureMethod, []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding}
	return s, nil
}

// ServiceMetadata returns Carrel's metadata for a directory, which its identity provider is given.
func ServiceMetadata(p *workspaces.SAMLProvider, now time.Time) ([]byte, error) {
	x, err := Open(p, now)
	if err != nil {
		return nil, err
	}
	next, err := OwnCertificates(p)
	if err != nil {
		return nil, err
	}
	entity := x.service.Metadata()
	role := &entity.SPSSODescriptors[0]
	for i, key := range role.KeyDescriptors {
		if key.Use == "encryption" {
			role.KeyDescriptors[i].EncryptionMethods = encryptionMethods()
		}
	}
	if len(next) > 1 { // what signs soon: providers that know it before notice nothing
		key := saml.KeyDescriptor{Use: "signing"}
		key.KeyInfo.X509Data.X509Certificates = []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(next[1].Raw)}}
		role.KeyDescriptors = append(role.KeyDescriptors, key)
	}
	text, err := xml.MarshalIndent(entity, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

// SignOnURL is where a browser is sent to sign in: the directory's UserAccessUrl with the relay
// state in the parameter of that name, as the service's clients do. Where that URL is the one
// that takes requests, a request goes with it, which the response then has to answer.
func (x *Exchange) SignOnURL(p workspaces.SAMLProperties, state string) (string, error) {
	if p.UserAccessURL == x.IdentityProvider.SignOnURL {
		request, err := x.service.MakeAuthenticationRequest(p.UserAccessURL, saml.HTTPRedirectBinding, saml.HTTPPostBinding)
		if err != nil {
			return "", err
		}
		request.ID = requestID(state)
		to, err := request.Redirect(state, &x.service)
		if err != nil {
			return "", err
		}
		return to.String(), nil
	}
	to, err := url.Parse(p.UserAccessURL)
	if err != nil {
		return "", err
	}
	query := to.Query()
	query.Set(p.RelayStateParameter, state)
	to.RawQuery = query.Encode()
	return to.String(), nil
}

// Answers reports whether a response to what SignOnURL sent has to say which request it answers.
func (x *Exchange) Answers(p workspaces.SAMLProperties) bool {
	return p.UserAccessURL == x.IdentityProvider.SignOnURL
}

// requestID is the id of the request that goes with a relay state, which is random.
func requestID(state string) string { return "id-" + strings.ToLower(state) }
