package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// maintenances returns which WorkSpaces are to be looked at at a time, when the next is, and how many are being maintained.
func maintenances(t *testing.T, s *store.Store, now time.Time) (due []string, next time.Time, maintained int) {
	t.Helper()
	err := s.View(func(tx *store.Tx) error {
		found, err := tx.MaintenancesDue(t.Context(), now, 10)
		for _, d := range found {
			due = append(due, d.ID+" "+d.MaintainedAt.Format(time.DateOnly))
		}
		var err2, err3 error
		next, err2 = tx.NextMaintenance(t.Context())
		maintained, err3 = tx.CountMaintained(t.Context())
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Fatal(err)
	}
	return due, next, maintained
}

func TestMaintenances(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	onEach(t, func(t *testing.T, s *store.Store) {
		if due, next, n := maintenances(t, s, start); len(due) > 0 || !next.IsZero() || n != 0 {
			t.Errorf("%v, %v, %d of none", due, next, n)
		}
		insert(t, s, "ws-1") // while nobody maintains
		if due, next, _ := maintenances(t, s, start.Add(100*day)); len(due) > 0 || !next.IsZero() {
			t.Errorf("%v, from %v, where nobody maintains", due, next)
		}
		s.Maintains = true
		w := workSpace("ws-1")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.HastenMaintenances(t.Context(), w.CreatedAt.Add(workspaces.MaintainedFrom), start.Add(100*day))
		})
		if err != nil {
			t.Fatal(err)
		}
		insert(t, s, "ws-2")
		old := w.CreatedAt.Add(workspaces.MaintainedFrom)
		if due, next, _ := maintenances(t, s, old); len(due) != 2 || !next.Equal(old) {
			t.Errorf("new ones are looked at at %v: %v", next, due)
		}
		change := func(f func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
		}
		change(func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.NoteMaintenance(ctx, w.Scope, "ws-1", start, start.Add(day)), tx.PutOffMaintenance(ctx, w.Scope, "ws-2", start.Add(2*day)))
		})
		if due, next, _ := maintenances(t, s, start.Add(2*day)); !slices.Equal(due, []string{"ws-1 " + start.Format(time.DateOnly), "ws-2 0001-01-01"}) ||
			!next.Equal(start.Add(day)) {
			t.Errorf("%v, from %v", due, next)
		}
		// Saving a WorkSpace knows nothing of it, but for whether it is being maintained.
		for _, c := range []struct {
			move func(w *workspaces.WorkSpace) error
			n    int
		}{
			{func(w *workspaces.WorkSpace) error { w.State = workspaces.Stopped; return nil }, 0},
			{func(w *workspaces.WorkSpace) error { return w.Maintain(start) }, 1},
			{func(w *workspaces.WorkSpace) error { w.Finish(start); return nil }, 0},
			{func(w *workspaces.WorkSpace) error { w.State = workspaces.Available; return w.Maintain(start) }, 1},
			{func(w *workspaces.WorkSpace) error { return w.Begin(workspaces.ActionTerminate, start) }, 0},
		} {
			change(func(ctx context.Context, tx *store.Tx) error {
				w, _, err := tx.WorkSpace(ctx, w.Scope, "ws-1")
				if err != nil {
					return err
				}
				read := w.Generation
				if err := c.move(w); err != nil {
					return err
				}
				_, err = tx.SaveWorkSpace(ctx, w, read)
				return err
			})
			if due, next, n := maintenances(t, s, start.Add(day)); n != c.n || len(due) != 1 || !next.Equal(start.Add(day)) {
				t.Errorf("%d are being maintained, not %d; %v at %v", n, c.n, due, next)
			}
		}
		change(func(ctx context.Context, tx *store.Tx) error {
			return tx.HastenMaintenances(ctx, start, start.Add(day))
		})
		if due, next, _ := maintenances(t, s, start); len(due) != 1 || !next.Equal(start) {
			t.Errorf("after the clock went back %v are due, from %v", due, next)
		}
		change(func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutOffMaintenance(ctx, w.Scope, "ws-1", time.Time{}), tx.PutOffMaintenance(ctx, w.Scope, "ws-2", time.Time{}))
		})
		if due, next, _ := maintenances(t, s, start.Add(100*day)); len(due) > 0 || !next.IsZero() {
			t.Errorf("%v, from %v, of those that are never to be looked at", due, next)
		}
	})
}
