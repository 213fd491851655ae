package store

import (
	"context"

	"carrel/internal/workspaces"
)

const imageColumns = "account, region, id, name, description, state, generation, changed_at, deadline, wake_at, attempts, error_code, " +
	"error_message, engine, workspace_id, from_image, root_fs, update_packages, os_type, os_name, protocol, tenancy, root_gib, " +
	"created_at, packages_at, import"

// ImageFilter says which images a query is for: those of the scope, and those that others
// share with its account in its region.
type ImageFilter struct {
	workspaces.Scope
	Owned  bool
	Shared bool
	IDs    []string // none: all
	After  int64    // only those behind this position
	Limit  int      // 0: all
}

// ImagePage is a part of a list, in the order of creation.
type ImagePage struct {
	Images []*workspaces.Image
	Next   int64 // where the next page begins; 0 on the last
}

// Images returns a page of the images that the filter names.
func (t *Tx) Images(ctx context.Context, f ImageFilter) (ImagePage, error) {
	var c condition
	c.and("region = ?", f.Region)
	const shared = "(account, id) IN (SELECT account, image_id FROM image_permission WHERE shared_with = ? AND region = ?)"
	switch {
	case f.Owned && f.Shared:
		c.and("(account = ? OR "+shared+")", f.Account, f.Account, f.Region)
	case f.Owned:
		c.and("account = ?", f.Account)
	default:
		c.and(shared, f.Account, f.Region)
	}
	c.inIfAny("id", f.IDs)
	if f.After > 0 {
		c.and("seq > ?", f.After)
	}
	images, next, err := sequence(ctx, t, scanImage, "SELECT seq, "+imageColumns+" FROM image", c, f.Limit)
	return ImagePage{Images: images, Next: next}, err
}

// Image returns the image of the scope with the id; found is false where there is none.
func (t *Tx) Image(ctx context.Context, s workspaces.Scope, id string) (i *workspaces.Image, found bool, err error) {
	return one(ctx, t, scanImage, "SELECT "+imageColumns+" FROM image WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// CountImages counts the images of a scope, in whatever state.
func (t *Tx) CountImages(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM image WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// ImageNameTaken reports whether a scope has an image of the name.
func (t *Tx) ImageNameTaken(ctx context.Context, s workspaces.Scope, name string) (taken bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM image WHERE account = $1 AND region = $2 AND name = $3)",
		s.Account, s.Region, name).Scan(&taken)
	return taken, err
}

// InsertImage adds an image.
func (t *Tx) InsertImage(ctx context.Context, i *workspaces.Image) error {
	args, err := imageValues(i)
	if err != nil {
		return err
	}
	args = append(args, t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO image ("+imageColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SaveImage writes the image if it still has the generation that it had when it was read, and
// reports whether it did.
func (t *Tx) SaveImage(ctx context.Context, i *workspaces.Image, read int64) (saved bool, err error) {
	args, err := imageValues(i)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE image SET "+assignments(imageColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $27", append(args, read)...)
	return n == 1, err
}

// DeleteImage forgets an image with its permissions and tags, if it still has the generation.
func (t *Tx) DeleteImage(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM image WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	err = t.exec(ctx, "DELETE FROM image_permission WHERE account = $1 AND region = $2 AND image_id = $3", r.Account, r.Region, r.ID)
	if err != nil {
		return false, err
	}
	if err := t.deleteAssociations(ctx, r.Scope, r.ID); err != nil {
		return false, err
	}
	return true, t.deleteTags(ctx, r.Scope, r.ID)
}

func imageValues(i *workspaces.Image) ([]any, error) {
	custom, err := document{i.Import}.text()
	return []any{
		i.Account, i.Region, i.ID, i.Name, i.Description, string(i.State), i.Generation, micros(i.ChangedAt), micros(i.Deadline),
		micros(i.WakeAt), i.Attempts, i.ErrorCode, i.ErrorMessage, i.Engine, i.Origin.WorkSpaceID, i.Origin.Image, i.Origin.RootFS,
		i.Origin.Update, i.OSType, i.OS, i.Protocol, i.Tenancy, i.RootGiB, micros(i.CreatedAt), micros(i.PackagesAt), custom,
	}, err
}

func scanImage(row scanner) (*workspaces.Image, error) {
	i := new(workspaces.Image)
	var changed, deadline, wake, created, packages int64
	err := row.Scan(&i.Account, &i.Region, &i.ID, &i.Name, &i.Description, (*string)(&i.State), &i.Generation, &changed, &deadline,
		&wake, &i.Attempts, &i.ErrorCode, &i.ErrorMessage, &i.Engine, &i.Origin.WorkSpaceID, &i.Origin.Image, &i.Origin.RootFS,
		&i.Origin.Update, &i.OSType, &i.OS, &i.Protocol, &i.Tenancy, &i.RootGiB, &created, &packages, document{&i.Import})
	i.ChangedAt, i.Deadline, i.WakeAt = instantOf(changed), instantOf(deadline), instantOf(wake)
	i.CreatedAt, i.PackagesAt = instantOf(created), instantOf(packages)
	return i, err
}

// ImageBeingCaptured returns the image that is being made of a WorkSpace; found is false where there is none.
func (t *Tx) ImageBeingCaptured(ctx context.Context, s workspaces.Scope, workSpaceID string) (i *workspaces.Image, found bool, err error) {
	return one(ctx, t, scanImage, "SELECT "+imageColumns+" FROM image WHERE account = $1 AND region = $2 AND workspace_id = $3"+
		" AND workspace_id <> '' AND state = $4", s.Account, s.Region, workSpaceID, string(workspaces.ImagePending))
}

// EngineImageIsNeeded reports whether anybody needs what the engine knows by this name of an
// image: an image that is that one or is to be, an image that is being made from it, or a
// WorkSpace that is being made of it. It looks at all WorkSpaces that are at something.
func (t *Tx) EngineImageIsNeeded(ctx context.Context, engine string) (needed bool, err error) {
	pending, available := string(workspaces.ImagePending), string(workspaces.ImageAvailable)
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM image WHERE engine = $1 AND state IN ($2, $3))"+
		" OR EXISTS (SELECT 1 FROM image WHERE from_image = $1 AND from_image <> '' AND state = $2)",
		engine, pending, available).Scan(&needed)
	if err != nil || needed {
		return needed, err
	}
	err = t.each(ctx, func(row scanner) error {
		w, err := scanWorkSpaceOnly(row)
		needed = needed || err == nil && w.Image == engine && !w.IsEnding()
		return err
	}, selectWorkSpace+" WHERE wake_at > 0")
	return needed, err
}
