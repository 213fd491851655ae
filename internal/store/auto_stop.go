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

const selectIdle = "SELECT w.wake_at, w.record, COALESCE(c.connected_at, 0), COALESCE(c.disconnected_at, 0) FROM workspace AS w" +
	" LEFT JOIN connection AS c ON c.account = w.account AND c.region = w.region AND c.workspace_id = w.id"

func scanIdle(row scanner) (i IdleWorkSpace, err error) {
	var wake, connected, disconnected int64
	var record string
	if err := row.Scan(&wake, &record, &connected, &disconnected); err != nil {
		return i, err
	}
	i.WorkSpace = &workspaces.WorkSpace{WakeAt: instantOf(wake)}
	i.Connection = workspaces.Connection{
		Connected: connected > 0 && disconnected == 0, ConnectedAt: instantOf(connected), DisconnectedAt: instantOf(disconnected),
	}
	return i, readWorkSpace(i.WorkSpace, record)
}

// AutoStopsDue returns WorkSpaces whose AutoStop is due, the longest-waiting first.
func (t *Tx) AutoStopsDue(ctx context.Context, now time.Time, limit int) ([]IdleWorkSpace, error) {
	return list(ctx, t, scanIdle, selectIdle+" WHERE w.auto_stop_at > 0 AND w.auto_stop_at <= $1 ORDER BY w.auto_stop_at LIMIT $2", micros(now), limit)
}

// AutoStopsAhead returns the WorkSpaces that became idle at a time that is still to come: the
// clock has gone back since. It reads what is due later than the shortest timeout from now.
func (t *Tx) AutoStopsAhead(ctx context.Context, now time.Time) (refs []workspaces.Ref, err error) {
	err = t.each(ctx, func(row scanner) error {
		idle, err := scanIdle(row)
		if err == nil && idle.Ahead(now) {
			refs = append(refs, idle.Ref())
		}
		return err
	}, selectIdle+" WHERE w.auto_stop_at > 0 AND w.auto_stop_at > $1", micros(now.Add(workspaces.ShortestAutoStop)))
	return refs, err
}

// Ahead reports whether the WorkSpace became idle later than now.
func (i IdleWorkSpace) Ahead(now time.Time) bool {
	return i.ReadyAt.After(now) || i.DisconnectedAt.After(now)
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
