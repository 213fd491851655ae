package operation

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Bundle finds a bundle that the caller can make things of, public or custom, with the image that it has
// now; found is false where there is none. Of those of the type STANDBY only CreateStandbyWorkspaces makes something.
func (c *Core) Bundle(ctx context.Context, tx *store.Tx, id string) (b workspaces.Bundle, found bool, err error) {
	b, found, err = c.anyBundle(ctx, tx, id)
	return b, found && b.Type() == workspaces.BundleRegular, err
}

// anyBundle finds a bundle that the caller can see.
func (c *Core) anyBundle(ctx context.Context, tx *store.Tx, id string) (b workspaces.Bundle, found bool, err error) {
	if i := slices.IndexFunc(c.Bundles, func(b workspaces.Bundle) bool { return b.ID == id }); i >= 0 {
		return c.Bundles[i], true, nil
	}
	b, found, err = tx.Bundle(ctx, Scope(ctx), id)
	if image, public := c.publicImage(b.ImageID, Scope(ctx).Region); err == nil && public {
		b.Image, b.Protocol, b.OS = image.Engine, image.Protocol, image.OS
	}
	return b, found, err
}

// DescribeWorkspaceBundles lists bundles by id, or those of an owner: AMAZON for the public
// ones, nothing for the account's own. Ids that do not exist are left out of the reply.
//
// Effect: answer. The public bundles come from the catalogue, the account's own from the store.
func (s WorkSpaces) DescribeWorkspaceBundles(ctx context.Context, in *wsapi.DescribeWorkspaceBundlesRequest) (*wsapi.DescribeWorkspaceBundlesResult, error) {
	owner, ids := deref(in.Owner), in.BundleIds
	if len(ids) > 0 && owner != "" {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "BundleIds and Owner cannot be given together.")
	}
	about := list(ctx, "DescribeWorkspaceBundles", []string{owner}, ids)
	position, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	var page store.BundlePage // of at most a page of ids, which need no second one
	if strings.EqualFold(owner, workspaces.Amazon) {
		page = pageOf(s.Bundles, position)
	} else if owner == "" || owner == Scope(ctx).Account {
		err = s.Store.View(func(tx *store.Tx) (err error) {
			page, err = tx.Bundles(ctx, store.BundleFilter{Scope: Scope(ctx), IDs: ids, After: position, Limit: MaxPage})
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	for _, b := range s.Bundles {
		if slices.Contains(ids, b.ID) {
			page.Bundles = append(page.Bundles, b)
		}
	}
	out := &wsapi.DescribeWorkspaceBundlesResult{
		Bundles: make([]wsapi.WorkspaceBundle, 0, len(page.Bundles)), NextToken: PageToken(page.Next, about...),
	}
	for _, b := range page.Bundles {
		out.Bundles = append(out.Bundles, describeBundle(b))
	}
	return out, nil
}

// pageOf returns the page of the public bundles that begins at a position.
func pageOf(bundles []workspaces.Bundle, position int64) (page store.BundlePage) {
	from := min(int(position), len(bundles))
	to := min(from+MaxPage, len(bundles))
	page.Bundles = bundles[from:to]
	if to < len(bundles) {
		page.Next = int64(to)
	}
	return page
}

func describeBundle(b workspaces.Bundle) wsapi.WorkspaceBundle {
	return wsapi.WorkspaceBundle{
		BundleId: &b.ID, Name: &b.Name, Owner: &b.Owner, Description: &b.Description, ImageId: &b.ImageID,
		RootStorage: &wsapi.RootStorage{Capacity: new(strconv.Itoa(b.RootGiB))},
		UserStorage: &wsapi.UserStorage{Capacity: new(strconv.Itoa(b.UserGiB))},
		ComputeType: &wsapi.ComputeType{Name: &b.ComputeType},
		State:       new("AVAILABLE"), BundleType: new(b.Type()), CreationTime: api.At(b.CreatedAt), LastUpdatedTime: api.At(b.UpdatedAt),
	}
}

// CreateWorkspaceBundle makes a bundle of an image that is the account's own or public. A shared
// image has to be copied first.
//
// Effect: operations. Desktops can be made of it: its image, its compute type's limits, its
// volumes' sizes.
func (s WorkSpaces) CreateWorkspaceBundle(ctx context.Context, in *wsapi.CreateWorkspaceBundleRequest) (*wsapi.CreateWorkspaceBundleResult, error) {
	order, tags, scope := workspaces.BundleOrder{Name: deref(in.BundleName), Description: deref(in.BundleDescription)}, tagsOf(in.Tags), Scope(ctx)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	if err := readSizes(in, &order); err != nil {
		return nil, err
	}
	var bundle workspaces.Bundle
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		image, err := s.usableImage(ctx, tx, deref(in.ImageId))
		if err != nil {
			return err
		}
		if bundle, err = workspaces.NewBundle(Chance(ctx), scope, order, image, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.roomForBundle(ctx, tx, bundle.Name); err != nil {
			return err
		}
		if err := tx.InsertBundle(ctx, scope, bundle); err != nil {
			return err
		}
		return tx.PutTags(ctx, scope, bundle.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.CreateWorkspaceBundleResult{WorkspaceBundle: new(describeBundle(bundle))}, nil
}

// readSizes reads the compute type and the sizes of the volumes, which the API has as texts.
func readSizes(in *wsapi.CreateWorkspaceBundleRequest, order *workspaces.BundleOrder) error {
	order.ComputeType = deref(in.ComputeType.Name)
	for _, volume := range []struct {
		name     string
		capacity *string
		gib      *int
	}{
		{"UserStorage", in.UserStorage.Capacity, &order.UserGiB},
		{"RootStorage", deref(in.RootStorage).Capacity, &order.RootGiB},
	} {
		if volume.capacity == nil {
			continue
		}
		n, err := strconv.ParseUint(*volume.capacity, 10, 16)
		if err != nil || n == 0 {
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "The Capacity of %s is a number of GB, not %q.", volume.name, *volume.capacity)
		}
		*volume.gib = int(n)
	}
	return nil
}

// roomForBundle checks that a name is free and the quota not used up.
func (s WorkSpaces) roomForBundle(ctx context.Context, tx *store.Tx, name string) error {
	scope := Scope(ctx)
	taken, err := tx.BundleNameTaken(ctx, scope, name)
	if err != nil {
		return err
	}
	if taken {
		return workspaces.Errorf(workspaces.CodeAlreadyExists, "A bundle named %s exists in %s.", name, scope.Region)
	}
	n, err := tx.CountBundles(ctx, scope)
	if err == nil && n >= s.Limits.Bundles {
		err = workspaces.Errorf(workspaces.CodeLimitExceeded,
			"The account %s can have %d custom bundles in %s and has %d.", scope.Account, s.Limits.Bundles, scope.Region, n)
	}
	return err
}

// UpdateWorkspaceBundle gives a bundle another image, and with it those of the type STANDBY that mirror it in other
// regions. WorkSpaces that exist get it when they are rebuilt.
//
// Effect: operations. Desktops that are made or rebuilt from then on have the image.
func (s WorkSpaces) UpdateWorkspaceBundle(ctx context.Context, in *wsapi.UpdateWorkspaceBundleRequest) (*wsapi.UpdateWorkspaceBundleResult, error) {
	if in.ImageId == nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The request names no ImageId.")
	}
	return &wsapi.UpdateWorkspaceBundleResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		bundle, err := s.ownBundle(ctx, tx, in.BundleId)
		if err != nil {
			return err
		}
		if bundle.Type() == workspaces.BundleStandby {
			return workspaces.Errorf(workspaces.CodeNotSupported, "The bundle %s has the image of the bundle %s in %s; update that.",
				bundle.ID, bundle.SourceID, bundle.SourceRegion)
		}
		image, err := s.usableImage(ctx, tx, *in.ImageId)
		if err != nil {
			return err
		}
		if err := bundle.SetImage(image, s.Clock.Now()); err != nil {
			return err
		}
		return tx.SetBundleImage(ctx, Scope(ctx), bundle)
	})
}

