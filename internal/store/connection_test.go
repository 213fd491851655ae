package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// streamOf is a stream to a WorkSpace, opened at a minute of the test.
func streamOf(workSpace, id string, minute int) store.Stream {
	return store.Stream{Scope: here, WorkSpaceID: workSpace, ID: id, OpenedAt: at(minute)}
}

// at is a minute of the test.
func at(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }

func opens(t *testing.T, s *store.Store, streams ...store.Stream) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error {
		for _, st := range streams {
			if err := tx.OpenStream(t.Context(), st); err != nil {
				return err
			}
		}
		return nil
	})
}

func closes(t *testing.T, s *store.Store, st store.Stream, minute int) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error { return tx.CloseStream(t.Context(), st, at(minute)) })
}

func connectionTo(t *testing.T, s *store.Store, id string) workspaces.Connection {
	t.Helper()
	return read(t, s, func(tx *store.Tx) (map[string]workspaces.Connection, error) {
		return tx.Connections(t.Context(), here, []string{id})
	})[id]
}

func autoStopping(id string) *workspaces.WorkSpace {
	w := workSpace(id)
	w.State, w.ReadyAt = workspaces.Available, start
	w.Properties.RunningMode, w.Properties.AutoStopMinutes = workspaces.AutoStop, 60
	return w
}

func TestConnection(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		insert(t, s, "ws-1", "ws-2")
		a, b := streamOf("ws-1", "a", 1), streamOf("ws-1", "b", 2)
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{})
		opens(t, s, a)
		opens(t, s, b)
		connected := workspaces.Connection{Connected: true, ConnectedAt: at(1)}
		equal(t, connectionTo(t, s, "ws-1"), connected)
		closes(t, s, a, 3)
		equal(t, connectionTo(t, s, "ws-1"), connected)
		closes(t, s, a, 4) // again
		closes(t, s, b, 5)
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{ConnectedAt: at(1), DisconnectedAt: at(5)})
		closes(t, s, b, 6)
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{ConnectedAt: at(1), DisconnectedAt: at(5)})
		opens(t, s, streamOf("ws-1", "c", 7))
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{Connected: true, ConnectedAt: at(7)})
		equal(t, connectionTo(t, s, "ws-2"), workspaces.Connection{})
	})
}

// What is known of connections goes with the WorkSpace, and nothing is noted of one that is gone.
func TestConnectionGoesWithItsWorkSpace(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		insert(t, s, "ws-1")
		a := streamOf("ws-1", "a", 1)
		opens(t, s, a)
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.DeleteWorkSpace(t.Context(), workSpace("ws-1").Ref())
			return err
		})
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{})
		fates := func() []store.StreamFate {
			return read(t, s, func(tx *store.Tx) ([]store.StreamFate, error) { return tx.StreamFates(t.Context()) })
		}
		equal(t, fates(), []store.StreamFate{{ID: "a", State: workspaces.Absent, Side: 1}})
		closes(t, s, a, 2)
		opens(t, s, streamOf("ws-1", "b", 3))
		equal(t, len(fates()), 0)
		equal(t, connectionTo(t, s, "ws-1"), workspaces.Connection{})
	})
}

// Two processes carry streams of one WorkSpace; one wants the other's to end, and one dies.
func TestStreamsOfTwoProcesses(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		ctx := t.Context()
		one, two := open(t, url), open(t, url)
		w := workSpace("ws-1")
		w.State = workspaces.Available
		update(t, one, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		a, b := streamOf("ws-1", "a", 1), streamOf("ws-1", "b", 2)
		opens(t, one, a)
		opens(t, two, b)
		fates := func(s *store.Store) []store.StreamFate {
			return read(t, s, func(tx *store.Tx) ([]store.StreamFate, error) { return tx.StreamFates(ctx) })
		}
		update(t, two, func(tx *store.Tx) error {
			ids, err := tx.EndStreams(ctx, b, "taken over")
			equal(t, ids, []string{"a"})
			return err
		})
		equal(t, fates(one), []store.StreamFate{{ID: "a", Why: "taken over", State: workspaces.Available, Side: 2}})
		equal(t, fates(two), []store.StreamFate{{ID: "b", State: workspaces.Available, Side: 2}})

		// One dies, and is seen to by two.
		keep := func(s *store.Store, minute int, streams ...store.Stream) {
			update(t, s, func(tx *store.Tx) error { return tx.KeepStreams(ctx, streams, at(minute)) })
		}
		others := func() []store.StreamProcess {
			return read(t, two, func(tx *store.Tx) ([]store.StreamProcess, error) { return tx.OtherStreamProcesses(ctx) })
		}
		bury := func(p store.StreamProcess) {
			update(t, two, func(tx *store.Tx) error { return tx.BuryStreamProcess(ctx, p) })
		}
		stale := others()[0]
		keep(one, 3, a)
		bury(stale) // it has shown itself since
		equal(t, len(fates(one)), 1)
		dead := others()[0]
		equal(t, dead.SeenAt, at(3))
		bury(dead)
		equal(t, len(fates(one)), 0)
		equal(t, len(others()), 0)
		equal(t, connectionTo(t, two, "ws-1").Connected, true)
		closes(t, two, b, 4)
		equal(t, connectionTo(t, two, "ws-1").DisconnectedAt, at(4))

		// It was not dead, only slow, and has ended a stream meanwhile without being able to write so.
		keep(one, 5, a, streamOf("ws-1", "c", 5))
		keep(one, 6, a)
		equal(t, fates(one), []store.StreamFate{{ID: "a", State: workspaces.Available, Side: 1}})
		equal(t, connectionTo(t, one, "ws-1").Connected, true)
		keep(one, 7)
		equal(t, connectionTo(t, one, "ws-1").DisconnectedAt, at(7))
		equal(t, len(others()), 0)
	})
}

