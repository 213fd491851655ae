package saml_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"carrel/internal/saml"
	"carrel/internal/saml/samltest"
	"carrel/internal/workspaces"
)

const state = "STATE234STATE234STATE234STATE234STATE234STATE234AAAA"

func noon() time.Time { return time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC) }

func provider(metadata string) *workspaces.SAMLProvider {
	return &workspaces.SAMLProvider{DirectoryID: "d-0123456789", ID: "abcdefgh", Address: "https://desktops.example.com", Metadata: metadata}
}

// parties are an identity provider that jane comes to, and the directory's side.
func parties(t *testing.T) (*samltest.IdentityProvider, *workspaces.SAMLProvider) {
	t.Helper()
	idp := samltest.New(t, noon())
	p := provider(idp.Metadata())
	metadata, err := saml.ServiceMetadata(p, noon())
	if err != nil {
		t.Fatal(err)
	}
	idp.Register(string(metadata))
	idp.SignIn("jane", map[string]string{"https://aws.amazon.com/SAML/Attributes/PrincipalTag:Email": "jane@example.com", "account": "jdoe"})
	return idp, p
}

func open(t testing.TB, p *workspaces.SAMLProvider, now time.Time) *saml.Exchange {
	t.Helper()
	x, err := saml.Open(p, now)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestBothWays has jane sign in at an address that takes requests, and at one that does not.
func TestBothWays(t *testing.T) {
	t.Parallel()
	idp, p := parties(t)
	x := open(t, p, noon())
	for name, c := range map[string]struct {
		properties workspaces.SAMLProperties
		answers    bool
	}{
		"with a request": {workspaces.SAMLProperties{UserAccessURL: idp.SSO(), RelayStateParameter: "RelayState"}, true},
		"without":        {workspaces.SAMLProperties{UserAccessURL: idp.App(), RelayStateParameter: "Where"}, false},
	} {
		to, err := x.SignOnURL(c.properties, state)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := url.Parse(to); err != nil || !c.answers && at.Query().Get("tenant") != "1" {
			t.Errorf("%s: %s lost a parameter: %v", name, to, err)
		}
		form := idp.Visit(to)
		if form.Action != p.ConsumerURL() || form.RelayState != state {
			t.Errorf("%s: a form to %s with %s", name, form.Action, form.RelayState)
		}
		claim, err := x.Read(encoded(form.Response), form.RelayState)
		if err != nil {
			t.Fatal(name, err)
		}
		if claim.UserName != "jane" || claim.Email != "jane@example.com" || claim.Answers != c.answers || x.Answers(c.properties) != c.answers || !claim.Ends.IsZero() {
			t.Errorf("%s: %+v", name, claim)
		}
		if !claim.Until.After(noon()) || claim.Until.After(noon().Add(time.Hour)) || !strings.HasPrefix(claim.ID, idp.URL+"/metadata\n") {
			t.Errorf("%s: remembered as %q until %s", name, claim.ID, claim.Until)
		}
	}
}

func TestTheNameMayBeAnAttribute(t *testing.T) {
	t.Parallel()
	idp, p := parties(t)
	idp.End(time.Hour)
	p.UserAttribute = "account"
	claim, err := open(t, p, noon()).Read(encoded(idp.Visit(idp.App()).Response), "")
	if err != nil || claim.UserName != "jdoe" || claim.Answers || !claim.Ends.Equal(noon().Add(time.Hour)) {
		t.Errorf("%+v, %v", claim, err)
	}
	p.UserAttribute = "missing"
	if _, err := open(t, p, noon()).Read(encoded(idp.Visit(idp.App()).Response), ""); err == nil {
		t.Error("somebody without a name is believed")
	}
}

var (
	assertionPattern = regexp.MustCompile(`(?s)<saml:Assertion.*</saml:Assertion>`)
	signaturePattern = regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`)
	namePattern      = regexp.MustCompile(`(<saml:NameID[^>]*>)[^<]*<`)
	idPattern        = regexp.MustCompile(` ID="[^"]*"`)
)

// forged is the response's assertion as somebody else would like it: unsigned, with another id and for john.
func forged(response string) string {
	a := signaturePattern.ReplaceAllString(assertionPattern.FindString(response), "")
	return namePattern.ReplaceAllString(idPattern.ReplaceAllString(a, ` ID="id-forged"`), "${1}john<")
}

// bare is the response without the signature that is around its assertion.
func bare(response string) string {
	a := assertionPattern.FindString(response)
	return strings.Replace(signaturePattern.ReplaceAllString(strings.Replace(response, a, "@", 1), ""), "@", a, 1)
}

