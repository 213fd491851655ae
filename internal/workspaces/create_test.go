package workspaces_test

import (
	"errors"
	"testing"

	"carrel/internal/workspaces"
)

func TestFill(t *testing.T) {
	t.Parallel()
	bundle := workspaces.PublicBundles("image")[1] // STANDARD, 80 and 50 GiB
	for name, c := range map[string]struct {
		order   workspaces.Order
		want    workspaces.Properties
		refusal string
		code    workspaces.Code
	}{
		"defaults": {
			order: workspaces.Order{UserName: "jane"},
			want:  workspaces.Properties{ComputeType: "STANDARD", RootGiB: 80, UserGiB: 50, RunningMode: "ALWAYS_ON"},
		},
		"auto stop": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RunningMode: "AUTO_STOP"}},
			want:  workspaces.Properties{ComputeType: "STANDARD", RootGiB: 80, UserGiB: 50, RunningMode: "AUTO_STOP", AutoStopMinutes: 60},
		},
		"auto stop of two hours": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RunningMode: "AUTO_STOP"}, AutoStopMinutes: new(120)},
			want:  workspaces.Properties{ComputeType: "STANDARD", RootGiB: 80, UserGiB: 50, RunningMode: "AUTO_STOP", AutoStopMinutes: 120},
		},
		"not whole hours": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RunningMode: "AUTO_STOP"}, AutoStopMinutes: new(90)},
			code:  workspaces.CodeInvalidParameter,
		},
		"no hours": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RunningMode: "AUTO_STOP"}, AutoStopMinutes: new(0)},
			code:  workspaces.CodeInvalidParameter,
		},
		"a timeout that always runs": {
			order: workspaces.Order{UserName: "jane", AutoStopMinutes: new(60)}, refusal: "AutoStopTimeoutIsNotApplicableForAnAlwaysOnWorkspace",
		},
		"a timeout by hand": {
			order:   workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RunningMode: "MANUAL"}, AutoStopMinutes: new(60)},
			refusal: "AutoStopTimeoutIsNotDefaultForManualWorkspace",
		},
		"undefined without a name": {order: workspaces.Order{UserName: "[UNDEFINED]"}, refusal: "InvalidParameterValues.WorkspaceName"},
		"a name with a user":       {order: workspaces.Order{UserName: "jane", Name: "desk"}, refusal: "InvalidParameterValues.WorkspaceName"},
		"a bad pair of volumes": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{RootGiB: 100, UserGiB: 100}}, code: workspaces.CodeInvalidParameter,
		},
		"the same protocol twice": {
			order: workspaces.Order{UserName: "jane", Properties: workspaces.Properties{Protocols: []string{"WSP", "WSP"}}},
			code:  workspaces.CodeInvalidParameter,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.order.Fill(bundle)
			if c.refusal != "" || c.code != "" {
				refusal, _ := errors.AsType[*workspaces.Refusal](err)
				if workspaces.CodeOf(err) != c.code || c.refusal != "" && (refusal == nil || refusal.Code != c.refusal) {
					t.Fatalf("got %v, want %s%s", err, c.refusal, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got.Protocols = nil
			if got.ComputeType != c.want.ComputeType || got.RootGiB != c.want.RootGiB || got.UserGiB != c.want.UserGiB ||
				got.RunningMode != c.want.RunningMode || got.AutoStopMinutes != c.want.AutoStopMinutes {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Volume pairs of the specification, section C.
func TestCheckVolumes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		compute    string
		root, user int
		good       bool
	}{
		{"VALUE", 80, 10, true},
		{"VALUE", 80, 50, true},
		{"STANDARD", 80, 100, true},
		{"POWERPRO", 175, 100, true},
		{"STANDARD", 2000, 2000, true},
		{"STANDARD", 80, 20, false},
		{"STANDARD", 100, 100, false},
		{"STANDARD", 175, 50, false},
		{"STANDARD", 2001, 100, false},
		{"GENERALPURPOSE_4XLARGE", 80, 10, false},
		{"GENERALPURPOSE_8XLARGE", 175, 100, true},
		{"GRAPHICS", 100, 100, true},
		{"GRAPHICS", 80, 10, false},
		{"STANDARD", -80, 10, false},
	} {
		if err := workspaces.CheckVolumes(c.compute, c.root, c.user); (err == nil) != c.good {
			t.Errorf("%s %d and %d: %v", c.compute, c.root, c.user, err)
		}
	}
}

func TestPublicBundlesHaveGoodVolumes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, b := range append(workspaces.PublicBundles("image"), workspaces.WellKnownBundles("image")...) {
		if seen[b.ID] {
			t.Errorf("%s is there twice", b.ID)
		}
		seen[b.ID] = true
		if err := workspaces.CheckVolumes(b.ComputeType, b.RootGiB, b.UserGiB); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
	}
}
