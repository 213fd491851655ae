package store_test

import (
	"slices"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestIPGroups(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		g := filled[workspaces.IPGroup](1)
		get := func() (*workspaces.IPGroup, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.IPGroup, bool, error) { return tx.IPGroup(ctx, g.Scope, g.ID) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertIPGroup(ctx, g) })
		got, _ := get()
		equal(t, got, g)
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.IPGroup, error) { return found(tx.IPGroupNamed(ctx, g.Scope, g.Name)) }), g)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountIPGroups(ctx, g.Scope) }), 1)
		twin := filled[workspaces.IPGroup](100)
		twin.Scope, twin.Name = g.Scope, g.Name
		if err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertIPGroup(ctx, twin) }); err == nil {
			t.Error("a name was given twice")
		}
		g.Rules = g.Rules[:1]
		update(t, s, func(tx *store.Tx) error { return tx.SaveIPGroup(ctx, g) })
		got, _ = get()
		equal(t, got, g)

		update(t, s, func(tx *store.Tx) error {
			if err := tx.PutTags(ctx, g.Scope, g.ID, []workspaces.Tag{{Key: "k"}}); err != nil {
				return err
			}
			return tx.DeleteIPGroup(ctx, g.Scope, g.ID)
		})
		if _, ok := get(); ok {
			t.Error("it is still there")
		}
		equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, g.Scope, g.ID) })), 0)
	})
}

func TestIPGroupAssociations(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		elsewhere := workspaces.Scope{Account: here.Account, Region: "other"}
		d := filled[workspaces.WorkspaceDirectory](1)
		d.Scope, d.ID = here, "d-1"
		update(t, s, func(tx *store.Tx) error {
			for _, scope := range []workspaces.Scope{here, elsewhere} {
				for _, id := range []string{"wsipg-c", "wsipg-a", "wsipg-b"} {
					if err := tx.InsertIPGroup(ctx, &workspaces.IPGroup{Scope: scope, ID: id, Name: id + scope.Region}); err != nil {
						return err
					}
				}
			}
			for _, a := range []struct {
				scope            workspaces.Scope
				directory, group string
			}{
				{here, "d-1", "wsipg-b"}, {here, "d-1", "wsipg-c"}, {here, "d-1", "wsipg-b"}, {here, "d-2", "wsipg-a"}, {elsewhere, "d-1", "wsipg-a"},
			} {
				if err := tx.AssociateIPGroup(ctx, a.scope, a.directory, a.group); err != nil {
					return err
				}
			}
			return tx.InsertWorkspaceDirectory(ctx, d)
		})
		groups := func(scope workspaces.Scope, directory string) (ids []string) {
			for _, g := range read(t, s, func(tx *store.Tx) (workspaces.IPGroups, error) { return tx.DirectoryIPGroups(ctx, scope, directory) }) {
				equal(t, g.Name, g.ID+scope.Region)
				ids = append(ids, g.ID)
			}
			byDirectory := read(t, s, func(tx *store.Tx) (map[string][]string, error) {
				return tx.IPGroupIDs(ctx, scope, []string{"d-1", "d-2", "d-3"})
			})
			if !slices.Equal(byDirectory[directory], ids) {
				t.Errorf("%v and %v", byDirectory, ids)
			}
			return ids
		}
		associated := func(id string) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.IPGroupIsAssociated(ctx, here, id) })
		}
		equal(t, groups(here, "d-1"), []string{"wsipg-b", "wsipg-c"})
		equal(t, groups(here, "d-2"), []string{"wsipg-a"})
		equal(t, len(groups(here, "d-3")), 0)
		equal(t, groups(elsewhere, "d-1"), []string{"wsipg-a"})
		update(t, s, func(tx *store.Tx) error { return tx.DisassociateIPGroup(ctx, here, "d-1", "wsipg-b") })
		update(t, s, func(tx *store.Tx) error { return tx.DisassociateIPGroup(ctx, here, "d-1", "wsipg-a") })
		equal(t, groups(here, "d-1"), []string{"wsipg-c"})
		equal(t, []bool{associated("wsipg-a"), associated("wsipg-b"), associated("wsipg-c")}, []bool{true, false, true})

		// A registration takes its own with it, and nobody else's.
		update(t, s, func(tx *store.Tx) error {
			deleted, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			equal(t, deleted, true)
			return err
		})
		equal(t, len(groups(here, "d-1")), 0)
		equal(t, groups(here, "d-2"), []string{"wsipg-a"})
		equal(t, groups(elsewhere, "d-1"), []string{"wsipg-a"})
	})
}
