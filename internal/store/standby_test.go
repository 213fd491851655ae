package store_test

import (
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// tied puts a standby WorkSpace beside a primary that is there.
func tied(t *testing.T, s *store.Store, primary string) *workspaces.Standby {
	t.Helper()
	w := workSpace("ws-standby")
	w.Region = "far"
	w.Standby = true
	tie := &workspaces.Standby{
		Scope: w.Scope, ID: w.ID, PrimaryRegion: here.Region, PrimaryID: primary, Replication: workspaces.PrimaryAsSource,
		RecoveredAt: start, RetryAt: start.Add(time.Minute),
	}
	update(t, s, func(tx *store.Tx) error {
		if err := tx.InsertWorkSpace(t.Context(), w); err != nil {
			return err
		}
		return tx.InsertStandby(t.Context(), tie)
	})
	return tie
}

func TestStandbys(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		insert(t, s, "ws-1", "ws-2")
		tie := tied(t, s, "ws-1")
		find := func(f func(tx *store.Tx) (*workspaces.Standby, bool, error)) *workspaces.Standby {
			got, found, err := read3(s, f)
			if err != nil {
				t.Fatal(err)
			}
			if !found {
				return nil
			}
			return got
		}
		of := func(scope workspaces.Scope, id string) *workspaces.Standby {
			return find(func(tx *store.Tx) (*workspaces.Standby, bool, error) { return tx.StandbyOf(ctx, scope, id) })
		}
		equal(t, of(here, "ws-1"), tie)
		equal(t, of(here, "ws-2") == nil, true)
		equal(t, of(tie.Scope, "ws-1") == nil, true)
		equal(t, of(workspaces.Scope{Account: "2", Region: here.Region}, "ws-1") == nil, true)
		tie.Replication, tie.RecoveredAt, tie.RetryAt = workspaces.NoReplication, time.Time{}, time.Time{}
		update(t, s, func(tx *store.Tx) error { return tx.SaveStandby(ctx, tie) })
		equal(t, find(func(tx *store.Tx) (*workspaces.Standby, bool, error) { return tx.Standby(ctx, tie.Scope, tie.ID) }), tie)

		states := func(scope workspaces.Scope, ids ...string) (standbys, primaries []workspaces.StandbyStates) {
			if err := s.View(func(tx *store.Tx) (err error) {
				standbys, primaries, err = tx.StandbyStates(ctx, scope, ids)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return standbys, primaries
		}
		both := workspaces.StandbyStates{Standby: *tie, State: workSpace("").State, PrimaryState: workSpace("").State}
		standbys, primaries := states(here, "ws-1", "ws-2")
		equal(t, [2]int{len(standbys), len(primaries)}, [2]int{0, 1})
		equal(t, primaries[0], both)
		standbys, primaries = states(tie.Scope, tie.ID, "ws-1")
		equal(t, [2]int{len(standbys), len(primaries)}, [2]int{1, 0})
		equal(t, standbys[0], both)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountStandbys(ctx, tie.Scope) }), 1)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountStandbys(ctx, here) }), 0)

		// A second one of the same primary is refused by the database itself.
		again := *tie
		again.ID = "ws-again"
		if err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertStandby(ctx, &again) }); err == nil {
			t.Error("a primary has two")
		}
		remove := func(w workspaces.Ref) {
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.DeleteWorkSpace(ctx, w)
				return err
			})
		}
		remove(workSpace("ws-1").Ref())
		standbys, _ = states(tie.Scope, tie.ID)
		equal(t, standbys[0].PrimaryState, workspaces.Absent)
		ref := workSpace(tie.ID).Ref()
		ref.Scope = tie.Scope
		remove(ref)
		equal(t, of(here, "ws-1") == nil, true)
	})
}

// TestReplications finds the latest snapshot of a primary, while its standby WorkSpace follows and has not got it.
func TestReplications(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		insert(t, s, "ws-1", "ws-2")
		tie := tied(t, s, "ws-1")
		keep := func(id string, seq int64, state workspaces.SnapshotState, after time.Duration) {
			update(t, s, func(tx *store.Tx) error {
				return tx.PutSnapshot(ctx, here, id, workspaces.Snapshot{Seq: seq, Name: "s", TakenAt: start.Add(after), State: state})
			})
		}
		due := func() []store.Replication {
			return read(t, s, func(tx *store.Tx) ([]store.Replication, error) { return tx.Replications(ctx) })
		}
		keep("ws-1", 1, workspaces.SnapshotAvailable, 0)
		keep("ws-2", 9, workspaces.SnapshotAvailable, time.Hour)
		equal(t, len(due()), 0) // it has that
		keep("ws-1", 2, workspaces.SnapshotDropping, time.Minute)
		keep("ws-1", 5, workspaces.SnapshotPending, time.Hour)
		equal(t, len(due()), 0)
		keep("ws-1", 3, workspaces.SnapshotAvailable, 2*time.Minute)
		keep("ws-1", 4, workspaces.SnapshotAvailable, 3*time.Minute)
		equal(t, due(), []store.Replication{{Standby: tie, Snapshot: "s", TakenAt: start.Add(3 * time.Minute)}})
		tie.Replication = workspaces.NoReplication
		update(t, s, func(tx *store.Tx) error { return tx.SaveStandby(ctx, tie) })
		equal(t, len(due()), 0)
	})
}

func TestRegionsDown(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		down := func() []store.RegionDown {
			return read(t, s, func(tx *store.Tx) ([]store.RegionDown, error) { return tx.RegionsDown(ctx) })
		}
		is := func(name string) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.IsRegionDown(ctx, name) })
		}
		for i, name := range []string{"b", "a", "b"} { // that b is down is known already
			update(t, s, func(tx *store.Tx) error { return tx.PutRegionDown(ctx, name, start.Add(time.Duration(i)*time.Hour)) })
		}
		equal(t, down(), []store.RegionDown{{Name: "a", Since: start.Add(time.Hour)}, {Name: "b", Since: start}})
		equal(t, []bool{is("a"), is("c")}, []bool{true, false})
		for range 2 {
			update(t, s, func(tx *store.Tx) error { return tx.DeleteRegionDown(ctx, "a") })
		}
		equal(t, []bool{is("a"), is("b")}, []bool{false, true})
	})
}
