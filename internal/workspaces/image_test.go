package workspaces_test

import (
	"strings"
	"testing"
	"time"

	"carrel/internal/workspaces"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// TestImportStages walks through all stages, in which the progress grows.
func TestImportStages(t *testing.T) {
	t.Parallel()
	i := workspaces.NewImage(nil, workspaces.Image{Import: workspaces.CustomImport{SourceID: "ami-0a1b2c3d", Stage: workspaces.ImportPending}}, "test", noon)
	seen, last := 1, -1
	for {
		state, percent := i.ImportProgress()
		if state != string(i.Import.Stage) || percent <= last || percent >= 100 {
			t.Errorf("%s: %d%% after %d%%", state, percent, last)
		}
		last = percent
		next, more := i.Import.Stage.Next()
		if !more {
			break
		}
		i.EnterImportStage(next, noon)
		seen++
	}
	if seen != 12 {
		t.Errorf("%d stages", seen)
	}
	i.Finish(noon)
	if state, percent := i.ImportProgress(); state != "COMPLETED" || percent != 100 {
		t.Errorf("%s, %d%%", state, percent)
	}
	i.Fail(noon, "c", "m")
	if state, percent := i.ImportProgress(); state != "ERROR" || percent != last {
		t.Errorf("%s, %d%%", state, percent)
	}
}

func TestHasUpdates(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	i := workspaces.NewImage(nil, workspaces.Image{PackagesAt: noon, Origin: workspaces.Origin{Image: "x", Update: true}}, "test", noon)
	if i.HasUpdates(noon.Add(month)) {
		t.Error("an image that is PENDING has updates")
	}
	later := noon.Add(month)
	i.Finish(later)
	for at, want := range map[time.Duration]bool{0: false, month - 1: false, month: true} {
		if got := i.HasUpdates(later.Add(at)); got != want {
			t.Errorf("after %v: %v", at, got)
		}
	}
}

// TestEngineImages tells installations apart, whatever the ids.
func TestEngineImages(t *testing.T) {
	t.Parallel()
	i := workspaces.NewImage(nil, workspaces.Image{}, "abc", noon)
	if !strings.HasPrefix(i.Engine, workspaces.EngineImages("abc")) || strings.HasPrefix(i.Engine, workspaces.EngineImages("ab")) ||
		!strings.HasSuffix(i.Engine, i.ID) {
		t.Error(i.Engine)
	}
	if i.State != workspaces.ImagePending || !i.Deadline.After(noon) || !i.WakeAt.After(noon) || i.Generation == 0 {
		t.Errorf("%+v", i)
	}
}

func TestCapture(t *testing.T) {
	t.Parallel()
	for _, state := range workspaces.States() {
		w := &workspaces.WorkSpace{ID: "ws-1", State: state}
		err := w.Capture(noon)
		if state == workspaces.Available {
			if err != nil || w.State != workspaces.Suspended || !w.IsBeingCaptured() {
				t.Errorf("%s: %v, %+v", state, err, w)
			}
		} else if workspaces.CodeOf(err) != workspaces.CodeInvalidState || w.State != state {
			t.Errorf("%s: %v, %+v", state, err, w)
		}
	}
	growing := &workspaces.WorkSpace{State: workspaces.Available, Aside: workspaces.ActionGrow}
	if err := growing.Capture(noon); workspaces.CodeOf(err) != workspaces.CodeInvalidState || growing.Aside != workspaces.ActionGrow {
		t.Errorf("%v, %+v", err, growing)
	}
	for _, w := range []*workspaces.WorkSpace{{State: workspaces.Available, RootEncrypted: true}, {State: workspaces.Available, UserEncrypted: true}} {
		if err := w.Capture(noon); workspaces.CodeOf(err) != workspaces.CodeNotSupported || w.State != workspaces.Available {
			t.Errorf("%v, %+v", err, w)
		}
	}
}

func TestBundleOfAnImage(t *testing.T) {
	t.Parallel()
	image := func(change func(*workspaces.Image)) *workspaces.Image {
		i := &workspaces.Image{ID: "wsi-1", Engine: "e", State: workspaces.ImageAvailable, OSType: workspaces.Linux, Protocol: "WSP"}
		change(i)
		return i
	}
	plain := image(func(*workspaces.Image) {})
	b, err := workspaces.NewBundle(nil, workspaces.Scope{Account: "1"}, workspaces.BundleOrder{Name: "n", ComputeType: "STANDARD", UserGiB: 50}, plain, noon)
	if err != nil || b.Owner != "1" || b.Image != "e" || b.ImageID != "wsi-1" || b.RootGiB != 80 || b.CreatedAt != noon || b.UpdatedAt != noon {
		t.Fatalf("%+v, %v", b, err)
	}
	for name, c := range map[string]struct {
		change func(*workspaces.Image)
		code   workspaces.Code
	}{
		"pending": {func(i *workspaces.Image) { i.State = workspaces.ImagePending }, workspaces.CodeUnavailable},
		"windows": {func(i *workspaces.Image) { i.OSType = workspaces.Windows }, workspaces.CodeNotSupported},
		"large":   {func(i *workspaces.Image) { i.RootGiB = 175 }, workspaces.CodeInvalidParameter},
	} {
		other := b
		if err := other.SetImage(image(c.change), noon.Add(time.Hour)); workspaces.CodeOf(err) != c.code || other != b {
			t.Errorf("%s: %v, %+v", name, err, other)
		}
	}
}
