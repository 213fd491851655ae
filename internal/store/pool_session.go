package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

const poolSessionColumns = "account, region, id, pool_id, directory_id, desktop_id, address, user_key, user_name, timeouts, settings_group, state, " +
	"generation, started_at, changed_at, deadline, wake_at, attempts, brought"

// PoolSessionFilter says which sessions a query is for. Empty members do not restrict.
type PoolSessionFilter struct {
	workspaces.Scope
	PoolID   string
	UserName string // in any spelling
	Lasting  bool   // without those that are ending
	After    int64  // only those behind this position
	Limit    int    // 0: all
}

// PoolSessionPage is a part of a list, in the order in which the sessions began.
type PoolSessionPage struct {
	Sessions    []*workspaces.PoolSession
	Connections map[string]workspaces.Connection // by desktop
	Next        int64                            // where the next page begins; 0 on the last
}

// PoolSessions returns a page of the sessions that the filter names.
func (t *Tx) PoolSessions(ctx context.Context, f PoolSessionFilter) (PoolSessionPage, error) {
	var c condition
	c.scope(f.Scope)
	c.and("pool_id = ?", f.PoolID)
	if f.UserName != "" {
		c.and("user_key = ?", workspaces.UserKey(f.UserName))
	}
	if f.Lasting {
		c.and("state <> ?", string(workspaces.PoolSessionEnding))
	}
	c.and("seq > ?", f.After)
	sessions, next, err := sequence(ctx, t, scanPoolSession, "SELECT seq, "+poolSessionColumns+" FROM pool_session", c, f.Limit)
	if err != nil {
		return PoolSessionPage{}, err
	}
	desktops := make([]string, len(sessions))
	for i, s := range sessions {
		desktops[i] = s.DesktopID
	}
	connections, err := t.Connections(ctx, f.Scope, desktops)
	return PoolSessionPage{Sessions: sessions, Connections: connections, Next: next}, err
}

// PoolSession returns the session of the scope with the id; found is false where there is none.
func (t *Tx) PoolSession(ctx context.Context, s workspaces.Scope, id string) (session *workspaces.PoolSession, found bool, err error) {
	return t.poolSession(ctx, s, "id", id)
}

// PoolSessionByID returns the session with the id, in whatever scope.
func (t *Tx) PoolSessionByID(ctx context.Context, id string) (session *workspaces.PoolSession, found bool, err error) {
	return one(ctx, t, scanPoolSession, "SELECT "+poolSessionColumns+" FROM pool_session WHERE id = $1", id)
}

// PoolSessionOn returns the session that a desktop of a pool is in use by; found is false where there is none.
func (t *Tx) PoolSessionOn(ctx context.Context, s workspaces.Scope, desktopID string) (session *workspaces.PoolSession, found bool, err error) {
	return t.poolSession(ctx, s, "desktop_id", desktopID)
}

func (t *Tx) poolSession(ctx context.Context, s workspaces.Scope, column, is string) (*workspaces.PoolSession, bool, error) {
	return one(ctx, t, scanPoolSession, "SELECT "+poolSessionColumns+" FROM pool_session WHERE account = $1 AND region = $2 AND "+column+" = $3",
		s.Account, s.Region, is)
}

// PoolSessionOf returns the session of a user in a pool, however the name is spelled; found is false where there is none.
func (t *Tx) PoolSessionOf(
	ctx context.Context, s workspaces.Scope, poolID, user string,
) (session *workspaces.PoolSession, found bool, err error) {
	return one(ctx, t, scanPoolSession, "SELECT "+poolSessionColumns+" FROM pool_session WHERE account = $1 AND region = $2 AND pool_id = $3"+
		" AND user_key = $4", s.Account, s.Region, poolID, workspaces.UserKey(user))
}

