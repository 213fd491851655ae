package workspaces

import (
	"strings"
	"time"
)

// Trust is a Microsoft AD directory's trust relationship with a domain elsewhere. Nothing is
// set up with that domain: a trust is a record that goes through the service's states.
type Trust struct {
	Scope
	ID            string
	DirectoryID   string
	RemoteDomain  string
	Direction     string // One-Way: Outgoing, One-Way: Incoming, Two-Way
	Type          string // Forest, External
	SelectiveAuth string // Enabled, Disabled
	Forwarders    []string

	State          TrustState
	CreatedAt      time.Time
	UpdatedAt      time.Time
	StateChangedAt time.Time
	Generation     int64
	Deadline       time.Time
	WakeAt         time.Time
}

// TrustState is where a trust is in its life.
type TrustState string

// The states that Carrel enters, as the API spells them.
const (
	TrustCreating  TrustState = "Creating"
	TrustCreated   TrustState = "Created"
	TrustVerifying TrustState = "Verifying"
	TrustVerified  TrustState = "Verified"
	TrustUpdating  TrustState = "Updating"
	TrustUpdated   TrustState = "Updated"
	TrustDeleting  TrustState = "Deleting"
	TrustDeleted   TrustState = "Deleted"
)

// Next returns the state that follows a passing one by itself, false for a resting one.
func (s TrustState) Next() (TrustState, bool) {
	switch s {
	case TrustCreating:
		return TrustCreated, true
	case TrustCreated, TrustUpdated:
		return TrustVerifying, true
	case TrustVerifying:
		return TrustVerified, true
	case TrustUpdating:
		return TrustUpdated, true
	case TrustDeleting:
		return TrustDeleted, true
	default:
		return "", false
	}
}

// Ref names the trust as it is now.
func (t *Trust) Ref() Ref { return Ref{Scope: t.Scope, ID: t.ID, Generation: t.Generation} }

// Begin asks for a trust of a directory, which is Creating, and passes on by itself. A
// directory cannot trust itself, nor trust a domain twice.
func (t *Trust) Begin(d *Directory, others []*Trust, now time.Time) error {
	if DomainKey(t.RemoteDomain) == DomainKey(d.Name) {
		return Errorf(CodeInvalidParameter, "The remote domain %s is the directory's own.", t.RemoteDomain)
	}
	for _, o := range others {
		if DomainKey(o.RemoteDomain) == DomainKey(t.RemoteDomain) {
			return Errorf(CodeAlreadyExists, "The directory %s has the trust %s with %s already.", d.ID, o.ID, o.RemoteDomain)
		}
	}
	t.CreatedAt, t.UpdatedAt = now, now
	t.Enter(TrustCreating, now)
	return nil
}

// DomainKey is what makes two spellings of a domain name the same domain.
func DomainKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// Enter moves the trust to a state.
func (t *Trust) Enter(s TrustState, now time.Time) {
	t.State, t.StateChangedAt = s, now
	t.Deadline, t.WakeAt = time.Time{}, time.Time{}
	if _, passing := s.Next(); passing {
		t.Deadline, t.WakeAt = now.Add(directoryWork), now.Add(Watchdog)
	}
	t.Generation++
}

// Change moves a trust that rests to a passing state, or refuses with CodeInvalidState.
func (t *Trust) Change(s TrustState, now time.Time) error {
	// One that was Updated by an earlier version of Carrel rests there, and waits for nothing.
	if _, passing := t.State.Next(); passing && !t.WakeAt.IsZero() {
		return Errorf(CodeInvalidState, "The trust %s is %s.", t.ID, t.State)
	}
	t.UpdatedAt = now
	t.Enter(s, now)
	return nil
}
