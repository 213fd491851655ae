package workspaces

import (
	"slices"
	"time"
)

// Application is something that can be installed in WorkSpaces: an entry of the installation's catalogue,
// which the configuration holds and every account and region sees the same way, but for what is one account's.
type Application struct {
	ID               string // wsa-…
	Name             string
	Description      string
	Owner            string   // AMAZON for everybody, else the one account that has it
	LicenseType      string   // LICENSED or UNLICENSED
	ComputeTypes     []string // that it can be installed on; empty: all
	OperatingSystems []string // likewise; UNKNOWN is a Linux that the API has no name for
	IncompatibleWith []string // the ids of applications that cannot be beside it
	UninstallOnly    bool     // it can be removed, and not be installed any more
	Script           string   // for a shell, as root; its argument is ScriptInstall or ScriptRemove
	CreatedAt        time.Time
}

// What the script of an application is asked for.
const (
	ScriptInstall = "install"
	ScriptRemove  = "remove"
)

// The licence types, and the states of applications that Carrel has.
const (
	Licensed   = "LICENSED"
	Unlicensed = "UNLICENSED"

	ApplicationAvailable     = "AVAILABLE"
	ApplicationUninstallOnly = "UNINSTALL_ONLY"
)

// UnknownOS is what the API calls an operating system that it has no name for, such as Debian.
const UnknownOS = "UNKNOWN"

// State is the application's, in the API's words.
func (a *Application) State() string {
	if a.UninstallOnly {
		return ApplicationUninstallOnly
	}
	return ApplicationAvailable
}

// IsFor reports whether an account can see the application.
func (a *Application) IsFor(account string) bool { return a.Owner == Amazon || a.Owner == account }

// RunsOn reports whether a compute type can have the application.
func (a *Application) RunsOn(computeType string) bool {
	return len(a.ComputeTypes) == 0 || slices.Contains(a.ComputeTypes, computeType)
}

// RunsUnder reports whether an operating system, "" where the API has no name for it, can have the application.
func (a *Application) RunsUnder(os string) bool {
	if os == "" {
		os = UnknownOS
	}
	return len(a.OperatingSystems) == 0 || slices.Contains(a.OperatingSystems, os)
}

// GoesWith reports whether two applications can be in one WorkSpace.
func (a *Application) GoesWith(other *Application) bool {
	return !slices.Contains(a.IncompatibleWith, other.ID) && !slices.Contains(other.IncompatibleWith, a.ID)
}

// Suits refuses a WorkSpace that cannot have the application, or has one that it does not go with.
func (a *Application) Suits(w *WorkSpace, others []*Application) error {
	switch {
	case a.UninstallOnly:
		return Errorf(CodeApplicationNotSupported, "The application %s can only be removed from WorkSpaces.", a.ID)
	case !a.RunsOn(w.Properties.ComputeType):
		return Errorf(CodeComputeIncompatible, "The application %s cannot be installed on the compute type %s.", a.ID, w.Properties.ComputeType)
	case !a.RunsUnder(w.Properties.OperatingSystem):
		return Errorf(CodeOSIncompatible, "The application %s cannot be installed on the operating system of the WorkSpace %s.", a.ID, w.ID)
	}
	for _, other := range others {
		if !a.GoesWith(other) {
			return Errorf(CodeIncompatibleApplications, "The applications %s and %s cannot be in one WorkSpace.", a.ID, other.ID)
		}
	}
	return nil
}

// AssociationState is where an application is on its way into a WorkSpace or out of it, as the API spells it.
type AssociationState string

// The states of an association. COMPLETED, ERROR and REMOVED rest; so do the first two of each way, until
// they are deployed.
const (
	PendingInstall             AssociationState = "PENDING_INSTALL"
	PendingInstallDeployment   AssociationState = "PENDING_INSTALL_DEPLOYMENT"
	Installing                 AssociationState = "INSTALLING"
	InstallCompleted           AssociationState = "COMPLETED"
	AssociationErrored         AssociationState = "ERROR"
	PendingUninstall           AssociationState = "PENDING_UNINSTALL"
	PendingUninstallDeployment AssociationState = "PENDING_UNINSTALL_DEPLOYMENT"
	Uninstalling               AssociationState = "UNINSTALLING"
	AssociationRemoved         AssociationState = "REMOVED"
)

