package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateConnectionAlias makes an alias of a host name in the caller's region. The name is
// from then on the account's, in all regions and for ever.
//
// Effect: operations. It can be associated. Its entry in the name service is the customer's to
// make, as in the service.
func (s WorkSpaces) CreateConnectionAlias(ctx context.Context, in *wsapi.CreateConnectionAliasRequest) (*wsapi.CreateConnectionAliasResult, error) {
	tags := tagsOf(in.Tags)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	if err := workspaces.CheckConnectionString(deref(in.ConnectionString)); err != nil {
		return nil, err
	}
	a := workspaces.NewConnectionAlias(Chance(ctx), Scope(ctx), deref(in.ConnectionString), s.Clock.Now())
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.checkNewAlias(ctx, tx, a); err != nil {
			return err
		}
		if err := tx.InsertConnectionAlias(ctx, a); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, a.Scope, a.ID, tags); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindConnectionAlias, Refs: []workspaces.Ref{a.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindConnectionAlias, a.Ref())
	return &wsapi.CreateConnectionAliasResult{AliasId: &a.ID}, nil
}

// checkNewAlias reserves the connection string, and refuses one that is another account's or
// has an alias in the region, and one alias too many.
func (s WorkSpaces) checkNewAlias(ctx context.Context, tx *store.Tx, a *workspaces.ConnectionAlias) error {
	owner, err := tx.ReserveConnectionString(ctx, a.ConnectionString, a.Account)
	if err != nil {
		return err
	}
	if owner != a.Account {
		return workspaces.Errorf(workspaces.CodeAlreadyExists, "The connection string %s is reserved for another account.", a.ConnectionString)
	}
	known, err := tx.ConnectionAliasesOfHost(ctx, a.ConnectionString)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.Region == a.Region {
			return k.RefuseAgain()
		}
	}
	n, err := tx.CountConnectionAliases(ctx, a.Scope)
	if err == nil && n >= s.Limits.ConnectionAliases {
		err = workspaces.Errorf(workspaces.CodeLimitExceeded, "The account %s can have %d connection aliases in %s.",
			a.Account, s.Limits.ConnectionAliases, a.Region)
	}
	return err
}

