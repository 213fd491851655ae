package workspaces_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"carrel/internal/workspaces"
)

// desk returns an AVAILABLE WorkSpace that was made at noon.
func desk(computeType string, rootGiB, userGiB int) *workspaces.WorkSpace {
	return &workspaces.WorkSpace{
		ID: "ws-1", State: workspaces.Available, CreatedAt: noon, ReadyAt: noon, Generation: 7,
		Properties: workspaces.Properties{
			ComputeType: computeType, RootGiB: rootGiB, UserGiB: userGiB, RunningMode: workspaces.AlwaysOn, Protocols: []string{"PCOIP"},
		},
	}
}

var pcoip = workspaces.Bundle{Protocol: "PCOIP"}

// TestModify holds every rule of the specification (section C) against one change.
func TestModify(t *testing.T) {
	t.Parallel()
	type change = workspaces.Change
	const ok = workspaces.Code("")
	for name, c := range map[string]struct {
		desk   *workspaces.WorkSpace
		change change
		want   workspaces.Code
		says   string
	}{
		"nothing":             {desk("STANDARD", 80, 50), change{}, ok, ""},
		"what it has":         {desk("STANDARD", 80, 50), change{RootGiB: 80, UserGiB: 50, ComputeType: "STANDARD", RunningMode: "ALWAYS_ON"}, ok, ""},
		"two volumes":         {desk("STANDARD", 80, 100), change{RootGiB: 175, UserGiB: 200}, workspaces.CodeInvalidParameter, "ROOT_VOLUME and USER_VOLUME"},
		"compute and volume":  {desk("STANDARD", 80, 50), change{ComputeType: "POWER", UserGiB: 100}, workspaces.CodeInvalidParameter, "COMPUTE_TYPE and USER_VOLUME"},
		"mode and compute":    {desk("STANDARD", 80, 50), change{ComputeType: "POWER", RunningMode: "MANUAL"}, workspaces.CodeInvalidParameter, "RunningMode and COMPUTE_TYPE"},
		"system":              {desk("STANDARD", 80, 50), change{OperatingSystem: "WINDOWS_10"}, workspaces.CodeInvalidParameter, "OperatingSystemName"},
		"user 10 to 50":       {desk("VALUE", 80, 10), change{UserGiB: 50}, ok, ""},
		"user 10 to 100":      {desk("VALUE", 80, 10), change{UserGiB: 100}, ok, ""},
		"user 10 to 60":       {desk("VALUE", 80, 10), change{UserGiB: 60}, workspaces.CodeInvalidParameter, "(80|10), (80|50), (80|100) or (175+|100+)"},
		"user before root":    {desk("VALUE", 80, 100), change{UserGiB: 200}, workspaces.CodeInvalidParameter, "(175+|100+)"},
		"root with user 50":   {desk("STANDARD", 80, 50), change{RootGiB: 175}, workspaces.CodeInvalidParameter, "(175+|100+)"},
		"root with user 100":  {desk("STANDARD", 80, 100), change{RootGiB: 175}, ok, ""},
		"root to 2000":        {desk("POWER", 175, 100), change{RootGiB: 2000}, ok, ""},
		"root to 2001":        {desk("POWER", 175, 100), change{RootGiB: 2001}, workspaces.CodeInvalidParameter, ""},
		"root to 100":         {desk("STANDARD", 80, 100), change{RootGiB: 100}, workspaces.CodeInvalidParameter, ""},
		"user after root":     {desk("POWER", 175, 100), change{UserGiB: 2000}, ok, ""},
		"root shrinks":        {desk("POWER", 500, 100), change{RootGiB: 175}, workspaces.CodeInvalidParameter, "can only grow"},
		"user shrinks":        {desk("STANDARD", 80, 50), change{UserGiB: 10}, workspaces.CodeInvalidParameter, "can only grow"},
		"graphics root":       {desk("GRAPHICS_G4DN", 100, 100), change{RootGiB: 120}, ok, ""},
		"larger compute":      {desk("STANDARD", 80, 50), change{ComputeType: "POWERPRO"}, ok, ""},
		"smaller compute":     {desk("POWERPRO", 175, 100), change{ComputeType: "VALUE"}, ok, ""},
		"large, small disks":  {desk("POWER", 80, 50), change{ComputeType: "GENERALPURPOSE_4XLARGE"}, workspaces.CodeInvalidParameter, "(175+|100+)"},
		"large":               {desk("POWER", 175, 100), change{ComputeType: "GENERALPURPOSE_8XLARGE"}, ok, ""},
		"to graphics":         {desk("POWER", 175, 100), change{ComputeType: "GRAPHICS_G4DN"}, workspaces.CodeInvalidParameter, "GRAPHICS_G4DN"},
		"from graphics":       {desk("GRAPHICS", 100, 100), change{ComputeType: "POWER"}, workspaces.CodeInvalidParameter, ""},
		"between the g4dn":    {desk("GRAPHICS_G4DN", 100, 100), change{ComputeType: "GRAPHICSPRO_G4DN"}, ok, ""},
		"between graphics":    {desk("GRAPHICS", 100, 100), change{ComputeType: "GRAPHICS_G4DN"}, workspaces.CodeInvalidParameter, ""},
		"protocol":            {desk("STANDARD", 80, 50), change{Protocols: []string{"WSP"}}, ok, ""},
		"protocol twice":      {desk("STANDARD", 80, 50), change{Protocols: []string{"WSP", "WSP"}}, workspaces.CodeInvalidParameter, "twice"},
		"protocol, graphics":  {desk("GRAPHICS_G4DN", 100, 100), change{Protocols: []string{"WSP"}}, workspaces.CodeUnsupportedWorkSpace, ""},
		"timeout, always on":  {desk("STANDARD", 80, 50), change{AutoStopMinutes: new(60)}, workspaces.CodeInvalidParameter, "ALWAYS_ON"},
		"timeout, manual":     {desk("STANDARD", 80, 50), change{RunningMode: "MANUAL", AutoStopMinutes: new(60)}, workspaces.CodeInvalidParameter, "MANUAL"},
		"no whole hours":      {desk("STANDARD", 80, 50), change{RunningMode: "AUTO_STOP", AutoStopMinutes: new(90)}, workspaces.CodeInvalidParameter, "60"},
		"for ever":            {desk("STANDARD", 80, 50), change{RunningMode: "AUTO_STOP", AutoStopMinutes: new(math.MaxInt32 / 60 * 60)}, workspaces.CodeInvalidParameter, "60"},
		"no time":             {desk("STANDARD", 80, 50), change{RunningMode: "AUTO_STOP", AutoStopMinutes: new(0)}, workspaces.CodeInvalidParameter, "60"},
		"mode with a timeout": {desk("STANDARD", 80, 50), change{RunningMode: "AUTO_STOP", AutoStopMinutes: new(120)}, ok, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := *c.desk
			changed, err := c.desk.Modify(c.change, pcoip, workspaces.OpenLimits(), noon)
			if workspaces.CodeOf(err) != c.want || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want %s that says %q", err, c.want, c.says)
			}
			if (err == nil && changed) != (c.desk.Generation > before.Generation) {
				t.Errorf("changed: %v (%v), and the generation went from %d to %d", changed, err, before.Generation, c.desk.Generation)
			}
			if err != nil && (c.desk.State != before.State || c.desk.Modification.Resource != "" || c.desk.Properties.RunningMode != before.Properties.RunningMode) {
				t.Errorf("refused and done: %+v", c.desk)
			}
		})
	}
}

