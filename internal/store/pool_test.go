package store_test

import (
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestPools(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		p, d := filled[workspaces.Pool](1), filled[workspaces.PoolDesktop](1)
		p.Scope, d.Scope, d.PoolID, d.DirectoryID = here, here, p.ID, p.DirectoryID
		update(t, s, func(tx *store.Tx) error { return tx.InsertPool(ctx, p) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertPoolDesktop(ctx, d) })
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.Pool, error) { return found(tx.Pool(ctx, here, p.ID)) }), p)
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.PoolDesktop, error) { return found(tx.PoolDesktop(ctx, here, d.ID)) }), d)
		ready := func() store.PoolSize {
			page := read(t, s, func(tx *store.Tx) (store.PoolPage, error) { return tx.Pools(ctx, store.PoolFilter{Scope: here}) })
			equal(t, page.Pools, []*workspaces.Pool{p})
			return page.Sizes[p.ID]
		}
		equal(t, ready(), store.PoolSize{})
		read := d.Generation
		d.Made(start)
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SavePoolDesktop(ctx, d, read)
				equal(t, saved, want)
				return err
			})
		}
		equal(t, ready(), store.PoolSize{Ready: 1})
		gone := func() (deleted bool) {
			update(t, s, func(tx *store.Tx) (err error) {
				deleted, err = tx.DeletePoolDesktop(ctx, d.Ref())
				return err
			})
			return deleted
		}
		equal(t, []bool{gone(), gone()}, []bool{true, false})
		equal(t, ready(), store.PoolSize{})
	})
}