// Association is an application in a WorkSpace, or in an image that was made of one.
type Association struct {
	Scope
	ResourceID    string // of the WorkSpace or the image
	InImage       bool   // it is an image
	ApplicationID string
	State         AssociationState
	Removing      bool // what is on its way, or was last, is its removal
	ErrorCode     string
	ErrorMessage  string
	Runs          int64 // how often it has been deployed: each has a name of its own in the desktop
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Brought is the association of the same application with a WorkSpace that is made of the image.
func (a *Association) Brought(w *WorkSpace) *Association {
	return &Association{
		Scope: w.Scope, ResourceID: w.ID, ApplicationID: a.ApplicationID, State: InstallCompleted, CreatedAt: w.CreatedAt, UpdatedAt: w.CreatedAt,
	}
}

// IsDeployed reports whether the association is on its way.
func (a *Association) IsDeployed() bool {
	switch a.State {
	case PendingInstallDeployment, Installing, PendingUninstallDeployment, Uninstalling:
		return true
	default:
		return false
	}
}

// IsWanted reports whether the application is in its WorkSpace, or is to be.
func (a *Association) IsWanted() bool {
	switch a.State {
	case PendingInstall, PendingInstallDeployment, Installing, InstallCompleted:
		return true
	case AssociationErrored:
		return !a.Removing
	default:
		return false
	}
}

// Enter moves the association to a state.
func (a *Association) Enter(s AssociationState, now time.Time) {
	a.State, a.UpdatedAt, a.ErrorCode, a.ErrorMessage = s, now, "", ""
}

// Deploy sets the association on its way where it waits for that, with force also after an ERROR, and
// reports whether it did.
func (a *Association) Deploy(force bool, now time.Time) bool { // the service's own flag
	failed := a.State == AssociationErrored && force
	switch {
	case a.State == PendingInstall, failed && !a.Removing:
		a.Enter(PendingInstallDeployment, now)
		a.Removing = false
	case a.State == PendingUninstall, failed && a.Removing:
		a.Enter(PendingUninstallDeployment, now)
		a.Removing = true
	default:
		return false
	}
	a.Runs++
	return true
}

// Redeploy sets what was installed on its way once more: its WorkSpace has another root volume. On one that
// is made anew there is nothing to be removed; one that was restored may have it. It reports whether that
// changes anything.
func (a *Association) Redeploy(anew bool, now time.Time) bool { // what the root volume is like
	switch {
	case a.State == InstallCompleted:
		a.Enter(PendingInstallDeployment, now)
		a.Runs++
	case anew && (a.State == PendingUninstall || a.Removing && (a.IsDeployed() || a.State == AssociationErrored)):
		a.Enter(AssociationRemoved, now)
	default:
		return false
	}
	return true
}

// Begin moves the association from its wait to work.
func (a *Association) Begin(now time.Time) {
	if a.Removing {
		a.Enter(Uninstalling, now)
	} else {
		a.Enter(Installing, now)
	}
}

// Conclude ends the work: well with an empty code.
func (a *Association) Conclude(code, message string, now time.Time) {
	switch {
	case code != "":
		a.Enter(AssociationErrored, now)
		a.ErrorCode, a.ErrorMessage = code, message
	case a.Removing:
		a.Enter(AssociationRemoved, now)
	default:
		a.Enter(InstallCompleted, now)
	}
}

// Disassociate takes an application out of a WorkSpace: at once where nothing of it is there, else when
// that is deployed.
func (a *Association) Disassociate(now time.Time) error {
	switch {
	case a.IsDeployed():
		return a.inUse()
	case a.State == PendingInstall:
		a.Enter(AssociationRemoved, now)
	case a.State == AssociationRemoved:
		return a.missing()
	case a.State != PendingUninstall:
		a.Enter(PendingUninstall, now)
	}
	return nil
}

// Associate takes an application that was taken out, or is to be, back in.
func (a *Association) Associate(now time.Time) error {
	switch {
	case a.IsDeployed():
		return a.inUse()
	case a.State != AssociationRemoved && a.State != PendingUninstall:
		return Errorf(CodeAlreadyExists, "The application %s is associated with the WorkSpace %s.", a.ApplicationID, a.ResourceID)
	}
	if a.State == AssociationRemoved {
		a.CreatedAt = now
	}
	a.Enter(PendingInstall, now)
	return nil
}

func (a *Association) inUse() error {
	return Errorf(CodeInUse, "The application %s is %s in the WorkSpace %s.", a.ApplicationID, a.State, a.ResourceID).About(a.ResourceID)
}

func (a *Association) missing() error {
	return Errorf(CodeNotFound, "The application %s is not associated with the WorkSpace %s.", a.ApplicationID, a.ResourceID).About(a.ApplicationID)
}

// deployWithin is how long one application may be on its way.
const deployWithin = time.Hour

// Deployment is the work on what is to be installed in a WorkSpace or removed from it: one application
// after the other. It has the WorkSpace's id.
type Deployment struct {
	Scope
	ID         string
	Since      time.Time // when the work on the application at hand began
	Attempts   int       // how often the engine has failed at that
	Generation int64
	Deadline   time.Time // of that; zero at rest
	WakeAt     time.Time
}

// Ref names the deployment as it is now.
func (d *Deployment) Ref() Ref { return Ref{Scope: d.Scope, ID: d.ID, Generation: d.Generation} }

// Ask notes that there is something to be done.
func (d *Deployment) Ask(now time.Time) {
	d.Rest()
	d.WakeAt = now.Add(Watchdog)
}

// Begin gives the next application its time.
func (d *Deployment) Begin(now time.Time) {
	d.Since, d.Attempts = now, 0
	d.Deadline, d.WakeAt = now.Add(deployWithin), now.Add(Watchdog)
	d.Generation++
}

// Rest ends the work until more is asked for.
func (d *Deployment) Rest() {
	d.Attempts, d.Deadline, d.WakeAt = 0, time.Time{}, time.Time{}
	d.Generation++
}