// The running mode changes at once, and brings its timeout along.
func TestSwitchMode(t *testing.T) {
	t.Parallel()
	w := desk("STANDARD", 80, 50)
	for i, c := range []struct {
		change  workspaces.Change
		mode    string
		minutes int
	}{
		{workspaces.Change{RunningMode: workspaces.AutoStop}, workspaces.AutoStop, 60},
		{workspaces.Change{AutoStopMinutes: new(180)}, workspaces.AutoStop, 180},
		{workspaces.Change{RunningMode: workspaces.AutoStop}, workspaces.AutoStop, 180},
		{workspaces.Change{RunningMode: workspaces.Manual}, workspaces.Manual, 0},
		{workspaces.Change{RunningMode: workspaces.AlwaysOn}, workspaces.AlwaysOn, 0},
	} {
		now := noon.Add(time.Duration(i+1) * time.Hour)
		changed, err := w.Modify(c.change, pcoip, workspaces.AWSLimits(), now)
		if err != nil || w.Properties.RunningMode != c.mode || w.Properties.AutoStopMinutes != c.minutes || w.State != workspaces.Available {
			t.Fatalf("%d: %v: %+v", i, err, w.Properties)
		}
		if changed != w.ReadyAt.Equal(now) {
			t.Errorf("%d: AutoStop counts from %v", i, w.ReadyAt)
		}
	}
	w.Properties.RunningMode, w.State = workspaces.Manual, workspaces.Stopped
	if _, err := w.Modify(workspaces.Change{RunningMode: workspaces.AlwaysOn}, pcoip, workspaces.OpenLimits(), noon); err != nil || w.State != workspaces.Starting {
		t.Errorf("one that always runs is %s (%v)", w.State, err)
	}
}

