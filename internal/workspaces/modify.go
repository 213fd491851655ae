package workspaces

import (
	"slices"
	"strings"
	"time"
)

// Modification is a change of properties that takes its time: what will be, once it is done.
type Modification struct {
	Resource    string // what is modified; "": nothing
	Failed      bool   // it was given up, and nothing has changed
	ComputeType string
	RootGiB     int
	UserGiB     int
	Protocols   []string
}

// What can be modified. Source: the model's ModificationResourceEnum.
const (
	ModifiesRoot     = "ROOT_VOLUME"
	ModifiesUser     = "USER_VOLUME"
	ModifiesCompute  = "COMPUTE_TYPE"
	ModifiesProtocol = "PROTOCOL"
)

// Modified is when properties were last modified, for the rules on how often they may be.
type Modified struct {
	RootAt    time.Time
	UserAt    time.Time
	LargerAt  time.Time // the compute type, to a larger one
	SmallerAt time.Time // the compute type, to a smaller one
}

// ModificationState returns how far the modification is, "" where there is none.
// Source: the model's ModificationStateEnum.
func (w *WorkSpace) ModificationState() string {
	switch {
	case w.Modification.Resource == "":
		return ""
	case w.Modification.Failed:
		return "UPDATE_FAILED"
	case w.Phase == 0:
		return "UPDATE_INITIATED"
	default:
		return "UPDATE_IN_PROGRESS"
	}
}

// Wanted returns the properties as they will be once the modification is done.
func (w *WorkSpace) Wanted() Properties {
	p, m := w.Properties, w.Modification
	if m.Resource != "" && !m.Failed {
		p.ComputeType, p.RootGiB, p.UserGiB, p.Protocols = m.ComputeType, m.RootGiB, m.UserGiB, m.Protocols
	}
	return p
}

// apply makes the modification so.
func (w *WorkSpace) apply(now time.Time) {
	old := w.Properties.ComputeType
	w.Properties = w.Wanted()
	switch w.Modification.Resource {
	case ModifiesRoot:
		w.Modified.RootAt = now
	case ModifiesUser:
		w.Modified.UserAt = now
	case ModifiesCompute:
		if isLarger(w.Properties.ComputeType, old) {
			w.Modified.LargerAt = now
		} else {
			w.Modified.SmallerAt = now
		}
	}
}

func isLarger(computeType, than string) bool {
	a, b := ComputeOf(computeType), ComputeOf(than)
	return a.MemoryMiB > b.MemoryMiB || a.MemoryMiB == b.MemoryMiB && a.CPUs > b.CPUs
}

// Change is what ModifyWorkspaceProperties asks for. Empty members stay as they are.
type Change struct {
	RunningMode     string
	AutoStopMinutes *int
	ComputeType     string
	RootGiB         int
	UserGiB         int
	Protocols       []string
	OperatingSystem string
	Accelerator     *GlobalAccelerator
}

// IsEmpty reports whether it changes nothing of any WorkSpace.
func (c Change) IsEmpty() bool {
	return c.RunningMode == "" && c.AutoStopMinutes == nil && c.ComputeType == "" && c.RootGiB == 0 && c.UserGiB == 0 &&
		len(c.Protocols) == 0 && c.OperatingSystem == "" && c.Accelerator == nil
}

// refuseModified is the service's refusal while a modification runs; Terraform's provider looks
// for it. Source: spec, section B.
func (w *WorkSpace) refuseModified() *Error {
	return Errorf(CodeInProgress, "The properties of this WorkSpace are currently under modification. Please try again in a moment.").About(w.ID)
}

// refuseAside refuses what has to wait for what is at work beside the state.
func (w *WorkSpace) refuseAside() *Error {
	switch w.Aside {
	case ActionReplicate:
		return Errorf(CodeInProgress, "The WorkSpace %s is just being brought up to date from its primary. Please try again in a moment.", w.ID).About(w.ID)
	case ActionUpdate:
		return Errorf(CodeInProgress, "The WorkSpace %s is installing the updates of its maintenance window. Please try again later.", w.ID).About(w.ID)
	default:
		return w.refuseModified()
	}
}

