package workspaces_test

import (
	"strings"
	"testing"
	"time"

	"carrel/internal/workspaces"
)

func TestCheckDirectoryName(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for name, good := range map[string]bool{
		"corp.example.com": true, "test.test": true, "CORP.Example.com": true, "a1-b.c": true, label + ".com": true,
		"corp": false, "": false, ".": false, "corp..com": false, "-corp.com": false, "corp-.com": false, "corp.com.": false,
		`corp\com`: false, "corp.ex ample": false, label + "a.com": false, strings.Repeat(label+".", 4) + "com": false,
	} {
		if err := workspaces.CheckDirectoryName(name); (err == nil) != good {
			t.Errorf("CheckDirectoryName(%q) = %v", name, err)
		}
	}
}

func TestShortNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"corp.example.com": "CORP", "a.b": "A", "abcdefghijklmnopqrst.test": "ABCDEFGHIJKLMNO",
	} {
		got := workspaces.ShortNameOf(name)
		if err := workspaces.CheckShortName(got); got != want || err != nil {
			t.Errorf("ShortNameOf(%q) = %q (%v), want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"ABCDEFGHIJKLMNOP", "A\x00B", "A\nB", " A", "A "} {
		if workspaces.CheckShortName(name) == nil {
			t.Errorf("CheckShortName(%q) accepts", name)
		}
	}
}

// TestStages follows a directory from its request to its end.
func TestStages(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := &workspaces.Directory{ID: "d-0123456789"}
	d.Begin(now)
	for _, want := range []workspaces.Stage{
		workspaces.StageRequested, workspaces.StageCreating, workspaces.StageCreated, workspaces.StageActive, workspaces.StageDeleting,
		workspaces.StageDeleted,
	} {
		next, passing := d.Stage.Next()
		if d.Stage != want || d.Deadline.IsZero() == passing {
			t.Errorf("the stage is %s with the deadline %v, want %s", d.Stage, d.Deadline, want)
		}
		if err := d.CheckActive(); (err == nil) != (want == workspaces.StageActive) {
			t.Errorf("CheckActive of %s = %v", d.Stage, err)
		}
		err := d.BeginDelete(now)
		if (err == nil) != (want == workspaces.StageActive) || err != nil && workspaces.CodeOf(err) != workspaces.CodeInvalidState {
			t.Errorf("BeginDelete of %s = %v", want, err)
		}
		if passing {
			d.Enter(next, now)
		}
	}
}
