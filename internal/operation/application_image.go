package operation

import (
	"context"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// bringApplications notes what a new WorkSpace has from the image of its bundle. When its root volume
// is made anew that is installed once more, as what was installed by a deployment is.
func bringApplications(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, b workspaces.Bundle) error {
	if b.Owner == workspaces.Amazon {
		return nil // the public image has none
	}
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: b.ImageID})
	if err != nil || len(all) == 0 {
		return err
	}
	for _, a := range all {
		if err := tx.PutAssociation(ctx, a.Brought(w)); err != nil {
			return err
		}
	}
	return tx.InsertDeployment(ctx, &workspaces.Deployment{Scope: w.Scope, ID: w.ID})
}

// copyApplications notes what an image has from the one that it is made of, as far as its account knows of it.
func (s WorkSpaces) copyApplications(ctx context.Context, tx *store.Tx, from, to *workspaces.Image) error {
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: from.Scope, ResourceID: from.ID})
	if err != nil {
		return err
	}
	for _, a := range all {
		known, found := s.known(a.ApplicationID)
		if !found || !known.IsFor(to.Account) {
			continue
		}
		a.Scope, a.ResourceID, a.CreatedAt, a.UpdatedAt = to.Scope, to.ID, to.CreatedAt, to.CreatedAt
		if err := tx.PutAssociation(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// checkDeployed refuses a WorkSpace in which an application is on its way: half of it would be in an image.
func checkDeployed(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.IsDeployed() {
			return workspaces.Errorf(workspaces.CodeInvalidState,
				"The application %s is %s in the WorkSpace %s; an image can be made of it afterwards.", a.ApplicationID, a.State, w.ID).About(w.ID)
		}
	}
	return nil
}