// Modify begins the change, or makes it so where it takes no time. It reports whether the
// WorkSpace is another than before: what it has already is no change. Errors: CodeInProgress,
// CodeInvalidState, CodeInvalidParameter, CodeUnsupportedWorkSpace, CodeUnavailable.
// Source: ModifyWorkspaceProperties and spec, section C.
func (w *WorkSpace) Modify(c Change, b Bundle, l Limits, now time.Time) (changed bool, err error) {
	if w.Standby {
		return false, Errorf(CodeUnsupportedWorkSpace, "The WorkSpace %s is a standby WorkSpace, which follows its primary and cannot be modified.", w.ID).About(w.ID)
	}
	if w.Aside != "" {
		return false, w.refuseAside()
	}
	if a, _ := w.Running(); a == ActionModify {
		return false, w.refuseModified()
	}
	if !ActionModify.Allowed(w.State) {
		return false, Errorf(CodeInvalidState, "The WorkSpace %s is in the state %s, in which it cannot be modified.", w.ID, w.State).About(w.ID)
	}
	kinds, err := w.kindsOf(c)
	switch {
	case err != nil || len(kinds) == 0:
		return false, err
	case len(kinds) > 1:
		return false, Errorf(CodeInvalidParameter, "One property of a WorkSpace can be modified at a time, and the request has %s.",
			strings.Join(kinds, " and "))
	}
	switch kinds[0] {
	case kindMode:
		return true, w.switchMode(c, now)
	case kindAccelerator:
		w.Properties.Accelerator = *c.Accelerator
		w.Generation++
		return true, nil
	case ModifiesCompute:
		return true, w.changeCompute(c.ComputeType, l, now)
	case ModifiesProtocol:
		return true, w.changeProtocols(c.Protocols, b, now)
	default:
		return true, w.growVolume(kinds[0], c, l, now)
	}
}

const (
	kindMode        = "RunningMode"
	kindAccelerator = "GlobalAccelerator"
)

// kindsOf returns what the change would change, in the model's words.
func (w *WorkSpace) kindsOf(c Change) (kinds []string, err error) {
	p := &w.Properties
	if c.OperatingSystem != "" && c.OperatingSystem != p.OperatingSystem {
		return nil, Errorf(CodeInvalidParameter, "OperatingSystemName cannot be modified; MigrateWorkspace gives a WorkSpace another bundle.")
	}
	for _, of := range []struct {
		kind    string
		changes bool
	}{
		{kindMode, c.RunningMode != "" && c.RunningMode != p.RunningMode || c.AutoStopMinutes != nil && *c.AutoStopMinutes != p.AutoStopMinutes},
		{ModifiesCompute, c.ComputeType != "" && c.ComputeType != p.ComputeType},
		{ModifiesRoot, c.RootGiB != 0 && c.RootGiB != p.RootGiB},
		{ModifiesUser, c.UserGiB != 0 && c.UserGiB != p.UserGiB},
		{ModifiesProtocol, len(c.Protocols) > 0 && !slices.Equal(c.Protocols, p.Protocols)},
		{kindAccelerator, c.Accelerator != nil && *c.Accelerator != p.Accelerator},
	} {
		if of.changes {
			kinds = append(kinds, of.kind)
		}
	}
	return kinds, nil
}

// switchMode changes the running mode and its timeout, at once. What always runs and was stopped
// is started: nothing else could start it any more.
func (w *WorkSpace) switchMode(c Change, now time.Time) error {
	p, minutes := w.Properties, c.AutoStopMinutes
	if c.RunningMode != "" {
		p.RunningMode = c.RunningMode
	}
	if minutes == nil && p.RunningMode == AutoStop && p.AutoStopMinutes > 0 {
		minutes = &p.AutoStopMinutes
	}
	p.AutoStopMinutes = 0
	p, err := p.withRunningMode(minutes)
	if err != nil {
		return Errorf(CodeInvalidParameter, "%s", err.Error())
	}
	if p.RunningMode != w.Properties.RunningMode {
		w.leave(now)
		w.ChangedAt = now
	}
	w.Properties, w.ReadyAt = p, now
	if p.RunningMode == AlwaysOn && ActionStart.Allowed(w.State) {
		return w.Begin(ActionStart, now)
	}
	w.Generation++
	return nil
}

// Ratios of the service, for --limits aws. Source: the administration guide on modifying a WorkSpace (spec, section C).
const (
	growsEvery   = 6 * time.Hour
	largerEvery  = 6 * time.Hour
	smallerEvery = 30 * 24 * time.Hour
)

