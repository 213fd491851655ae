package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// Stream is one that a process carries between a user's browser and a desktop: a WorkSpace, or one of
// a pool that a session is on. While it has any, somebody is connected to it.
type Stream struct {
	workspaces.Scope
	WorkSpaceID string // or the id of the pool's desktop
	ID          string // random
	OpenedAt    time.Time
	Told        Told `json:",omitempty"` // by whom, where no process carries it
}

// Told is who says that somebody is connected, in place of a process that carries the stream.
type Told string

// Whoever may say so. What a test suite says ends by itself when the desktop can be visited no more; what a
// journal says, when the journal says so.
const (
	ByTests   Told = "told by tests"
	ByJournal Told = "told by a journal"
)

// OpenStream notes that this process carries a stream. Where it is noted, or the WorkSpace is
// gone, it does nothing.
func (t *Tx) OpenStream(ctx context.Context, s Stream) error {
	process := string(s.Told)
	if s.Told != "" {
		t.store.told.Store(true)
	} else {
		process = t.store.process
		if err := t.exec(ctx, "INSERT INTO stream_process (process, beat, seen_at) VALUES ($1, 0, $2) ON CONFLICT (process) DO NOTHING",
			process, micros(s.OpenedAt)); err != nil {
			return err
		}
	}
	n, err := t.execCount(ctx, "INSERT INTO stream (account, region, workspace_id, id, process, opened_at, why)"+
		" SELECT account, region, id, $1, $2, $3, '' FROM (SELECT account, region, id FROM workspace UNION ALL"+
		" SELECT account, region, desktop_id FROM pool_session WHERE state = '"+string(workspaces.PoolSessionActive)+"') AS d"+
		" WHERE account = $4 AND region = $5 AND id = $6"+
		" ON CONFLICT (account, region, workspace_id, id) DO NOTHING",
		s.ID, process, micros(s.OpenedAt), s.Account, s.Region, s.WorkSpaceID)
	if err != nil || n == 0 {
		return err
	}
	return t.exec(ctx, "INSERT INTO connection (account, region, workspace_id, connected_at, disconnected_at) VALUES ($1, $2, $3, $4, 0)"+
		" ON CONFLICT (account, region, workspace_id) DO UPDATE SET disconnected_at = 0, connected_at ="+
		" CASE WHEN connection.disconnected_at = 0 THEN connection.connected_at ELSE excluded.connected_at END",
		s.Account, s.Region, s.WorkSpaceID, micros(s.OpenedAt))
}

// CloseStream forgets a stream. With a desktop's last one its user has disconnected, and the time
// until AutoStop, or the end of the session in a pool, begins.
func (t *Tx) CloseStream(ctx context.Context, s Stream, now time.Time) error {
	n, err := t.execCount(ctx, "DELETE FROM stream WHERE account = $1 AND region = $2 AND workspace_id = $3 AND id = $4",
		s.Account, s.Region, s.WorkSpaceID, s.ID)
	if err != nil || n == 0 {
		return err
	}
	n, err = t.execCount(ctx, "UPDATE connection SET disconnected_at = $1 WHERE account = $2 AND region = $3 AND workspace_id = $4"+
		" AND NOT EXISTS (SELECT 1 FROM stream WHERE account = $2 AND region = $3 AND workspace_id = $4)",
		micros(now), s.Account, s.Region, s.WorkSpaceID)
	if err != nil || n == 0 {
		return err
	}
	w, found, err := t.WorkSpace(ctx, s.Scope, s.WorkSpaceID)
	if err != nil {
		return err
	}
	if !found {
		return t.leavePoolSession(ctx, s.Scope, s.WorkSpaceID, now)
	}
	if err := t.keepConnection(ctx, w); err != nil {
		return err
	}
	return t.PutOffAutoStop(ctx, w.Ref(), w.AutoStopsAt(now))
}

// EndStreams asks the processes that carry a WorkSpace's other streams to end them, ends those that
// nobody carries, and returns the ids of all.
func (t *Tx) EndStreams(ctx context.Context, but Stream, why string) (ids []string, err error) {
	if err := t.TellDisconnected(ctx, but.Scope, but.WorkSpaceID, but.OpenedAt); err != nil {
		return nil, err
	}
	scan := func(row scanner) (id string, err error) { return id, row.Scan(&id) }
	return list(ctx, t, scan, "UPDATE stream SET why = $1 WHERE account = $2 AND region = $3 AND workspace_id = $4 AND id <> $5 RETURNING id",
		why, but.Account, but.Region, but.WorkSpaceID, but.ID)
}

// CountStreams returns how many streams a WorkSpace has.
func (t *Tx) CountStreams(ctx context.Context, s workspaces.Scope, id string) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM stream WHERE account = $1 AND region = $2 AND workspace_id = $3", s.Account, s.Region, id).Scan(&n)
	return n, err
}

// poolVisitState begins a query for the state of what a session of a pool is on.
const poolVisitState = "(SELECT '" + string(workspaces.Available) + "' FROM pool_session AS p WHERE p.state = '" +
	string(workspaces.PoolSessionActive) + "'"

// VisitState returns the state of what a stream shows: a WorkSpace's; AVAILABLE of a pool's desktop that
// a session is on, which can be visited then and not otherwise; Absent of everything else.
func (t *Tx) VisitState(ctx context.Context, s workspaces.Scope, id string) (state workspaces.State, err error) {
	err = t.row(ctx, "SELECT COALESCE((SELECT state FROM workspace WHERE account = $1 AND region = $2 AND id = $3), "+poolVisitState+
		" AND p.account = $1 AND p.region = $2 AND p.desktop_id = $3), '')", s.Account, s.Region, id).Scan(&state)
	return state, err
}

