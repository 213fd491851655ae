package workspaces

import "time"

// Pool is a number of desktops of one make that are kept ready for whoever of a directory comes.
type Pool struct {
	Scope
	ID          string
	Name        string
	Description string
	DirectoryID string // of the WorkspaceType POOLS
	BundleID    string
	Design      PoolDesign // of the bundle, as it was when the pool was made, given it, or last started
	RunningMode string     // AUTO_STOP or ALWAYS_ON
	Desired     int        // DesiredUserSessions: how many desktops there are to be while the pool runs
	Timeouts    PoolTimeouts
	// SettingsGroup is what users' settings are kept under between their sessions; "": they are not kept.
	SettingsGroup string

	State      PoolState
	Generation int64     // grows with every change of state; guards work against stale jobs
	ChangedAt  time.Time // when the state last changed
	Deadline   time.Time // when a passing state ends in any case; zero in a resting one
	WakeAt     time.Time // when the next turn of work is due; zero where none is

	Attempts     int       // how many desktops in a row could not be made
	RetryAt      time.Time // when the next may be tried; zero: at once
	ErrorCode    string    // why the last could not be made, as Errors shows it; "" where it could
	ErrorMessage string
	CreatedAt    time.Time

	Seed     Seed  // what its desktops' ids follow from, with their numbers
	Numbered int64 // how many desktops have had a number
}

// PoolDesign is what a pool's desktops are made of.
type PoolDesign struct {
	Image       string // as the engine names it
	ComputeType string
	RootGiB     int
	UserGiB     int
}

// PoolTimeouts are when sessions end, in seconds. Source: TimeoutSettings.
type PoolTimeouts struct {
	Disconnect int // after the user's connection broke
	Idle       int // after the user's last input; 0: never
	Maximum    int // after the session began
}

// DefaultPoolTimeouts are what a pool has that is given none.
func DefaultPoolTimeouts() PoolTimeouts {
	return PoolTimeouts{Disconnect: 900, Idle: 0, Maximum: 57_600}
}

// PoolState is where a pool is in its life.
type PoolState string

// The states, as the API spells them.
const (
	PoolCreating PoolState = "CREATING"
	PoolStarting PoolState = "STARTING"
	PoolRunning  PoolState = "RUNNING"
	PoolUpdating PoolState = "UPDATING"
	PoolStopping PoolState = "STOPPING"
	PoolStopped  PoolState = "STOPPED"
	PoolDeleting PoolState = "DELETING"
)

// poolWork is how long a pool may stay in a passing state. Its desktops go on being made or
// removed behind it.
const poolWork = 30 * time.Minute

// NewPool makes a pool of what describes it, CREATING.
func NewPool(c *Chance, p Pool, now time.Time) *Pool {
	p.ID, p.CreatedAt, p.Seed = NewPoolID(c), now, NewSeed(c)
	p.enter(PoolCreating, now)
	return &p
}

// Ref names the pool as it is now.
func (p *Pool) Ref() Ref { return Ref{Scope: p.Scope, ID: p.ID, Generation: p.Generation} }

// KeepsDesktops reports whether the pool is to have desktops.
func (p *Pool) KeepsDesktops() bool {
	return p.State == PoolStarting || p.State == PoolRunning || p.State == PoolUpdating
}

// Overdue reports whether a passing state has had all the time it may take.
func (p *Pool) Overdue(now time.Time) bool { return !p.Deadline.IsZero() && !now.Before(p.Deadline) }

// Created ends CREATING: a pool that is ALWAYS_ON starts, another waits for StartWorkspacesPool.
func (p *Pool) Created(now time.Time) {
	if p.RunningMode == AlwaysOn {
		p.enter(PoolStarting, now)
		return
	}
	p.enter(PoolStopped, now)
}

// BeginStart starts a STOPPED pool with the running mode AUTO_STOP, or refuses.
// Source: StartWorkspacesPool.
func (p *Pool) BeginStart(now time.Time) error {
	if err := p.settled(); err != nil {
		return err
	}
	if p.State != PoolStopped || p.RunningMode != AutoStop {
		return p.refuse("be started; it must be STOPPED and have the running mode AUTO_STOP")
	}
	p.enter(PoolStarting, now)
	return nil
}

