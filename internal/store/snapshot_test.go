package store_test

import (
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestSnapshots(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		insert(t, s, "ws-1", "ws-2")
		of := func(id string) workspaces.Snapshots {
			return read(t, s, func(tx *store.Tx) (workspaces.Snapshots, error) { return tx.Snapshots(ctx, here, id) })
		}
		put := func(id string, n workspaces.Snapshot) {
			update(t, s, func(tx *store.Tx) error { return tx.PutSnapshot(ctx, here, id, n) })
		}
		first, second := *filled[workspaces.Snapshot](1), *filled[workspaces.Snapshot](100)
		put("ws-1", second)
		put("ws-1", first)
		put("ws-2", first)
		equal(t, of("ws-1"), workspaces.Snapshots{first, second})
		changed := *filled[workspaces.Snapshot](500)
		changed.Seq, changed.Name = first.Seq, first.Name // they are for ever
		put("ws-1", changed)
		equal(t, of("ws-1"), workspaces.Snapshots{changed, second})
		update(t, s, func(tx *store.Tx) error { return tx.DeleteSnapshot(ctx, here, "ws-1", second.Seq) })
		equal(t, of("ws-1"), workspaces.Snapshots{changed})
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.DeleteWorkSpace(ctx, workSpace("ws-1").Ref())
			return err
		})
		equal(t, [2]int{len(of("ws-1")), len(of("ws-2"))}, [2]int{0, 1})
		update(t, s, func(tx *store.Tx) error { return tx.Reset(ctx) })
		equal(t, len(of("ws-2")), 0)
	})
}

// TestSnapshotsDue has one WorkSpace be taken after the other, but for one that something is at
// work on and one without snapshots.
func TestSnapshotsDue(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
		next := func() time.Time {
			return read(t, s, func(tx *store.Tx) (time.Time, error) { return tx.NextSnapshotDue(ctx) })
		}
		take := func(now, watchdog time.Time, limit int) (ids []string) {
			update(t, s, func(tx *store.Tx) error {
				refs, err := tx.TakeSnapshotsDue(ctx, now, watchdog, limit)
				ids = nil
				for _, r := range refs {
					ids = append(ids, r.ID)
				}
				return err
			})
			return ids
		}
		equal(t, next(), time.Time{})
		for id, due := range map[string]int{"late": 9, "early": 5, "works": 1, "never": 0} {
			w := workSpace(id)
			if due > 0 {
				w.NextSnapshotAt = at(due)
			}
			if id == "works" {
				w.Deadline = at(100)
			}
			update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		}
		equal(t, next(), at(5))
		equal(t, len(take(at(4), at(60), 9)), 0)
		equal(t, take(at(10), at(60), 1), []string{"early"})
		equal(t, take(at(10), at(60), 9), []string{"late"})
		equal(t, next(), at(60))
		for generation, want := range map[int64]bool{1: true, 2: false} {
			update(t, s, func(tx *store.Tx) error {
				current, err := tx.PutSnapshotOff(ctx, workspaces.Ref{Scope: here, ID: "late", Generation: generation}, at(30+int(generation)))
				equal(t, current, want)
				return err
			})
		}
		equal(t, next(), at(31))
		update(t, s, func(tx *store.Tx) error { return tx.BringSnapshotsForward(ctx, at(20), at(40)) })
		equal(t, next(), at(20)) // the one that was to come at 60

		settled := func(now time.Time) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) {
				return tx.Settled(ctx, workspaces.KindWorkSpace, workspaces.Ref{Scope: here, ID: "late"}, now)
			})
		}
		equal(t, [2]bool{settled(at(30)), settled(at(31))}, [2]bool{true, false})
		for _, c := range []struct {
			state      workspaces.SnapshotState
			generation int64
			want       bool
		}{
			{workspaces.SnapshotPending, 1, false},
			{workspaces.SnapshotRedo, 1, false},
			{workspaces.SnapshotPending, 0, true},
			{workspaces.SnapshotAvailable, 1, true},
			{workspaces.SnapshotDropping, 1, true},
		} {
			n := workspaces.Snapshot{Seq: 1, State: c.state, Generation: c.generation}
			update(t, s, func(tx *store.Tx) error { return tx.PutSnapshot(ctx, here, "late", n) })
			equal(t, settled(at(30)), c.want)
		}
	})
}