// DeleteWorkspaceBundle forgets a bundle of which there are no WorkSpaces.
//
// Effect: operations. Nothing can be made of it any more.
func (s WorkSpaces) DeleteWorkspaceBundle(ctx context.Context, in *wsapi.DeleteWorkspaceBundleRequest) (*wsapi.DeleteWorkspaceBundleResult, error) {
	return &wsapi.DeleteWorkspaceBundleResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		bundle, err := s.ownBundle(ctx, tx, in.BundleId)
		if err != nil {
			return err
		}
		has, err := tx.BundleHasLivingWorkSpaces(ctx, Scope(ctx), bundle.ID)
		if err != nil {
			return err
		}
		if has {
			return workspaces.Errorf(workspaces.CodeAssociated, "The bundle %s has WorkSpaces; terminate them first.", bundle.ID).About(bundle.ID)
		}
		if has, err = tx.BundleHasPools(ctx, Scope(ctx), bundle.ID); err != nil {
			return err
		}
		if has {
			return workspaces.Errorf(workspaces.CodeAssociated, "The bundle %s has pools; terminate them first.", bundle.ID).About(bundle.ID)
		}
		return tx.DeleteBundle(ctx, Scope(ctx), bundle.ID)
	})
}

// ownBundle finds a custom bundle of the caller's to be changed.
func (s WorkSpaces) ownBundle(ctx context.Context, tx *store.Tx, id *string) (workspaces.Bundle, error) {
	if id == nil {
		return workspaces.Bundle{}, workspaces.Errorf(workspaces.CodeInvalidParameter, "The request names no BundleId.")
	}
	b, found, err := s.anyBundle(ctx, tx, *id)
	switch {
	case err != nil:
		return b, err
	case !found:
		return b, workspaces.Errorf(workspaces.CodeNotFound, "The bundle %s could not be found.", *id).About(*id)
	case b.Owner == workspaces.Amazon:
		return b, workspaces.Errorf(workspaces.CodeAccessDenied, "The bundle %s is public; nobody can change it.", *id)
	}
	return b, nil
}