// ration refuses what was done too recently, where the limits ration it.
func (w *WorkSpace) ration(l Limits, what string, every time.Duration, now time.Time, since ...time.Time) error {
	if !l.ModificationsAreRationed {
		return nil
	}
	for _, at := range since {
		if until := at.Add(every); !at.IsZero() && now.Before(until) {
			return Errorf(CodeUnavailable, "The %s of the WorkSpace %s can be modified again from %s on.", what, w.ID, until.UTC().Format(time.RFC3339)).About(w.ID)
		}
	}
	return nil
}

// growVolume begins to grow one of the volumes.
func (w *WorkSpace) growVolume(kind string, c Change, l Limits, now time.Time) error {
	p, last := w.Properties, w.Modified.RootAt
	if kind == ModifiesRoot {
		p.RootGiB = c.RootGiB
	} else {
		p.UserGiB, last = c.UserGiB, w.Modified.UserAt
	}
	if p.RootGiB < w.Properties.RootGiB || p.UserGiB < w.Properties.UserGiB {
		return Errorf(CodeInvalidParameter, "The volumes of the WorkSpace %s have %d and %d GB and can only grow.", w.ID, w.Properties.RootGiB, w.Properties.UserGiB)
	}
	if err := CheckVolumes(p.ComputeType, p.RootGiB, p.UserGiB); err != nil {
		return err
	}
	if err := w.ration(l, "volumes", growsEvery, now, w.CreatedAt, last); err != nil {
		return err
	}
	return w.beginModification(ActionGrow, kind, p, now)
}

// changeCompute begins to change the compute type.
func (w *WorkSpace) changeCompute(to string, l Limits, now time.Time) error {
	p := w.Properties
	if !mayBecome(p.ComputeType, to) {
		return Errorf(CodeInvalidParameter, "A WorkSpace with the compute type %s cannot get the compute type %s.", p.ComputeType, to)
	}
	p.ComputeType = to
	if err := CheckVolumes(to, p.RootGiB, p.UserGiB); err != nil {
		return err
	}
	what, every, since := "compute type", smallerEvery, []time.Time{w.Modified.SmallerAt}
	if isLarger(to, w.Properties.ComputeType) {
		every, since = largerEvery, []time.Time{w.CreatedAt, w.Modified.LargerAt}
	}
	if err := w.ration(l, what, every, now, since...); err != nil {
		return err
	}
	return w.beginModification(ActionModify, ModifiesCompute, p, now)
}

// mayBecome reports whether one compute type can be changed to the other: any to any without
// graphics, and the two with graphics of the kind g4dn.
func mayBecome(from, to string) bool {
	g4dn := []string{"GRAPHICS_G4DN", "GRAPHICSPRO_G4DN"}
	return !ComputeOf(from).Graphics && !ComputeOf(to).Graphics || slices.Contains(g4dn, from) && slices.Contains(g4dn, to)
}

// changeProtocols begins to change the protocol, which is kept and shown: Carrel's desktops are
// reached the same way whatever it says.
func (w *WorkSpace) changeProtocols(to []string, b Bundle, now time.Time) error {
	p := w.Properties
	if b.Protocol != "PCOIP" || ComputeOf(p.ComputeType).Graphics || p.OperatingSystem == "WINDOWS_7" {
		return Errorf(CodeUnsupportedWorkSpace, "The protocol can be modified of WorkSpaces only that were made from a PCoIP bundle, "+
			"without graphics and without Windows 7.")
	}
	if err := checkProtocols(to); err != nil {
		return err
	}
	p.Protocols = to
	return w.beginModification(ActionModify, ModifiesProtocol, p, now)
}

func checkProtocols(protocols []string) error {
	for i, protocol := range protocols {
		if slices.Contains(protocols[:i], protocol) {
			return Errorf(CodeInvalidParameter, "The protocol %s is given twice.", protocol)
		}
	}
	return nil
}

func (w *WorkSpace) beginModification(a Action, resource string, p Properties, now time.Time) error {
	if err := w.Begin(a, now); err != nil {
		return err
	}
	w.Modification = Modification{
		Resource: resource, ComputeType: p.ComputeType, RootGiB: p.RootGiB, UserGiB: p.UserGiB, Protocols: p.Protocols,
	}
	return nil
}
