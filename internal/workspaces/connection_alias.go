package workspaces

import (
	"strings"
	"time"
)

// ConnectionAlias is a host name that users enter in place of a registration code. Each
// region has one of its own for the same name, so that the name can lead to a directory in
// any of them. Source: the administration guide's page on cross-Region redirection.
type ConnectionAlias struct {
	Scope            // its owner's
	ID               string
	ConnectionString string // as it was written when it was made

	State      AliasState
	Generation int64
	ChangedAt  time.Time // when the state or the association last changed
	Deadline   time.Time
	WakeAt     time.Time

	SharedWith  string // the one other account that may associate it; "" for none
	Association AliasAssociation
}

// AliasAssociation is the one directory of its region that an alias leads to.
type AliasAssociation struct {
	Status      AssociationStatus
	Account     string // whose directory it is: the owner's or that of SharedWith
	DirectoryID string
	Identifier  string // what DNS says to lead clients to this region
}

// AliasState is where an alias is in its life.
type AliasState string

// The states, as the API spells them.
const (
	AliasCreating AliasState = "CREATING"
	AliasCreated  AliasState = "CREATED"
	AliasDeleting AliasState = "DELETING"
)

// AssociationStatus is whether an alias leads to a directory, and whose.
type AssociationStatus string

// The statuses, as the API spells them.
const (
	NotAssociated         AssociationStatus = "NOT_ASSOCIATED"
	AssociatedWithOwner   AssociationStatus = "ASSOCIATED_WITH_OWNER_ACCOUNT"
	AssociatedWithShared  AssociationStatus = "ASSOCIATED_WITH_SHARED_ACCOUNT"
	PendingAssociation    AssociationStatus = "PENDING_ASSOCIATION"
	PendingDisassociation AssociationStatus = "PENDING_DISASSOCIATION"
)

// aliasWork is how long an alias may stay in a passing state or status.
const aliasWork = 10 * time.Minute

// HostOf is a connection string as it is compared: host names are the same in any case.
func HostOf(connectionString string) string { return strings.ToLower(connectionString) }

// CheckConnectionString refuses what cannot be a host name, which is less than the model's
// pattern allows.
func CheckConnectionString(s string) error {
	if !isDomainName(s) {
		return Errorf(CodeInvalidParameter, "The connection string %s is not a fully qualified domain name such as desktop.example.com.", s)
	}
	return nil
}

// NewConnectionAlias makes an alias, CREATING.
func NewConnectionAlias(c *Chance, s Scope, connectionString string, now time.Time) *ConnectionAlias {
	a := &ConnectionAlias{
		Scope: s, ID: NewConnectionAliasID(c), ConnectionString: connectionString, State: AliasCreating,
		Association: AliasAssociation{Status: NotAssociated},
	}
	a.changed(now)
	return a
}

// Ref names the alias as it is now.
func (a *ConnectionAlias) Ref() Ref { return Ref{Scope: a.Scope, ID: a.ID, Generation: a.Generation} }

// Passing reports whether work is to be done before the alias rests.
func (a *ConnectionAlias) Passing() bool {
	return a.State != AliasCreated || a.Association.Status == PendingAssociation || a.Association.Status == PendingDisassociation
}

// Proceed ends the passing state or status that the alias is in. It reports whether the alias is gone.
func (a *ConnectionAlias) Proceed(now time.Time) (gone bool) {
	switch {
	case a.State == AliasDeleting:
		return true
	case a.State == AliasCreating:
		a.State = AliasCreated
	case a.Association.Status == PendingDisassociation:
		a.Association = AliasAssociation{Status: NotAssociated}
	case a.Association.Status == PendingAssociation && a.Association.Account == a.Account:
		a.Association.Status = AssociatedWithOwner
	case a.Association.Status == PendingAssociation:
		a.Association.Status = AssociatedWithShared
	}
	a.changed(now)
	return false
}

// RefuseAgain says why there cannot be another alias of the same connection string in the
// region: CodeAlreadyExists, or CodeInvalidState while the old one is not yet gone.
func (a *ConnectionAlias) RefuseAgain() error {
	if a.State == AliasDeleting {
		return Errorf(CodeInvalidState, "The connection alias %s of %s is being deleted.", a.ID, a.ConnectionString).About(a.ID)
	}
	return Errorf(CodeAlreadyExists, "The connection alias %s has the connection string %s already.", a.ID, a.ConnectionString).About(a.ID)
}

