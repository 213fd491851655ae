package workspaces

import (
	"regexp"
	"slices"
)

// DirectorySettings is everything that the Modify operations of a directory change. Each
// setting that is not given keeps its value.
type DirectorySettings struct {
	Creation          CreationProperties
	Access            AccessProperties
	SelfService       SelfServicePermissions
	SAML              SAMLProperties
	CertificateAuth   CertificateAuthProperties
	Client            ClientProperties
	Streaming         StreamingProperties
	EndpointMode      string // EndpointEncryptionMode; "" until it was set
	PoolName          string
	PoolDescription   string
	ActiveDirectory   ActiveDirectoryConfig
	Entra             EntraConfig
	IdentityCenterARN string
	ApplicationARN    string
}

// The values of settings that are on or off, as the API spells them.
const (
	Allow    = "ALLOW"
	Deny     = "DENY"
	Enabled  = "ENABLED"
	Disabled = "DISABLED"
)

// CreationProperties are applied when a WorkSpace is made and when it is rebuilt.
type CreationProperties struct {
	InternetAccess     bool // they may leave subnets whose Internet is InternetEnabled
	DefaultOU          string
	SecurityGroupID    string // "": none but that of the directory
	LocalAdministrator bool
	MaintenanceMode    bool
	InstanceRoleARN    string
}

// AccessProperties say per kind of device whether it may reach WorkSpaces: Allow or Deny.
type AccessProperties struct {
	Windows, OSX, Web, IOS, Android, ChromeOS, ZeroClient, Linux, ThinClient string
	// EndpointID is the VPC endpoint that streams go through, "" for none, and Fallback the
	// protocols that may go around it. Both are kept and shown: there are no VPC endpoints here.
	EndpointID string
	Fallback   []string
}

// SelfServicePermissions say what a user may do to their WorkSpace: Enabled or Disabled.
type SelfServicePermissions struct {
	Restart, IncreaseVolume, ChangeComputeType, SwitchRunningMode, Rebuild string
}

// SAMLProperties say whether and where users sign in by SAML 2.0.
type SAMLProperties struct {
	Status, UserAccessURL, RelayStateParameter string
}

// EnabledWithFallback is the status of SAML beside which the directory's passwords are taken.
const EnabledWithFallback = "ENABLED_WITH_DIRECTORY_LOGIN_FALLBACK"

// CertificateAuthProperties say whether certificates sign users on.
type CertificateAuthProperties struct {
	Status, AuthorityARN string
}

// ClientProperties say what clients may keep and send: Enabled or Disabled.
type ClientProperties struct {
	Reconnect string // whether users may stay signed in
	LogUpload string
}

// EntraConfig is how WorkSpaces of a directory join Microsoft Entra ID.
type EntraConfig struct {
	TenantID, ApplicationSecretARN string
}

// ActiveDirectoryConfig is how pools join a domain.
type ActiveDirectoryConfig struct {
	DomainName, ServiceAccountSecretARN string
}

// RelayStateParameter is the name of the SAML parameter until another is set, and again when
// that is deleted.
const RelayStateParameter = "RelayState"

// NewDirectorySettings returns the settings of a fresh registration.
// Source: DescribeWorkspaceDirectories of a newly registered Simple AD (spec, section D).
func NewDirectorySettings() DirectorySettings {
	return DirectorySettings{
		Creation: CreationProperties{LocalAdministrator: true, MaintenanceMode: true},
		Access: AccessProperties{
			Windows: Allow, OSX: Allow, Web: Deny, IOS: Allow, Android: Allow, ChromeOS: Allow, ZeroClient: Allow, Linux: Deny,
		},
		SelfService: SelfServicePermissions{
			Restart: Enabled, IncreaseVolume: Disabled, ChangeComputeType: Disabled, SwitchRunningMode: Disabled, Rebuild: Disabled,
		},
		SAML:            SAMLProperties{Status: Disabled, RelayStateParameter: RelayStateParameter},
		CertificateAuth: CertificateAuthProperties{Status: Disabled},
		Client:          ClientProperties{Reconnect: Enabled, LogUpload: Enabled},
	}
}

// AllowsWeb reports whether WorkSpaces may be reached with a browser. A fresh registration
// denies it.
func (s DirectorySettings) AllowsWeb() bool { return s.Access.Web == Allow }

// TakesSAML reports whether users may sign in by SAML 2.0.
func (s DirectorySettings) TakesSAML() bool {
	return s.SAML.Status == Enabled || s.SAML.Status == EnabledWithFallback
}

// TakesPasswords reports whether users may sign in with their directory's passwords.
// Source: ModifySamlProperties, Status.
func (s DirectorySettings) TakesPasswords() bool { return s.SAML.Status != Enabled }

// NeedsFIPS reports whether only encryption that FIPS 140 approves may carry sign-ins and streams.
func (s DirectorySettings) NeedsFIPS() bool { return s.EndpointMode == "FIPS_VALIDATED" }

