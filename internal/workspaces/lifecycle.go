package workspaces

import (
	"slices"
	"time"
)

// State is one of the 17 states of a WorkSpace.
type State string

// The states, as the API spells them. IMPAIRED, MAINTENANCE and UPDATING are in the
// service's list whether or not Carrel ever enters them.
const (
	Pending          State = "PENDING"
	Available        State = "AVAILABLE"
	Impaired         State = "IMPAIRED"
	Unhealthy        State = "UNHEALTHY"
	Rebooting        State = "REBOOTING"
	Starting         State = "STARTING"
	Rebuilding       State = "REBUILDING"
	Restoring        State = "RESTORING"
	Maintenance      State = "MAINTENANCE"
	AdminMaintenance State = "ADMIN_MAINTENANCE"
	Terminating      State = "TERMINATING"
	Terminated       State = "TERMINATED"
	Suspended        State = "SUSPENDED"
	Updating         State = "UPDATING"
	Stopping         State = "STOPPING"
	Stopped          State = "STOPPED"
	Errored          State = "ERROR"

	// Absent is no state of the API: it stands for a WorkSpace that is not there,
	// before its creation and after it has been forgotten.
	Absent State = ""
)

// States returns all 17 states in the API's order.
func States() []State {
	return []State{
		Pending, Available, Impaired, Unhealthy, Rebooting, Starting, Rebuilding, Restoring, Maintenance,
		AdminMaintenance, Terminating, Terminated, Suspended, Updating, Stopping, Stopped, Errored,
	}
}

// Action is something that happens to a WorkSpace.
type Action string

// What clients ask for, then what Carrel does by itself.
const (
	ActionCreate    Action = "create"
	ActionStart     Action = "start"
	ActionStop      Action = "stop"
	ActionReboot    Action = "reboot"
	ActionCapture   Action = "capture"
	ActionTerminate Action = "terminate"

	ActionForget  Action = "forget"
	ActionSicken  Action = "sicken"
	ActionRecover Action = "recover"
)

// Transition is a row of the lifecycle: where an action may begin and where it leads.
type Transition struct {
	Action Action
	From   []State       // where it may begin
	During State         // the state while its job runs; Absent: it happens at once
	Done   State         // after success
	Failed State         // after giving up
	Within time.Duration // when it is given up, of the clock's time; 0: it happens at once
	Why    string        // the rule behind the row, for the generated document
}

// lifecycle is the one table of what may happen to a WorkSpace. Nothing else in
// Carrel assigns or compares states; docs/lifecycle.md is generated from it.
// Source of the From columns: the API reference of each operation; see the Why of a row
// where the sources leave something open.
var lifecycle = []Transition{
	{
		Action: ActionCreate, From: []State{Absent}, During: Pending, Done: Available, Failed: Errored, Within: 20 * time.Minute,
		Why: "CreateWorkspaces; the service names 20 minutes as its longest",
	},
	{
		Action: ActionStart, From: []State{Stopped}, During: Starting, Done: Available, Failed: Errored, Within: 10 * time.Minute,
		Why: "StartWorkspaces, only with running mode AUTO_STOP or MANUAL",
	},
	{
		Action: ActionStop, From: []State{Available, Impaired, Unhealthy, Errored}, During: Stopping, Done: Stopped, Failed: Errored,
		Within: 10 * time.Minute,
		Why:    "StopWorkspaces, only with running mode AUTO_STOP or MANUAL",
	},
	{
		Action: ActionReboot, From: []State{Available, Unhealthy}, During: Rebooting, Done: Available, Failed: Unhealthy,
		Within: 20 * time.Minute,
		Why:    "RebootWorkspaces; a reboot ends within its deadline, so the service's rule for a stuck REBOOTING never applies",
	},
	{
		Action: ActionCapture, From: []State{Available}, During: Suspended, Done: Available, Failed: Unhealthy, Within: 75 * time.Minute,
		Why: "CreateWorkspaceImage; the image is given up sooner than the desktop is, which is started again then",
	},
	{
		Action: ActionTerminate,
		From: []State{
			Pending, Available, Impaired, Unhealthy, Rebooting, Starting, Rebuilding, Restoring, Maintenance,
			AdminMaintenance, Updating, Stopping, Stopped, Errored,
		},
		During: Terminating, Done: Terminated, Failed: Errored, Within: 30 * time.Minute,
		Why: "TerminateWorkspaces: any state but SUSPENDED; asked again while it runs, it changes nothing",
	},
	{
		Action: ActionForget, From: []State{Terminated}, During: Absent, Done: Absent, Failed: Terminated,
		Why: "a TERMINATED WorkSpace is seen briefly, then its id is gone",
	},
	{
		Action: ActionSicken, From: []State{Available}, During: Absent, Done: Unhealthy, Failed: Available,
		Why: "the desktop has stopped answering",
	},
	{
		Action: ActionRecover, From: []State{Unhealthy}, During: Absent, Done: Available, Failed: Unhealthy,
		Why: "the desktop answers again",
	},
}