// BeginAssociate starts to lead the alias to an account's directory.
func (a *ConnectionAlias) BeginAssociate(c *Chance, account, directoryID string, now time.Time) error {
	if err := a.checkCreated(); err != nil {
		return err
	}
	if a.Association.Status != NotAssociated {
		return Errorf(CodeAssociated, "The connection alias %s is associated with the directory %s; a connection alias can be "+
			"associated with one directory in a Region.", a.ID, a.Association.DirectoryID).About(a.ID)
	}
	a.Association = AliasAssociation{
		Status: PendingAssociation, Account: account, DirectoryID: directoryID, Identifier: NewConnectionIdentifier(c),
	}
	a.changed(now)
	return nil
}

// BeginDisassociate starts to end the association, which only the directory's account may.
func (a *ConnectionAlias) BeginDisassociate(account string, now time.Time) error {
	if err := a.checkCreated(); err != nil {
		return err
	}
	switch a.Association.Status {
	case AssociatedWithOwner, AssociatedWithShared:
	default:
		return Errorf(CodeInvalidState, "The association of the connection alias %s is %s.", a.ID, a.Association.Status).About(a.ID)
	}
	if a.Association.Account != account {
		return Errorf(CodeAccessDenied, "Only the account %s, whose directory the connection alias %s is associated with, can end that.",
			a.Association.Account, a.ID)
	}
	a.Association.Status = PendingDisassociation
	a.changed(now)
	return nil
}

// Share lets another account associate the alias. There can be one; to share again with the
// same changes nothing.
func (a *ConnectionAlias) Share(with string) error {
	if err := a.checkCreated(); err != nil {
		return err
	}
	switch {
	case with == a.Account:
		return Errorf(CodeInvalidParameter, "The connection alias %s belongs to the account %s already.", a.ID, with)
	case a.SharedWith != "" && a.SharedWith != with:
		return Errorf(CodeLimitExceeded, "The connection alias %s is shared with the account %s; it can be shared with one.", a.ID, a.SharedWith)
	}
	a.SharedWith = with
	a.Generation++
	return nil
}

// Unshare takes the permission back from an account that has no directory associated.
func (a *ConnectionAlias) Unshare(with string) error {
	if err := a.checkCreated(); err != nil {
		return err
	}
	switch {
	case a.SharedWith != with:
		return Errorf(CodeInvalidParameter, "The connection alias %s is not shared with the account %s.", a.ID, with)
	case a.Association.Account == with:
		return Errorf(CodeAssociated, "The connection alias %s is associated with the directory %s of the account %s, which must end that first.",
			a.ID, a.Association.DirectoryID, with).About(a.ID)
	}
	a.SharedWith = ""
	a.Generation++
	return nil
}

// BeginDelete starts to take the alias away, once it is neither shared nor associated.
func (a *ConnectionAlias) BeginDelete(now time.Time) error {
	if err := a.checkCreated(); err != nil {
		return err
	}
	if a.SharedWith != "" {
		return Errorf(CodeAssociated, "The connection alias %s is shared with the account %s.", a.ID, a.SharedWith).About(a.ID)
	}
	if a.Association.Status != NotAssociated {
		return Errorf(CodeAssociated, "The connection alias %s is associated with the directory %s.", a.ID, a.Association.DirectoryID).About(a.ID)
	}
	a.State = AliasDeleting
	a.changed(now)
	return nil
}

// CheckOwner refuses, with CodeAccessDenied, what only the alias's owner may.
func (a *ConnectionAlias) CheckOwner(account string) error {
	if a.Account != account {
		return Errorf(CodeAccessDenied, "The connection alias %s belongs to the account %s, which alone can do this.", a.ID, a.Account)
	}
	return nil
}

func (a *ConnectionAlias) checkCreated() error {
	if a.State != AliasCreated {
		return Errorf(CodeInvalidState, "The connection alias %s is in the state %s; it must be %s.", a.ID, a.State, AliasCreated).About(a.ID)
	}
	return nil
}

// changed notes that the alias is in another state or status, and when it is looked at next.
func (a *ConnectionAlias) changed(now time.Time) {
	a.ChangedAt, a.Deadline, a.WakeAt = now, time.Time{}, time.Time{}
	if a.Passing() {
		a.Deadline, a.WakeAt = now.Add(aliasWork), now.Add(Watchdog)
	}
	a.Generation++
}

// Directory returns the directory that the alias leads to now; ok is false where it leads to none.
func (a *ConnectionAlias) Directory() (s Scope, id string, ok bool) {
	status := a.Association.Status
	if status != AssociatedWithOwner && status != AssociatedWithShared {
		return Scope{}, "", false
	}
	return Scope{Account: a.Association.Account, Region: a.Region}, a.Association.DirectoryID, true
}