// KeepsSignedIn reports whether a user may stay signed in where they were before.
func (s DirectorySettings) KeepsSignedIn() bool { return s.Client.Reconnect == Enabled }

// maxRelayState is how long the name of a SAML parameter can be. The model sets no limit;
// this is Carrel's own.
const maxRelayState = 200

// Check refuses a sign-in that could not work.
func (p SAMLProperties) Check() error {
	if p.Status != Disabled && p.UserAccessURL == "" {
		return Errorf(CodeInvalidParameter, "The SAML status %s needs a UserAccessUrl.", p.Status)
	}
	if len(p.RelayStateParameter) > maxRelayState {
		return Errorf(CodeInvalidParameter, "The RelayStateParameterName has at most %d characters.", maxRelayState)
	}
	return nil
}

// SetCertificateAuth says whether certificates sign users on. They can only do so where users
// come by SAML; that it is switched off later is no mistake, and ends both.
func (s *DirectorySettings) SetCertificateAuth(p CertificateAuthProperties) error {
	switch {
	case p.Status == Enabled && p.AuthorityARN == "":
		return Errorf(CodeInvalidParameter, "Certificate-based authentication needs a CertificateAuthorityArn.")
	case p.Status == Enabled && s.CertificateAuth.Status != Enabled && s.SAML.Status == Disabled:
		return Errorf(CodeNotSupported, "Certificate-based authentication can be enabled only where SAML 2.0 authentication is.")
	}
	s.CertificateAuth = p
	return nil
}

// organizationalUnit is the distinguished name of an organizational unit in a domain of two
// components or more. Source: WorkspaceCreationProperties, DefaultOu; RFC 4514 for the values.
var organizationalUnit = regexp.MustCompile(`^(?i:OU=` + dnValue + `, ?)+(?i:DC=` + dnValue + `)(?i:, ?DC=` + dnValue + `)+$`)

// dnValue is a value in a distinguished name: what has a meaning there is escaped.
const dnValue = `(?:[^,=+"<>;\\\x00-\x1f]|\\[0-9A-Fa-f]{2}|\\[^0-9A-Fa-f\x00-\x1f])+`

// maxDistinguishedName is how long a DefaultOu can be, in bytes. The model sets no limit; this is
// Carrel's own.
const maxDistinguishedName = 2000

// CheckDefaultOU refuses what is not the full distinguished name of an organizational unit.
// The wording is the service's own (spec, section A).
func CheckDefaultOU(dn string) error {
	if len(dn) > maxDistinguishedName || !organizationalUnit.MatchString(dn) {
		return Errorf(CodeInvalidParameter, "An invalid or out-of-range value was supplied for the input parameter. "+
			"DefaultOu must be a full distinguished name such as OU=WorkSpaces,DC=corp,DC=example,DC=com.")
	}
	return nil
}

// CheckCreation refuses properties that WorkSpaces of the directory cannot have: those of
// pools belong to nobody, and are in a domain only where the directory says which.
func (d *WorkspaceDirectory) CheckCreation(p CreationProperties) error {
	if d.WorkspaceType != "POOLS" {
		return nil
	}
	was := d.Settings.Creation
	switch {
	case p.MaintenanceMode && !was.MaintenanceMode || p.LocalAdministrator && !was.LocalAdministrator:
		return Errorf(CodeInvalidParameter, "EnableMaintenanceMode and UserEnabledAsLocalAdministrator cannot be enabled in a directory for pools.")
	case p.DefaultOU != was.DefaultOU && d.Settings.ActiveDirectory.DomainName == "":
		return Errorf(CodeInvalidParameter, "A directory for pools can have a DefaultOu only with an ActiveDirectoryConfig.")
	}
	return nil
}

// AccessEndpoint is a way into WorkSpaces through a network of the customer's.
type AccessEndpoint struct {
	Type string // STREAMING_WSP
	ID   string // of the VPC endpoint
}

// SetEndpoints makes streams go through VPC endpoints, with protocols that may go around
// them; without endpoints, as they did before.
func (p *AccessProperties) SetEndpoints(endpoints []AccessEndpoint, fallback []string) error {
	for i, e := range endpoints {
		if e.Type == "" || e.ID == "" {
			return Errorf(CodeInvalidParameter, "An access endpoint needs an AccessEndpointType and a VpcEndpointId.")
		}
		if i > 0 {
			return Errorf(CodeInvalidCombination, "There can be one access endpoint of the type %s.", e.Type)
		}
	}
	if len(endpoints) == 0 && len(fallback) > 0 {
		return Errorf(CodeInvalidCombination, "InternetFallbackProtocols can be given only together with AccessEndpoints.")
	}
	p.EndpointID, p.Fallback = "", slices.Compact(fallback)
	for _, e := range endpoints {
		p.EndpointID = e.ID
	}
	return nil
}