// Lifecycle returns a copy of the table, for its document and its tests.
func Lifecycle() []Transition { return slices.Clone(lifecycle) }

// Lookup returns the row of an action. Every Action constant has one.
func (a Action) Lookup() Transition {
	i := slices.IndexFunc(lifecycle, func(t Transition) bool { return t.Action == a })
	return lifecycle[i]
}

// Allowed reports whether the action may begin in a state.
func (a Action) Allowed(s State) bool { return slices.Contains(a.Lookup().From, s) }

// Running returns the action whose job is at work in a state, false in a resting one.
func (s State) Running() (Action, bool) {
	for _, t := range lifecycle {
		if t.During == s && s != Absent {
			return t.Action, true
		}
	}
	return "", false
}

// Begin moves the WorkSpace into the action's passing state, or refuses with
// CodeInvalidState. Where the action happens at once, the WorkSpace has arrived.
func (w *WorkSpace) Begin(a Action, now time.Time) error {
	if !a.Allowed(w.State) {
		return Errorf(CodeInvalidState, "The WorkSpace %s is in the state %s, in which it cannot %s.", w.ID, w.State, a).About(w.ID)
	}
	t := a.Lookup()
	if t.During == Absent {
		w.enter(t.Done, now)
		return nil
	}
	w.enter(t.During, now)
	w.Deadline, w.WakeAt = now.Add(t.Within), now.Add(Watchdog)
	return nil
}

// Watchdog is when a turn of work is asked for again, of the clock's time, where nothing
// has been heard of the last: its job may have died with its process. A turn too many
// is harmless, since every step may be taken twice.
const Watchdog = 2 * time.Minute

// Finish ends the action that is running, in the state for success.
func (w *WorkSpace) Finish(now time.Time) {
	if a, ok := w.State.Running(); ok {
		w.enter(a.Lookup().Done, now)
		w.ErrorCode, w.ErrorMessage = "", ""
	}
}

// Overdue reports whether the action that is running has had all the time it may take.
func (w *WorkSpace) Overdue(now time.Time) bool {
	return !w.Deadline.IsZero() && !now.Before(w.Deadline)
}

// Fail ends the action that is running, in the state for giving up, with the reason.
func (w *WorkSpace) Fail(now time.Time, code, message string) {
	if a, ok := w.State.Running(); ok {
		w.enter(a.Lookup().Failed, now)
		w.ErrorCode, w.ErrorMessage = code, message
	}
}

func (w *WorkSpace) enter(s State, now time.Time) {
	w.State, w.ChangedAt = s, now
	if s == Available {
		w.ReadyAt = now
	}
	w.Deadline, w.WakeAt, w.Attempts = time.Time{}, time.Time{}, 0
	w.Generation++
}
