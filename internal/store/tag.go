package store

import (
	"context"

	"carrel/internal/workspaces"
)

// Tags returns the tags of a resource, by key.
func (t *Tx) Tags(ctx context.Context, s workspaces.Scope, resourceID string) ([]workspaces.Tag, error) {
	return list(ctx, t, func(row scanner) (tag workspaces.Tag, err error) {
		err = row.Scan(&tag.Key, &tag.Value)
		return tag, err
	}, "SELECT key, value FROM tag WHERE account = $1 AND region = $2 AND resource_id = $3 ORDER BY key", s.Account, s.Region, resourceID)
}

// PutTags adds tags to a resource, replacing the values of keys that it has.
func (t *Tx) PutTags(ctx context.Context, s workspaces.Scope, resourceID string, tags []workspaces.Tag) error {
	for _, tag := range tags {
		err := t.exec(ctx, "INSERT INTO tag (account, region, resource_id, key, value) VALUES ($1, $2, $3, $4, $5)"+
			" ON CONFLICT (account, region, resource_id, key) DO UPDATE SET value = excluded.value",
			s.Account, s.Region, resourceID, tag.Key, tag.Value)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteTags takes the tags with these keys off a resource. Keys that it does not have are ignored.
func (t *Tx) DeleteTags(ctx context.Context, s workspaces.Scope, resourceID string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	var c condition
	c.scope(s)
	c.and("resource_id = ?", resourceID)
	c.in("key", keys)
	return t.exec(ctx, "DELETE FROM tag"+c.where(), c.args...)
}

func (t *Tx) deleteTags(ctx context.Context, s workspaces.Scope, resourceID string) error {
	return t.exec(ctx, "DELETE FROM tag WHERE account = $1 AND region = $2 AND resource_id = $3", s.Account, s.Region, resourceID)
}
