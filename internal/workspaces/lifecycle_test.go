package workspaces_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/workspaces"
)

func TestLifecyclePageIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/lifecycle.md")
	if err != nil || string(page) != workspaces.LifecyclePage() {
		t.Fatalf("docs/lifecycle.md is not what go generate would write (%v)", err)
	}
}

// The table of the specification (section B), for the actions that exist so far.
func TestAllowedFrom(t *testing.T) {
	t.Parallel()
	for action, from := range map[workspaces.Action][]workspaces.State{
		workspaces.ActionStart:  {workspaces.Stopped},
		workspaces.ActionStop:   {workspaces.Available, workspaces.Impaired, workspaces.Unhealthy, workspaces.Errored},
		workspaces.ActionReboot: {workspaces.Available, workspaces.Unhealthy},
		workspaces.ActionRebuild: {
			workspaces.Available, workspaces.Unhealthy, workspaces.Rebooting, workspaces.Stopped, workspaces.Errored,
		},
		workspaces.ActionRestore: {workspaces.Available, workspaces.Unhealthy, workspaces.Stopped, workspaces.Errored},
		workspaces.ActionMigrate: {workspaces.Available, workspaces.Stopped, workspaces.Errored},
		workspaces.ActionModify:  {workspaces.Available, workspaces.Stopped},
		workspaces.ActionGrow:    {workspaces.Available, workspaces.Stopped},
		workspaces.ActionLock:    {workspaces.Available},
		workspaces.ActionUnlock:  {workspaces.AdminMaintenance},

		workspaces.ActionMaintain: {workspaces.Stopped},
		workspaces.ActionUpdate:   {workspaces.Available},
	} {
		for _, s := range workspaces.States() {
			if got, want := action.Allowed(s), slices.Contains(from, s); got != want {
				t.Errorf("%s from %s: allowed %v, want %v", action, s, got, want)
			}
		}
	}
	for _, s := range workspaces.States() {
		resting := s != workspaces.Suspended && s != workspaces.Terminating && s != workspaces.Terminated
		if got := workspaces.ActionTerminate.Allowed(s); got != resting {
			t.Errorf("terminate from %s: allowed %v, want %v", s, got, resting)
		}
	}
}

// Every passing state has a deadline, one action that runs in it, and both ways out lead
// to a state that is no passing one.
func TestEveryPassingStateEnds(t *testing.T) {
	t.Parallel()
	seen := map[workspaces.State]workspaces.Action{}
	for _, row := range workspaces.Lifecycle() {
		if row.Action.Lookup().Action != row.Action {
			t.Errorf("%s: Lookup finds another row", row.Action)
		}
		if row.During == workspaces.Absent {
			continue
		}
		// The row says which: in Aside, or by the other WorkSpace of a migration.
		if other, twice := seen[row.During]; twice && row.During != workspaces.Before && row.During != workspaces.Maintenance {
			t.Errorf("%s and %s both run in %s", row.Action, other, row.During)
		}
		seen[row.During] = row.Action
		if row.Within <= 0 {
			t.Errorf("%s has no deadline", row.Action)
		}
		for _, end := range []workspaces.State{row.Done, row.Failed} {
			if len(end.Running()) > 0 {
				t.Errorf("%s ends in %s, which passes again", row.Action, end)
			}
		}
	}
}

// Whatever is begun, finished and failed in whatever order, a WorkSpace is in a state of
// the API, has a deadline and a turn of work to come exactly while it passes, and its
// generation grows with every change.
func TestWalk(t *testing.T) {
	t.Parallel()
	actions := []workspaces.Action{
		workspaces.ActionStart, workspaces.ActionStop, workspaces.ActionReboot, workspaces.ActionRebuild, workspaces.ActionRestore,
		workspaces.ActionMigrate, workspaces.ActionModify, workspaces.ActionGrow, workspaces.ActionLock, workspaces.ActionUnlock,
		workspaces.ActionTerminate, workspaces.ActionSicken, workspaces.ActionRecover, workspaces.ActionMaintain, workspaces.ActionUpdate,
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		w := new(workspaces.WorkSpace)
		if err := w.Begin(workspaces.ActionCreate, now); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := *w
			now = now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				a := rapid.SampledFrom(actions).Draw(t, "action")
				may := a.Allowed(before.State) && (before.Aside == "" || a == workspaces.ActionTerminate)
				if err := w.Begin(a, now); (err == nil) != may {
					t.Fatalf("%s from %s: %v", a, before.State, err)
				} else if err != nil && workspaces.CodeOf(err) != workspaces.CodeInvalidState && before.Aside == "" {
					t.Fatalf("refused with %v", err)
				}
			case 1:
				w.Finish(now)
			case 2:
				w.Fail(now, "Code", "message")
			}
			check(t, &before, w)
		}
	})
}

func check(t *rapid.T, before, after *workspaces.WorkSpace) {
	if !slices.Contains(workspaces.States(), after.State) {
		t.Fatalf("state %q", after.State)
	}
	_, passing := after.Running()
	if passing == after.Deadline.IsZero() || passing == after.WakeAt.IsZero() {
		t.Fatalf("in %s the deadline is %v and the next turn %v", after.State, after.Deadline, after.WakeAt)
	}
	if moved := before.State != after.State; moved && after.Generation <= before.Generation {
		t.Fatalf("moved from %s to %s without a new generation", before.State, after.State)
	}
}
