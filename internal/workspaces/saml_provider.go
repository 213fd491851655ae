package workspaces

// SAMLProvider is who signs the users of a directory in by SAML 2.0, and where Carrel, as the
// service provider, takes their word. The service keeps both in IAM.
type SAMLProvider struct {
	Scope
	DirectoryID   string
	ID            string // in the addresses below; the same for as long as the directory has a provider
	Address       string // of this server, as browsers know it: https://desktops.example.com
	Metadata      string // of the identity provider, in XML
	UserAttribute string // the SAML attribute that names the user; "": the NameID does
	// KeyPair is what Carrel signs with, and what is encrypted for it: a certificate and its key, in PEM. Once it is to be
	// renewed there is NextKeyPair too, until the identity provider knows it: either decrypts then. "": there is none.
	KeyPair     string
	NextKeyPair string
}

// SAMLSubject is whom an identity provider has signed in, in its own words, in which it is told of their
// leaving and tells of it.
type SAMLSubject struct {
	NameID          string // "": nobody
	Format          string
	NameQualifier   string
	SPNameQualifier string
	SessionIndex    string // of their session there; "": it has said none
}

// EntityID names Carrel to the identity provider: the audience that assertions have to be for.
func (p *SAMLProvider) EntityID() string { return p.at("metadata") }

// ConsumerURL is where the identity provider makes browsers send its responses to.
func (p *SAMLProvider) ConsumerURL() string { return p.at("acs") }

// StartURL is where a browser goes to be sent on to the identity provider.
func (p *SAMLProvider) StartURL() string { return p.at("start") }

// LogoutURL is where the identity provider says that people leave, and answers when it was told so.
func (p *SAMLProvider) LogoutURL() string { return p.at("slo") }

// ArriveURL is where a browser goes once its response was taken.
func (p *SAMLProvider) ArriveURL() string { return p.at("arrive") }

func (p *SAMLProvider) at(what string) string { return p.Address + "/saml/" + p.ID + "/" + what }

// NewSAMLProviderID returns a fresh id of a SAMLProvider: 16 characters. No request asks for one.
func NewSAMLProviderID() string { return random(nil, lowerAlphanumeric, 16) }
