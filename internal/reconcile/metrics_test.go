package reconcile_test

import (
	"context"
	"testing"
	"time"

	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestOldMetrics: what a WorkSpace has been is forgotten after 455 days, and not before.
func TestOldMetrics(t *testing.T) {
	t.Parallel()
	w, ids := stopping(t, storetest.SQLite(t), workspaces.Manual, "jane")
	began := w.Clock.Now()
	w.Advance(time.Hour)
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		desk, _, err := tx.WorkSpace(ctx, jobtest.Scope(), ids[0])
		if err != nil {
			return err
		}
		read := desk.Generation
		if err := desk.Begin(workspaces.ActionLock, w.Clock.Now()); err != nil {
			return err
		}
		_, err = tx.SaveWorkSpace(ctx, desk, read)
		return err
	})
	available := func() (n int) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			return tx.Stays(ctx, store.MetricFilter{Scope: jobtest.Scope(), To: w.Clock.Now()}, func(s workspaces.Stay) {
				if s.State == workspaces.Available {
					n++
				}
			})
		})
		return n
	}
	if n := available(); n != 1 {
		t.Errorf("it was AVAILABLE %d times", n)
	}
	w.Advance(began.Add(workspaces.MetricsKept).Sub(w.Clock.Now()))
	if n := available(); n != 1 {
		t.Error("it was forgotten before its time")
	}
	w.Advance(7 * time.Hour)
	w.Await("it is forgotten", func() bool { return available() == 0 })
}
