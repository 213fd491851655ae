package operation

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// DescribeWorkspaceBundles lists bundles by id, or those of an owner: AMAZON for the public
// ones, nothing for the account's own. Ids that do not exist are left out of the reply.
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
	var wanted []workspaces.Bundle
	for _, b := range s.Bundles {
		if len(ids) > 0 && slices.Contains(ids, b.ID) || len(ids) == 0 && ownedBy(b, owner, Scope(ctx).Account) {
			wanted = append(wanted, b)
		}
	}
	from := min(int(position), len(wanted))
	to := min(from+MaxPage, len(wanted))
	out := &wsapi.DescribeWorkspaceBundlesResult{Bundles: make([]wsapi.WorkspaceBundle, 0, to-from)}
	for _, b := range wanted[from:to] {
		out.Bundles = append(out.Bundles, describeBundle(b))
	}
	if to < len(wanted) {
		out.NextToken = PageToken(int64(to), about...)
	}
	return out, nil
}

// ownedBy reports whether a request with that owner is for the bundle. Clients write AMAZON
// in either case.
func ownedBy(b workspaces.Bundle, owner, account string) bool {
	if owner == "" {
		owner = account
	}
	return strings.EqualFold(b.Owner, owner)
}

func describeBundle(b workspaces.Bundle) wsapi.WorkspaceBundle {
	created := api.At(b.CreatedAt)
	return wsapi.WorkspaceBundle{
		BundleId: &b.ID, Name: &b.Name, Owner: &b.Owner, Description: &b.Description, ImageId: &b.ImageID,
		RootStorage: &wsapi.RootStorage{Capacity: new(strconv.Itoa(b.RootGiB))},
		UserStorage: &wsapi.UserStorage{Capacity: new(strconv.Itoa(b.UserGiB))},
		ComputeType: &wsapi.ComputeType{Name: &b.ComputeType},
		State:       new("AVAILABLE"), BundleType: new("REGULAR"), CreationTime: created, LastUpdatedTime: created,
	}
}