// BeginStop stops a RUNNING pool with the running mode AUTO_STOP, or refuses.
// Source: StopWorkspacesPool.
func (p *Pool) BeginStop(now time.Time) error {
	if err := p.settled(); err != nil {
		return err
	}
	if p.State != PoolRunning || p.RunningMode != AutoStop {
		return p.refuse("be stopped; it must be RUNNING and have the running mode AUTO_STOP")
	}
	p.enter(PoolStopping, now)
	return nil
}

// BeginTerminate begins to take the pool away, whatever it is at. Asked again it changes
// nothing and reports so.
func (p *Pool) BeginTerminate(now time.Time) (begun bool) {
	if p.State == PoolDeleting {
		return false
	}
	p.enter(PoolDeleting, now)
	return true
}

// PoolChange is what UpdateWorkspacesPool asks for; nil members stay as they are.
type PoolChange struct {
	Description *string
	Desired     *int
	Timeouts    *PoolTimeouts
	Settings    *string // the group; "": none are kept
	DirectoryID *string
	BundleID    *string
	Design      PoolDesign // of BundleID
	RunningMode *string
}

// Change applies what is asked for, or refuses. A pool that runs takes another description,
// other timeouts and settings, which hold for sessions that begin from then on, and another
// capacity, for which it is UPDATING; what its desktops are made of, and its running mode, only
// change while it is STOPPED.
func (p *Pool) Change(c PoolChange, now time.Time) error {
	if err := p.settled(); err != nil {
		return err
	}
	if p.State != PoolStopped && (c.DirectoryID != nil || c.BundleID != nil || c.RunningMode != nil) {
		return p.refuse("be given another bundle, directory or running mode; it must be STOPPED")
	}
	set(&p.Description, c.Description)
	set(&p.Timeouts, c.Timeouts)
	set(&p.SettingsGroup, c.Settings)
	set(&p.DirectoryID, c.DirectoryID)
	set(&p.RunningMode, c.RunningMode)
	if c.BundleID != nil {
		p.BundleID, p.Design = *c.BundleID, c.Design
	}
	resized := c.Desired != nil && *c.Desired != p.Desired
	set(&p.Desired, c.Desired)
	switch {
	case p.State == PoolStopped && p.RunningMode == AlwaysOn:
		p.enter(PoolStarting, now)
	case p.State == PoolRunning && resized:
		p.enter(PoolUpdating, now)
	default:
		p.Generation++
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Arrive ends STARTING and UPDATING, and STOPPING.
func (p *Pool) Arrive(now time.Time) {
	if p.KeepsDesktops() {
		p.enter(PoolRunning, now)
	} else {
		p.enter(PoolStopped, now)
	}
}

// longestPoolPause is how long at most a pool waits before it tries to make a desktop again.
const longestPoolPause = 5 * time.Minute

// Failed notes that a desktop could not be made. The more could not be, the later the next is tried.
func (p *Pool) Failed(now time.Time, code, message string) {
	pause := min(3*time.Second<<min(p.Attempts, 10), longestPoolPause)
	p.Attempts++
	p.RetryAt, p.ErrorCode, p.ErrorMessage = now.Add(pause), code, message
}

// Pauses reports whether no desktop is to be tried now. A pause longer than any is none: the clock was set back.
func (p *Pool) Pauses(now time.Time) bool {
	return now.Before(p.RetryAt) && p.RetryAt.Sub(now) <= longestPoolPause
}

// Succeeded notes that a desktop could be made.
func (p *Pool) Succeeded() {
	p.Attempts, p.RetryAt, p.ErrorCode, p.ErrorMessage = 0, time.Time{}, "", ""
}

// settled refuses what cannot be asked of a pool that is at something.
func (p *Pool) settled() error {
	if p.State != PoolRunning && p.State != PoolStopped {
		return Errorf(CodeInProgress, "The pool %s is in the state %s. Try again when it is RUNNING or STOPPED.", p.ID, p.State).About(p.ID)
	}
	return nil
}

func (p *Pool) refuse(what string) error {
	return Errorf(CodeInvalidState, "The pool %s is in the state %s with the running mode %s, in which it cannot %s.",
		p.ID, p.State, p.RunningMode, what).About(p.ID)
}

func (p *Pool) enter(s PoolState, now time.Time) {
	p.State, p.ChangedAt, p.Deadline, p.WakeAt = s, now, time.Time{}, time.Time{}
	if s != PoolRunning && s != PoolStopped {
		p.Deadline, p.WakeAt = now.Add(poolWork), now.Add(Watchdog)
	}
	if s == PoolStarting || s == PoolStopped {
		p.Succeeded() // what went wrong before is another story
	}
	p.Generation++
}
