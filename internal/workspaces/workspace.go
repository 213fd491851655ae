package workspaces

import "time"

// WorkSpace is one user's desktop.
type WorkSpace struct {
	Scope
	ID          string
	DirectoryID string
	UserName    string // as the request wrote it; compared without regard to case
	Name        string // WorkspaceName: set only for user-decoupled WorkSpaces
	BundleID    string
	Image       string // the engine's name of the image that the root volume was made from

	State      State
	Generation int64     // grows with every change of state; guards work against stale jobs
	ChangedAt  time.Time // when the state last changed, or work beside it began
	Deadline   time.Time // when a passing state is given up; zero in a resting one
	WakeAt     time.Time // when the next turn of work is due; zero in a resting state
	Attempts   int       // how often the engine has failed at what is running

	// Of what is running, and empty at rest.
	Before       State     // the state in which it began
	Aside        Action    // an action that runs while the state stays
	Phase        int       // how many of its steps are done, where more than one calls the engine
	FromSnapshot string    // the name of the snapshot that volumes are made from
	FromTakenAt  time.Time // when that was taken, where it is another WorkSpace's
	Migrating    string    // the id of the other WorkSpace of a migration, in both of them

	// StandIn is set in what does not count as its user's one WorkSpace in the directory: the target of a migration
	// until it has succeeded, and from then on the source; and what suites for moto make beyond the first.
	StandIn bool

	Standby bool // it was made by CreateStandbyWorkspaces; see Standby, the type

	NextSnapshotAt time.Time // when the next automatic snapshot is due; zero in states without
	Modification   Modification
	Modified       Modified

	Properties    Properties
	RootEncrypted bool
	UserEncrypted bool
	EncryptionKey string // VolumeEncryptionKey: an ARN or alias of a key

	SubnetID      string
	AddressOffset int64 // of IPAddress within the subnet
	HeldOffset    int64 // of the address that the desktop has until a rebuild has succeeded; 0: none
	IPAddress     string
	IPv6Address   string
	ComputerName  string

	ErrorCode    string // set in ERROR and UNHEALTHY, and after a migration or modification that failed
	ErrorMessage string
	CreatedAt    time.Time
	// ReadyAt is when it last became AVAILABLE, or was given its running mode since; zero
	// where it has never been AVAILABLE. AUTO_STOP counts from it while nobody connects.
	ReadyAt time.Time

	left []Stay // see Left
}

// Ref names the WorkSpace as it is now.
func (w *WorkSpace) Ref() Ref { return Ref{Scope: w.Scope, ID: w.ID, Generation: w.Generation} }

// Undefined is the user name of WorkSpaces that belong to no user of a directory.
// Source: CreateWorkspaces, WorkspaceName.
const Undefined = "[UNDEFINED]"

// Properties are what ModifyWorkspaceProperties can change.
type Properties struct {
	ComputeType     string
	RootGiB         int
	UserGiB         int
	RunningMode     string
	AutoStopMinutes int // RunningModeAutoStopTimeoutInMinutes; 0 unless the mode is AUTO_STOP
	Protocols       []string
	OperatingSystem string
	Accelerator     GlobalAccelerator
}

// GlobalAccelerator is kept and shown; desktops on own machines have no
// accelerator network to be switched.
type GlobalAccelerator struct {
	Mode              string
	PreferredProtocol string
}

// The running modes.
const (
	AlwaysOn = "ALWAYS_ON"
	AutoStop = "AUTO_STOP"
	Manual   = "MANUAL"
)

// HasEnded reports whether nobody can own the WorkSpace's place any more: its id
// is about to go from DescribeWorkspaces.
func (w *WorkSpace) HasEnded() bool { return w.State == Terminated }

// IsEnding reports whether the WorkSpace has been terminated, or is being.
func (w *WorkSpace) IsEnding() bool { return w.State == Terminating || w.HasEnded() }

// IsBeingCaptured reports whether an image is being made of the WorkSpace.
func (w *WorkSpace) IsBeingCaptured() bool {
	a, _ := w.Running()
	return a == ActionCapture
}
