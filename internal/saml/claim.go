package saml

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"

	"carrel/internal/workspaces"
)

// The attributes that the service's identity providers are set up to send.
// Source: the service's administration guide, on SAML 2.0 and on certificate-based authentication.
const (
	attributeEmail = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:Email"
	attributeSID   = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:ObjectSid"
)

// Claim is what a response says that may be believed.
type Claim struct {
	ID       string    // names the assertion, among those of all identity providers
	Until    time.Time // the assertion is believed for as long, and has to be remembered
	Answers  bool      // it answers the request that went with the relay state
	UserName string
	Email    string    // "": not told
	SID      string    // "": not told
	Ends     time.Time // when the session has to end; zero: not told
	Subject  workspaces.SAMLSubject
}

// Refusal is why a response is not believed. Its text is for the person who came with it; what
// it wraps is for the log.
type Refusal struct {
	Text string
	err  error
}

func (r *Refusal) Error() string { return fmt.Sprintf("saml: %v", r.err) }
func (r *Refusal) Unwrap() error { return r.err }

// Read returns what the response claims, if it is signed by the identity provider, is for this
// directory and for now, and answers the request that went with the relay state or none at all.
// response is the form's SAMLResponse. Errors: *Refusal. Whether the assertion comes a second time is not looked at.
func (x *Exchange) Read(response, state string) (*Claim, error) {
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(response), ""))
	if err != nil {
		return nil, refuse(err)
	}
	if err := refuseEncryption(text); err != nil {
		return nil, err
	}
	used := new(use)
	x.service.ReplayCache = used
	var requests []string
	if state != "" {
		requests = []string{requestID(state)}
	}
	assertion, err := x.service.ParseXMLResponse(text, requests, x.service.AcsURL)
	if err != nil {
		return nil, refuse(err)
	}
	c := &Claim{
		ID: x.IdentityProvider.EntityID + "\n" + used.id, Until: used.until, UserName: x.userName(assertion),
		Email: attribute(assertion, attributeEmail), SID: attribute(assertion, attributeSID),
	}
	for _, confirmation := range assertion.Subject.SubjectConfirmations {
		if data := confirmation.SubjectConfirmationData; data != nil && slices.Contains(requests, data.InResponseTo) {
			c.Answers = true
		}
	}
	if name := assertion.Subject.NameID; name != nil {
		c.Subject = workspaces.SAMLSubject{NameID: strings.TrimSpace(name.Value), Format: name.Format, NameQualifier: name.NameQualifier, SPNameQualifier: name.SPNameQualifier}
	}
	for _, statement := range assertion.AuthnStatements {
		c.Subject.SessionIndex = cmp.Or(c.Subject.SessionIndex, strings.TrimSpace(statement.SessionIndex))
		if end := statement.SessionNotOnOrAfter; end != nil && (c.Ends.IsZero() || end.Before(c.Ends)) {
			c.Ends = *end
		}
	}
	if c.UserName == "" {
		return nil, &Refusal{Text: "It does not say who you are.", err: errors.New("no user name in the assertion")}
	}
	return c, nil
}

func (x *Exchange) userName(a *saml.Assertion) string {
	if x.provider.UserAttribute != "" {
		return attribute(a, x.provider.UserAttribute)
	}
	return strings.TrimSpace(a.Subject.NameID.Value)
}

// attribute returns an attribute's only value, "" where there is none or are several.
func attribute(a *saml.Assertion, name string) string {
	var values []string
	for _, statement := range a.AttributeStatements {
		for _, held := range statement.Attributes {
			if held.Name != name {
				continue
			}
			for _, v := range held.Values {
				values = append(values, strings.TrimSpace(v.Value))
			}
		}
	}
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// use notes which assertion is taken, and until when it could be again.
type use struct {
	id    string
	until time.Time
}

// Consume never refuses: only a caller with a transaction can.
func (u *use) Consume(id string, until time.Time) error {
	u.id, u.until = id, until
	return nil
}

// refuse finds the words for why a response is not believed.
func refuse(err error) *Refusal {
	why := err
	if invalid, ok := errors.AsType[*saml.InvalidResponseError](err); ok {
		why = invalid.PrivateErr
	}
	r := &Refusal{Text: "It is not what SAML 2.0 asks for.", err: why}
	if status, ok := errors.AsType[saml.ErrBadStatus](why); ok {
		r.Text = "It says that the sign-in failed: " + status.Status + "."
		return r
	}
	for _, kind := range []struct {
		of   error
		text string
	}{
		{saml.ErrDecryptionFailed, "It is encrypted for another key than Carrel's; its metadata has that."},
		{saml.ErrInvalidSignature, "It is not signed as it has to be."},
		{saml.ErrExpired, "It is too old."},
		{saml.ErrNotYetValid, "It is of a time to come; the clocks differ."},
		{saml.ErrIssuerMismatch, "It comes from somebody else."},
		{saml.ErrAudienceMismatch, "It is for another service."},
		{saml.ErrDestinationMismatch, "It is for another address."},
		{saml.ErrRequestIDMismatch, "It answers another request."},
	} {
		if errors.Is(why, kind.of) {
			r.Text = kind.text
			break
		}
	}
	return r
}

// Again refuses an assertion, or a wish to end a session, that has been taken before.
func Again() *Refusal {
	return &Refusal{Text: "It has been used before.", err: errors.New("the message has been used before")}
}