// TestWhatIsNotBelieved changes a response that is.
func TestWhatIsNotBelieved(t *testing.T) {
	t.Parallel()
	idp, p := parties(t)
	to, err := open(t, p, noon()).SignOnURL(workspaces.SAMLProperties{UserAccessURL: idp.SSO()}, state)
	if err != nil {
		t.Fatal(err)
	}
	good := idp.Visit(to).Response
	signed := assertionPattern.FindString(good)
	if signed == "" || !signaturePattern.MatchString(signed) || namePattern.FindString(signed) == "" {
		t.Fatalf("the response is of another kind:\n%s", good)
	}
	if _, err := open(t, p, noon()).Read(encoded(bare(good)), state); err != nil {
		t.Fatalf("a signed assertion in a response that is not: %v", err)
	}
	stranger := samltest.New(t, noon())
	elsewhere := provider(idp.Metadata())
	elsewhere.ID = "elsewhere"
	for name, c := range map[string]struct {
		response string
		state    string
		provider *workspaces.SAMLProvider
		now      time.Time
		text     string
	}{
		"another name":                     {response: namePattern.ReplaceAllString(good, "${1}john<"), text: "signed"},
		"another name, a bare response":    {response: namePattern.ReplaceAllString(bare(good), "${1}john<"), text: "signed"},
		"no signature":                     {response: signaturePattern.ReplaceAllString(good, "")},
		"a forged assertion before it":     {response: strings.Replace(bare(good), signed, forged(good)+signed, 1)},
		"a forged assertion behind it":     {response: strings.Replace(good, signed, signed+forged(good), 1), text: "signed"},
		"it hidden in a forged one":        {response: strings.Replace(bare(good), signed, strings.Replace(forged(good), "</saml:Assertion>", signed+"</saml:Assertion>", 1), 1)},
		"it hidden in an extension":        {response: strings.Replace(bare(good), signed, "<samlp:Extensions>"+signed+"</samlp:Extensions>"+forged(good), 1)},
		"a forged one in its place":        {response: strings.Replace(bare(good), signed, forged(good), 1)},
		"somebody else's key":              {response: good, provider: provider(strings.ReplaceAll(stranger.Metadata(), stranger.URL, idp.URL)), text: "signed"},
		"for another directory":            {response: bare(good), provider: elsewhere},
		"too late":                         {response: good, now: noon().Add(time.Hour), text: "too old"},
		"before its time":                  {response: good, now: noon().Add(-10 * time.Minute), text: "clocks"},
		"an answer to another request":     {response: good, state: strings.Replace(state, "STATE", "OTHER", 1), text: "another request"},
		"an answer where nobody has asked": {response: good, state: "-", text: "another request"},
		"a failure":                        {response: strings.ReplaceAll(bare(good), "status:Success", "status:Requester")},
		"no XML":                           {response: "hello"},
		"nothing":                          {response: ""},
		"an entity":                        {response: `<!DOCTYPE r [<!ENTITY a "jane">]>` + namePattern.ReplaceAllString(good, "${1}&a;<")},
	} {
		if c.provider == nil {
			c.provider = p
		}
		if c.now.IsZero() {
			c.now = noon()
		}
		if c.state == "" {
			c.state = state
		}
		claim, err := open(t, c.provider, c.now).Read(encoded(c.response), strings.Trim(c.state, "-"))
		why, ok := errors.AsType[*saml.Refusal](err)
		if !ok || !strings.Contains(why.Text, c.text) {
			t.Errorf("%s: %+v, %v", name, claim, err)
		}
	}
	if _, err := open(t, p, noon()).Read("%%%", state); err == nil {
		t.Error("what is no base64 is believed")
	}
	// A comment is no part of what is signed, and must not be able to cut a name short.
	claim, err := open(t, p, noon()).Read(encoded(namePattern.ReplaceAllString(good, "${1}ja<!-- -->ne<")), state)
	if err == nil && claim.UserName != "jane" {
		t.Errorf("a comment in a name makes it %q", claim.UserName)
	}
}

func TestMetadataThatNobodyCouldSignInBy(t *testing.T) {
	t.Parallel()
	idp, p := parties(t)
	own, err := saml.ServiceMetadata(p, noon())
	if err != nil {
		t.Fatal(err)
	}
	good := idp.Metadata()
	read, err := saml.ReadMetadata(good)
	if err != nil || read.EntityID != idp.URL+"/metadata" || read.SignOnURL != idp.SSO() || len(read.Certificates) != 1 {
		t.Errorf("%+v, %v", read, err)
	}
	for name, text := range map[string]string{
		"nothing":                "",
		"no XML":                 "hello",
		"a page":                 "<html></html>",
		"a service provider's":   string(own),
		"without certificates":   regexp.MustCompile(`(?s)<KeyDescriptor.*</KeyDescriptor>`).ReplaceAllString(good, ""),
		"with a broken one":      regexp.MustCompile(`(<X509Certificate[^>]*>)[^<]{40}`).ReplaceAllString(good, "${1}"),
		"without an entity's id": strings.Replace(good, `entityID="`, `other="`, 1),
	} {
		if got, err := saml.ReadMetadata(text); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzResponse(f *testing.F) {
	idp := samltest.New(f, noon())
	p := provider(idp.Metadata())
	metadata, err := saml.ServiceMetadata(p, noon())
	if err != nil {
		f.Fatal(err)
	}
	idp.Register(string(metadata))
	idp.SignIn("jane", nil)
	good := idp.Visit(idp.App()).Response
	for _, seed := range []string{good, bare(good), strings.Replace(good, "jane", "john", 1), "<a/>", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, response string) {
		x, err := saml.Open(p, noon())
		if err != nil {
			t.Fatal(err)
		}
		if claim, err := x.Read(encoded(response), ""); err == nil && claim.UserName != "jane" {
			t.Fatalf("%q is believed", claim.UserName)
		}
	})
}
