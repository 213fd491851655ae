package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// Snapshots returns the snapshots of a WorkSpace, in the order in which they were begun.
func (t *Tx) Snapshots(ctx context.Context, s workspaces.Scope, workSpaceID string) (workspaces.Snapshots, error) {
	return list(ctx, t, scanSnapshot, "SELECT seq, name, taken_at, root, state, generation FROM snapshot"+
		" WHERE account = $1 AND region = $2 AND workspace_id = $3 ORDER BY seq", s.Account, s.Region, workSpaceID)
}

func scanSnapshot(row scanner) (s workspaces.Snapshot, err error) {
	var at int64
	err = row.Scan(&s.Seq, &s.Name, &at, &s.Root, &s.State, &s.Generation)
	s.TakenAt = instantOf(at)
	return s, err
}

// PutSnapshot adds a snapshot of a WorkSpace, or writes what has become of it.
func (t *Tx) PutSnapshot(ctx context.Context, s workspaces.Scope, workSpaceID string, n workspaces.Snapshot) error {
	return t.exec(ctx, "INSERT INTO snapshot (account, region, workspace_id, seq, name, taken_at, root, state, generation)"+
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account, region, workspace_id, seq) DO UPDATE SET"+
		" taken_at = excluded.taken_at, root = excluded.root, state = excluded.state, generation = excluded.generation",
		s.Account, s.Region, workSpaceID, n.Seq, n.Name, micros(n.TakenAt), n.Root, string(n.State), n.Generation)
}

// DeleteSnapshot forgets a snapshot that the engine has removed.
func (t *Tx) DeleteSnapshot(ctx context.Context, s workspaces.Scope, workSpaceID string, seq int64) error {
	return t.exec(ctx, "DELETE FROM snapshot WHERE account = $1 AND region = $2 AND workspace_id = $3 AND seq = $4",
		s.Account, s.Region, workSpaceID, seq)
}

func (t *Tx) deleteSnapshots(ctx context.Context, s workspaces.Scope, workSpaceID string) error {
	return t.exec(ctx, "DELETE FROM snapshot WHERE account = $1 AND region = $2 AND workspace_id = $3", s.Account, s.Region, workSpaceID)
}

// TakeSnapshotsDue returns resting WorkSpaces whose automatic snapshot is due, the longest-waiting
// first, and puts their next off until the watchdog's time, in case this one dies.
func (t *Tx) TakeSnapshotsDue(ctx context.Context, now, watchdog time.Time, limit int) ([]workspaces.Ref, error) {
	return list(ctx, t, scanRef, "UPDATE workspace SET next_snapshot_at = $1 WHERE (account, region, id) IN"+
		" (SELECT account, region, id FROM workspace WHERE next_snapshot_at > 0 AND deadline = 0 AND next_snapshot_at <= $2"+
		" ORDER BY next_snapshot_at LIMIT $3) RETURNING account, region, id, generation", micros(watchdog), micros(now), limit)
}

// NextSnapshotDue returns when the next automatic snapshot is due, the zero time where there is none.
func (t *Tx) NextSnapshotDue(ctx context.Context) (time.Time, error) {
	var next int64
	err := t.row(ctx, "SELECT COALESCE(MIN(next_snapshot_at), 0) FROM workspace WHERE next_snapshot_at > 0 AND deadline = 0").Scan(&next)
	return instantOf(next), err
}

// PutSnapshotOff sets when the next automatic snapshot of a WorkSpace is due, zero for never, if it
// still has the generation, and reports whether it has.
func (t *Tx) PutSnapshotOff(ctx context.Context, r workspaces.Ref, until time.Time) (current bool, err error) {
	n, err := t.execCount(ctx, "UPDATE workspace SET next_snapshot_at = $1 WHERE account = $2 AND region = $3 AND id = $4 AND generation = $5",
		micros(until), r.Account, r.Region, r.ID, r.Generation)
	return n == 1, err
}

// BringSnapshotsForward makes due what would come later than latest: the clock was set back.
func (t *Tx) BringSnapshotsForward(ctx context.Context, now, latest time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET next_snapshot_at = $1 WHERE next_snapshot_at > 0 AND next_snapshot_at > $2", micros(now), micros(latest))
}
