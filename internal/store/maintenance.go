package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// When a WorkSpace's maintenance is to be looked at stands beside it, and not in it: SaveWorkSpace need not know of
// windows. A new one is looked at when it is old enough, where anything is maintained at all, and whoever looks writes when
// to look again.

// DueMaintenance is a WorkSpace whose maintenance is to be looked at.
type DueMaintenance struct {
	*workspaces.WorkSpace
	MaintainedAt time.Time // zero: never
}

// MaintenancesDue returns WorkSpaces whose maintenance is to be looked at, the longest-waiting first.
func (t *Tx) MaintenancesDue(ctx context.Context, now time.Time, limit int) ([]DueMaintenance, error) {
	return list(ctx, t, func(row scanner) (d DueMaintenance, err error) {
		var wake, snapshot, maintained int64
		var record string
		if err := row.Scan(&wake, &snapshot, &maintained, &record); err != nil {
			return d, err
		}
		d.WorkSpace, d.MaintainedAt = &workspaces.WorkSpace{WakeAt: instantOf(wake), NextSnapshotAt: instantOf(snapshot)}, instantOf(maintained)
		return d, readWorkSpace(d.WorkSpace, record)
	}, "SELECT wake_at, next_snapshot_at, maintained_at, record FROM workspace WHERE maintenance_at > 0 AND maintenance_at <= $1"+
		" ORDER BY maintenance_at LIMIT $2", micros(now), limit)
}

// NextMaintenance returns when a maintenance is to be looked at next, the zero time where none is.
func (t *Tx) NextMaintenance(ctx context.Context) (time.Time, error) {
	var next int64
	err := t.row(ctx, "SELECT COALESCE(MIN(maintenance_at), 0) FROM workspace WHERE maintenance_at > 0").Scan(&next)
	return instantOf(next), err
}

// CountMaintained counts the WorkSpaces of all scopes that are being maintained.
func (t *Tx) CountMaintained(ctx context.Context) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace WHERE maintaining > 0").Scan(&n)
	return n, err
}

// PutOffMaintenance sets when the maintenance of a WorkSpace is to be looked at, whatever its generation; the zero time
// is never.
func (t *Tx) PutOffMaintenance(ctx context.Context, s workspaces.Scope, id string, until time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET maintenance_at = $1 WHERE account = $2 AND region = $3 AND id = $4",
		micros(until), s.Account, s.Region, id)
}

// NoteMaintenance writes when a WorkSpace was maintained, and when that is to be looked at next.
func (t *Tx) NoteMaintenance(ctx context.Context, s workspaces.Scope, id string, at, next time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET maintained_at = $1, maintenance_at = $2 WHERE account = $3 AND region = $4 AND id = $5",
		micros(at), micros(next), s.Account, s.Region, id)
}

// HastenMaintenances has those looked at that would come later than latest, as after the clock was set back, and those that
// are looked at never: they may have been made while nobody maintained.
func (t *Tx) HastenMaintenances(ctx context.Context, now, latest time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET maintenance_at = $1 WHERE maintenance_at = 0 OR maintenance_at > $2", micros(now), micros(latest))
}
