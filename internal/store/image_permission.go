package store

import (
	"context"

	"carrel/internal/workspaces"
)

// ImagePermissionPage is a part of the accounts that may copy an image, in the order in which they came to.
type ImagePermissionPage struct {
	Accounts []string
	Next     int64 // where the next page begins; 0 on the last
}

// ImagePermissions returns a page of the accounts that an image is shared with, those behind a position.
func (t *Tx) ImagePermissions(ctx context.Context, s workspaces.Scope, imageID string, after int64, limit int) (ImagePermissionPage, error) {
	var c condition
	c.scope(s)
	c.and("image_id = ?", imageID)
	c.and("seq > ?", after)
	account := func(row scanner) (account string, err error) { return account, row.Scan(&account) }
	accounts, next, err := sequence(ctx, t, account, "SELECT seq, shared_with FROM image_permission", c, limit)
	return ImagePermissionPage{Accounts: accounts, Next: next}, err
}

// ImageIsShared reports whether an image is shared with anybody.
func (t *Tx) ImageIsShared(ctx context.Context, s workspaces.Scope, imageID string) (shared bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM image_permission WHERE account = $1 AND region = $2 AND image_id = $3)",
		s.Account, s.Region, imageID).Scan(&shared)
	return shared, err
}

// ShareImage lets an account see and copy an image. One that may already may still.
func (t *Tx) ShareImage(ctx context.Context, s workspaces.Scope, imageID, account string) error {
	return t.exec(ctx, "INSERT INTO image_permission (account, region, image_id, shared_with, seq) VALUES ($1, $2, $3, $4, $5)"+
		" ON CONFLICT (account, region, image_id, shared_with) DO NOTHING", s.Account, s.Region, imageID, account, t.store.nextSeq())
}

// UnshareImage takes that back, and reports whether it was so.
func (t *Tx) UnshareImage(ctx context.Context, s workspaces.Scope, imageID, account string) (was bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM image_permission WHERE account = $1 AND region = $2 AND image_id = $3 AND shared_with = $4",
		s.Account, s.Region, imageID, account)
	return n == 1, err
}
