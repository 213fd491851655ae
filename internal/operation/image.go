package operation

import (
	"context"
	"slices"
	"time"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
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

// image finds an image that an account can see in a region: its own, a public one, or one that
// is shared with it.
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

// usableImage finds an image that the caller can make something of: their own or a public one.
func (c *Core) usableImage(ctx context.Context, tx *store.Tx, id string) (*workspaces.Image, error) {
	i, err := c.image(ctx, tx, Scope(ctx), id)
	if err == nil && i.Account != Scope(ctx).Account && !i.IsPublic() {
		return nil, workspaces.Errorf(workspaces.CodeAccessDenied, "The image %s belongs to another account; copy it first.", id)
	}
	return i, err
}

// ownImage finds an image that is the caller's to be deleted and shared.
func (c *Core) ownImage(ctx context.Context, tx *store.Tx, id string) (*workspaces.Image, error) {
	i, err := c.usableImage(ctx, tx, id)
	if err == nil && i.IsPublic() {
		return nil, workspaces.Errorf(workspaces.CodeAccessDenied, "The image %s is public; nobody can change it.", id)
	}
	return i, err
}

// DescribeWorkspaceImages lists images by id, or the account's own, or with ImageType SHARED those
// that others share with it. A public image is described where its id is named. Ids that do not
// exist are left out of the reply.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeWorkspaceImages(ctx context.Context, in *wsapi.DescribeWorkspaceImagesRequest) (*wsapi.DescribeWorkspaceImagesResult, error) {
	kind := deref(in.ImageType)
	filter := store.ImageFilter{
		Scope: Scope(ctx), IDs: in.ImageIds, Limit: PageSize(in.MaxResults),
		Owned:  kind != wsapi.ImageTypeShared,
		Shared: kind == wsapi.ImageTypeShared || kind == "" && len(in.ImageIds) > 0,
	}
	about := list(ctx, "DescribeWorkspaceImages", []string{kind}, in.ImageIds)
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, workspaces.Errorf(workspaces.CodeValidation, "%s", err.Error()) // the model has no other
	}
	page, err := s.imagePage(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeWorkspaceImagesResult{
		Images: make([]wsapi.WorkspaceImage, len(page.Images)), NextToken: PageToken(page.Next, about...),
	}
	for n, i := range page.Images {
		out.Images[n] = s.describeImage(i)
	}
	return out, nil
}

// imagePage reads a page, on the first of which a public image stands that is asked for by its id.
func (c *Core) imagePage(ctx context.Context, f store.ImageFilter) (page store.ImagePage, err error) {
	public, found := c.publicImage(workspaces.PublicImageID, f.Region)
	named := found && f.Owned && f.Shared && f.After == 0 && slices.Contains(f.IDs, public.ID)
	if named && f.Limit == 1 {
		return store.ImagePage{Images: []*workspaces.Image{public}, Next: 1}, nil
	}
	if named {
		f.Limit--
	}
	err = c.Store.View(func(tx *store.Tx) (err error) {
		page, err = tx.Images(ctx, f)
		return err
	})
	if named {
		page.Images = append([]*workspaces.Image{public}, page.Images...)
	}
	return page, err
}

// describeImage is an image as the API shows it. The owner of a public one has no account id.
func (s WorkSpaces) describeImage(i *workspaces.Image) wsapi.WorkspaceImage {
	out := wsapi.WorkspaceImage{
		ImageId: &i.ID, Name: &i.Name, Description: some(i.Description), State: (*string)(&i.State), RequiredTenancy: &i.Tenancy,
		OperatingSystem: &wsapi.OperatingSystem{Type: &i.OSType}, Created: api.At(i.CreatedAt),
		ErrorCode: some(i.ErrorCode), ErrorMessage: some(i.ErrorMessage),
	}
	if !i.IsPublic() {
		out.OwnerAccountId = &i.Account
	}
	switch i.State {
	case workspaces.ImageAvailable:
		out.Updates = describeUpdates(i, s.Clock.Now())
	case workspaces.ImageErrored:
		out.ErrorDetails = []wsapi.ErrorDetails{{
			ErrorCode: new(wsapi.WorkspaceImageErrorDetailCodeUnknownError), ErrorMessage: some(i.ErrorMessage),
		}}
	case workspaces.ImagePending:
	}
	return out
}

func describeUpdates(i *workspaces.Image, now time.Time) *wsapi.UpdateResult {
	if i.HasUpdates(now) {
		return &wsapi.UpdateResult{UpdateAvailable: new(true), Description: new("This WorkSpace image has updates available")}
	}
	return &wsapi.UpdateResult{UpdateAvailable: new(false), Description: new("This WorkSpace image does not have updates available")}
}

// DeleteWorkspaceImage forgets an image that no bundle has and nobody else may see. Desktops that
// were made of it go on; what is just being made of it still gets it.
//
// Effect: image. The engine's image goes once nothing is being made of it.
func (s WorkSpaces) DeleteWorkspaceImage(ctx context.Context, in *wsapi.DeleteWorkspaceImageRequest) (*wsapi.DeleteWorkspaceImageResult, error) {
	id := deref(in.ImageId)
	var ref workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		i, err := s.ownImage(ctx, tx, id)
		if workspaces.CodeOf(err) == workspaces.CodeNotFound {
			return workspaces.Errorf(workspaces.CodeValidation, "The Image ID %s in the request is invalid", id) // the model has no other
		}
		if err != nil {
			return err
		}
		if err := mayBeDeleted(ctx, tx, i); err != nil {
			return err
		}
		ref = i.Ref()
		if _, err := tx.DeleteImage(ctx, ref); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindImage, Refs: []workspaces.Ref{ref}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindImage, ref)
	return &wsapi.DeleteWorkspaceImageResult{}, nil
}

func mayBeDeleted(ctx context.Context, tx *store.Tx, i *workspaces.Image) error {
	if i.State == workspaces.ImagePending {
		return workspaces.Errorf(workspaces.CodeInvalidState, "The image %s is PENDING; it can be deleted once it has been made.", i.ID).About(i.ID)
	}
	has, err := tx.ImageHasBundles(ctx, i.Scope, i.ID)
	if err != nil {
		return err
	}
	if has {
		return workspaces.Errorf(workspaces.CodeAssociated, "The image %s has bundles; delete them first.", i.ID).About(i.ID)
	}
	shared, err := tx.ImageIsShared(ctx, i.Scope, i.ID)
	if err == nil && shared {
		err = workspaces.Errorf(workspaces.CodeAssociated, "The image %s is shared with other accounts; take that back first.", i.ID).About(i.ID)
	}
	return err
}
