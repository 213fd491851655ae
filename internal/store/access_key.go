package store

import (
	"context"

	"carrel/internal/workspaces"
)

// InsertAccessKey adds a key.
func (t *Tx) InsertAccessKey(ctx context.Context, k workspaces.AccessKey) error {
	return t.exec(ctx, "INSERT INTO access_key (id, secret, account, created_at) VALUES ($1, $2, $3, $4)",
		k.ID, k.Secret, k.Account, micros(k.CreatedAt))
}

// AccessKey returns the key with the id; found is false where there is none.
func (t *Tx) AccessKey(ctx context.Context, id string) (k workspaces.AccessKey, found bool, err error) {
	return one(ctx, t, scanAccessKey, "SELECT id, secret, account, created_at FROM access_key WHERE id = $1", id)
}

// AccessKeys returns all keys, or those of one account, the oldest first.
func (t *Tx) AccessKeys(ctx context.Context, account string) ([]workspaces.AccessKey, error) {
	return list(ctx, t, scanAccessKey, "SELECT id, secret, account, created_at FROM access_key"+
		" WHERE $1 = '' OR account = $1 ORDER BY created_at, id", account)
}

// DeleteAccessKey removes a key and reports whether there was one.
func (t *Tx) DeleteAccessKey(ctx context.Context, id string) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM access_key WHERE id = $1", id)
	return n == 1, err
}

func scanAccessKey(row scanner) (k workspaces.AccessKey, err error) {
	var created int64
	err = row.Scan(&k.ID, &k.Secret, &k.Account, &created)
	k.CreatedAt = instantOf(created)
	return k, err
}