// A modification is seen to begin, go on and end, and changes nothing where it fails.
func TestModification(t *testing.T) {
	t.Parallel()
	for resource, change := range map[string]workspaces.Change{
		workspaces.ModifiesRoot: {RootGiB: 200}, workspaces.ModifiesUser: {UserGiB: 200}, workspaces.ModifiesCompute: {ComputeType: "POWERPRO"},
		workspaces.ModifiesProtocol: {Protocols: []string{"WSP"}},
	} {
		for _, from := range []workspaces.State{workspaces.Available, workspaces.Stopped} {
			for _, fails := range []bool{false, true} {
				t.Run(fmt.Sprint(resource, from, fails), func(t *testing.T) {
					t.Parallel()
					w := desk("POWER", 175, 100)
					w.State = from
					before := w.Properties
					if _, err := w.Modify(change, pcoip, workspaces.OpenLimits(), noon); err != nil {
						t.Fatal(err)
					}
					grows := resource == workspaces.ModifiesRoot || resource == workspaces.ModifiesUser
					if stays := w.State == from; stays != grows || w.ModificationState() != "UPDATE_INITIATED" || w.Modification.Resource != resource {
						t.Fatalf("%s, %s of %s", w.State, w.ModificationState(), w.Modification.Resource)
					}
					w.Phase++
					if w.ModificationState() != "UPDATE_IN_PROGRESS" {
						t.Errorf("%s", w.ModificationState())
					}
					if _, err := w.Modify(workspaces.Change{ComputeType: "VALUE"}, pcoip, workspaces.OpenLimits(), noon); workspaces.CodeOf(err) != workspaces.CodeInProgress {
						t.Errorf("a second one: %v", err)
					}
					for _, a := range []workspaces.Action{workspaces.ActionStart, workspaces.ActionReboot, workspaces.ActionRebuild, workspaces.ActionSicken} {
						if err := w.Begin(a, noon); err == nil {
							t.Errorf("it can %s meanwhile", a)
						}
					}
					if err := w.Capture(noon); workspaces.CodeOf(err) != workspaces.CodeInvalidState {
						t.Errorf("an image is made of it meanwhile: %v", err)
					}
					wanted := w.Wanted()
					if fails {
						w.Fail(noon, "Code", "message")
						wanted = before
					} else {
						w.Finish(noon)
					}
					if w.State != from || fmt.Sprint(w.Properties) != fmt.Sprint(wanted) {
						t.Errorf("%s with %+v", w.State, w.Properties)
					}
					if want := map[bool]string{false: "", true: "UPDATE_FAILED"}[fails]; w.ModificationState() != want {
						t.Errorf("%q, not %q", w.ModificationState(), want)
					}
					if err := w.Begin(workspaces.ActionTerminate, noon); err != nil || w.ModificationState() != "" {
						t.Errorf("%v, %q", err, w.ModificationState())
					}
				})
			}
		}
	}
}

// TestRations goes through the service's waits, hour by hour, where they are asked for.
func TestRations(t *testing.T) {
	t.Parallel()
	w := desk("STANDARD", 80, 50)
	at := noon
	try := func(hours int, change workspaces.Change, want bool) {
		t.Helper()
		at = noon.Add(time.Duration(hours) * time.Hour)
		for _, l := range []workspaces.Limits{workspaces.OpenLimits(), workspaces.AWSLimits()} {
			tried := *w
			_, err := tried.Modify(change, pcoip, l, at)
			if may := want || !l.ModificationsAreRationed; may != (err == nil) || err != nil && workspaces.CodeOf(err) != workspaces.CodeUnavailable {
				t.Errorf("after %d hours with %s limits: %+v: %v", hours, l.Name, change, err)
			}
			if l.ModificationsAreRationed && err == nil {
				tried.Finish(at)
				*w = tried
			}
		}
	}
	larger, largest, small := workspaces.Change{ComputeType: "PERFORMANCE"}, workspaces.Change{ComputeType: "POWERPRO"}, workspaces.Change{ComputeType: "VALUE"}
	try(5, larger, false)
	try(5, workspaces.Change{UserGiB: 100}, false)
	try(6, larger, true)
	try(7, workspaces.Change{UserGiB: 100}, true)
	try(8, workspaces.Change{RootGiB: 175}, true) // each volume for itself
	try(9, workspaces.Change{UserGiB: 200}, false)
	try(11, largest, false)
	try(12, largest, true)
	try(13, workspaces.Change{UserGiB: 200}, true)
	try(13, workspaces.Change{RootGiB: 200}, false)
	try(13, small, true)
	try(19, largest, true)
	try(20, small, false)
	try(13+30*24-1, small, false)
	try(13+30*24, small, true)
}

// A failed modification does not count.
func TestFailedModificationIsNotRationed(t *testing.T) {
	t.Parallel()
	w := desk("STANDARD", 80, 50)
	for range 2 {
		if _, err := w.Modify(workspaces.Change{UserGiB: 100}, pcoip, workspaces.AWSLimits(), noon.Add(7*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.Fail(noon.Add(7*time.Hour), "Code", "message")
	}
}

// The protocol belongs to bundles that were made for PCoIP.
func TestProtocolOfWSPBundle(t *testing.T) {
	t.Parallel()
	w := desk("STANDARD", 80, 50)
	_, err := w.Modify(workspaces.Change{Protocols: []string{"WSP"}}, workspaces.Bundle{Protocol: "WSP"}, workspaces.OpenLimits(), noon)
	if workspaces.CodeOf(err) != workspaces.CodeUnsupportedWorkSpace {
		t.Error(err)
	}
}
