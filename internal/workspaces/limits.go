package workspaces

import "time"

// Limits are the quotas of an account in a region, and the waits that the service has
// and own machines do not need.
type Limits struct {
	Name string // open or aws

	WorkSpaces               int            // quota L-34278094
	ByComputeType            map[string]int // further quotas on single compute types; a type that is missing has none
	StandbyWorkSpaces        int            // beside those
	RegisteredDirectories    int
	ConnectionAliases        int
	Images                   int
	Bundles                  int            // custom ones
	DirectoriesByType        map[string]int // of Directory Service, by type
	DirectoryStage           time.Duration  // how long a directory stays in each passing stage
	Registration             time.Duration  // how long a registration takes, either way
	IPGroups                 int
	Pools                    int
	SessionsPerPool          int // the most DesiredUserSessions
	RulesPerIPGroup          int
	IPGroupsPerDirectory     int
	OwnLicenses              bool          // accounts may enable dedicated tenancy for licenses of their own
	AccountChange            time.Duration // how long enabling dedicated tenancy takes
	AliasChange              time.Duration // how long a connection alias stays in each passing state
	ImportStage              time.Duration // how long an imported image stays in each passing state
	TerminatedStays          time.Duration // how long a TERMINATED WorkSpace is still seen
	FirstSnapshot            time.Duration // how soon after its creation, rebuild or restore a WorkSpace is kept in a snapshot
	ModificationsAreRationed bool          // the 6-hour and 30-day rules of ModifyWorkspaceProperties
}

// OpenLimits are the default: quotas that protect the machine and not the provider, and
// no artificial waits.
func OpenLimits() Limits {
	return Limits{
		Name:                  "open",
		WorkSpaces:            1_000_000,
		StandbyWorkSpaces:     1_000_000,
		RegisteredDirectories: 1_000,
		ConnectionAliases:     1_000,
		OwnLicenses:           true,
		Images:                1_000,
		Bundles:               1_000,
		DirectoriesByType:     map[string]int{SimpleAD: 1_000, ADConnector: 1_000, MicrosoftAD: 1_000},
		IPGroups:              10_000,
		Pools:                 1_000,
		SessionsPerPool:       1_000,
		RulesPerIPGroup:       1_000,
		IPGroupsPerDirectory:  1_000,
		TerminatedStays:       2 * time.Second,
		FirstSnapshot:         time.Minute,
	}
}

// AWSLimits are the service's own default quotas and typical waits.
// Source: the administration guide's page on quotas (spec, section C) and
// Directory Service's GetDirectoryLimits.
func AWSLimits() Limits {
	return Limits{
		Name:       "aws",
		WorkSpaces: 1,
		ByComputeType: map[string]int{
			"GENERALPURPOSE_4XLARGE": 1, "GENERALPURPOSE_8XLARGE": 1, "GRAPHICS": 0, "GRAPHICSPRO": 0,
			"GRAPHICS_G4DN": 0, "GRAPHICSPRO_G4DN": 0,
		},
		StandbyWorkSpaces:        5,
		RegisteredDirectories:    50,
		ConnectionAliases:        20,
		Images:                   40,
		Bundles:                  50,
		DirectoriesByType:        map[string]int{SimpleAD: 10, ADConnector: 10, MicrosoftAD: 20},
		DirectoryStage:           100 * time.Second,
		Registration:             30 * time.Second,
		IPGroups:                 100,
		Pools:                    10,
		SessionsPerPool:          20,
		RulesPerIPGroup:          10,
		IPGroupsPerDirectory:     25,
		AccountChange:            30 * time.Second,
		AliasChange:              10 * time.Second,
		ImportStage:              8 * time.Minute,
		TerminatedStays:          30 * time.Second,
		FirstSnapshot:            30 * time.Minute,
		ModificationsAreRationed: true,
	}
}

// Instantly returns the limits without any wait, as --instant asks for.
func (l Limits) Instantly() Limits {
	l.DirectoryStage, l.Registration, l.AliasChange, l.AccountChange, l.ImportStage = 0, 0, 0, 0, 0
	l.TerminatedStays, l.FirstSnapshot = 0, 0
	return l
}
