// Package samltest is a SAML 2.0 identity provider for tests, made from the library that real ones
// are made from. Whoever comes to it is signed in already. It imports nothing of Carrel's.
package samltest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/logger"
	"github.com/jonboulle/clockwork"
	dsig "github.com/russellhaering/goxmldsig"
)

// IdentityProvider signs in User wherever it is asked to.
type IdentityProvider struct {
	URL string

	tb       testing.TB
	provider *saml.IdentityProvider
	clock    *clockwork.FakeClock

	mu      sync.Mutex
	session saml.Session
	service *saml.EntityDescriptor
	ends    time.Duration
	encrypt bool
	left    []string
}

// New makes an identity provider whose clock shows now until it is moved. No network leads to it: see Visit.
func New(tb testing.TB, now time.Time) *IdentityProvider {
	tb.Helper()
	return NewAt(tb, now, "https://idp.example.com")
}

// NewAt is New, at an address where its Handler answers.
func NewAt(tb testing.TB, now time.Time, address string) *IdentityProvider {
	tb.Helper()
	idp := &IdentityProvider{tb: tb, clock: clockwork.NewFakeClockAt(now), URL: address}
	key, certificate := newKey(tb, now)
	idp.provider = &saml.IdentityProvider{
		Signer: key, Certificate: certificate, MetadataURL: idp.at("/metadata"), SSOURL: idp.at("/sso"), LogoutURL: idp.at("/slo"), Logger: logger.DefaultLogger,
		LogoutBindings:  []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding},
		SignatureMethod: dsig.ECDSASHA256SignatureMethod, SessionProvider: idp, ServiceProviderProvider: idp, AssertionMaker: idp,
		Clock: dsig.NewFakeClock(idp.clock),
	}
	return idp
}

func (i *IdentityProvider) at(path string) url.URL {
	u, err := url.Parse(i.URL + path)
	if err != nil {
		i.tb.Fatal(err)
	}
	return *u
}

func newKey(tb testing.TB, now time.Time) (*ecdsa.PrivateKey, *x509.Certificate) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "identity provider"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return key, certificate
}

// SSO is where requests go to.
func (i *IdentityProvider) SSO() string { return i.URL + "/sso" }

// App is where a sign-in begins without a request. It takes the relay state in the parameter Where.
func (i *IdentityProvider) App() string { return i.URL + "/app?tenant=1" }

// Metadata is what a service provider is given.
func (i *IdentityProvider) Metadata() string {
	text, err := xml.Marshal(i.provider.Metadata())
	if err != nil {
		i.tb.Fatal(err)
	}
	return string(text)
}

// Register tells the identity provider of a service provider, by its metadata.
func (i *IdentityProvider) Register(metadata string) {
	i.tb.Helper()
	service := new(saml.EntityDescriptor)
	if err := xml.Unmarshal([]byte(metadata), service); err != nil {
		i.tb.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.service = service
}

// Service is the service provider that it knows.
func (i *IdentityProvider) Service() *saml.EntityDescriptor {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.service
}

// Advance moves its clock.
func (i *IdentityProvider) Advance(d time.Duration) { i.clock.Advance(d) }

// SignIn says who comes from now on, and with which attributes beside the name.
func (i *IdentityProvider) SignIn(user string, attributes map[string]string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.session = saml.Session{ID: "s", Index: "s", NameID: user, NameIDFormat: string(saml.PersistentNameIDFormat), UserName: user}
	for name, value := range attributes {
		i.session.CustomAttributes = append(i.session.CustomAttributes, saml.Attribute{Name: name, Values: []saml.AttributeValue{{Type: "xs:string", Value: value}}})
	}
}

// GetSession implements saml.SessionProvider.
func (i *IdentityProvider) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.session
	s.CreateTime, s.ExpireTime = i.clock.Now(), i.clock.Now().Add(time.Hour)
	return &s
}

// MakeAssertion implements saml.AssertionMaker.
func (i *IdentityProvider) MakeAssertion(r *saml.IdpAuthnRequest, session *saml.Session) error {
	if err := (saml.DefaultAssertionMaker{}).MakeAssertion(r, session); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ends > 0 {
		r.Assertion.AuthnStatements[0].SessionNotOnOrAfter = new(i.clock.Now().Add(i.ends))
	}
	return nil
}

// End says how long sessions are from now on; 0: as long as the service provider likes.
func (i *IdentityProvider) End(after time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ends = after
}

// GetServiceProvider implements saml.ServiceProviderProvider.
func (i *IdentityProvider) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.service == nil || i.service.EntityID != id {
		return nil, os.ErrNotExist
	}
	if i.encrypt {
		return i.service, nil
	}
	plain := *i.service
	plain.SPSSODescriptors = slices.Clone(plain.SPSSODescriptors)
	role := &plain.SPSSODescriptors[0]
	role.KeyDescriptors = slices.DeleteFunc(slices.Clone(role.KeyDescriptors), func(k saml.KeyDescriptor) bool { return k.Use == "encryption" })
	return &plain, nil
}

// Encrypt has it encrypt assertions from now on, for the key in the service provider's metadata.
func (i *IdentityProvider) Encrypt() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.encrypt = true
}

// Form is what the identity provider makes a browser post.
type Form struct {
	Action     string
	Response   string // in XML
	RelayState string
}

// Values are the form's fields.
func (f Form) Values() url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(f.Response))}, "RelayState": {f.RelayState}}
}

var fieldPattern = regexp.MustCompile(`(action|name="SAMLResponse" value|name="RelayState" value)="([^"]*)"`) // a constant

// Handler answers at the identity provider's addresses.
func (i *IdentityProvider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/sso", i.provider.ServeSSO)
	mux.HandleFunc("/slo", i.serveLogout)
	mux.HandleFunc("/farewell", i.farewell)
	mux.HandleFunc("/app", func(w http.ResponseWriter, r *http.Request) {
		i.provider.ServeIDPInitiated(w, r, i.Service().EntityID, r.URL.Query().Get("Where"))
	})
	return mux
}

// Visit is a browser's visit at an address of the identity provider's, and the form that it gets.
func (i *IdentityProvider) Visit(address string) Form {
	i.tb.Helper()
	r, err := http.NewRequestWithContext(i.tb.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		i.tb.Fatal(err)
	}
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, r)
	var form Form
	for _, field := range fieldPattern.FindAllStringSubmatch(w.Body.String(), -1) {
		value := html.UnescapeString(field[2])
		switch field[1] {
		case "action":
			form.Action = value
		case `name="RelayState" value`:
			form.RelayState = value
		default:
			text, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				i.tb.Fatal(err)
			}
			form.Response = string(text)
		}
	}
	if w.Code != http.StatusOK || form.Response == "" {
		i.tb.Fatalf("the identity provider answers %d\n%s", w.Code, w.Body)
	}
	return form
}
