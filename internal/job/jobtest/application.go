package jobtest

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Associate notes that applications are to be in a WorkSpace.
func (w *World) Associate(id string, applications ...string) {
	w.tb.Helper()
	for _, a := range applications {
		if _, err := w.API.AssociateWorkspaceApplication(w.ctx, &wsapi.AssociateWorkspaceApplicationRequest{WorkspaceId: &id, ApplicationId: &a}); err != nil {
			w.tb.Fatalf("%v", err)
		}
	}
}

// Deploy asks for what is associated with a WorkSpace.
func (w *World) Deploy(id string) {
	w.tb.Helper()
	if _, err := w.API.DeployWorkspaceApplications(w.ctx, &wsapi.DeployWorkspaceApplicationsRequest{WorkspaceId: &id, Force: new(true)}); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// Application returns what has become of an application in a WorkSpace, nil where nothing is known of it.
func (w *World) Application(id, application string) (found *workspaces.Association) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		found, _, err = tx.Association(ctx, Scope(), id, application)
		return err
	})
	return found
}
