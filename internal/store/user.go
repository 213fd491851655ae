package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"carrel/internal/workspaces"
)

const userColumns = "account, region, directory_id, user_key, name, sid, given_name, surname, email_address, attributes, enabled, " +
	"password_hash, created_at"

// UserFilter says which users of a directory a query is for, in the order of their keys.
type UserFilter struct {
	workspaces.Scope
	DirectoryID string
	AfterKey    string // only those behind this key
	Limit       int    // 0: all
}

// Users returns users of a directory.
func (t *Tx) Users(ctx context.Context, f UserFilter) ([]*workspaces.User, error) {
	limit := f.Limit
	if limit == 0 {
		limit = 1 << 30
	}
	return list(ctx, t, scanUser, "SELECT "+userColumns+" FROM directory_user WHERE account = $1 AND region = $2 AND directory_id = $3"+
		" AND user_key > $4 ORDER BY user_key LIMIT $5", f.Account, f.Region, f.DirectoryID, f.AfterKey, limit)
}

// User returns the user with that name, however it is spelled; found is false where there is none.
func (t *Tx) User(ctx context.Context, s workspaces.Scope, directoryID, name string) (u *workspaces.User, found bool, err error) {
	if strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return nil, false, nil // not every database can be asked for what none can keep
	}
	return one(ctx, t, scanUser, "SELECT "+userColumns+" FROM directory_user"+
		" WHERE account = $1 AND region = $2 AND directory_id = $3 AND user_key = $4", s.Account, s.Region, directoryID, workspaces.UserKey(name))
}

// PutUser adds a user, or replaces the one of that name.
func (t *Tx) PutUser(ctx context.Context, u *workspaces.User) error {
	attributes, err := document{u.Attributes}.text()
	if err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO directory_user ("+userColumns+") VALUES ("+placeholders(13)+")"+
		" ON CONFLICT (account, region, directory_id, user_key) DO UPDATE SET given_name = excluded.given_name,"+
		" surname = excluded.surname, email_address = excluded.email_address, attributes = excluded.attributes,"+
		" enabled = excluded.enabled, password_hash = excluded.password_hash",
		u.Account, u.Region, u.DirectoryID, workspaces.UserKey(u.Name), u.Name, u.SID, u.GivenName, u.Surname, u.EmailAddress, attributes,
		u.Enabled, u.PasswordHash, micros(u.CreatedAt))
}

// TakeRID returns the relative id for a directory's next user and does not return it again.
func (t *Tx) TakeRID(ctx context.Context, s workspaces.Scope, directoryID string) (rid int64, err error) {
	table := "directory"
	if workspaces.IsOwnDirectoryID(directoryID) {
		table = "workspace_directory"
	}
	err = t.row(ctx, "UPDATE "+table+" SET next_rid = next_rid + 1 WHERE account = $1 AND region = $2 AND id = $3"+
		" RETURNING next_rid - 1", s.Account, s.Region, directoryID).Scan(&rid)
	return rid, err
}

// DeleteUser removes a user, with what pools keep for them, and reports whether there was one.
func (t *Tx) DeleteUser(ctx context.Context, s workspaces.Scope, directoryID, name string) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM directory_user WHERE account = $1 AND region = $2 AND directory_id = $3 AND user_key = $4",
		s.Account, s.Region, directoryID, workspaces.UserKey(name))
	if err != nil || n == 0 {
		return false, err
	}
	for _, forget := range []string{ // a session that lasts keeps nothing any more; a turn that is under way is stale
		"DELETE FROM pool_settings", "UPDATE pool_session SET settings_group = '', generation = generation + 1",
	} {
		err := t.exec(ctx, forget+" WHERE account = $1 AND region = $2 AND directory_id = $3 AND user_key = $4",
			s.Account, s.Region, directoryID, workspaces.UserKey(name))
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

func scanUser(row scanner) (*workspaces.User, error) {
	u := new(workspaces.User)
	var key string
	var created int64
	err := row.Scan(&u.Account, &u.Region, &u.DirectoryID, &key, &u.Name, &u.SID, &u.GivenName, &u.Surname, &u.EmailAddress,
		document{&u.Attributes}, &u.Enabled, &u.PasswordHash, &created)
	u.CreatedAt = instantOf(created)
	return u, err
}
