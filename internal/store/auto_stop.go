package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// When a WorkSpace's AutoStop is due stands beside it, as if nobody had ever connected:
// SaveWorkSpace need not know of connections. Whoever finds it due looks at them too, and
// puts it off where somebody is connected or has been since.

// IdleWorkSpace is a WorkSpace whose AutoStop is to be looked at.
type IdleWorkSpace struct {
	*workspaces.WorkSpace
	workspaces.Connection
}

// AutoStopsDue returns WorkSpaces whose AutoStop is due, the longest-waiting first.
func (t *Tx) AutoStopsDue(ctx context.Context, now time.Time, limit int) ([]IdleWorkSpace, error) {
	scan := func(row scanner) (i IdleWorkSpace, err error) {
		var connected, disconnected int64
		if i.WorkSpace, _, err = scanWorkSpace(row, &connected, &disconnected); err != nil {
			return i, err
		}
		i.Connection = workspaces.Connection{
			Connected: connected > 0 && disconnected == 0, ConnectedAt: instantOf(connected), DisconnectedAt: instantOf(disconnected),
		}
		return i, nil
	}
	return list(ctx, t, scan, "SELECT w.seq, w.wake_at, w.next_snapshot_at, w.record, COALESCE(c.connected_at, 0), COALESCE(c.disconnected_at, 0)"+
		" FROM workspace AS w"+
		" LEFT JOIN connection AS c ON c.account = w.account AND c.region = w.region AND c.workspace_id = w.id"+
		" WHERE w.auto_stop_at > 0 AND w.auto_stop_at <= $1 ORDER BY w.auto_stop_at LIMIT $2", micros(now), limit)
}

// NextAutoStop returns when the next AutoStop is due, the zero time where there is none.
func (t *Tx) NextAutoStop(ctx context.Context) (time.Time, error) {
	var next int64
	err := t.row(ctx, "SELECT COALESCE(MIN(auto_stop_at), 0) FROM workspace WHERE auto_stop_at > 0").Scan(&next)
	return instantOf(next), err
}

// PutOffAutoStop sets when a WorkSpace's AutoStop is due, if it still has the generation; the
// zero time is never.
func (t *Tx) PutOffAutoStop(ctx context.Context, r workspaces.Ref, until time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET auto_stop_at = $1 WHERE account = $2 AND region = $3 AND id = $4 AND generation = $5",
		micros(until), r.Account, r.Region, r.ID, r.Generation)
}

// HastenAutoStops makes every AutoStop due now that is due after a time: what is to be looked
// at again, since the clock has gone back.
func (t *Tx) HastenAutoStops(ctx context.Context, after, now time.Time) error {
	return t.exec(ctx, "UPDATE workspace SET auto_stop_at = $1 WHERE auto_stop_at > 0 AND auto_stop_at > $2", micros(now), micros(after))
}

// RestartIdleness has a WorkSpace's AutoStop count from now on, for one whose times lie in a
// future that the clock has come back from. A WorkSpace with the generation is written.
func (t *Tx) RestartIdleness(ctx context.Context, w *workspaces.WorkSpace, now time.Time) error {
	w.ReadyAt = now
	if _, err := t.SaveWorkSpace(ctx, w, w.Generation); err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE connection SET disconnected_at = $1 WHERE account = $2 AND region = $3 AND workspace_id = $4 AND disconnected_at > $1",
		micros(now), w.Account, w.Region, w.ID)
}
