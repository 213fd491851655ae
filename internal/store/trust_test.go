package store_test

import (
	"context"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// reserveAlias takes an alias, whoever may have it.
func reserveAlias(ctx context.Context, tx *store.Tx, alias string) error {
	_, err := tx.ReserveDirectoryAlias(ctx, alias)
	return err
}

func TestDirectoryAliases(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		for _, c := range []struct {
			alias string
			free  bool
		}{{"corp", true}, {"Corp", false}, {"corp2", true}, {"corp", false}} {
			update(t, s, func(tx *store.Tx) error {
				free, err := tx.ReserveDirectoryAlias(t.Context(), c.alias)
				equal(t, free, c.free)
				return err
			})
		}
	})
}

func TestTrusts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := filled[workspaces.Trust](1)
		update(t, s, func(tx *store.Tx) error { return tx.InsertTrust(ctx, a) })
		get := func() *workspaces.Trust {
			return read(t, s, func(tx *store.Tx) (*workspaces.Trust, error) { return found(tx.Trust(ctx, a.Scope, a.ID)) })
		}
		equal(t, get(), a)
		old := a.Generation
		a.Generation, a.State, a.Forwarders = 99, workspaces.TrustVerified, nil
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveTrust(ctx, a, old)
				equal(t, saved, want)
				return err
			})
		}
		equal(t, get(), a)
		for _, id := range []string{"t-1", "t-2", "t-3"} {
			update(t, s, func(tx *store.Tx) error {
				return tx.InsertTrust(ctx, &workspaces.Trust{Scope: here, ID: id, DirectoryID: "d-" + id[2:3]})
			})
		}
		ids := func(f store.TrustFilter) (ids []string, next int64) {
			f.Scope = here
			err := s.View(func(tx *store.Tx) error {
				page, n, err := tx.Trusts(ctx, f)
				for _, t := range page {
					ids = append(ids, t.ID)
				}
				next = n
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids, next
		}
		first, next := ids(store.TrustFilter{Limit: 2})
		rest, end := ids(store.TrustFilter{Limit: 2, After: next})
		equal(t, append(first, rest...), []string{"t-1", "t-2", "t-3"})
		equal(t, end, int64(0))
		some, _ := ids(store.TrustFilter{DirectoryID: "d-2", IDs: []string{"t-1", "t-2"}})
		equal(t, some, []string{"t-2"})
		for _, want := range []struct {
			generation int64
			deleted    bool
		}{{old, false}, {99, true}, {99, false}} {
			update(t, s, func(tx *store.Tx) error {
				deleted, err := tx.DeleteTrust(ctx, workspaces.Ref{Scope: a.Scope, ID: a.ID, Generation: want.generation})
				equal(t, deleted, want.deleted)
				return err
			})
		}
	})
}
