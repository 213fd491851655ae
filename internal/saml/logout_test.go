package saml_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/saml"
	"carrel/internal/saml/samltest"
	"carrel/internal/workspaces"
)

const (
	redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	post     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// carry makes a message of ours one of a browser's.
func carry(m saml.Message) samltest.Carried {
	if m.Field == "" {
		return samltest.Carried{URL: m.URL}
	}
	return samltest.Carried{URL: m.URL, Form: url.Values{m.Field: {m.Value}, "RelayState": {m.RelayState}}}
}

// TestLeavingHere tells the identity provider that jane leaves, and hears its answer.
func TestLeavingHere(t *testing.T) {
	t.Parallel()
	for name, bindings := range map[string][]string{"by address": {redirect, post}, "by form": {post}} {
		idp, p := keyed(t)
		idp.LogoutBy(bindings...)
		p.Metadata = idp.Metadata()
		who := workspaces.SAMLSubject{NameID: "jane", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", SessionIndex: "s"}
		m, asked, err := open(t, p, noon()).Leave(who, state)
		if err != nil || !asked || (m.Field == "") != slices.Contains(bindings, redirect) {
			t.Fatalf("%s: %+v, %t, %v", name, m, asked, err)
		}
		answer := idp.Hear(carry(m))
		if !slices.Equal(idp.Left(), []string{"jane"}) {
			t.Errorf("%s: left have %v", name, idp.Left())
		}
		if !strings.HasPrefix(answer.URL, p.LogoutURL()) {
			t.Errorf("%s: it answers at %s", name, answer.URL)
		}
		if err := open(t, p, noon()).ReadConfirmation(answer.Request(), state); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other := strings.Replace(state, "STATE", "OTHER", 1)
		for why, c := range map[string]struct {
			state string
			now   time.Time
		}{"of another": {other, noon()}, "of nobody": {"", noon()}, "late": {state, noon().Add(time.Hour)}} {
			if err := open(t, p, c.now).ReadConfirmation(answer.Request(), c.state); err == nil {
				t.Errorf("%s: an answer %s is believed", name, why)
			}
		}
	}
}

func TestWhoIsNotTold(t *testing.T) {
	t.Parallel()
	idp, p := keyed(t)
	none, keyless := *p, *p
	keyless.KeyPair = ""
	idp.LogoutBy()
	none.Metadata = idp.Metadata()
	for name, c := range map[string]struct {
		provider *workspaces.SAMLProvider
		who      workspaces.SAMLSubject
	}{
		"it takes no word": {&none, workspaces.SAMLSubject{NameID: "jane"}},
		"no key":           {&keyless, workspaces.SAMLSubject{NameID: "jane"}},
		"no name":          {p, workspaces.SAMLSubject{}},
	} {
		if m, asked, err := open(t, c.provider, noon()).Leave(c.who, state); asked || err != nil {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := open(t, &keyless, noon()).ReadLogout(idp.Leave(redirect, "jane").Request()); err == nil {
		t.Error("one is believed that could not be answered")
	}
}

// TestLeavingThere hears from the identity provider that jane leaves, and answers.
func TestLeavingThere(t *testing.T) {
	t.Parallel()
	for _, binding := range []string{redirect, post} {
		for _, answers := range [][]string{{redirect, post}, {redirect}, {post}, nil} {
			idp, p := keyed(t)
			told := idp.Leave(binding, "jane", "s", "t")
			idp.LogoutBy(answers...)
			p.Metadata = strings.ReplaceAll(idp.Metadata(), `Location="`+idp.SLO()+`"`, `Location="`+idp.SLO()+`" ResponseLocation="https://idp.example.com/left?a=b"`)
			x := open(t, p, noon())
			l, err := x.ReadLogout(told.Request())
			if err != nil || l.NameID != "jane" || !slices.Equal(l.Sessions, []string{"s", "t"}) || !strings.HasPrefix(l.ID, idp.URL+"/metadata\nLogoutRequest:") {
				t.Fatalf("%s: %+v, %v", binding, l, err)
			}
			if !l.Until.After(noon()) || l.Until.After(noon().Add(time.Hour)) {
				t.Errorf("remembered until %s", l.Until)
			}
			m, answered, err := x.Confirm(l, "whence")
			if err != nil || answered != (len(answers) > 0) {
				t.Fatalf("%s, %v: %+v, %v", binding, answers, m, err)
			}
			if !answered {
				continue
			}
			byForm := !slices.Contains(answers, redirect) || binding == post && slices.Contains(answers, post)
			if !strings.HasPrefix(m.URL, "https://idp.example.com/left?a=b") || (m.Field == "SAMLResponse") != byForm {
				t.Errorf("%s, %v: answered by %+v", binding, answers, m)
			}
			if !byForm {
				at, err := url.Parse(m.URL)
				if err != nil || at.Query().Get("RelayState") != "whence" || at.Query().Get("Signature") == "" {
					t.Errorf("%v: %s, %v", answers, m.URL, err)
				}
			} else if text, _ := base64.StdEncoding.DecodeString(m.Value); m.RelayState != "whence" || !strings.Contains(string(text), "SignatureValue") {
				t.Errorf("%v: %+v", answers, m)
			}
		}
	}
}

// TestWhoseLeavingIsNotBelieved changes what is.
func TestWhoseLeavingIsNotBelieved(t *testing.T) {
	t.Parallel()
	idp, p := keyed(t)
	byForm, byAddress := idp.Leave(post, "jane"), idp.Leave(redirect, "jane")
	form := func(change func(string) string) samltest.Carried {
		return samltest.Carried{URL: byForm.URL, Form: url.Values{"SAMLRequest": {encoded(change(byForm.Text("SAMLRequest")))}}}
	}
	address := func(change func(url.Values)) samltest.Carried {
		at, err := url.Parse(byAddress.URL)
		if err != nil {
			t.Fatal(err)
		}
		query := at.Query()
		change(query)
		at.RawQuery = query.Encode()
		return samltest.Carried{URL: at.String()}
	}
	elsewhere := *p
	elsewhere.ID = "elsewhere"
	stranger := samltest.New(t, noon())
	strange := *p
	strange.Metadata = strings.ReplaceAll(stranger.Metadata(), stranger.URL, idp.URL)
	for name, c := range map[string]struct {
		carried  samltest.Carried
		provider *workspaces.SAMLProvider
		now      time.Time
		text     string
	}{
		"another name":           {carried: form(func(s string) string { return strings.Replace(s, ">jane<", ">john<", 1) }), text: "signed"},
		"no signature":           {carried: form(func(s string) string { return signaturePattern.ReplaceAllString(s, "") })},
		"a form without":         {carried: samltest.Carried{URL: byForm.URL, Form: url.Values{}}},
		"no base64":              {carried: samltest.Carried{URL: byForm.URL, Form: url.Values{"SAMLRequest": {"%%%"}}}},
		"an address without":     {carried: samltest.Carried{URL: p.LogoutURL()}},
		"an unsigned address":    {carried: address(func(q url.Values) { q.Del("Signature"); q.Del("SigAlg") })},
		"another relay state":    {carried: address(func(q url.Values) { q.Set("RelayState", "hence") })},
		"a weak signature":       {carried: address(func(q url.Values) { q.Set("SigAlg", "http://www.w3.org/2000/09/xmldsig#rsa-sha1") })},
		"a bomb":                 {carried: address(func(q url.Values) { q.Set("SAMLRequest", strings.Repeat("A", 4000)) })},
		"somebody else's key":    {carried: byForm, provider: &strange, text: "signed"},
		"for another directory":  {carried: byForm, provider: &elsewhere, text: "another address"},
		"too late":               {carried: byForm, now: noon().Add(time.Hour), text: "too old"},
		"before its time":        {carried: byAddress, now: noon().Add(-time.Hour)},
		"an assertion's message": {carried: samltest.Carried{URL: byForm.URL, Form: url.Values{"SAMLRequest": {encoded(idp.Visit(idp.App()).Response)}}}},
	} {
		if c.provider == nil {
			c.provider = p
		}
		if c.now.IsZero() {
			c.now = noon()
		}
		l, err := open(t, c.provider, c.now).ReadLogout(c.carried.Request())
		if why, ok := errors.AsType[*saml.Refusal](err); !ok || !strings.Contains(why.Text, c.text) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

func FuzzLogout(f *testing.F) {
	idp, p := keyed(f)
	byForm, byAddress := idp.Leave(post, "jane", "s"), idp.Leave(redirect, "jane")
	_, query, _ := strings.Cut(byAddress.URL, "?")
	f.Add(query, "")
	f.Add("", byForm.Text("SAMLRequest"))
	f.Add("", strings.Replace(byForm.Text("SAMLRequest"), "jane", "john", 1))
	f.Add("SAMLRequest=AAAA&SigAlg=x&Signature=y", "")
	f.Add("SAMLResponse="+url.QueryEscape(byForm.Form.Get("SAMLRequest")), "<a/>")
	f.Fuzz(func(t *testing.T, query, form string) {
		if _, err := url.ParseQuery(query); err != nil {
			return
		}
		carried := samltest.Carried{URL: p.LogoutURL()}
		if form != "" {
			carried.Form = url.Values{"SAMLRequest": {encoded(form)}, "SAMLResponse": {encoded(form)}}
		}
		request := func() *http.Request {
			r := carried.Request()
			r.URL.RawQuery = query
			return r
		}
		x := open(t, p, noon())
		if l, err := x.ReadLogout(request()); err == nil && l.NameID != "jane" {
			t.Fatalf("%q leaves", l.NameID)
		}
		if err := x.ReadConfirmation(request(), state); err == nil {
			t.Fatal("an answer is believed that nobody gave")
		}
	})
}
