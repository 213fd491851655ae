package operation

import (
	"context"
	"slices"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// publicImage returns the image of public bundles with the id, as it is in a region.
func (c *Core) publicImage(id, region string) (*workspaces.Image, bool) {
	i := slices.IndexFunc(c.Bundles, func(b workspaces.Bundle) bool { return b.ImageID == id })
	if id != workspaces.PublicImageID || i < 0 {
		return nil, false
	}
	return workspaces.PublicImage(c.Bundles[i].Image, region), true
}

// image finds an image that the caller can see: their own, a public one, or one that is
// shared with them.
func (c *Core) image(ctx context.Context, tx *store.Tx, scope workspaces.Scope, id string) (*workspaces.Image, error) {
	if public, found := c.publicImage(id, scope.Region); found {
		return public, nil
	}
	page, err := tx.Images(ctx, store.ImageFilter{Scope: scope, Owned: true, Shared: true, IDs: []string{id}})
	if err != nil {
		return nil, err
	}
	if len(page.Images) == 0 {
		return nil, workspaces.Errorf(workspaces.CodeNotFound, "The image %s could not be found.", id).About(id)
	}
	return page.Images[0], nil
}

// ownImage finds an image that the caller can make bundles of: their own or a public one.
func (c *Core) ownImage(ctx context.Context, tx *store.Tx, id string) (*workspaces.Image, error) {
	i, err := c.image(ctx, tx, Scope(ctx), id)
	if err == nil && i.Account != Scope(ctx).Account && !i.IsPublic() {
		return nil, workspaces.Errorf(workspaces.CodeAccessDenied, "The image %s belongs to another account; copy it first.", id)
	}
	return i, err
}