// InsertPoolSession adds a session.
func (t *Tx) InsertPoolSession(ctx context.Context, s *workspaces.PoolSession) error {
	args, err := poolSessionValues(s)
	if err != nil {
		return err
	}
	args = append(args, t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO pool_session ("+poolSessionColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SavePoolSession writes the session if it still has the generation that it had when it was read,
// and reports whether it did.
func (t *Tx) SavePoolSession(ctx context.Context, s *workspaces.PoolSession, read int64) (saved bool, err error) {
	args, err := poolSessionValues(s)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE pool_session SET "+assignments(poolSessionColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $20", append(args, read)...)
	if err == nil && n == 1 && s.State == workspaces.PoolSessionEnding {
		err = t.TellDisconnected(ctx, s.Scope, s.DesktopID, s.ChangedAt)
	}
	return n == 1, err
}

// EndPoolSession begins to end a session, unless it is ending, and asks for a turn on it.
func (t *Tx) EndPoolSession(ctx context.Context, s *workspaces.PoolSession, now time.Time) error {
	read := s.Generation
	if !s.End(now) {
		return nil
	}
	if _, err := t.SavePoolSession(ctx, s, read); err != nil {
		return err
	}
	return t.Enqueue(ctx, Work{Resource: workspaces.KindPoolSession, Refs: []workspaces.Ref{s.Ref()}})
}

// DeletePoolSession forgets a session, if it still has the generation.
func (t *Tx) DeletePoolSession(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM pool_session WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	return n == 1, err
}

// leavePoolSession notes that a session's last stream has ended: the time for coming back begins.
func (t *Tx) leavePoolSession(ctx context.Context, scope workspaces.Scope, desktopID string, now time.Time) error {
	s, found, err := t.PoolSessionOn(ctx, scope, desktopID)
	if err != nil || !found || s.State != workspaces.PoolSessionActive {
		return err
	}
	s.WakeAt = s.EndsAt(workspaces.Connection{DisconnectedAt: now})
	_, err = t.SavePoolSession(ctx, s, s.Generation)
	return err
}

// PoolSettings returns what is kept of a session's user, nil where nothing is.
func (t *Tx) PoolSettings(ctx context.Context, s *workspaces.PoolSession) (archive []byte, err error) {
	archive, _, err = one(ctx, t, func(row scanner) (b []byte, err error) { return b, row.Scan(&b) },
		"SELECT archive FROM pool_settings WHERE account = $1 AND region = $2 AND directory_id = $3 AND settings_group = $4 AND user_key = $5",
		s.Account, s.Region, s.DirectoryID, s.SettingsGroup, workspaces.UserKey(s.UserName))
	return archive, err
}

// HasPoolSettings reports whether anything is kept of a user of a pool.
func (t *Tx) HasPoolSettings(ctx context.Context, p *workspaces.Pool, user string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM pool_settings WHERE account = $1 AND region = $2 AND directory_id = $3"+
		" AND settings_group = $4 AND user_key = $5)",
		p.Account, p.Region, p.DirectoryID, p.SettingsGroup, workspaces.UserKey(user)).Scan(&has)
	return has, err
}

// PutPoolSettings keeps what there is of a session's user, in place of what was kept before, while
// any pool keeps settings under the group.
func (t *Tx) PutPoolSettings(ctx context.Context, s *workspaces.PoolSession, archive []byte, now time.Time) error {
	return t.exec(ctx, "INSERT INTO pool_settings (account, region, directory_id, settings_group, user_key, saved_at, archive)"+
		" SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM pool WHERE account = $1 AND region = $2 AND directory_id = $3"+
		" AND settings_group = $4) ON CONFLICT (account, region, directory_id, settings_group, user_key)"+
		" DO UPDATE SET saved_at = excluded.saved_at, archive = excluded.archive",
		s.Account, s.Region, s.DirectoryID, s.SettingsGroup, workspaces.UserKey(s.UserName), micros(now), archive)
}

// dropPoolSettings forgets what is kept under groups that no pool of the scope has any more.
func (t *Tx) dropPoolSettings(ctx context.Context, s workspaces.Scope) error {
	return t.exec(ctx, "DELETE FROM pool_settings WHERE account = $1 AND region = $2 AND NOT EXISTS (SELECT 1 FROM pool AS p"+
		" WHERE p.account = pool_settings.account AND p.region = pool_settings.region AND p.directory_id = pool_settings.directory_id"+
		" AND p.settings_group = pool_settings.settings_group)", s.Account, s.Region)
}

func poolSessionValues(s *workspaces.PoolSession) ([]any, error) {
	timeouts, err := document{s.Timeouts}.text()
	return []any{
		s.Account, s.Region, s.ID, s.PoolID, s.DirectoryID, s.DesktopID, s.Address, workspaces.UserKey(s.UserName), s.UserName, timeouts,
		s.SettingsGroup, string(s.State), s.Generation, micros(s.StartedAt), micros(s.ChangedAt), micros(s.Deadline), micros(s.WakeAt),
		s.Attempts, s.Brought,
	}, err
}

func scanPoolSession(row scanner) (*workspaces.PoolSession, error) {
	s := new(workspaces.PoolSession)
	var key string
	var started, changed, deadline, wake int64
	err := row.Scan(&s.Account, &s.Region, &s.ID, &s.PoolID, &s.DirectoryID, &s.DesktopID, &s.Address, &key, &s.UserName, document{&s.Timeouts},
		&s.SettingsGroup, (*string)(&s.State), &s.Generation, &started, &changed, &deadline, &wake, &s.Attempts, &s.Brought)
	s.StartedAt, s.ChangedAt, s.Deadline, s.WakeAt = instantOf(started), instantOf(changed), instantOf(deadline), instantOf(wake)
	return s, err
}
