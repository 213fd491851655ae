package workspaces

import "time"

// WorkspaceDirectory is a directory as it is registered with WorkSpaces.
type WorkspaceDirectory struct {
	Scope
	ID               string
	Name             string
	Alias            string
	Type             string // SIMPLE_AD, AD_CONNECTOR, CUSTOMER_MANAGED, AWS_IAM_IDENTITY_CENTER
	RegistrationCode string
	CustomerUserName string
	SubnetIDs        []string
	DNSAddresses     []string
	SecurityGroupID  string
	RoleARN          string
	Tenancy          string // SHARED or DEDICATED
	UserIdentityType string
	WorkspaceType    string // PERSONAL or POOLS

	State        RegistrationState
	ErrorMessage string
	Generation   int64
	ChangedAt    time.Time // when the state last changed
	Deadline     time.Time
	WakeAt       time.Time
	RegisteredAt time.Time
	EmptySince   time.Time // since when it has had no WorkSpaces; zero while it has some

	Settings DirectorySettings
}

// Ref names the registration as it is now.
func (d *WorkspaceDirectory) Ref() Ref {
	return Ref{Scope: d.Scope, ID: d.ID, Generation: d.Generation}
}

// RegistrationState is where a registration is in its life.
type RegistrationState string

// The states, as the API spells them.
const (
	Registering       RegistrationState = "REGISTERING"
	Registered        RegistrationState = "REGISTERED"
	Deregistering     RegistrationState = "DEREGISTERING"
	Deregistered      RegistrationState = "DEREGISTERED"
	RegistrationError RegistrationState = "ERROR"
)

// registrationWork is how long a registration may stay in a passing state. Clients wait
// 10 minutes.
const registrationWork = 10 * time.Minute

// IdleDirectoryAfter is how long a Simple AD or AD Connector directory may have no
// WorkSpaces before it is deregistered by itself. Source: DeregisterWorkspaceDirectory.
const IdleDirectoryAfter = 30 * 24 * time.Hour

// Passing reports whether work is to be done before the state rests.
func (s RegistrationState) Passing() bool { return s == Registering || s == Deregistering }

// Enter moves the registration to a state.
func (d *WorkspaceDirectory) Enter(s RegistrationState, now time.Time) {
	d.State, d.ChangedAt = s, now
	d.Deadline, d.WakeAt = time.Time{}, time.Time{}
	if s.Passing() {
		d.Deadline, d.WakeAt = now.Add(registrationWork), now.Add(Watchdog)
	}
	d.Generation++
}

// BeginDeregister starts to take the registration away, or refuses with
// CodeInvalidState. A registration that failed may be taken away too.
func (d *WorkspaceDirectory) BeginDeregister(now time.Time) error {
	if d.State != Registered && d.State != RegistrationError {
		return Errorf(CodeInvalidState, "The directory %s is in the state %s.", d.ID, d.State).About(d.ID)
	}
	d.Enter(Deregistering, now)
	return nil
}

// CheckRegistered refuses, with the code, what can only be done while the directory is REGISTERED.
func (d *WorkspaceDirectory) CheckRegistered(code Code) error {
	if d.State != Registered {
		return Errorf(code, "The directory %s is in the state %s; it must be %s.", d.ID, d.State, Registered).About(d.ID)
	}
	return nil
}

// RefuseAgain says why the directory cannot be registered: it is, with CodeAlreadyExists, or
// is not yet not, with CodeInvalidState, on which clients try again.
func (d *WorkspaceDirectory) RefuseAgain() error {
	if d.State == Deregistering || d.State == Deregistered {
		return Errorf(CodeInvalidState, "The directory %s is in the state %s.", d.ID, d.State).About(d.ID)
	}
	return Errorf(CodeAlreadyExists, "The directory %s is already registered.", d.ID).About(d.ID)
}

// TakesWorkSpaces reports whether personal WorkSpaces can be made in the directory.
func (d *WorkspaceDirectory) TakesWorkSpaces() bool {
	return d.State == Registered && d.WorkspaceType == "PERSONAL"
}

// EndsWhenIdle reports whether the 30-day rule is for this kind of directory.
func (d *WorkspaceDirectory) EndsWhenIdle() bool {
	return d.Type == "SIMPLE_AD" || d.Type == "AD_CONNECTOR"
}

// AsDirectory is a directory of WorkSpaces' own as the operations on users see it. Nobody came with it, and its data access is always enabled.
func (d *WorkspaceDirectory) AsDirectory() *Directory {
	stage := StageActive
	if d.State != Registered {
		stage = StageCreating
	}
	return &Directory{Scope: d.Scope, ID: d.ID, Name: d.ID, ShortName: d.ID, Type: OwnDirectory, Stage: stage, DataAccess: DataAccessEnabled}
}
