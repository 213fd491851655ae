package store_test

import (
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestAssociations(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := filled[workspaces.Association](1)
		get := func() *workspaces.Association {
			return read(t, s, func(tx *store.Tx) (*workspaces.Association, error) {
				return found(tx.Association(ctx, a.Scope, a.ResourceID, a.ApplicationID))
			})
		}
		put := func(all ...*workspaces.Association) {
			t.Helper()
			for _, a := range all {
				update(t, s, func(tx *store.Tx) error { return tx.PutAssociation(ctx, a) })
			}
		}
		put(a)
		equal(t, get(), a)
		a.State, a.ErrorCode, a.Runs, a.Removing = workspaces.AssociationErrored, "why", 9, !a.Removing
		put(a)
		equal(t, get(), a)

		of := func(resource, app string, image bool) *workspaces.Association {
			return &workspaces.Association{Scope: here, ResourceID: resource, ApplicationID: app, InImage: image}
		}
		put(of("ws-1", "wsa-1", false), of("wsi-1", "wsa-1", true), of("ws-1", "wsa-2", false), of("ws-2", "wsa-1", false))
		put(of("ws-1", "wsa-1", false)) // keeps its place
		for _, want := range []struct {
			filter store.AssociationFilter
			ids    []string
		}{
			{store.AssociationFilter{ApplicationID: "wsa-1"}, []string{"ws-1", "wsi-1", "ws-2"}},
			{store.AssociationFilter{ApplicationID: "wsa-1", WorkSpaces: true, Images: true}, []string{"ws-1", "wsi-1", "ws-2"}},
			{store.AssociationFilter{ApplicationID: "wsa-1", WorkSpaces: true}, []string{"ws-1", "ws-2"}},
			{store.AssociationFilter{ApplicationID: "wsa-1", Images: true}, []string{"wsi-1"}},
			{store.AssociationFilter{ResourceID: "ws-1"}, []string{"ws-1", "ws-1"}},
			{store.AssociationFilter{ResourceID: "ws-3"}, nil},
		} {
			for _, limit := range []int{0, 1, 2} {
				var ids []string
				f := want.filter
				f.Scope, f.Limit = here, limit
				for more := true; more; more = f.After > 0 {
					update(t, s, func(tx *store.Tx) error {
						page, next, err := tx.Associations(ctx, f)
						for _, a := range page {
							ids = append(ids, a.ResourceID)
						}
						f.After = next
						return err
					})
				}
				equal(t, ids, want.ids)
			}
		}
	})
}

// TestDeployments: the work on a WorkSpace's applications waits for it to be AVAILABLE, and goes with it.
func TestDeployments(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := workSpace("ws-1")
		d := &workspaces.Deployment{Scope: w.Scope, ID: w.ID, Since: start, Attempts: 2, Generation: 7, Deadline: start}
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertDeployment(ctx, d) })
		get := func() *workspaces.Deployment {
			return read(t, s, func(tx *store.Tx) (*workspaces.Deployment, error) { return found(tx.Deployment(ctx, d.Scope, d.ID)) })
		}
		equal(t, get(), d)
		d.Generation, d.Attempts = 8, 0
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveDeployment(ctx, d, 7)
				equal(t, saved, want)
				return err
			})
		}
		equal(t, get(), d)
		for _, state := range []workspaces.State{workspaces.Stopped, workspaces.Available} {
			update(t, s, func(tx *store.Tx) error {
				read := w.Generation
				w.State, w.Deadline, w.ChangedAt, w.Generation = state, d.WakeAt, start, read+1
				_, err := tx.SaveWorkSpace(ctx, w, read)
				return err
			})
			equal(t, get().WakeAt.IsZero(), state != workspaces.Available)
		}
		update(t, s, func(tx *store.Tx) error {
			return tx.PutAssociation(ctx, &workspaces.Association{Scope: here, ResourceID: w.ID})
		})
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.DeleteWorkSpace(ctx, w.Ref())
			return err
		})
		update(t, s, func(tx *store.Tx) error {
			_, has, err := tx.Deployment(ctx, d.Scope, d.ID)
			equal(t, has, false)
			if err != nil {
				return err
			}
			left, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: here})
			equal(t, len(left), 0)
			return err
		})
	})
}
