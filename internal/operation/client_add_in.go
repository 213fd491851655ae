package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateConnectClientAddIn gives a directory its link to Amazon Connect. A directory can have one.
//
// Effect: portal. Users see it beside their desktops.
func (s WorkSpaces) CreateConnectClientAddIn(
	ctx context.Context, in *wsapi.CreateConnectClientAddInRequest,
) (*wsapi.CreateConnectClientAddInResult, error) {
	a := &workspaces.ClientAddIn{
		Scope: Scope(ctx), DirectoryID: deref(in.ResourceId), ID: workspaces.NewClientAddInID(Chance(ctx)), Name: deref(in.Name), URL: deref(in.URL),
	}
	if err := a.Check(); err != nil {
		return nil, err
	}
	return &wsapi.CreateConnectClientAddInResult{AddInId: &a.ID}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := checkRegistered(ctx, tx, in.ResourceId); err != nil {
			return err
		}
		if _, found, err := tx.ClientAddIn(ctx, a.Scope, a.DirectoryID); err != nil {
			return err
		} else if found {
			return workspaces.Errorf(workspaces.CodeAlreadyExists, "The directory %s has a client add-in.", a.DirectoryID)
		}
		return tx.PutClientAddIn(ctx, a)
	})
}

// DescribeConnectClientAddIns returns the add-in of a directory, if it has one: there is never a second page.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeConnectClientAddIns(
	ctx context.Context, in *wsapi.DescribeConnectClientAddInsRequest,
) (*wsapi.DescribeConnectClientAddInsResult, error) {
	if _, err := PagePosition(in.NextToken, list(ctx, "DescribeConnectClientAddIns", []string{deref(in.ResourceId)})...); err != nil {
		return nil, err
	}
	out := &wsapi.DescribeConnectClientAddInsResult{AddIns: []wsapi.ConnectClientAddIn{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		d, err := registration(ctx, tx, deref(in.ResourceId))
		if err != nil {
			return err
		}
		a, found, err := tx.ClientAddIn(ctx, d.Scope, d.ID)
		if found {
			out.AddIns = append(out.AddIns, wsapi.ConnectClientAddIn{AddInId: &a.ID, ResourceId: &a.DirectoryID, Name: &a.Name, URL: &a.URL})
		}
		return err
	})
}

// UpdateConnectClientAddIn changes the name or the address of an add-in, or both.
//
// Effect: portal. Users see it with their next page.
func (s WorkSpaces) UpdateConnectClientAddIn(
	ctx context.Context, in *wsapi.UpdateConnectClientAddInRequest,
) (*wsapi.UpdateConnectClientAddInResult, error) {
	return &wsapi.UpdateConnectClientAddInResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		a, err := clientAddIn(ctx, tx, in.ResourceId, in.AddInId)
		if err != nil {
			return err
		}
		set(&a.Name, in.Name)
		set(&a.URL, in.URL)
		if err := a.Check(); err != nil {
			return err
		}
		return tx.PutClientAddIn(ctx, a)
	})
}

// DeleteConnectClientAddIn takes a directory's add-in away.
//
// Effect: portal. Users see it no more.
func (s WorkSpaces) DeleteConnectClientAddIn(
	ctx context.Context, in *wsapi.DeleteConnectClientAddInRequest,
) (*wsapi.DeleteConnectClientAddInResult, error) {
	return &wsapi.DeleteConnectClientAddInResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		a, err := clientAddIn(ctx, tx, in.ResourceId, in.AddInId)
		if err != nil {
			return err
		}
		return tx.DeleteClientAddIn(ctx, a.Scope, a.DirectoryID)
	})
}

// clientAddIn returns the add-in with the id of a directory of the caller's.
func clientAddIn(ctx context.Context, tx *store.Tx, directoryID, id *string) (*workspaces.ClientAddIn, error) {
	if err := checkRegistered(ctx, tx, directoryID); err != nil {
		return nil, err
	}
	a, found, err := tx.ClientAddIn(ctx, Scope(ctx), deref(directoryID))
	if err == nil && (!found || a.ID != deref(id)) {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The directory %s has no client add-in %s.", deref(directoryID), deref(id)).About(deref(id))
	}
	return a, err
}
