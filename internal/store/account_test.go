package store_test

import (
	"net/netip"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		get := func(scope workspaces.Scope) workspaces.Account {
			return read(t, s, func(tx *store.Tx) (workspaces.Account, error) { return tx.Account(ctx, scope) })
		}
		far := workspaces.Scope{Account: here.Account, Region: "far"}
		equal(t, get(here), workspaces.Account{Scope: here})
		for _, cidr := range []string{"10.1.0.0/16", "10.2.0.0/16"} {
			a := workspaces.Account{Scope: here, DedicatedTenancy: true, ManagementRange: netip.MustParsePrefix(cidr)}
			update(t, s, func(tx *store.Tx) error { return tx.PutAccount(ctx, a) })
			equal(t, get(here), a)
		}
		equal(t, get(far), workspaces.Account{Scope: far})
	})
}

func TestAccountModifications(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		m := workspaces.NewAccountModification(nil, here, netip.MustParsePrefix("10.1.0.0/16"), start)
		update(t, s, func(tx *store.Tx) error { return tx.InsertAccountModification(ctx, m) })
		pending := func(scope workspaces.Scope) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.AccountIsModified(ctx, scope) })
		}
		equal(t, []bool{pending(here), pending(workspaces.Scope{Account: here.Account})}, []bool{true, false})
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.AccountModification, error) {
			return found(tx.AccountModification(ctx, here, m.ID))
		}), m)
		old := m.Generation
		m.Fail("code", "message")
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveAccountModification(ctx, m, old)
				equal(t, saved, want)
				return err
			})
		}
		equal(t, pending(here), false)
		other := workspaces.NewAccountModification(nil, here, netip.MustParsePrefix("10.2.0.0/16"), start.Add(-time.Hour))
		update(t, s, func(tx *store.Tx) error { return tx.InsertAccountModification(ctx, other) })
		var all []*workspaces.AccountModification
		for after, more := int64(0), true; more; more = after != 0 {
			err := s.View(func(tx *store.Tx) error {
				page, next, err := tx.AccountModifications(ctx, here, after, 1)
				all, after = append(all, page...), next
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		equal(t, all, []*workspaces.AccountModification{m, other})
	})
}

func TestAccountLinks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l := filled[workspaces.AccountLink](1)
		sees := func(account, region string) (*workspaces.AccountLink, bool) {
			scope := workspaces.Scope{Account: account, Region: region}
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.AccountLink, bool, error) { return tx.AccountLink(ctx, scope, l.ID) })
			if err != nil {
				t.Fatal(err)
			}
			var listed []*workspaces.AccountLink
			err = s.View(func(tx *store.Tx) (err error) {
				listed, _, err = tx.AccountLinks(ctx, store.AccountLinkFilter{Scope: scope})
				return err
			})
			if err != nil || (len(listed) == 1) != ok {
				t.Errorf("%v lists %v, %v", scope, listed, err)
			}
			return got, ok
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertAccountLink(ctx, l) })
		l.Status = workspaces.LinkLinked
		update(t, s, func(tx *store.Tx) error { return tx.SaveAccountLink(ctx, l) })
		for _, account := range []string{l.Source, l.Target} {
			got, _ := sees(account, l.Region)
			equal(t, got, l)
		}
		for _, other := range [][2]string{{"other", l.Region}, {l.Source, "far"}} {
			if _, ok := sees(other[0], other[1]); ok {
				t.Errorf("%v sees it", other)
			}
		}
		update(t, s, func(tx *store.Tx) error { return tx.DeleteAccountLink(ctx, l) })
		if _, ok := sees(l.Source, l.Region); ok {
			t.Error("it is still there")
		}
	})
}
