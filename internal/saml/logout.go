package saml

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"carrel/internal/workspaces"
)

// Message is something for a browser to carry to the identity provider: by going to an address, or by posting a form.
type Message struct {
	URL        string
	Field      string // the form's, which holds Value; "": there is no form
	Value      string
	RelayState string
}

// Logout is the identity provider's word that somebody leaves, which may be believed.
type Logout struct {
	ID       string    // names it, among the messages of all identity providers
	Until    time.Time // it is believed for as long, and has to be remembered
	NameID   string
	Sessions []string // as the provider calls those that end; none: all of that person's
	request  string   // its id
	binding  string   // by which it came
}

// ReadLogout returns whose leaving a request to our LogoutURL tells of, if it is signed by the identity provider, is for this
// directory and for now. Errors: *Refusal. Whether it comes a second time is not looked at.
func (x *Exchange) ReadLogout(r *http.Request) (*Logout, error) {
	if x.service.Key == nil {
		return nil, refuse(errNoKey)
	}
	used := new(use)
	x.service.ReplayCache = used
	request, err := x.service.ValidateLogoutRequest(r)
	if err != nil {
		return nil, refuse(err)
	}
	l := &Logout{
		ID: x.IdentityProvider.EntityID + "\n" + used.id, Until: used.until, request: request.ID, binding: saml.HTTPPostBinding,
		NameID: strings.TrimSpace(request.NameID.Value),
	}
	if r.Method == http.MethodGet {
		l.binding = saml.HTTPRedirectBinding
	}
	for _, index := range request.AllSessionIndexes() {
		if value := strings.TrimSpace(index.Value); value != "" {
			l.Sessions = append(l.Sessions, value)
		}
	}
	return l, nil
}

var errNoKey = errors.New("there is no key yet to sign with; the server makes it when it starts")

// Confirm tells the identity provider that the sessions have ended, by the way that its word came if it takes answers so. It
// returns false where it takes none.
func (x *Exchange) Confirm(l *Logout, relayState string) (Message, bool, error) {
	service := x.service
	service.IDPMetadata = whereAnswersGo(x.IdentityProvider.entity)
	binding := l.binding
	if service.GetSLOBindingLocation(binding) == "" {
		binding = map[string]string{saml.HTTPPostBinding: saml.HTTPRedirectBinding, saml.HTTPRedirectBinding: saml.HTTPPostBinding}[binding]
	}
	to := service.GetSLOBindingLocation(binding)
	switch {
	case to == "":
		return Message{}, false, nil
	case binding == saml.HTTPRedirectBinding:
		at, err := service.MakeRedirectLogoutResponse(l.request, relayState)
		if err != nil {
			return Message{}, false, err
		}
		return Message{URL: at.String()}, true, nil
	}
	response, err := service.MakeLogoutResponse(to, l.request)
	if err != nil {
		return Message{}, false, err
	}
	m, err := posted(to, "SAMLResponse", response.Element(), relayState)
	return m, err == nil, err
}

// whereAnswersGo is the metadata with the addresses for answers in place of those for requests.
func whereAnswersGo(entity *saml.EntityDescriptor) *saml.EntityDescriptor {
	answers := *entity
	answers.IDPSSODescriptors = nil
	for _, role := range entity.IDPSSODescriptors {
		services := role.SingleLogoutServices
		role.SingleLogoutServices = nil
		for _, service := range services {
			if service.ResponseLocation != "" {
				service.Location = service.ResponseLocation
			}
			role.SingleLogoutServices = append(role.SingleLogoutServices, service)
		}
		answers.IDPSSODescriptors = append(answers.IDPSSODescriptors, role)
	}
	return &answers
}

// Leave tells the identity provider that somebody whom it has signed in leaves. state is random, and comes back with
// the answer. It returns false where the provider is not to be told, or nobody was signed in by a name.
func (x *Exchange) Leave(who workspaces.SAMLSubject, state string) (Message, bool, error) {
	if x.IdentityProvider.LogoutURL == "" || x.service.Key == nil || who.NameID == "" {
		return Message{}, false, nil
	}
	named := func(r *saml.LogoutRequest) {
		r.ID, r.NotOnOrAfter = requestID(state), new(r.IssueInstant.Add(leaveLife))
		r.NameID = &saml.NameID{Value: who.NameID, Format: who.Format, NameQualifier: who.NameQualifier, SPNameQualifier: who.SPNameQualifier}
	}
	request, err := x.service.MakeLogoutRequest(x.IdentityProvider.LogoutURL, who.NameID, named, saml.WithSessionIndex(who.SessionIndex))
	if err != nil {
		return Message{}, false, err
	}
	if x.service.GetSLOBindingLocation(saml.HTTPRedirectBinding) == "" {
		m, err := posted(x.IdentityProvider.LogoutURL, "SAMLRequest", request.Element(), state)
		return m, err == nil, err
	}
	to, err := x.service.RedirectLogoutRequestURL(request, state)
	if err != nil {
		return Message{}, false, err
	}
	return Message{URL: to.String()}, true, nil
}

// leaveLife is how long the identity provider may take our word that somebody leaves for current.
const leaveLife = 5 * time.Minute

// ReadConfirmation returns nil if a request to our LogoutURL is the identity provider's answer to what Leave told it, with that
// state, and says that it ended its session too. Errors: *Refusal.
func (x *Exchange) ReadConfirmation(r *http.Request, state string) error {
	if x.service.Key == nil {
		return refuse(errNoKey)
	}
	if _, err := x.service.ParseLogoutResponse(r, []string{requestID(state)}); err != nil {
		return refuse(err)
	}
	return nil
}

func posted(to, field string, message *etree.Element, relayState string) (Message, error) {
	document := etree.NewDocument()
	document.SetRoot(message)
	text, err := document.WriteToBytes()
	return Message{URL: to, Field: field, Value: base64.StdEncoding.EncodeToString(text), RelayState: relayState}, err
}

// logoutEndpoint is where requests go by a binding, "" where none do.
func logoutEndpoint(entity *saml.EntityDescriptor, binding string) string {
	for _, role := range entity.IDPSSODescriptors {
		for _, service := range role.SingleLogoutServices {
			if service.Binding == binding {
				return service.Location
			}
		}
	}
	return ""
}
