package workspaces

import "time"

// Standby ties a standby WorkSpace to its primary, of the same account in another region.
// Source: CreateStandbyWorkspaces and the administration guide's page on Multi-Region Resilience (spec, section F).
type Standby struct {
	Scope         // of the standby WorkSpace
	ID            string
	PrimaryRegion string
	PrimaryID     string // the primary may have been terminated since
	Replication   string // DataReplication: NoReplication or PrimaryAsSource

	RecoveredAt time.Time // when the snapshot was taken that the user volume has the contents of; zero: none yet
	RetryAt     time.Time // until when no other replication begins, after one that has not succeeded; zero: at once
}

// The values of DataReplication.
const (
	NoReplication   = "NO_REPLICATION"
	PrimaryAsSource = "PRIMARY_AS_SOURCE"
)

// The values of StandbyWorkspaceRelationshipType.
const (
	RelatedPrimary = "PRIMARY"
	RelatedStandby = "STANDBY"
)

// Primary is the scope of the primary WorkSpace.
func (s *Standby) Primary() Scope { return Scope{Account: s.Account, Region: s.PrimaryRegion} }

// StandbyStates is a standby WorkSpace with the states of both that are tied; "" for one that is not there.
type StandbyStates struct {
	Standby
	State        State
	PrimaryState State
}

// StandbyOrder is one item of CreateStandbyWorkspaces.
type StandbyOrder struct {
	PrimaryID     string
	DirectoryID   string
	EncryptionKey string
	Replication   string // "": NoReplication
	Tags          []Tag
}

// CanHaveStandby refuses what no standby WorkSpace can be made for; nil: one can.
func (w *WorkSpace) CanHaveStandby() *Refusal {
	switch {
	case w.Standby:
		return Refusef("OperationNotSupported.Workspace", "The WorkSpace %s is a standby WorkSpace itself.", w.ID)
	case w.UserName == Undefined:
		return Refusef("OperationNotSupported.Workspace", "The WorkSpace %s belongs to no user, whom a standby WorkSpace would be for.", w.ID)
	case !ActionStandBy.Allowed(w.State):
		return Refusef("InvalidResourceState.Workspace",
			"The WorkSpace %s is in the state %s; a standby WorkSpace can be made for one that is %s or %s.", w.ID, w.State, Available, Stopped)
	}
	return nil
}

// NewStandby makes the standby WorkSpace of a primary in a region, PENDING, which still lacks an address, and what
// ties the two. Of the bundle the id and the image count. It stops when nobody uses it and starts for its user,
// whatever the primary does: it waits for a day that may never come.
func (w *WorkSpace) NewStandby(c *Chance, region string, o StandbyOrder, b Bundle, now time.Time) (*WorkSpace, *Standby, error) {
	p := w.Properties
	if p.RunningMode != AutoStop {
		p.RunningMode, p.AutoStopMinutes = AutoStop, DefaultAutoStop
	}
	made := &WorkSpace{
		Scope: Scope{Account: w.Account, Region: region}, ID: NewWorkSpaceID(c), DirectoryID: o.DirectoryID, UserName: w.UserName,
		BundleID: b.ID, Image: b.Image, Properties: p, RootEncrypted: w.RootEncrypted, UserEncrypted: w.UserEncrypted,
		EncryptionKey: o.EncryptionKey, ComputerName: NewComputerName(c), CreatedAt: now, Standby: true,
	}
	tie := &Standby{Scope: made.Scope, ID: made.ID, PrimaryRegion: w.Region, PrimaryID: w.ID, Replication: o.Replication}
	if tie.Replication == "" {
		tie.Replication = NoReplication
	}
	return made, tie, made.Begin(ActionCreate, now)
}

// neverOfStandby reports whether an action is none for standby WorkSpaces: they follow their primary.
func (a Action) neverOfStandby() bool {
	switch a {
	case ActionRebuild, ActionRestore, ActionMigrate, ActionModify, ActionGrow:
		return true
	default:
		return false
	}
}

// replicationPause is how long a standby WorkSpace is left alone after a replication has begun that has not succeeded.
const replicationPause = 10 * time.Minute

// Rests reports whether a replication that has not succeeded began so recently that none is to follow it. A time that is farther off was
// set before the clock went back.
func (s *Standby) Rests(now time.Time) bool {
	return s.RetryAt.After(now) && !s.RetryAt.After(now.Add(replicationPause))
}

// Replicate begins to make the user volume of a standby WorkSpace what a snapshot of its primary's holds. Errors:
// CodeInProgress, CodeInvalidState, and CodeNotSupported for one that is no standby WorkSpace.
func (w *WorkSpace) Replicate(s *Standby, snapshot string, takenAt, now time.Time) error {
	if !w.Standby {
		return Errorf(CodeNotSupported, "The WorkSpace %s is no standby WorkSpace.", w.ID)
	}
	if err := w.Begin(ActionReplicate, now); err != nil {
		return err
	}
	w.FromSnapshot, w.FromTakenAt = snapshot, takenAt
	s.RetryAt = now.Add(replicationPause)
	return nil
}
