package workspaces

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Directory is a directory of AWS Directory Service: where users are. To have
// WorkSpaces it must also be registered; see WorkspaceDirectory.
type Directory struct {
	Scope
	ID          string
	Type        string // SimpleAD, ADConnector, MicrosoftAD
	Name        string // fully qualified, e.g. corp.example.com
	ShortName   string // NetBIOS name, e.g. CORP
	Size        string // Small or Large; "" for MicrosoftAD
	Edition     string // Standard or Enterprise for MicrosoftAD, else ""
	Description string
	Alias       string // the id until CreateAlias
	NetworkType string

	Stage          Stage
	StageReason    string
	StageChangedAt time.Time
	LaunchedAt     time.Time
	Generation     int64
	Deadline       time.Time
	WakeAt         time.Time

	VPCID           string
	SubnetIDs       []string
	Zones           []string // availability zones of the subnets, in their order
	SecurityGroupID string
	DNSAddresses    []string
	SSOEnabled      bool
	DataAccess      string // Disabled, Enabling, Enabled, Disabling, Failed
	Details         DirectoryDetails
}

// Ref names the directory as it is now.
func (d *Directory) Ref() Ref { return Ref{Scope: d.Scope, ID: d.ID, Generation: d.Generation} }

// The types of directories.
const (
	SimpleAD    = "SimpleAD"
	ADConnector = "ADConnector"
	MicrosoftAD = "MicrosoftAD"
)

// OwnDirectory is the type of a directory of WorkSpaces' own, which Directory Service does not know; see
// WorkspaceDirectory.AsDirectory.
const OwnDirectory = "WorkSpaces"

// The states of a directory's data access.
const (
	DataAccessDisabled = "Disabled"
	DataAccessEnabled  = "Enabled"
)

// Stage is where a directory is in its life.
type Stage string

// The stages that Carrel enters, as the API spells them.
const (
	StageRequested Stage = "Requested"
	StageCreating  Stage = "Creating"
	StageCreated   Stage = "Created"
	StageActive    Stage = "Active"
	StageFailed    Stage = "Failed"
	StageDeleting  Stage = "Deleting"
	StageDeleted   Stage = "Deleted"
)

// Next returns the stage that follows a passing one by itself, false for a resting one.
func (s Stage) Next() (Stage, bool) {
	switch s {
	case StageRequested:
		return StageCreating, true
	case StageCreating:
		return StageCreated, true
	case StageCreated:
		return StageActive, true
	case StageDeleting:
		return StageDeleted, true
	default:
		return "", false
	}
}

// directoryWork is how long a directory may take to reach a resting stage.
// The service says 5 to 10 minutes for a Simple AD.
const directoryWork = 30 * time.Minute

// Begin asks for a directory: it is Requested, and passes on by itself.
func (d *Directory) Begin(now time.Time) {
	d.LaunchedAt = now
	d.Enter(StageRequested, now)
}

// Enter moves the directory to a stage.
func (d *Directory) Enter(s Stage, now time.Time) {
	d.Stage, d.StageChangedAt = s, now
	d.Deadline, d.WakeAt = time.Time{}, time.Time{}
	if _, passing := s.Next(); passing {
		d.Deadline, d.WakeAt = now.Add(directoryWork), now.Add(Watchdog)
	}
	d.Generation++
}

// CheckActive refuses, with CodeUnavailable, what can only be done while the directory is Active.
func (d *Directory) CheckActive() error {
	if d.Stage != StageActive {
		return Errorf(CodeUnavailable, "The directory %s is in the stage %s; it must be %s.", d.ID, d.Stage, StageActive).About(d.ID)
	}
	return nil
}

// BeginDelete starts to take the directory away, or refuses with CodeInvalidState while it
// is on its way to another stage. One that failed may be taken away too.
func (d *Directory) BeginDelete(now time.Time) error {
	if _, passing := d.Stage.Next(); passing || d.Stage == StageDeleted {
		return Errorf(CodeInvalidState, "The directory %s is in the stage %s and cannot be deleted now.", d.ID, d.Stage).About(d.ID)
	}
	d.Enter(StageDeleting, now)
	return nil
}

// KeepsUsers reports whether the directory's users are Carrel's own to change: an AD
// Connector's are in somebody else's directory.
func (d *Directory) KeepsUsers() bool { return d.Type != ADConnector }

// Administrator is the name of the user who came with the directory, or whom it signs in as.
func (d *Directory) Administrator() string {
	switch d.Type {
	case MicrosoftAD:
		return MicrosoftAdministrator
	case ADConnector:
		return d.Details.ConnectUser
	case OwnDirectory:
		return ""
	default:
		return Administrator
	}
}

// IsAdministrator reports whether a user came with the directory and stays as long as it.
func (d *Directory) IsAdministrator(u *User) bool {
	return UserKey(u.Name) == UserKey(d.Administrator())
}

// TakeAlias gives the directory the name of its access URL, in place of its id.
func (d *Directory) TakeAlias(alias string) error {
	if d.Alias != d.ID {
		return Errorf(CodeInvalidParameter,
			"The directory in the request already has an alias. That alias must be deleted before a new alias can be created.").About(d.ID)
	}
	d.Alias = alias
	return nil
}

// AccessURL is where the service would serve the directory's web applications.
func (d *Directory) AccessURL() string { return d.Alias + ".awsapps.com" }

// TagsID is what the directory's tags are kept under. They are not those of the
// registration with WorkSpaces, which has the same id and tags of its own.
func (d *Directory) TagsID() string { return DirectoryTagsID(d.ID) }

// DirectoryTagsID is TagsID of the directory with the id.
func DirectoryTagsID(id string) string { return "ds:" + id }

// domainLabel is one part of a domain name. Source: RFC 1035, section 2.3.4.
var domainLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// CheckDirectoryName refuses what cannot be a directory's domain name: it takes two labels
// or more, and the model's pattern allows more than a domain name may be.
func CheckDirectoryName(name string) error {
	if !isDomainName(name) {
		return Errorf(CodeInvalidParameter, "The directory name %s is not a fully qualified domain name such as corp.example.com.", name)
	}
	return nil
}

// isDomainName reports whether a name is one of a host or domain below another.
func isDomainName(name string) bool {
	labels := strings.Split(name, ".")
	return len(labels) >= 2 && len(name) <= 255 &&
		!slices.ContainsFunc(labels, func(label string) bool { return !domainLabel.MatchString(label) })
}

// maxShortName is how long a NetBIOS name can be.
const maxShortName = 15

// CheckShortName refuses what cannot be a NetBIOS name, beyond what the model's pattern does.
func CheckShortName(name string) error {
	if utf8.RuneCountInString(name) > maxShortName || strings.ContainsFunc(name, unicode.IsControl) || strings.TrimSpace(name) != name {
		return Errorf(CodeInvalidParameter, "The short name %q is not a name of at most %d letters and digits, such as CORP.", name, maxShortName)
	}
	return nil
}

// ShortNameOf returns the NetBIOS name of a directory that was given none: the first part
// of its domain name, in capitals. Source: CreateDirectory, ShortName.
func ShortNameOf(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return strings.ToUpper(first[:min(len(first), maxShortName)])
}
