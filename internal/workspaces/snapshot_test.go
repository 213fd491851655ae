package workspaces_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/workspaces"
)

// What a rebuild and a restore would take is kept, and nothing else.
func TestOutdated(t *testing.T) {
	t.Parallel()
	for letters, want := range map[string]string{
		// A is complete with the root volume, U without, P on its way, D being dropped.
		"": "", "A": "", "AA": "0", "AU": "", "AUU": "1", "AAU": "0", "AUA": "01", "UU": "0", "AP": "", "AAP": "0", "DAUP": "", "DAAUUP": "13",
	} {
		var all workspaces.Snapshots
		for i, letter := range letters {
			s := workspaces.Snapshot{Seq: int64(i) + 1, Root: letter == 'A', State: map[rune]workspaces.SnapshotState{
				'A': workspaces.SnapshotAvailable, 'U': workspaces.SnapshotAvailable, 'P': workspaces.SnapshotPending, 'D': workspaces.SnapshotDropping,
			}[letter]}
			all = append(all, s)
		}
		var got []string
		for _, s := range all.Outdated() {
			got = append(got, fmt.Sprint(s.Seq-1))
		}
		if !slices.Equal(got, strings.Split(want, "")) && len(got)+len(want) > 0 {
			t.Errorf("%s: %v, not %s", letters, got, want)
		}
	}
}

// A snapshot that is on its way goes on only while nothing has happened and its time is near.
func TestBeginSnapshot(t *testing.T) {
	t.Parallel()
	w := desk("STANDARD", 80, 50)
	first := w.BeginSnapshot(nil, true, noon)
	if first.State != workspaces.SnapshotPending || first.Seq != 1 || first.Name != "s-20261125t120000-1" {
		t.Fatalf("%+v", first)
	}
	all := workspaces.Snapshots{first}
	if again := w.BeginSnapshot(all, true, noon.Add(9*time.Minute)); again != first {
		t.Errorf("%+v", again)
	}
	for name, redone := range map[string]workspaces.Snapshot{
		"late":      w.BeginSnapshot(all, true, noon.Add(10*time.Minute)),
		"set back":  w.BeginSnapshot(all, true, noon.Add(-time.Second)),
		"unhealthy": w.BeginSnapshot(all, false, noon),
	} {
		if redone.State != workspaces.SnapshotRedo || redone.Seq != 1 || redone.Name != first.Name {
			t.Errorf("%s: %+v", name, redone)
		}
	}
	w.Generation++
	if moved := w.BeginSnapshot(all, true, noon); moved.State != workspaces.SnapshotRedo || moved.Generation != w.Generation {
		t.Errorf("%+v", moved)
	}
	all[0].State = workspaces.SnapshotAvailable
	if second := w.BeginSnapshot(all, true, noon); second.Seq != 2 || second.Name == first.Name {
		t.Errorf("%+v", second)
	}
}
