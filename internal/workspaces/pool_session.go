package workspaces

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// PoolSession is a user's time on a desktop of a pool, which is nobody else's before or after.
type PoolSession struct {
	Scope
	ID            string // a UUID
	PoolID        string
	DirectoryID   string
	DesktopID     string
	Address       string // of the desktop
	UserName      string
	Timeouts      PoolTimeouts // the pool's when the session began
	SettingsGroup string       // what the user's settings are kept under when it ends; "": they are not kept

	State      PoolSessionState
	Generation int64
	StartedAt  time.Time
	ChangedAt  time.Time
	Deadline   time.Time // when preparing or ending is given up; zero while the session is active
	WakeAt     time.Time
	Attempts   int
	Brought    bool // what was kept of the user lies on the desktop, still to be taken from there
}

// PoolSessionState is where a session is in its life.
type PoolSessionState string

// The states. No operation shows them.
const (
	PoolSessionPreparing PoolSessionState = "PREPARING" // the user's settings are brought
	PoolSessionActive    PoolSessionState = "ACTIVE"
	PoolSessionEnding    PoolSessionState = "ENDING" // the user's settings are kept, then the desktop goes
)

// poolSessionWork is how long a user waits for their settings, and the desktop for having them kept.
const poolSessionWork = 2 * time.Minute

// NewPoolSession makes the session of a user on a desktop of the pool, which has been assigned. kept
// says that there are settings to bring.
func NewPoolSession(c *Chance, p *Pool, d *PoolDesktop, user string, kept bool, now time.Time) *PoolSession { //nolint:revive // a fact
	s := &PoolSession{
		Scope: p.Scope, ID: NewPoolSessionID(c), PoolID: p.ID, DirectoryID: p.DirectoryID, DesktopID: d.ID, Address: d.Address, UserName: user,
		Timeouts: p.Timeouts, SettingsGroup: p.SettingsGroup, StartedAt: now,
	}
	if kept {
		s.enter(PoolSessionPreparing, now)
	} else {
		s.Prepared(now)
	}
	return s
}

// Ref names the session as it is now.
func (s *PoolSession) Ref() Ref { return Ref{Scope: s.Scope, ID: s.ID, Generation: s.Generation} }

// ExpiresAt is when the session ends in any case. Source: MaxUserDurationInSeconds.
func (s *PoolSession) ExpiresAt() time.Time {
	return s.StartedAt.Add(time.Duration(s.Timeouts.Maximum) * time.Second)
}

// EndsAt is when the session ends if nothing happens meanwhile: when it expires, and while nobody is
// connected, when the time for coming back is over. Source: DisconnectTimeoutInSeconds.
func (s *PoolSession) EndsAt(c Connection) time.Time {
	expires := s.ExpiresAt()
	if c.Connected {
		return expires
	}
	left := s.ChangedAt // nobody was there yet
	if c.DisconnectedAt.After(left) {
		left = c.DisconnectedAt
	}
	if gone := left.Add(time.Duration(s.Timeouts.Disconnect) * time.Second); gone.Before(expires) {
		return gone
	}
	return expires
}

// IdleAfter is how long a connected user may do nothing before they are disconnected; 0: forever.
// Source: IdleDisconnectTimeoutInSeconds.
func (s *PoolSession) IdleAfter() time.Duration {
	return time.Duration(s.Timeouts.Idle) * time.Second
}

// Prepared ends the preparing.
func (s *PoolSession) Prepared(now time.Time) { s.enter(PoolSessionActive, now) }

// End begins to end the session. Asked again it changes nothing and reports so.
func (s *PoolSession) End(now time.Time) (begun bool) {
	if s.State == PoolSessionEnding {
		return false
	}
	if s.State == PoolSessionPreparing {
		s.SettingsGroup = "" // what is on the desktop is not the user's: it must not take the place of what is
	}
	s.enter(PoolSessionEnding, now)
	return true
}

func (s *PoolSession) enter(state PoolSessionState, now time.Time) {
	s.State, s.ChangedAt, s.Deadline, s.Attempts = state, now, time.Time{}, 0
	if state == PoolSessionActive {
		s.WakeAt = s.EndsAt(Connection{})
	} else {
		s.Deadline, s.WakeAt = now.Add(poolSessionWork), now.Add(Watchdog)
	}
	s.Generation++
}

// InstanceID is the session's desktop in the words of the service: i- and 17 hexadecimal digits.
func (s *PoolSession) InstanceID() string { return "i-" + s.digits("instance") }

// InterfaceID is the network interface of the session's desktop: eni- and 17 hexadecimal digits.
func (s *PoolSession) InterfaceID() string { return "eni-" + s.digits("interface") }

// digits are 17 that follow from the desktop's id, which is never used twice.
func (s *PoolSession) digits(of string) string {
	sum := sha256.Sum256([]byte(of + " " + s.DesktopID))
	return hex.EncodeToString(sum[:])[:17]
}
