package saml_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"carrel/internal/saml"
	"carrel/internal/saml/samltest"
	"carrel/internal/workspaces"
)

// keyed are parties of which the directory's side has a key pair, and the identity provider knows it and encrypts for it.
func keyed(t testing.TB) (*samltest.IdentityProvider, *workspaces.SAMLProvider) {
	t.Helper()
	idp := samltest.New(t, noon())
	p := provider(idp.Metadata())
	var err error
	if p.KeyPair, err = sharedKeyPair(); err != nil {
		t.Fatal(err)
	}
	register(t, idp, p)
	idp.Encrypt()
	idp.SignIn("jane", nil)
	return idp, p
}

// sharedKeyPair is one for all tests: to make one takes a while.
var sharedKeyPair = sync.OnceValues(func() (string, error) { return saml.NewKeyPair("d-0123456789", noon()) })

// keyPair is another.
func keyPair(t testing.TB) string {
	t.Helper()
	pair, err := saml.NewKeyPair("d-0123456789", noon())
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// register tells the identity provider of the directory's side, and returns what it is told.
func register(t testing.TB, idp *samltest.IdentityProvider, p *workspaces.SAMLProvider) string {
	t.Helper()
	metadata, err := saml.ServiceMetadata(p, noon())
	if err != nil {
		t.Fatal(err)
	}
	idp.Register(string(metadata))
	return string(metadata)
}

func TestEncryptedAssertions(t *testing.T) {
	t.Parallel()
	idp, p := keyed(t)
	good := idp.Visit(idp.App()).Response
	if strings.Contains(good, "<saml:Assertion ") || !strings.Contains(good, "EncryptedAssertion") {
		t.Fatalf("it is not encrypted:\n%s", good)
	}
	claim, err := open(t, p, noon()).Read(encoded(good), "")
	if err != nil || claim.UserName != "jane" || claim.Subject.NameID != "jane" || claim.Subject.SessionIndex == "" {
		t.Fatalf("%+v, %v", claim, err)
	}
	without, other := *p, *p
	without.KeyPair, other.KeyPair = "", keyPair(t)
	const aes, oaep = "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	if !strings.Contains(good, aes) || !strings.Contains(good, oaep) {
		t.Fatalf("it is encrypted otherwise than the metadata asks:\n%s", good)
	}
	for name, c := range map[string]struct {
		response string
		provider *workspaces.SAMLProvider
		text     string
	}{
		"for another key":          {good, &other, "for another key"},
		"nobody has a key":         {good, &without, "for another key"},
		"CBC":                      {strings.Replace(good, aes, "http://www.w3.org/2001/04/xmlenc#aes256-cbc", 1), p, "not safe"},
		"RSA 1.5":                  {strings.Replace(good, oaep, "http://www.w3.org/2001/04/xmlenc#rsa-1_5", 1), p, "not safe"},
		"3DES":                     {strings.Replace(good, aes, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", 1), p, "not safe"},
		"an algorithm of nobody's": {strings.Replace(good, aes, "urn:none", 1), p, "not safe"},
		"another ciphertext":       {strings.Replace(good, "CipherValue>", "CipherValue>AAAA", 1), p, ""},
		"no method":                {strings.Replace(good, "EncryptionMethod", "Encryption", 2), p, ""},
	} {
		claim, err := open(t, c.provider, noon()).Read(encoded(c.response), "")
		why, ok := errors.AsType[*saml.Refusal](err)
		if !ok || !strings.Contains(why.Text, c.text) {
			t.Errorf("%s: %+v, %v (%+v)", name, claim, err, why)
		}
	}
}

// TestRenewingTheKey has the identity provider learn of a new key at any moment of the change.
func TestRenewingTheKey(t *testing.T) {
	t.Parallel()
	idp, p := keyed(t)
	reads := func(when string) {
		t.Helper()
		if claim, err := open(t, p, noon()).Read(encoded(idp.Visit(idp.App()).Response), ""); err != nil || claim.UserName != "jane" {
			t.Errorf("%s: %+v, %v", when, claim, err)
		}
		m, asked, err := open(t, p, noon()).Leave(workspaces.SAMLSubject{NameID: "jane"}, state)
		if err != nil || !asked {
			t.Fatal(when, asked, err)
		}
		before := len(idp.Left())
		idp.Hear(samltest.Carried{URL: m.URL})
		if len(idp.Left()) != before+1 {
			t.Errorf("%s: the identity provider does not believe what is signed", when)
		}
	}
	p.NextKeyPair = keyPair(t)
	reads("the provider knows the first key")
	own, err := saml.OwnCertificates(p)
	if err != nil || len(own) != 2 || !own[0].NotAfter.Equal(noon().AddDate(5, 0, 0)) || own[0].Equal(own[1]) {
		t.Errorf("%v, %v", own, err)
	}
	metadata := register(t, idp, p)
	if n := strings.Count(metadata, `use="signing"`); n != 2 || strings.Count(metadata, `use="encryption"`) != 1 || strings.Contains(metadata, "cbc") {
		t.Errorf("%d keys sign in\n%s", n, metadata)
	}
	reads("the provider knows both")
	p.KeyPair, p.NextKeyPair = p.NextKeyPair, ""
	reads("the first key is gone")
	register(t, idp, p)
	reads("and the provider knows the second alone")

	p.KeyPair = "broken"
	if _, err := saml.Open(p, noon()); err == nil {
		t.Error("a broken key is no error")
	}
}

// TestSignedRequests has an identity provider that takes signed requests only.
func TestSignedRequests(t *testing.T) {
	t.Parallel()
	idp, p := keyed(t)
	signed := func() bool {
		to, err := open(t, p, noon()).SignOnURL(workspaces.SAMLProperties{UserAccessURL: idp.SSO(), RelayStateParameter: "RelayState"}, state)
		if err != nil {
			t.Fatal(err)
		}
		idp.Visit(to)
		return strings.Contains(to, "Signature=")
	}
	if signed() {
		t.Error("a request is signed that need not be")
	}
	p.Metadata = strings.Replace(p.Metadata, "<IDPSSODescriptor ", `<IDPSSODescriptor WantAuthnRequestsSigned="true" `, 1)
	if !signed() || !strings.Contains(register(t, idp, p), `AuthnRequestsSigned="true"`) {
		t.Error("a request is not signed that has to be")
	}
}

func FuzzEncryptedResponse(f *testing.F) {
	idp, p := keyed(f)
	good := idp.Visit(idp.App()).Response
	for _, seed := range []string{
		good, strings.Replace(good, "aes256-gcm", "aes256-cbc", 1), strings.Replace(good, "CipherValue>", "CipherValue>AAAA", 1),
		strings.Replace(good, "EncryptedKey", "EncryptedData", 2), strings.Replace(good, "EncryptionMethod", "x:EncryptionMethod", 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, response string) {
		claim, err := open(t, p, noon()).Read(encoded(response), "")
		if _, refused := errors.AsType[*saml.Refusal](err); err == nil && claim.UserName != "jane" || err != nil && !refused {
			t.Fatalf("%+v, %v", claim, err)
		}
	})
}