// StreamFate is what has become of a stream of this process, and of its WorkSpace.
type StreamFate struct {
	ID    string
	Why   string           // why it is to end, "" where it is not
	State workspaces.State // as VisitState has it
	Side  int              // how many streams the WorkSpace has, this one included
}

// StreamFates returns what has become of this process's streams.
func (t *Tx) StreamFates(ctx context.Context) ([]StreamFate, error) {
	scan := func(row scanner) (f StreamFate, err error) {
		err = row.Scan(&f.ID, &f.Why, &f.State, &f.Side)
		return f, err
	}
	return list(ctx, t, scan, "SELECT s.id, s.why, COALESCE(w.state, "+poolVisitState+" AND p.account = s.account AND p.region = s.region"+
		" AND p.desktop_id = s.workspace_id), ''), (SELECT COUNT(*) FROM stream AS o WHERE o.account = s.account"+
		" AND o.region = s.region AND o.workspace_id = s.workspace_id)"+
		" FROM stream AS s LEFT JOIN workspace AS w ON w.account = s.account AND w.region = s.region AND w.id = s.workspace_id"+
		" WHERE s.process = $1", t.store.process)
}

// KeepStreams makes what is noted of this process's streams what is so, and shows that the
// process lives: what could not be written when a stream began or ended is made up for, and
// what others have taken for dead comes back.
func (t *Tx) KeepStreams(ctx context.Context, open []Stream, now time.Time) error {
	noted, err := t.streamsOf(ctx, t.store.process)
	if err != nil {
		return err
	}
	missing := make(map[string]Stream, len(open))
	for _, s := range open {
		missing[s.ID] = s
	}
	for _, s := range noted {
		if _, stays := missing[s.ID]; !stays {
			if err := t.CloseStream(ctx, s, now); err != nil {
				return err
			}
		}
		delete(missing, s.ID)
	}
	for _, s := range missing {
		if err := t.OpenStream(ctx, s); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return t.exec(ctx, "DELETE FROM stream_process WHERE process = $1", t.store.process)
	}
	return t.exec(ctx, "UPDATE stream_process SET beat = beat + 1, seen_at = $1 WHERE process = $2", micros(now), t.store.process)
}

// StreamProcess is another process that carries streams, or did when it died.
type StreamProcess struct {
	Process string
	Beat    int64 // grows while the process lives
	SeenAt  time.Time
}

// OtherStreamProcesses returns the other processes that carry streams.
func (t *Tx) OtherStreamProcesses(ctx context.Context) ([]StreamProcess, error) {
	scan := func(row scanner) (p StreamProcess, err error) {
		var seen int64
		err = row.Scan(&p.Process, &p.Beat, &seen)
		p.SeenAt = instantOf(seen)
		return p, err
	}
	return list(ctx, t, scan, "SELECT process, beat, seen_at FROM stream_process WHERE process <> $1", t.store.process)
}

// BuryStreamProcess ends the streams of a process that has died: its users disconnected when
// it was last seen. It does nothing where the process has shown itself since.
func (t *Tx) BuryStreamProcess(ctx context.Context, p StreamProcess) error {
	n, err := t.execCount(ctx, "DELETE FROM stream_process WHERE process = $1 AND beat = $2", p.Process, p.Beat)
	if err != nil || n == 0 {
		return err
	}
	streams, err := t.streamsOf(ctx, p.Process)
	if err != nil {
		return err
	}
	for _, s := range streams {
		if err := t.CloseStream(ctx, s, p.SeenAt); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) streamsOf(ctx context.Context, process string) ([]Stream, error) {
	scan := func(row scanner) (s Stream, err error) {
		var opened int64
		err = row.Scan(&s.Account, &s.Region, &s.WorkSpaceID, &s.ID, &opened)
		s.OpenedAt = instantOf(opened)
		return s, err
	}
	return list(ctx, t, scan, "SELECT account, region, workspace_id, id, opened_at FROM stream WHERE process = $1", process)
}

// Connections returns what is known of the connections of WorkSpaces, by their ids; those to
// which nobody has ever been connected are missing.
func (t *Tx) Connections(ctx context.Context, s workspaces.Scope, ids []string) (map[string]workspaces.Connection, error) {
	var c condition
	c.scope(s)
	c.in("workspace_id", ids)
	all := make(map[string]workspaces.Connection, len(ids))
	err := t.each(ctx, func(row scanner) error {
		var id string
		var connected, disconnected int64
		err := row.Scan(&id, &connected, &disconnected)
		all[id] = workspaces.Connection{
			Connected: disconnected == 0, ConnectedAt: instantOf(connected), DisconnectedAt: instantOf(disconnected),
		}
		return err
	}, "SELECT workspace_id, connected_at, disconnected_at FROM connection"+c.where(), c.args...)
	return all, err
}

// deleteConnection forgets what is known of a WorkSpace's connections. Streams that are still
// open are their processes' to end.
func (t *Tx) deleteConnection(ctx context.Context, s workspaces.Scope, id string) error {
	if t.store.told.Load() {
		err := t.exec(ctx, "DELETE FROM stream WHERE account = $1 AND region = $2 AND workspace_id = $3 AND process IN ($4, $5)",
			s.Account, s.Region, id, string(ByTests), string(ByJournal))
		if err != nil {
			return err
		}
	}
	return t.exec(ctx, "DELETE FROM connection WHERE account = $1 AND region = $2 AND workspace_id = $3", s.Account, s.Region, id)
}
