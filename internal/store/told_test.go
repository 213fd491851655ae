package store_test

import (
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func tells(t *testing.T, s *store.Store, id string, minute int) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error { return tx.TellConnected(t.Context(), here, id, at(minute)) })
}

// TestToldConnection: who is told to be connected stays until the contrary is told, or the desktop can be visited no more, or
// somebody takes it over.
func TestToldConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(tx *store.Tx, w *workspaces.WorkSpace) error
		ends bool
	}{
		"it is told": {func(tx *store.Tx, w *workspaces.WorkSpace) error {
			return tx.TellDisconnected(t.Context(), here, w.ID, at(9))
		}, true},
		"the desktop stops": {func(tx *store.Tx, w *workspaces.WorkSpace) error {
			return saveAs(t, tx, w, workspaces.Stopping)
		}, true},
		"the desktop falls silent": {func(tx *store.Tx, w *workspaces.WorkSpace) error {
			return saveAs(t, tx, w, workspaces.Unhealthy)
		}, false},
		"the user is locked out": {func(tx *store.Tx, w *workspaces.WorkSpace) error {
			return saveAs(t, tx, w, workspaces.AdminMaintenance)
		}, false},
		"somebody takes over": {func(tx *store.Tx, w *workspaces.WorkSpace) error {
			ids, err := tx.EndStreams(t.Context(), streamOf(w.ID, "mine", 9), "taken")
			if len(ids) > 0 {
				t.Errorf("nobody carries %v", ids)
			}
			return err
		}, true},
		"another process starts": {func(*store.Tx, *workspaces.WorkSpace) error { return nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, s *store.Store) {
				w := autoStopping("ws-1")
				update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(t.Context(), w) })
				tells(t, s, "ws-1", 1)
				tells(t, s, "ws-1", 2) // once is enough
				update(t, s, func(tx *store.Tx) error { return tx.KeepStreams(t.Context(), nil, at(3)) })
				if got := connectionTo(t, s, "ws-1"); !got.Connected || !got.ConnectedAt.Equal(at(1)) {
					t.Errorf("%+v", got)
				}
				update(t, s, func(tx *store.Tx) error { return c.end(tx, w) })
				got := connectionTo(t, s, "ws-1")
				if got.Connected == c.ends || c.ends && !got.DisconnectedAt.Equal(at(9)) {
					t.Errorf("%+v", got)
				}
				n := make(map[workspaces.Metric]int64)
				err := s.View(func(tx *store.Tx) error {
					return tx.Happenings(t.Context(), store.MetricFilter{Scope: here, To: at(99)}, func(h workspaces.Happening) { n[h.Metric] += h.N })
				})
				if err != nil || n[workspaces.MetricAttempt] != 1 || n[workspaces.MetricSuccess] != 1 || n[workspaces.MetricDisconnect] == 1 != c.ends {
					t.Errorf("%v, %v", n, err)
				}
			})
		})
	}
}

// saveAs saves a WorkSpace that has come to a state.
func saveAs(t *testing.T, tx *store.Tx, w *workspaces.WorkSpace, state workspaces.State) error {
	t.Helper()
	read := w.Generation
	w.State, w.ChangedAt, w.Generation = state, at(9), read+1
	_, err := tx.SaveWorkSpace(t.Context(), w, read)
	return err
}

// TestJournalOfStreams: what a journal told of ends when it says so, and after its end as what tests told of.
func TestJournalOfStreams(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := autoStopping("ws-1")
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		gone := autoStopping("ws-2")
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, gone) })
		repeat := func(kind store.ActKind, stream store.Stream, minute int) {
			t.Helper()
			update(t, s, func(tx *store.Tx) error {
				return tx.Repeat(ctx, &store.Act{Kind: kind, Scope: here, Stream: &stream, At: at(minute)})
			})
		}
		repeat(store.ActConnect, streamOf("ws-1", "a", 1), 0)
		update(t, s, func(tx *store.Tx) error { return saveAs(t, tx, w, workspaces.Stopping) })
		if got := connectionTo(t, s, "ws-1"); !got.Connected {
			t.Errorf("the journal has not said that they left: %+v", got)
		}
		repeat(store.ActDisconnect, streamOf("ws-1", "a", 1), 10)
		if got := connectionTo(t, s, "ws-1"); got.Connected || !got.DisconnectedAt.Equal(at(10)) {
			t.Errorf("%+v", got)
		}
		update(t, s, func(tx *store.Tx) error { return saveAs(t, tx, w, workspaces.Available) })
		repeat(store.ActConnect, streamOf("ws-1", "b", 11), 0)
		repeat(store.ActConnect, streamOf("ws-2", "c", 11), 0)
		update(t, s, func(tx *store.Tx) error { return saveAs(t, tx, gone, workspaces.Stopped) })
		update(t, s, func(tx *store.Tx) error { return tx.LeaveToTests(ctx, at(12)) })
		if got := connectionTo(t, s, "ws-1"); !got.Connected || !got.ConnectedAt.Equal(at(11)) {
			t.Errorf("%+v", got)
		}
		if got := connectionTo(t, s, "ws-2"); got.Connected || !got.DisconnectedAt.Equal(at(12)) {
			t.Errorf("%+v", got)
		}
		update(t, s, func(tx *store.Tx) error { return saveAs(t, tx, w, workspaces.Stopping) })
		if got := connectionTo(t, s, "ws-1"); got.Connected {
			t.Errorf("%+v", got)
		}
	})
}
