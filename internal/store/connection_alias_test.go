package store_test

import (
	"context"
	"slices"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// reserve reserves a connection string, whoever may have it.
func reserve(ctx context.Context, tx *store.Tx, name, account string) error {
	_, err := tx.ReserveConnectionString(ctx, name, account)
	return err
}

func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		for _, c := range []struct{ name, account, owner string }{
			{"desk.example.com", "1", "1"}, {"DESK.example.com", "2", "1"}, {"desk.example.com", "1", "1"}, {"desks.example.com", "2", "2"},
		} {
			update(t, s, func(tx *store.Tx) error {
				owner, err := tx.ReserveConnectionString(t.Context(), c.name, c.account)
				equal(t, owner, c.owner)
				return err
			})
		}
	})
}

func TestConnectionAliases(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := filled[workspaces.ConnectionAlias](1)
		get := func(scope workspaces.Scope) (*workspaces.ConnectionAlias, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.ConnectionAlias, bool, error) {
				return tx.ConnectionAlias(ctx, scope, a.ID)
			})
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		save := func(read int64) (saved bool) {
			update(t, s, func(tx *store.Tx) (err error) {
				saved, err = tx.SaveConnectionAlias(ctx, a, read)
				return err
			})
			return saved
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertConnectionAlias(ctx, a) })
		got, _ := get(a.Scope)
		equal(t, got, a)
		old := a.Generation
		a.Generation, a.SharedWith, a.Association = 77, "the other", workspaces.AliasAssociation{}
		equal(t, []bool{save(old), save(old)}, []bool{true, false})
		got, _ = get(a.Scope)
		equal(t, got, a)
		// Who shares it sees it as the owner does, in its own region only.
		got, _ = get(workspaces.Scope{Account: "the other", Region: a.Region})
		equal(t, got, a)
		for _, scope := range []workspaces.Scope{
			{Account: "a third", Region: a.Region}, {Account: a.Account, Region: "far"}, {Account: "the other", Region: "far"}, {Region: a.Region},
		} {
			if _, ok := get(scope); ok {
				t.Errorf("%v sees it", scope)
			}
		}
		update(t, s, func(tx *store.Tx) error { return tx.PutTags(ctx, a.Scope, a.ID, []workspaces.Tag{{Key: "k"}}) })
		for _, want := range []struct {
			generation int64
			deleted    bool
		}{{old, false}, {77, true}, {77, false}} {
			update(t, s, func(tx *store.Tx) error {
				deleted, err := tx.DeleteConnectionAlias(ctx, workspaces.Ref{Scope: a.Scope, ID: a.ID, Generation: want.generation})
				equal(t, deleted, want.deleted)
				return err
			})
		}
		equal(t, rowsByTable(t, s)["tag"], "0")
	})
}

// TestConnectionAliasLists reads lists in pages, by directory and by host.
func TestConnectionAliasLists(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		add := func(scope workspaces.Scope, id, host, sharedWith, directoryID string) {
			update(t, s, func(tx *store.Tx) error {
				return tx.InsertConnectionAlias(ctx, &workspaces.ConnectionAlias{
					Scope: scope, ID: id, ConnectionString: host, SharedWith: sharedWith,
					Association: workspaces.AliasAssociation{Account: here.Account, DirectoryID: directoryID},
				})
			})
		}
		there := workspaces.Scope{Account: here.Account, Region: "a-far-region"}
		other := workspaces.Scope{Account: "other", Region: here.Region}
		add(here, "wsca-1", "One.example.com", "", "d-1")
		add(other, "wsca-2", "two.example.com", here.Account, "")
		add(there, "wsca-3", "one.example.com", "", "d-1")
		add(here, "wsca-4", "four.example.com", "other", "d-2")
		add(other, "wsca-5", "five.example.com", "", "")
		ids := func(aliases []*workspaces.ConnectionAlias) (ids []string) {
			for _, a := range aliases {
				ids = append(ids, a.ID)
			}
			return ids
		}
		list := func(f store.ConnectionAliasFilter) (all []string) {
			for {
				page := read(t, s, func(tx *store.Tx) (store.ConnectionAliasPage, error) { return tx.ConnectionAliases(ctx, f) })
				if f.Limit > 0 && len(page.Aliases) > f.Limit {
					t.Errorf("a page of %d", len(page.Aliases))
				}
				all = append(all, ids(page.Aliases)...)
				if f.After = page.Next; f.After == 0 {
					return all
				}
			}
		}
		for _, limit := range []int{0, 1, 2} {
			equal(t, list(store.ConnectionAliasFilter{Scope: here, Limit: limit}), []string{"wsca-1", "wsca-2", "wsca-4"})
			equal(t, list(store.ConnectionAliasFilter{Scope: other, Limit: limit}), []string{"wsca-2", "wsca-4", "wsca-5"})
		}
		equal(t, list(store.ConnectionAliasFilter{Scope: here, IDs: []string{"wsca-4", "wsca-3", "wsca-5"}}), []string{"wsca-4"})
		equal(t, list(store.ConnectionAliasFilter{Scope: here, DirectoryID: "d-1"}), []string{"wsca-1"})
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountConnectionAliases(ctx, here) }), 2)
		ofHost := func(host string) []string {
			return ids(read(t, s, func(tx *store.Tx) ([]*workspaces.ConnectionAlias, error) {
				return tx.ConnectionAliasesOfHost(ctx, host)
			}))
		}
		equal(t, ofHost("ONE.example.com"), []string{"wsca-1", "wsca-3"})
		equal(t, len(ofHost("none.example.com")), 0)
		if err := s.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertConnectionAlias(ctx, &workspaces.ConnectionAlias{Scope: other, ID: "wsca-6", ConnectionString: "one.EXAMPLE.com"})
		}); err == nil {
			t.Error("a region has two aliases of one host")
		}

		// A directory that goes takes its own associations with it.
		d := &workspaces.WorkspaceDirectory{Scope: here, ID: "d-1", RegistrationCode: "c"}
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(ctx, d) })
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			return err
		})
		left := list(store.ConnectionAliasFilter{Scope: here, DirectoryID: "d-1"})
		left = append(left, list(store.ConnectionAliasFilter{Scope: there, DirectoryID: "d-1"})...)
		equal(t, left, []string{"wsca-3"})
		cleared, ok, err := read3(s, func(tx *store.Tx) (*workspaces.ConnectionAlias, bool, error) {
			return tx.ConnectionAlias(ctx, here, "wsca-1")
		})
		if !ok || err != nil || cleared.Generation != 1 || cleared.Association != (workspaces.AliasAssociation{Status: workspaces.NotAssociated}) {
			t.Errorf("%+v, %v", cleared, err)
		}
		if slices.Contains(list(store.ConnectionAliasFilter{Scope: here, DirectoryID: "d-2"}), "wsca-1") {
			t.Error("it has moved to another directory")
		}
	})
}
