package store_test

import (
	"slices"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestAtRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(w *workspaces.WorkSpace)
		rests  bool
	}{
		"nothing to be done":      {func(*workspaces.WorkSpace) {}, true},
		"a turn that is due":      {func(w *workspaces.WorkSpace) { w.WakeAt = start }, false},
		"one that was due":        {func(w *workspaces.WorkSpace) { w.WakeAt = start.Add(-time.Hour) }, false},
		"one that is being taken": {func(w *workspaces.WorkSpace) { w.WakeAt = start.Add(workspaces.Watchdog) }, false},
		"one to come":             {func(w *workspaces.WorkSpace) { w.WakeAt = start.Add(time.Second) }, true},
		"a snapshot that is due": {func(w *workspaces.WorkSpace) {
			w.State, w.NextSnapshotAt = workspaces.Available, start
		}, false},
		"a snapshot that is being taken": {func(w *workspaces.WorkSpace) {
			w.State, w.NextSnapshotAt = workspaces.Stopped, start.Add(workspaces.Watchdog)
		}, false},
		"a snapshot to come": {func(w *workspaces.WorkSpace) {
			w.State, w.NextSnapshotAt = workspaces.Available, start.Add(time.Second)
		}, true},
		"a snapshot that cannot be taken": {func(w *workspaces.WorkSpace) {
			w.State, w.NextSnapshotAt = workspaces.Unhealthy, start
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, s *store.Store) {
				w := workSpace("ws-1")
				c.change(w)
				var rests bool
				err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
					if err := tx.InsertWorkSpace(t.Context(), w); err != nil {
						return err
					}
					rests, err = tx.AtRest(t.Context(), start)
					return err
				})
				if err != nil || rests != c.rests {
					t.Errorf("at rest: %v, %v", rests, err)
				}
			})
		})
	}
}

// TestRestBeforeMaintenance counts what is due to be maintained where somebody looks at that.
func TestRestBeforeMaintenance(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		w := workSpace("ws-1")
		insert(t, s, w.ID)
		for _, maintains := range []bool{false, true} {
			s.Maintains = maintains
			for _, at := range []time.Time{start, start.Add(time.Second)} {
				var rests bool
				err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
					if err := tx.PutOffMaintenance(t.Context(), w.Scope, w.ID, at); err != nil {
						return err
					}
					rests, err = tx.AtRest(t.Context(), start)
					return err
				})
				if want := !maintains || at.After(start); err != nil || rests != want {
					t.Errorf("with a maintenance at %v, looked at: %v: at rest: %v, %v", at, maintains, rests, err)
				}
			}
		}
	})
}

func TestWorkSpacesAfter(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		var seqs []int64
		after := func(seq int64) (ids []string) {
			seqs = nil
			err := s.View(func(tx *store.Tx) error {
				return tx.WorkSpacesAfter(t.Context(), seq, func(w *workspaces.WorkSpace, seq int64) {
					ids, seqs = append(ids, w.ID), append(seqs, seq)
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		insert(t, s, "ws-2")
		before := s.Seq()
		insert(t, s, "ws-1")
		insert(t, s, "ws-3")
		if got := after(before); !slices.Equal(got, []string{"ws-1", "ws-3"}) {
			t.Errorf("after %d there are %v", before, got)
		}
		if got := after(0); !slices.Equal(got, []string{"ws-2", "ws-1", "ws-3"}) || !slices.IsSorted(seqs) {
			t.Errorf("there are %v, %v", got, seqs)
		}
		if got := after(s.Seq()); len(got) > 0 {
			t.Errorf("there are %v still to come", got)
		}
	})
}
