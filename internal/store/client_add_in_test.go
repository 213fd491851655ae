package store_test

import (
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestClientAddIns(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		d, a := filled[workspaces.WorkspaceDirectory](500), filled[workspaces.ClientAddIn](1)
		a.Scope, a.DirectoryID = d.Scope, d.ID
		get := func(id string) (*workspaces.ClientAddIn, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.ClientAddIn, bool, error) { return tx.ClientAddIn(ctx, a.Scope, id) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		put := func(a workspaces.ClientAddIn) {
			update(t, s, func(tx *store.Tx) error { return tx.PutClientAddIn(ctx, &a) })
		}
		other := *a
		other.DirectoryID = "other"
		put(*a)
		put(other)
		got, _ := get(d.ID)
		equal(t, got, a)
		a.Name, a.URL = "new", ""
		put(*a)
		got, _ = get(d.ID)
		equal(t, got, a)
		update(t, s, func(tx *store.Tx) error { return tx.DeleteClientAddIn(ctx, a.Scope, d.ID) })
		if _, ok := get(d.ID); ok {
			t.Error("it is still there")
		}
		put(*a)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertWorkspaceDirectory(ctx, d); err != nil {
				return err
			}
			_, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			return err
		})
		if _, ok := get(d.ID); ok {
			t.Error("it outlives its directory")
		}
		if _, ok := get("other"); !ok {
			t.Error("another went with it")
		}
	})
}
