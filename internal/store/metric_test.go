package store_test

import (
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestStaysAreKeptOnce: what a WorkSpace has been is written with what it is now, once, however often it is saved, and
// not at all where somebody else has moved it on.
func TestStaysAreKeptOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := &workspaces.WorkSpace{Scope: here, ID: "ws-1", UserName: "ann"}
		begin := func(a workspaces.Action, at time.Time) {
			t.Helper()
			if err := w.Begin(a, at); err != nil {
				t.Fatal(err)
			}
		}
		past := func() (n int) {
			err := s.View(func(tx *store.Tx) error {
				return tx.PastStays(ctx, store.MetricFilter{Scope: here, To: start.Add(24 * time.Hour)}, func(workspaces.Stay) { n++ })
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		save := func(read int64) (saved bool) {
			update(t, s, func(tx *store.Tx) (err error) {
				saved, err = tx.SaveWorkSpace(ctx, w, read)
				return err
			})
			return saved
		}
		begin(workspaces.ActionCreate, start)
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		read := w.Generation
		w.Finish(start.Add(time.Minute))
		if !save(read) || past() != 0 {
			t.Errorf("to have been PENDING left %d stays", past())
		}
		read = w.Generation
		begin(workspaces.ActionStop, start.Add(time.Hour))
		if save(read-1) || past() != 0 {
			t.Errorf("what was not saved left %d stays", past())
		}
		if !save(read) || !save(w.Generation) || past() != 1 {
			t.Errorf("an hour of being AVAILABLE left %d stays", past())
		}
		// STOPPING was over before there was a sample.
		w.Finish(start.Add(time.Hour + time.Second))
		if read = w.Generation - 1; !save(read) || past() != 1 {
			t.Errorf("a second of STOPPING left %d stays", past()-1)
		}
	})
}
