package operation

import (
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateWorkspaceImage makes an image of an AVAILABLE WorkSpace's root volume. The WorkSpace is
// SUSPENDED meanwhile, and AVAILABLE again whatever becomes of the image.
//
// Effect: desktop, image. The desktop is stopped, its root volume published, and it is started
// again.
func (s WorkSpaces) CreateWorkspaceImage(ctx context.Context, in *wsapi.CreateWorkspaceImageRequest) (*wsapi.CreateWorkspaceImageResult, error) {
	var suspended workspaces.Ref
	image, err := s.addImage(ctx, deref(in.Name), in.Tags, func(tx *store.Tx) (workspaces.Image, error) {
		w, found, err := tx.WorkSpace(ctx, Scope(ctx), deref(in.WorkspaceId))
		if err == nil && !found {
			err = workspaces.Errorf(workspaces.CodeNotFound,
				"The specified WorkSpace cannot be found. Confirm that the workspace exists in your AWS account, and try again.").About(deref(in.WorkspaceId))
		}
		if err != nil {
			return workspaces.Image{}, err
		}
		if err := checkDeployed(ctx, tx, w); err != nil {
			return workspaces.Image{}, err
		}
		read := w.Generation
		if err := w.Capture(s.Clock.Now()); err != nil {
			return workspaces.Image{}, err
		}
		if _, err := tx.SaveWorkSpace(ctx, w, read); err != nil {
			return workspaces.Image{}, err
		}
		suspended = w.Ref()
		captured := workspaces.Image{
			Description: deref(in.Description), Origin: workspaces.Origin{WorkSpaceID: w.ID}, OS: w.Properties.OperatingSystem,
			OSType: workspaces.OSTypeOf(w.Properties.OperatingSystem), Tenancy: workspaces.DefaultTenancy, RootGiB: w.Properties.RootGiB,
			PackagesAt: w.CreatedAt,
		}
		if len(w.Properties.Protocols) > 0 {
			captured.Protocol = w.Properties.Protocols[0]
		}
		return captured, tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{suspended}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkSpace, suspended)
	return &wsapi.CreateWorkspaceImageResult{
		ImageId: &image.ID, Name: &image.Name, Description: &image.Description, OperatingSystem: &wsapi.OperatingSystem{Type: &image.OSType},
		State: (*string)(&image.State), RequiredTenancy: &image.Tenancy, Created: api.At(image.CreatedAt), OwnerAccountId: &image.Account,
	}, nil
}

// CopyWorkspaceImage copies an image that the caller owns or that is shared with them, from any
// region to the caller's.
//
// Effect: image. Another name of the same image in the engine: it takes no room.
func (s WorkSpaces) CopyWorkspaceImage(ctx context.Context, in *wsapi.CopyWorkspaceImageRequest) (*wsapi.CopyWorkspaceImageResult, error) {
	var source *workspaces.Image
	image, err := s.addImage(ctx, deref(in.Name), in.Tags, func(tx *store.Tx) (_ workspaces.Image, err error) {
		from := workspaces.Scope{Account: Scope(ctx).Account, Region: deref(in.SourceRegion)}
		if source, err = s.image(ctx, tx, from, deref(in.SourceImageId)); err != nil {
			return workspaces.Image{}, err
		}
		if err := source.MustBeAvailable(); err != nil {
			return workspaces.Image{}, err
		}
		copied := copyOf(source)
		copied.Description = source.Description
		if in.Description != nil {
			copied.Description = *in.Description
		}
		return copied, nil
	}, func(tx *store.Tx, image *workspaces.Image) error { return s.copyApplications(ctx, tx, source, image) })
	if err != nil {
		return nil, err
	}
	return &wsapi.CopyWorkspaceImageResult{ImageId: &image.ID}, nil
}

// CreateUpdatedWorkspaceImage makes an image of another one, with its packages brought up to date.
//
// Effect: image. Packages are brought up to date in a desktop that is made for it and removed.
func (s WorkSpaces) CreateUpdatedWorkspaceImage(
	ctx context.Context, in *wsapi.CreateUpdatedWorkspaceImageRequest,
) (*wsapi.CreateUpdatedWorkspaceImageResult, error) {
	var source *workspaces.Image
	image, err := s.addImage(ctx, deref(in.Name), in.Tags, func(tx *store.Tx) (_ workspaces.Image, err error) {
		if source, err = s.usableImage(ctx, tx, deref(in.SourceImageId)); err != nil {
			return workspaces.Image{}, err
		}
		if source.State != workspaces.ImageAvailable {
			return workspaces.Image{}, workspaces.Errorf(workspaces.CodeInvalidState,
				"The image %s is in the state %s; it must be AVAILABLE.", source.ID, source.State).About(source.ID)
		}
		updated := copyOf(source)
		updated.Description, updated.Origin.Update = deref(in.Description), true
		return updated, nil
	}, func(tx *store.Tx, image *workspaces.Image) error { return s.copyApplications(ctx, tx, source, image) })
	if err != nil {
		return nil, err
	}
	return &wsapi.CreateUpdatedWorkspaceImageResult{ImageId: &image.ID}, nil
}

// copyOf says what an image is that is made from another.
func copyOf(source *workspaces.Image) workspaces.Image {
	return workspaces.Image{
		Origin: workspaces.Origin{Image: source.Engine}, OSType: source.OSType, OS: source.OS, Protocol: source.Protocol,
		Tenancy: source.Tenancy, RootGiB: source.RootGiB, PackagesAt: source.PackagesAt,
	}
}

// addImage writes an image of a free name, PENDING, together with its job. What it is made from is
// looked up first, in the same transaction, and what else there is to write after it.
func (s WorkSpaces) addImage(
	ctx context.Context, name string, tags []wsapi.Tag, of func(*store.Tx) (workspaces.Image, error),
	also ...func(*store.Tx, *workspaces.Image) error,
) (image *workspaces.Image, err error) {
	scope := Scope(ctx)
	if err := workspaces.CheckTags(tagsOf(tags)); err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		what, err := of(tx)
		if err != nil {
			return err
		}
		if err := s.roomForImage(ctx, tx, name); err != nil {
			return err
		}
		what.Scope, what.Name = scope, name
		image = workspaces.NewImage(Chance(ctx), what, s.Installation, s.Clock.Now())
		if err := tx.InsertImage(ctx, image); err != nil {
			return err
		}
		for _, do := range also {
			if err := do(tx, image); err != nil {
				return err
			}
		}
		if err := tx.PutTags(ctx, scope, image.ID, tagsOf(tags)); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindImage, Refs: []workspaces.Ref{image.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindImage, image.Ref())
	return image, nil
}

// roomForImage checks that a name is free, which the service has words for, and the quota not used up.
func (s WorkSpaces) roomForImage(ctx context.Context, tx *store.Tx, name string) error {
	scope := Scope(ctx)
	taken, err := tx.ImageNameTaken(ctx, scope, name)
	if err != nil {
		return err
	}
	if taken {
		return workspaces.Errorf(workspaces.CodeAlreadyExists, "A WorkSpace image with the same name exists in the destination Region. "+
			"Provide a unique destination image name, and try again.")
	}
	n, err := tx.CountImages(ctx, scope)
	if err == nil && n >= s.Limits.Images {
		err = workspaces.Errorf(workspaces.CodeLimitExceeded,
			"The account %s can have %d images in %s and has %d.", scope.Account, s.Limits.Images, scope.Region, n)
	}
	return err
}
