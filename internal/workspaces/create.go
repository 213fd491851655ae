package workspaces

import (
	"fmt"
	"strings"
	"time"
)

// Order is one item of CreateWorkspaces: a WorkSpace as somebody wants it.
type Order struct {
	DirectoryID     string
	UserName        string
	BundleID        string
	Name            string
	EncryptionKey   string
	RootEncrypted   bool
	UserEncrypted   bool
	IPv6Address     string
	Properties      Properties // empty members are the bundle's and the service's defaults
	AutoStopMinutes *int       // RunningModeAutoStopTimeoutInMinutes, nil where it was not given
	SmallRoot       bool       // the root volume may have any size from 10 GiB on, and the user volume any beside it
	Tags            []Tag
}

// Refusal is why one item of a batch failed while the others may succeed.
type Refusal struct {
	Code    string // as FailedRequests shows it
	Message string
}

// Error returns the message.
func (r *Refusal) Error() string { return r.Message }

// Refusef makes a Refusal with a formatted message.
func Refusef(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Fill completes the order from its bundle and checks it. A *Refusal fails the item alone; an *Error fails the
// whole call. Source: CreateWorkspaces and spec, section C.
func (o Order) Fill(b Bundle) (Properties, error) {
	if err := o.checkName(); err != nil {
		return Properties{}, err
	}
	p := o.Properties
	if p.ComputeType == "" {
		p.ComputeType = b.ComputeType
	}
	if p.RootGiB == 0 {
		p.RootGiB = b.RootGiB
	}
	if p.UserGiB == 0 {
		p.UserGiB = b.UserGiB
	}
	if (o.Properties.RootGiB != 0 || o.Properties.UserGiB != 0) && (!o.SmallRoot || !areVolumes(p.RootGiB, p.UserGiB)) {
		if err := CheckVolumes(p.ComputeType, p.RootGiB, p.UserGiB); err != nil {
			return p, err
		}
	}
	if len(p.Protocols) == 0 {
		p.Protocols = []string{b.Protocol}
	}
	if err := checkProtocols(p.Protocols); err != nil {
		return p, err
	}
	if o.IPv6Address != "" {
		return p, Refusef("InvalidParameterValues.Ipv6Address", "The networks of this installation have IPv4 addresses only.")
	}
	p.OperatingSystem = b.OS
	return p.withRunningMode(o.AutoStopMinutes)
}

// DefaultAutoStop is the timeout of an AUTO_STOP WorkSpace that names none, in minutes.
const DefaultAutoStop = 60

// maxAutoStop is the longest timeout, in minutes: a hundred years. The model sets no limit, but one
// that no clock can count to would be over at once.
const maxAutoStop = 100 * 365 * 24 * 60

// withRunningMode applies the rule that a timeout belongs to AUTO_STOP and is a whole
// number of hours.
func (p Properties) withRunningMode(minutes *int) (Properties, error) {
	if p.RunningMode == "" {
		p.RunningMode = AlwaysOn
	}
	switch {
	case p.RunningMode == AutoStop && minutes == nil:
		p.AutoStopMinutes = DefaultAutoStop
	case p.RunningMode == AutoStop:
		if *minutes <= 0 || *minutes%60 != 0 || *minutes > maxAutoStop {
			return p, Errorf(CodeInvalidParameter, "RunningModeAutoStopTimeoutInMinutes must be a multiple of 60 between 60 and %d.", maxAutoStop)
		}
		p.AutoStopMinutes = *minutes
	case minutes != nil && p.RunningMode == AlwaysOn:
		return p, Refusef("AutoStopTimeoutIsNotApplicableForAnAlwaysOnWorkspace",
			"RunningModeAutoStopTimeoutInMinutes is not applicable for WorkSpace with running mode set to ALWAYS_ON.")
	case minutes != nil:
		return p, Refusef("AutoStopTimeoutIsNotDefaultForManualWorkspace",
			"RunningModeAutoStopTimeoutInMinutes is not applicable for WorkSpace with running mode set to MANUAL.")
	}
	return p, nil
}

func (o Order) checkName() error {
	switch {
	case o.UserName == Undefined && o.Name == "":
		return Refusef("InvalidParameterValues.WorkspaceName", "A WorkSpace for the user name %s needs a WorkspaceName.", Undefined)
	case o.UserName != Undefined && o.Name != "":
		return Refusef("InvalidParameterValues.WorkspaceName", "WorkspaceName is only for WorkSpaces with the user name %s.", Undefined)
	case strings.TrimSpace(o.UserName) == "":
		return Refusef("ResourceNotFound.User", "The user name is empty.")
	}
	return nil
}

// NewWorkSpace makes the WorkSpace of an order, PENDING.
func NewWorkSpace(c *Chance, s Scope, o Order, b Bundle, p Properties, now time.Time) (*WorkSpace, error) {
	w := &WorkSpace{
		Scope: s, ID: NewWorkSpaceID(c), DirectoryID: o.DirectoryID, UserName: o.UserName, Name: o.Name, BundleID: b.ID, Image: b.Image,
		Properties: p, RootEncrypted: o.RootEncrypted, UserEncrypted: o.UserEncrypted, EncryptionKey: o.EncryptionKey,
		IPv6Address: o.IPv6Address, ComputerName: NewComputerName(c), CreatedAt: now,
	}
	return w, w.Begin(ActionCreate, now)
}

// CanBePowered refuses to start or stop a WorkSpace that always runs.
// Source: StartWorkspaces and StopWorkspaces.
func (w *WorkSpace) CanBePowered() error {
	if w.Properties.RunningMode == AlwaysOn {
		return Errorf(CodeNotSupported, "The WorkSpace %s has the running mode ALWAYS_ON; only AUTO_STOP and MANUAL ones are started and stopped.", w.ID)
	}
	return nil
}

// Capture begins to make an image of the WorkSpace's root volume. Errors: CodeInvalidState, CodeNotSupported.
// Source: CreateWorkspaceImage and spec, section B.
func (w *WorkSpace) Capture(now time.Time) error {
	if w.RootEncrypted || w.UserEncrypted {
		return Errorf(CodeNotSupported, "The WorkSpace %s has an encrypted volume; no image can be made of it.", w.ID)
	}
	if w.Aside != "" {
		return Errorf(CodeInvalidState, "The properties of the WorkSpace %s are being modified; an image can be made of it afterwards.", w.ID).About(w.ID)
	}
	if !ActionCapture.Allowed(w.State) {
		return Errorf(CodeInvalidState, "The WorkSpace %s is in the state %s; an image can be made of it while it is AVAILABLE.", w.ID, w.State).About(w.ID)
	}
	if w.Aside != "" {
		return Errorf(CodeInvalidState, "The WorkSpace %s is being modified; an image can be made of it afterwards.", w.ID).About(w.ID)
	}
	return w.Begin(ActionCapture, now)
}