// With the last stream the time until AutoStop begins.
func TestAutoStopsDue(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		never, stopped := autoStopping("ws-never"), autoStopping("ws-stopped")
		never.Properties.RunningMode, stopped.State = workspaces.AlwaysOn, workspaces.Stopped
		update(t, s, func(tx *store.Tx) error {
			for _, w := range []*workspaces.WorkSpace{autoStopping("ws-1"), autoStopping("ws-2"), never, stopped} {
				if err := tx.InsertWorkSpace(ctx, w); err != nil {
					return err
				}
			}
			return nil
		})
		due := func(minute int) (ids []string) {
			for _, idle := range read(t, s, func(tx *store.Tx) ([]store.IdleWorkSpace, error) { return tx.AutoStopsDue(ctx, at(minute), 9) }) {
				ids = append(ids, fmt.Sprint(idle.ID, " ", idle.Connected))
			}
			slices.Sort(ids)
			return ids
		}
		next := func() time.Time {
			return read(t, s, func(tx *store.Tx) (time.Time, error) { return tx.NextAutoStop(ctx) })
		}
		equal(t, next(), at(60))
		equal(t, due(59), []string(nil))
		a := streamOf("ws-1", "a", 10)
		opens(t, s, a)
		equal(t, due(60), []string{"ws-1 true", "ws-2 false"})
		closes(t, s, a, 20)
		equal(t, due(79), []string{"ws-2 false"})
		equal(t, due(80), []string{"ws-1 false", "ws-2 false"})
		update(t, s, func(tx *store.Tx) error {
			for _, until := range []time.Time{at(100), {}} {
				for _, generation := range []int64{1, 7} { // the second is not its
					ref := autoStopping("ws-2").Ref()
					if ref.Generation = generation; generation != 1 {
						until = at(1)
					}
					if err := tx.PutOffAutoStop(ctx, ref, until); err != nil {
						return err
					}
				}
			}
			return nil
		})
		equal(t, next(), at(80))
		ahead := func(minute int) []workspaces.Ref {
			return read(t, s, func(tx *store.Tx) ([]workspaces.Ref, error) { return tx.AutoStopsAhead(ctx, at(minute)) })
		}
		equal(t, len(ahead(20)), 0)
		equal(t, ahead(19), []workspaces.Ref{autoStopping("ws-1").Ref()}) // its last disconnect is ahead
		update(t, s, func(tx *store.Tx) error {
			w, _, err := tx.WorkSpace(ctx, here, "ws-1")
			if err != nil {
				return err
			}
			return tx.RestartIdleness(ctx, w, at(6))
		})
		equal(t, next(), at(66))
		equal(t, connectionTo(t, s, "ws-1").DisconnectedAt, at(6))
	})
}

// TestConnectionsModel opens and closes streams at random beside a plain list of them.
func TestConnectionsModel(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	s := open(t, url)
	made := 0
	rapid.Check(t, func(r *rapid.T) {
		made++
		id := fmt.Sprintf("ws-%d", made)
		insert(t, s, id)
		var list []store.Stream
		want := workspaces.Connection{}
		for minute := range rapid.IntRange(1, 20).Draw(r, "steps") {
			switch n := rapid.IntRange(0, 3).Draw(r, "do"); {
			case n == 0 || len(list) == 0:
				st := streamOf(id, fmt.Sprint(id, " ", minute), minute)
				opens(t, s, st)
				if len(list) == 0 {
					want = workspaces.Connection{Connected: true, ConnectedAt: at(minute)}
				}
				list = append(list, st)
			case n == 1:
				update(t, s, func(tx *store.Tx) error { return tx.KeepStreams(t.Context(), list, at(minute)) })
			default:
				i := rapid.IntRange(0, len(list)-1).Draw(r, "which")
				closes(t, s, list[i], minute)
				list = slices.Delete(list, i, i+1)
				if len(list) == 0 {
					want.Connected, want.DisconnectedAt = false, at(minute)
				}
			}
			equal(t, connectionTo(t, s, id), want)
		}
		for _, st := range list {
			closes(t, s, st, 99)
		}
	})
}

func TestPlansOfConnections(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.SQLite(t))
	ctx := t.Context()
	for name, c := range map[string]struct {
		index []string
		f     func(tx *store.Tx) error
	}{
		"next": {[]string{"COVERING INDEX workspace_auto_stop"}, func(tx *store.Tx) error {
			_, err := tx.NextAutoStop(ctx)
			return err
		}},
		"due": {[]string{"INDEX workspace_auto_stop", "INDEX sqlite_autoindex_connection_1"}, func(tx *store.Tx) error {
			_, err := tx.AutoStopsDue(ctx, start, 9)
			return err
		}},
		"ahead": {[]string{"INDEX workspace_auto_stop", "INDEX sqlite_autoindex_connection_1"}, func(tx *store.Tx) error {
			_, err := tx.AutoStopsAhead(ctx, start)
			return err
		}},
		"connections": {[]string{"INDEX sqlite_autoindex_connection_1"}, func(tx *store.Tx) error {
			_, err := tx.Connections(ctx, here, []string{"a", "b"})
			return err
		}},
		"fates": {[]string{"INDEX stream_of_process", "INDEX sqlite_autoindex_workspace_1", "INDEX sqlite_autoindex_stream_1"}, func(tx *store.Tx) error {
			_, err := tx.StreamFates(ctx)
			return err
		}},
	} {
		plan, err := s.Explained(c.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, index := range c.index {
			if !strings.Contains(plan, index+" (") || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s: want %s:\n%s", name, index, plan)
			}
		}
	}
}
