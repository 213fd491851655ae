package reconcile_test

import (
	"context"
	"testing"

	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestPoolDesktopReplaced has a desktop of a pool stop answering: it is removed and another is made,
// and what is made is nobody's orphan.
func TestPoolDesktopReplaced(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	p := workspaces.NewPool(nil, workspaces.Pool{
		Scope: jobtest.Scope(), Name: "lab", DirectoryID: jobtest.DirectoryID, RunningMode: workspaces.AlwaysOn, Desired: 2,
		Design: workspaces.PoolDesign{Image: "carrel/xfce", ComputeType: "VALUE", RootGiB: 80, UserGiB: 10},
	}, w.Clock.Now())
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertPool(ctx, p) })
	w.Settle()
	ready := func() (ids []string) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			all, err := tx.PoolDesktops(ctx, p.Scope, p.ID)
			ids = nil
			for _, d := range all {
				if d.State == workspaces.PoolDesktopReady {
					ids = append(ids, d.ID)
				}
			}
			return err
		})
		return ids
	}
	before := ready()
	if len(before) != 2 {
		t.Fatalf("ready are %v", before)
	}
	living(t, w)
	if err := w.Engine.Break(t.Context(), before[0]); err != nil {
		t.Fatal(err)
	}
	w.Await("another is ready in its place", func() bool {
		now := ready()
		return len(now) == 2 && now[0] != before[0] && now[1] != before[0]
	})
	w.Sound()

	// One that is in use takes the session with it.
	session, err := w.API.JoinPool(w.Context(), p.ID, "jane")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Engine.Break(t.Context(), session.DesktopID); err != nil {
		t.Fatal(err)
	}
	w.Await("the session is over, and two are ready again", func() (over bool) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			_, lasts, err := tx.PoolSession(ctx, session.Scope, session.ID)
			over = !lasts
			return err
		})
		return over && len(ready()) == 2
	})
}