// DescribeConnectionAliases lists the aliases that the caller owns or that are shared with it:
// all, those with the ids, or those that lead to a directory.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeConnectionAliases(
	ctx context.Context, in *wsapi.DescribeConnectionAliasesRequest,
) (*wsapi.DescribeConnectionAliasesResult, error) {
	filter := store.ConnectionAliasFilter{
		Scope: Scope(ctx), IDs: in.AliasIds, DirectoryID: deref(in.ResourceId), Limit: PageSize(in.Limit),
	}
	about := list(ctx, "DescribeConnectionAliases", filter.IDs, []string{filter.DirectoryID})
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page store.ConnectionAliasPage
	err = s.Store.View(func(tx *store.Tx) (err error) {
		page, err = tx.ConnectionAliases(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeConnectionAliasesResult{
		ConnectionAliases: make([]wsapi.ConnectionAlias, len(page.Aliases)), NextToken: PageToken(page.Next, about...),
	}
	for i, a := range page.Aliases {
		out.ConnectionAliases[i] = describeConnectionAlias(a)
	}
	return out, nil
}

func describeConnectionAlias(a *workspaces.ConnectionAlias) wsapi.ConnectionAlias {
	return wsapi.ConnectionAlias{
		AliasId: &a.ID, ConnectionString: &a.ConnectionString, State: (*string)(&a.State), OwnerAccountId: &a.Account,
		Associations: []wsapi.ConnectionAliasAssociation{{
			AssociationStatus: (*string)(&a.Association.Status), AssociatedAccountId: some(a.Association.Account),
			ResourceId: some(a.Association.DirectoryID), ConnectionIdentifier: some(a.Association.Identifier),
		}},
	}
}

// DeleteConnectionAlias takes an alias away that is neither shared nor associated.
//
// Effect: operations. Nothing can be associated with it any more. The host name stays the
// account's.
func (s WorkSpaces) DeleteConnectionAlias(ctx context.Context, in *wsapi.DeleteConnectionAliasRequest) (*wsapi.DeleteConnectionAliasResult, error) {
	_, err := s.changeAlias(ctx, in.AliasId, func(_ *store.Tx, a *workspaces.ConnectionAlias) error {
		if err := a.CheckOwner(Scope(ctx).Account); err != nil {
			return err
		}
		return a.BeginDelete(s.Clock.Now())
	})
	return &wsapi.DeleteConnectionAliasResult{}, err
}

// AssociateConnectionAlias leads an alias that the caller owns, or that is shared with it, to
// a registered directory of the caller's.
//
// Effect: portal. Under the alias's host name users sign in to the directory without a registration
// code.
func (s WorkSpaces) AssociateConnectionAlias(
	ctx context.Context, in *wsapi.AssociateConnectionAliasRequest,
) (*wsapi.AssociateConnectionAliasResult, error) {
	scope, id := Scope(ctx), deref(in.ResourceId)
	if !workspaces.IsDirectoryID(id) {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The ResourceId %s is not the id of a directory.", id)
	}
	a, err := s.changeAlias(ctx, in.AliasId, func(tx *store.Tx, a *workspaces.ConnectionAlias) error {
		if err := a.BeginAssociate(Chance(ctx), scope.Account, id, s.Clock.Now()); err != nil {
			return err
		}
		d, found, err := tx.WorkspaceDirectory(ctx, scope, id)
		if err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeNotFound, "The directory %s is not registered.", id).About(id)
		}
		if d.State != workspaces.Registered {
			return workspaces.Errorf(workspaces.CodeInvalidState, "The directory %s is in the state %s.", id, d.State).About(id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.AssociateConnectionAliasResult{ConnectionIdentifier: &a.Association.Identifier}, nil
}

// DisassociateConnectionAlias ends an alias's association with a directory of the caller's.
//
// Effect: portal. Under the host name a registration code is asked for again.
func (s WorkSpaces) DisassociateConnectionAlias(
	ctx context.Context, in *wsapi.DisassociateConnectionAliasRequest,
) (*wsapi.DisassociateConnectionAliasResult, error) {
	_, err := s.changeAlias(ctx, in.AliasId, func(_ *store.Tx, a *workspaces.ConnectionAlias) error {
		return a.BeginDisassociate(Scope(ctx).Account, s.Clock.Now())
	})
	return &wsapi.DisassociateConnectionAliasResult{}, err
}

// UpdateConnectionAliasPermission shares an alias with another account, or takes that back.
//
// Effect: operations. The other account can associate the alias with a directory of its own.
func (s WorkSpaces) UpdateConnectionAliasPermission(
	ctx context.Context, in *wsapi.UpdateConnectionAliasPermissionRequest,
) (*wsapi.UpdateConnectionAliasPermissionResult, error) {
	with := deref(in.ConnectionAliasPermission.SharedAccountId)
	_, err := s.changeAlias(ctx, in.AliasId, func(_ *store.Tx, a *workspaces.ConnectionAlias) error {
		if err := a.CheckOwner(Scope(ctx).Account); err != nil {
			return err
		}
		if deref(in.ConnectionAliasPermission.AllowAssociation) {
			return a.Share(with)
		}
		return a.Unshare(with)
	})
	return &wsapi.UpdateConnectionAliasPermissionResult{}, err
}

// DescribeConnectionAliasPermissions says which account an alias of the caller's is shared with.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeConnectionAliasPermissions(
	ctx context.Context, in *wsapi.DescribeConnectionAliasPermissionsRequest,
) (*wsapi.DescribeConnectionAliasPermissionsResult, error) {
	// One account at most, so that no page is ever followed by another.
	if _, err := PagePosition(in.NextToken, list(ctx, "DescribeConnectionAliasPermissions", []string{deref(in.AliasId)})...); err != nil {
		return nil, err
	}
	var a *workspaces.ConnectionAlias
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if a, err = findAlias(ctx, tx, deref(in.AliasId)); err == nil {
			err = a.CheckOwner(Scope(ctx).Account)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeConnectionAliasPermissionsResult{AliasId: &a.ID, ConnectionAliasPermissions: []wsapi.ConnectionAliasPermission{}}
	if a.SharedWith != "" {
		out.ConnectionAliasPermissions = []wsapi.ConnectionAliasPermission{{SharedAccountId: &a.SharedWith, AllowAssociation: new(true)}}
	}
	return out, nil
}

// changeAlias changes an alias that the caller can see, in one transaction with the job that
// the change asks for, and returns what it has become.
func (s WorkSpaces) changeAlias(
	ctx context.Context, id *string, change func(*store.Tx, *workspaces.ConnectionAlias) error,
) (a *workspaces.ConnectionAlias, err error) {
	err = s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if a, err = findAlias(ctx, tx, deref(id)); err != nil {
			return err
		}
		read := a.Generation
		if err := change(tx, a); err != nil {
			return err
		}
		if _, err := tx.SaveConnectionAlias(ctx, a, read); err != nil || !a.Passing() {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindConnectionAlias, Refs: []workspaces.Ref{a.Ref()}})
	})
	if err == nil {
		Started(ctx, workspaces.KindConnectionAlias, a.Ref())
	}
	return a, err
}

// findAlias returns an alias that the caller owns or shares.
func findAlias(ctx context.Context, tx *store.Tx, id string) (*workspaces.ConnectionAlias, error) {
	a, found, err := tx.ConnectionAlias(ctx, Scope(ctx), id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The connection alias %s could not be found.", id).About(id)
	}
	return a, err
}
