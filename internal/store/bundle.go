package store

import (
	"context"

	"carrel/internal/workspaces"
)

const (
	bundleColumns = "account, region, id, name, description, image_id, compute_type, root_gib, user_gib, created_at, updated_at," +
		" source_region, source_id"
	// selectBundle reads beside a bundle what its image says of it; a public image has no row. That of a mirror is
	// where the bundle is that it mirrors.
	selectBundle = "SELECT b.seq AS seq, b.account, b.id, b.name, b.description, b.image_id, b.compute_type, b.root_gib, b.user_gib, b.created_at," +
		" b.updated_at, b.source_region, b.source_id, COALESCE(i.engine, ''), COALESCE(i.protocol, ''), COALESCE(i.os_name, '')" +
		" FROM bundle b LEFT JOIN image i ON i.account = b.account AND i.id = b.image_id" +
		" AND i.region = CASE WHEN b.source_region = '' THEN b.region ELSE b.source_region END"
)

// BundleFilter says which custom bundles a query is for. Empty members do not restrict.
type BundleFilter struct {
	workspaces.Scope
	IDs   []string
	After int64 // only those behind this position
	Limit int   // 0: all
}

// BundlePage is a part of a list, in the order of creation.
type BundlePage struct {
	Bundles []workspaces.Bundle
	Next    int64 // where the next page begins; 0 on the last
}

// Bundles returns a page of the custom bundles that the filter names. One of a public image
// says nothing about the image but its id.
func (t *Tx) Bundles(ctx context.Context, f BundleFilter) (BundlePage, error) {
	var c condition
	c.and("b.account = ?", f.Account)
	c.and("b.region = ?", f.Region)
	c.inIfAny("b.id", f.IDs)
	if f.After > 0 {
		c.and("b.seq > ?", f.After)
	}
	bundles, next, err := sequence(ctx, t, scanBundle, selectBundle, c, f.Limit)
	return BundlePage{Bundles: bundles, Next: next}, err
}

// Bundle returns the custom bundle with the id; found is false where there is none.
func (t *Tx) Bundle(ctx context.Context, s workspaces.Scope, id string) (b workspaces.Bundle, found bool, err error) {
	page, err := t.Bundles(ctx, BundleFilter{Scope: s, IDs: []string{id}})
	if err != nil || len(page.Bundles) == 0 {
		return b, false, err
	}
	return page.Bundles[0], true, nil
}

// BundleMirror returns a scope's mirror of a bundle in another region; found is false where there is none.
func (t *Tx) BundleMirror(ctx context.Context, s workspaces.Scope, region, id string) (b workspaces.Bundle, found bool, err error) {
	var c condition
	c.and("b.account = ?", s.Account)
	c.and("b.source_region = ?", region)
	c.and("b.source_id = ?", id)
	c.and("b.region = ?", s.Region)
	bundles, _, err := sequence(ctx, t, scanBundle, selectBundle, c, 1)
	if err != nil || len(bundles) == 0 {
		return b, false, err
	}
	return bundles[0], true, nil
}

// CountBundles counts the custom bundles of a scope, without mirrors.
func (t *Tx) CountBundles(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM bundle WHERE account = $1 AND region = $2 AND source_id = ''", s.Account, s.Region).Scan(&n)
	return n, err
}

// BundleNameTaken reports whether a scope has a custom bundle of the name that is no mirror.
func (t *Tx) BundleNameTaken(ctx context.Context, s workspaces.Scope, name string) (taken bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM bundle WHERE account = $1 AND region = $2 AND name = $3 AND source_id = '')",
		s.Account, s.Region, name).Scan(&taken)
	return taken, err
}

// ImageHasBundles reports whether there is a custom bundle of an image of a scope, there or as a mirror elsewhere.
func (t *Tx) ImageHasBundles(ctx context.Context, s workspaces.Scope, imageID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM bundle WHERE account = $1 AND region = $2 AND image_id = $3)"+
		" OR EXISTS (SELECT 1 FROM bundle WHERE account = $1 AND source_region = $2 AND image_id = $3)",
		s.Account, s.Region, imageID).Scan(&has)
	return has, err
}

// BundleHasLivingWorkSpaces reports whether a scope has WorkSpaces of a bundle that have not ended.
func (t *Tx) BundleHasLivingWorkSpaces(ctx context.Context, s workspaces.Scope, bundleID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND bundle_id = $3 AND state <> $4)",
		s.Account, s.Region, bundleID, string(workspaces.Terminated)).Scan(&has)
	return has, err
}

// InsertBundle adds a custom bundle.
func (t *Tx) InsertBundle(ctx context.Context, s workspaces.Scope, b workspaces.Bundle) error {
	args := []any{
		s.Account, s.Region, b.ID, b.Name, b.Description, b.ImageID, b.ComputeType, b.RootGiB, b.UserGiB, micros(b.CreatedAt),
		micros(b.UpdatedAt), b.SourceRegion, b.SourceID, t.store.nextSeq(),
	}
	return t.exec(ctx, "INSERT INTO bundle ("+bundleColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SetBundleImage writes the image of a custom bundle, which is all that can change of one, and its mirrors'.
func (t *Tx) SetBundleImage(ctx context.Context, s workspaces.Scope, b workspaces.Bundle) error {
	return t.exec(ctx, "UPDATE bundle SET image_id = $1, updated_at = $2"+
		" WHERE account = $3 AND (region = $4 AND id = $5 OR source_region = $4 AND source_id = $5)",
		b.ImageID, micros(b.UpdatedAt), s.Account, s.Region, b.ID)
}

// DeleteBundle forgets a custom bundle and its tags.
func (t *Tx) DeleteBundle(ctx context.Context, s workspaces.Scope, id string) error {
	if err := t.exec(ctx, "DELETE FROM bundle WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id); err != nil {
		return err
	}
	return t.deleteTags(ctx, s, id)
}

func scanBundle(row scanner) (b workspaces.Bundle, err error) {
	var created, updated int64
	err = row.Scan(&b.Owner, &b.ID, &b.Name, &b.Description, &b.ImageID, &b.ComputeType, &b.RootGiB, &b.UserGiB, &created, &updated,
		&b.SourceRegion, &b.SourceID, &b.Image, &b.Protocol, &b.OS)
	b.CreatedAt, b.UpdatedAt = instantOf(created), instantOf(updated)
	return b, err
}
