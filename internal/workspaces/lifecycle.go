package workspaces

import (
	"slices"
	"time"
)

// State is one of the 17 states of a WorkSpace.
type State string

// The states, as the API spells them. IMPAIRED is in the service's list, and Carrel never
// enters it.
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
	// Before is no state of the API either: in a row of the lifecycle it stands for the state
	// that the WorkSpace was in when the action began.
	Before State = "as before"
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
	ActionRebuild   Action = "rebuild"
	ActionRestore   Action = "restore"
	ActionMigrate   Action = "migrate"
	ActionModify    Action = "modify"
	ActionGrow      Action = "grow"
	ActionLock      Action = "lock"
	ActionUnlock    Action = "unlock"
	ActionStandBy   Action = "stand by"
	ActionTerminate Action = "terminate"

	ActionForget   Action = "forget"
	ActionSicken   Action = "sicken"
	ActionRecover  Action = "recover"
	ActionKeep     Action = "keep"
	ActionKeepUser Action = "keep user volume"

	ActionReplicate Action = "replicate"
	ActionMaintain  Action = "maintain"
	ActionUpdate    Action = "update"
)

// Transition is a row of the lifecycle: where an action may begin and where it leads.
type Transition struct {
	Action Action
	From   []State       // where it may begin
	During State         // the state while its job runs; Absent: it happens at once; Before: the state stays
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
		Action: ActionRebuild, From: []State{Available, Unhealthy, Rebooting, Stopped, Errored}, During: Rebuilding, Done: Available,
		Failed: Errored, Within: 30 * time.Minute,
		Why: "RebuildWorkspaces, with a snapshot of the user volume; it ends a reboot that is stuck",
	},
	{
		Action: ActionRestore, From: []State{Available, Unhealthy, Stopped, Errored}, During: Restoring, Done: Available, Failed: Errored,
		Within: 30 * time.Minute,
		Why:    "RestoreWorkspace, with snapshots of both volumes",
	},
	{
		Action: ActionMigrate, From: []State{Available, Stopped, Errored}, During: Maintenance, Done: Terminated, Failed: Before,
		Within: time.Hour,
		Why:    "MigrateWorkspace: the source; the target is created beside it, and terminate takes the source away once it is there",
	},
	{
		Action: ActionModify, From: []State{Available, Stopped}, During: Updating, Done: Before, Failed: Before, Within: time.Hour,
		Why: "ModifyWorkspaceProperties: compute type or protocol",
	},
	{
		Action: ActionGrow, From: []State{Available, Stopped}, During: Before, Done: Before, Failed: Before, Within: 2 * time.Hour,
		Why: "ModifyWorkspaceProperties: a volume; the state stays, ModificationStates tells, and only terminate may begin meanwhile",
	},
	{
		Action: ActionLock, From: []State{Available}, During: Absent, Done: AdminMaintenance, Failed: Available,
		Why: "ModifyWorkspaceState: nobody signs in, nothing is stopped, and the desktop's silence is no illness",
	},
	{
		Action: ActionUnlock, From: []State{AdminMaintenance}, During: Absent, Done: Available, Failed: AdminMaintenance,
		Why: "ModifyWorkspaceState",
	},
	{
		Action: ActionStandBy, From: []State{Available, Stopped}, During: Absent, Done: Before, Failed: Before,
		Why: "CreateStandbyWorkspaces: the primary, which stays as it is; the standby WorkSpace is created beside it",
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
	{
		Action: ActionKeep, From: []State{Available, Stopped}, During: Absent, Done: Before, Failed: Before,
		Why: "every 12 hours: a snapshot of both volumes",
	},
	{
		Action: ActionKeepUser, From: []State{Unhealthy}, During: Absent, Done: Before, Failed: Before,
		Why: "every 12 hours: a snapshot of the user volume only, so that the one of a sound root volume stays the latest",
	},
	{
		Action: ActionReplicate, From: []State{Available, Stopped}, During: Before, Done: Before, Failed: Before, Within: 2 * time.Hour,
		Why: "a standby WorkSpace gets what the latest snapshot of its primary's user volume holds; only terminate may begin meanwhile",
	},
	{
		Action: ActionMaintain, From: []State{Stopped}, During: Maintenance, Done: Stopped, Failed: Errored, Within: time.Hour,
		Why: "in a maintenance window: it is started for its updates and stopped again, whatever became of them; only a desktop that cannot be stopped fails",
	},
	{
		Action: ActionUpdate, From: []State{Available}, During: Before, Done: Before, Failed: Before, Within: time.Hour,
		Why: "likewise where it runs: updates are installed while it is used; only terminate may begin meanwhile",
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

// Running returns the actions of which one's job is at work in a state, none in a resting one.
func (s State) Running() (actions []Action) {
	for _, t := range lifecycle {
		if t.During == s && s != Absent && s != Before {
			actions = append(actions, t.Action)
		}
	}
	return actions
}

// Running returns the action whose job is at work on the WorkSpace, false where it rests.
func (w *WorkSpace) Running() (Action, bool) {
	if w.Aside != "" {
		return w.Aside, true
	}
	actions := w.State.Running()
	switch {
	case len(actions) == 0:
		return "", false
	case w.State == Maintenance && w.Migrating == "": // only a migration names another WorkSpace
		return ActionMaintain, true
	default:
		return actions[0], true
	}
}

// Begin moves the WorkSpace into the action's passing state, or refuses: with CodeInProgress
// while something is at work beside the state, else with CodeInvalidState. Where the action
// happens at once, the WorkSpace has arrived.
func (w *WorkSpace) Begin(a Action, now time.Time) error {
	if w.Standby && a.neverOfStandby() {
		return Errorf(CodeNotSupported, "The WorkSpace %s is a standby WorkSpace, which follows its primary and cannot %s.", w.ID, a)
	}
	if w.Aside != "" && a != ActionTerminate {
		return w.refuseAside()
	}
	if !a.Allowed(w.State) {
		return Errorf(CodeInvalidState, "The WorkSpace %s is in the state %s, in which it cannot %s.", w.ID, w.State, a).About(w.ID)
	}
	t, before := a.Lookup(), w.State
	switch t.During {
	case Absent:
		w.enter(t.Done, now)
		return nil
	case Before:
		w.enter(before, now)
		w.Aside = a
	default:
		w.enter(t.During, now)
	}
	w.Before = before
	w.Deadline, w.WakeAt = now.Add(t.Within), now.Add(Watchdog)
	return nil
}

// Watchdog is when a turn of work is asked for again, of the clock's time, where nothing
// has been heard of the last: its job may have died with its process. A turn too many
// is harmless, since every step may be taken twice.
const Watchdog = 2 * time.Minute

// Waits is when something looks again that waits for something else, which asks for a turn on it when that is
// done. It is another time than Watchdog, by what nobody moves a clock that stands, so that what only waits is not
// taken for what is at work: see store.AtRest.
const Waits = Watchdog + 7*time.Microsecond

// Finish ends the action that is running, in the state for success.
func (w *WorkSpace) Finish(now time.Time) {
	a, ok := w.Running()
	if !ok {
		return
	}
	w.apply(now)
	w.enter(w.end(a.Lookup().Done), now)
	w.ErrorCode, w.ErrorMessage = "", ""
}

// Overdue reports whether the action that is running has had all the time it may take.
func (w *WorkSpace) Overdue(now time.Time) bool {
	return !w.Deadline.IsZero() && !now.Before(w.Deadline)
}

// Fail ends the action that is running, in the state for giving up, with the reason.
func (w *WorkSpace) Fail(now time.Time, code, message string) {
	a, ok := w.Running()
	if !ok {
		return
	}
	failed := w.Modification
	w.enter(w.end(a.Lookup().Failed), now)
	if failed.Resource != "" {
		failed.Failed = true
		w.Modification = failed
	}
	w.ErrorCode, w.ErrorMessage = code, message
}

// end is where the action that is running leads.
func (w *WorkSpace) end(s State) State {
	if s == Before {
		return w.Before
	}
	return s
}

// RanBefore reports whether the desktop ran when the action that is running began.
func (w *WorkSpace) RanBefore() bool { return w.Before != Stopped }

func (w *WorkSpace) enter(s State, now time.Time) {
	if s == Available && w.State != s {
		w.ReadyAt = now
	}
	w.leave(now)
	w.State, w.ChangedAt = s, now
	w.Deadline, w.WakeAt, w.Attempts = time.Time{}, time.Time{}, 0
	w.Before, w.Aside, w.Phase, w.FromSnapshot, w.FromTakenAt, w.Migrating = "", "", 0, "", time.Time{}, ""
	w.Modification = Modification{}
	w.Generation++
	if _, keeps := s.Keeps(); keeps && !w.Standby && w.NextSnapshotAt.IsZero() {
		w.NextSnapshotAt = now
	} else if w.IsEnding() {
		w.NextSnapshotAt = time.Time{}
	}
}
