package workspaces

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// DirectoryDetails are what only some types of directories have, and what rests on them.
type DirectoryDetails struct {
	ConnectUser      string   // AD Connector: the account that it signs in with
	ConnectAddresses []string // AD Connector: its own addresses

	LDAPS LDAPS
	Log   LogSubscription
	// Forwarders and Controllers, of a Microsoft AD, are records: no name server and no controller is there.
	Forwarders  []ConditionalForwarder
	Controllers int                         // how many domain controllers; 0: as many as it was made with
	Settings    map[string]DirectorySetting // Microsoft AD: those that were ever changed, by name
}

// LDAPS says whether a directory is spoken to by LDAP over TLS.
type LDAPS struct {
	Status    string // "" until it was enabled for the first time
	ChangedAt time.Time
}

// The statuses of LDAPS, as the API spells them.
const (
	LDAPSEnabling = "Enabling"
	LDAPSEnabled  = "Enabled"
	LDAPSDisabled = "Disabled"
)

// LogSubscription says where a directory's security logs go. Carrel sends none: it is a record.
type LogSubscription struct {
	Group     string // "" for none
	CreatedAt time.Time
}

// DirectorySetting is the value of a setting that was changed.
type DirectorySetting struct {
	Applied     string
	Requested   string
	Status      string // Requested, Updated
	RequestedAt time.Time
	UpdatedAt   time.Time // zero until it was applied
}

// The statuses of a setting, as the API spells them.
const (
	SettingDefault   = "Default"
	SettingRequested = "Requested"
	SettingUpdated   = "Updated"
)

// EnableLDAPS begins to switch LDAPS on.
func (d *Directory) EnableLDAPS(now time.Time) error {
	if s := d.Details.LDAPS.Status; s == LDAPSEnabling || s == LDAPSEnabled {
		return Errorf(CodeInvalidState, "LDAPS of the directory %s is %s already.", d.ID, s).About(d.ID)
	}
	d.Details.LDAPS = LDAPS{Status: LDAPSEnabling, ChangedAt: now}
	d.changed(now)
	return nil
}

// DisableLDAPS switches LDAPS off.
func (d *Directory) DisableLDAPS(now time.Time) error {
	if d.Details.LDAPS.Status != LDAPSEnabled {
		return Errorf(CodeInvalidState, "LDAPS of the directory %s is not %s.", d.ID, LDAPSEnabled).About(d.ID)
	}
	d.Details.LDAPS = LDAPS{Status: LDAPSDisabled, ChangedAt: now}
	d.changed(now)
	return nil
}

// Request begins to change settings, of which each is one of DirectorySettingKinds.
func (d *Directory) Request(values map[string]string, now time.Time) {
	settings := maps.Clone(d.Details.Settings)
	if settings == nil {
		settings = make(map[string]DirectorySetting, len(values))
	}
	for _, kind := range DirectorySettingKinds() {
		value, asked := values[kind.Name]
		if !asked {
			continue
		}
		set, changed := settings[kind.Name]
		if !changed {
			set.Applied = kind.Default
		}
		set.Requested, set.Status, set.RequestedAt = value, SettingRequested, now
		settings[kind.Name] = set
	}
	d.Details.Settings = settings
	d.changed(now)
}

// DetailsPending returns since when, at the latest, a change of the details waits to be
// applied; false where none does.
func (d *Directory) DetailsPending() (since time.Time, pending bool) {
	if l := d.Details.LDAPS; l.Status == LDAPSEnabling {
		since, pending = l.ChangedAt, true
	}
	for _, s := range d.Details.Settings {
		if s.Status == SettingRequested {
			pending = true
			if s.RequestedAt.After(since) {
				since = s.RequestedAt
			}
		}
	}
	return since, pending
}

// ApplyDetails applies the changes that wait.
func (d *Directory) ApplyDetails(now time.Time) {
	if d.Details.LDAPS.Status == LDAPSEnabling {
		d.Details.LDAPS = LDAPS{Status: LDAPSEnabled, ChangedAt: now}
	}
	settings := maps.Clone(d.Details.Settings)
	for name, s := range settings {
		if s.Status == SettingRequested {
			s.Applied, s.Status, s.UpdatedAt = s.Requested, SettingUpdated, now
			settings[name] = s
		}
	}
	d.Details.Settings = settings
	d.changed(now)
}

// changed notes that the details have changed, and when the directory is looked at next.
func (d *Directory) changed(now time.Time) {
	d.Deadline, d.WakeAt = time.Time{}, time.Time{}
	if _, pending := d.DetailsPending(); pending {
		d.Deadline, d.WakeAt = now.Add(directoryWork), now.Add(Watchdog)
	}
	d.Generation++
}

// DirectorySettingKind is a setting that a Microsoft AD directory has. Nothing listens by
// these protocols and ciphers here: settings are records.
type DirectorySettingKind struct {
	Type, Name, DataType, Default string
	Values                        []string // what it can be; none: a number of seconds up to maxSettingSeconds
}

// maxSettingSeconds is the most that a setting of seconds can be.
const maxSettingSeconds = 1_577_000_000

// Allows reports whether the setting can have the value.
func (k DirectorySettingKind) Allows(value string) bool {
	if len(k.Values) > 0 {
		return slices.Contains(k.Values, value)
	}
	n, err := strconv.Atoi(value)
	return err == nil && n >= 1 && n <= maxSettingSeconds
}

// DirectorySettingKinds returns the settings of a Microsoft AD directory.
// Source: the Directory Service administration guide's list of directory security settings.
func DirectorySettingKinds() []DirectorySettingKind {
	var kinds []DirectorySettingKind
	for _, group := range []struct {
		kind  string
		names []string
	}{
		{"Protocol", []string{"PCT_1_0", "SSL_2_0", "SSL_3_0", "TLS_1_0", "TLS_1_1"}},
		{"Cipher", []string{
			"AES_128_128", "DES_56_56", "RC2_40_128", "RC2_56_128", "RC2_128_128", "RC4_40_128", "RC4_56_128", "RC4_64_128", "RC4_128_128",
			"3DES_168_168",
		}},
	} {
		for _, name := range group.names {
			kinds = append(kinds, DirectorySettingKind{
				Type: group.kind, Name: name, DataType: "Boolean", Default: "Enable", Values: []string{"Enable", "Disable"},
			})
		}
	}
	return append(kinds, DirectorySettingKind{
		Type: "Certificate-Based Authentication", Name: "CERTIFICATE_BACKDATING_COMPENSATION", DataType: "DurationInSeconds", Default: "600",
	}, DirectorySettingKind{
		Type: "Certificate-Based Authentication", Name: "CERTIFICATE_STRONG_ENFORCEMENT", DataType: "Enum", Default: "Compatibility",
		Values: []string{"Compatibility", "Full_Enforcement"},
	})
}
