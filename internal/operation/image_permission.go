package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// UpdateWorkspaceImagePermission lets another account see and copy an image in its region, or
// takes that back. Only the owner can.
//
// Effect: operations. The other account sees the image and can copy it.
func (s WorkSpaces) UpdateWorkspaceImagePermission(
	ctx context.Context, in *wsapi.UpdateWorkspaceImagePermissionRequest,
) (*wsapi.UpdateWorkspaceImagePermissionResult, error) {
	id, account := deref(in.ImageId), deref(in.SharedAccountId)
	if account == Scope(ctx).Account {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The account %s owns the image; an image is shared with others.", account)
	}
	return &wsapi.UpdateWorkspaceImagePermissionResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		i, err := s.ownImage(ctx, tx, id)
		if err != nil {
			return err
		}
		if deref(in.AllowCopyImage) {
			if err := i.MustBeAvailable(); err != nil {
				return err
			}
			return tx.ShareImage(ctx, i.Scope, id, account)
		}
		was, err := tx.UnshareImage(ctx, i.Scope, id, account)
		if err == nil && !was {
			err = workspaces.Errorf(workspaces.CodeNotSupported, "The image %s is not shared with the account %s.", id, account)
		}
		return err
	})
}

// DescribeWorkspaceImagePermissions lists the accounts that an image of the caller's is shared with.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeWorkspaceImagePermissions(
	ctx context.Context, in *wsapi.DescribeWorkspaceImagePermissionsRequest,
) (*wsapi.DescribeWorkspaceImagePermissionsResult, error) {
	id := deref(in.ImageId)
	about := list(ctx, "DescribeWorkspaceImagePermissions", []string{id})
	after, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	var page store.ImagePermissionPage
	err = s.Store.View(func(tx *store.Tx) error {
		i, err := s.ownImage(ctx, tx, id)
		if err == nil {
			page, err = tx.ImagePermissions(ctx, i.Scope, id, after, PageSize(in.MaxResults))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeWorkspaceImagePermissionsResult{
		ImageId: &id, ImagePermissions: make([]wsapi.ImagePermission, len(page.Accounts)), NextToken: PageToken(page.Next, about...),
	}
	for n := range page.Accounts {
		out.ImagePermissions[n] = wsapi.ImagePermission{SharedAccountId: &page.Accounts[n]}
	}
	return out, nil
}
