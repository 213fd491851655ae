package operation

import (
	"context"
	"slices"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeWorkspaceAssociations lists the applications of a WorkSpace, also those that were removed.
//
// Effect: answer. Read from the store, where the deployment's turns write what the desktop said.
func (s WorkSpaces) DescribeWorkspaceAssociations(
	ctx context.Context, in *wsapi.DescribeWorkspaceAssociationsRequest,
) (*wsapi.DescribeWorkspaceAssociationsResult, error) {
	out := &wsapi.DescribeWorkspaceAssociationsResult{Associations: []wsapi.WorkspaceResourceAssociation{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		w, found, err := tx.WorkSpace(ctx, Scope(ctx), deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeNotFound, "The WorkSpace %s does not exist.", deref(in.WorkspaceId)).About(deref(in.WorkspaceId))
		}
		all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
		for _, a := range all {
			out.Associations = append(out.Associations, describeAssociation(a))
		}
		return err
	})
}

// DescribeApplicationAssociations lists where an application is: in which WorkSpaces and which images of the caller's.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeApplicationAssociations(
	ctx context.Context, in *wsapi.DescribeApplicationAssociationsRequest,
) (*wsapi.DescribeApplicationAssociationsResult, error) {
	about := list(ctx, "DescribeApplicationAssociations", []string{deref(in.ApplicationId)}, in.AssociatedResourceTypes)
	position, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	application, err := s.application(ctx, deref(in.ApplicationId))
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeApplicationAssociationsResult{Associations: []wsapi.ApplicationResourceAssociation{}}
	workSpaces := slices.Contains(in.AssociatedResourceTypes, wsapi.ApplicationAssociatedResourceTypeWorkspace)
	images := slices.Contains(in.AssociatedResourceTypes, wsapi.ApplicationAssociatedResourceTypeImage)
	if !workSpaces && !images {
		return out, nil // bundles have applications by their images only
	}
	return out, s.Store.View(func(tx *store.Tx) error {
		page, next, err := tx.Associations(ctx, store.AssociationFilter{
			Scope: Scope(ctx), ApplicationID: application.ID, After: position, Limit: PageSize(in.MaxResults),
			WorkSpaces: workSpaces, Images: images,
		})
		for _, a := range page {
			kind := wsapi.ApplicationAssociatedResourceTypeWorkspace
			if a.InImage {
				kind = wsapi.ApplicationAssociatedResourceTypeImage
			}
			out.Associations = append(out.Associations, wsapi.ApplicationResourceAssociation{
				ApplicationId: &a.ApplicationID, AssociatedResourceId: &a.ResourceID, AssociatedResourceType: &kind,
				Created: api.At(a.CreatedAt), LastUpdatedTime: api.At(a.UpdatedAt), State: (*string)(&a.State), StateReason: stateReason(a),
			})
		}
		out.NextToken = PageToken(next, about...)
		return err
	})
}

// DescribeImageAssociations lists the applications that an image has from the WorkSpace that it was made of.
//
// Effect: answer. Read from the store; what was installed by hand is not known.
func (s WorkSpaces) DescribeImageAssociations(
	ctx context.Context, in *wsapi.DescribeImageAssociationsRequest,
) (*wsapi.DescribeImageAssociationsResult, error) {
	out := &wsapi.DescribeImageAssociationsResult{Associations: []wsapi.ImageResourceAssociation{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		image, err := s.usableImage(ctx, tx, deref(in.ImageId))
		if err != nil {
			return err
		}
		all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: image.Scope, ResourceID: image.ID})
		for _, a := range all {
			out.Associations = append(out.Associations, wsapi.ImageResourceAssociation{
				ImageId: &a.ResourceID, AssociatedResourceId: &a.ApplicationID, AssociatedResourceType: new(wsapi.ImageAssociatedResourceTypeApplication),
				Created: api.At(a.CreatedAt), LastUpdatedTime: api.At(a.UpdatedAt), State: (*string)(&a.State),
			})
		}
		return err
	})
}

// DescribeBundleAssociations lists the applications that a bundle has by its image.
//
// Effect: answer. Read from the store; what was installed by hand is not known.
func (s WorkSpaces) DescribeBundleAssociations(
	ctx context.Context, in *wsapi.DescribeBundleAssociationsRequest,
) (*wsapi.DescribeBundleAssociationsResult, error) {
	id := deref(in.BundleId)
	out := &wsapi.DescribeBundleAssociationsResult{Associations: []wsapi.BundleResourceAssociation{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		bundle, found, err := s.anyBundle(ctx, tx, id)
		if err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeNotFound, "The bundle %s could not be found.", id).About(id)
		}
		scope := Scope(ctx)
		if bundle.SourceRegion != "" {
			scope.Region = bundle.SourceRegion
		}
		all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: scope, ResourceID: bundle.ImageID})
		for _, a := range all {
			out.Associations = append(out.Associations, wsapi.BundleResourceAssociation{
				BundleId: &id, AssociatedResourceId: &a.ApplicationID, AssociatedResourceType: new(wsapi.BundleAssociatedResourceTypeApplication),
				Created: api.At(a.CreatedAt), LastUpdatedTime: api.At(a.UpdatedAt), State: (*string)(&a.State),
			})
		}
		return err
	})
}

func describeAssociation(a *workspaces.Association) wsapi.WorkspaceResourceAssociation {
	return wsapi.WorkspaceResourceAssociation{
		WorkspaceId: &a.ResourceID, AssociatedResourceId: &a.ApplicationID,
		AssociatedResourceType: new(wsapi.WorkSpaceAssociatedResourceTypeApplication),
		Created:                api.At(a.CreatedAt), LastUpdatedTime: api.At(a.UpdatedAt), State: (*string)(&a.State), StateReason: stateReason(a),
	}
}

// stateReason is why an association is in ERROR, nil for others.
func stateReason(a *workspaces.Association) *wsapi.AssociationStateReason {
	if a.ErrorCode == "" {
		return nil
	}
	return &wsapi.AssociationStateReason{ErrorCode: &a.ErrorCode, ErrorMessage: &a.ErrorMessage}
}
