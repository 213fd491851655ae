package job_test

import (
	"context"
	"testing"
	"time"

	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestConnectionAlias takes an alias through all that passes by itself, with turns that come
// twice, too late or after a crash.
func TestConnectionAlias(t *testing.T) {
	t.Parallel()
	w := limited(t)
	a := workspaces.NewConnectionAlias(nil, jobtest.Scope(), "desk.example.com", w.Clock.Now())
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertConnectionAlias(ctx, a) })
	is := func() (is *workspaces.ConnectionAlias) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			found, ok, err := tx.ConnectionAlias(ctx, a.Scope, a.ID)
			if ok {
				is = found
			}
			return err
		})
		return is
	}
	var past []workspaces.Ref
	pass := func() {
		t.Helper()
		before := *is()
		past = append(past, before.Ref())
		turns(t, w, workspaces.KindConnectionAlias, past...)
		w.Crash()
		w.Advance(workspaces.AWSLimits().AliasChange - time.Second)
		turns(t, w, workspaces.KindConnectionAlias, past...)
		if now := is(); now == nil || now.Generation != before.Generation {
			t.Fatalf("too soon: %+v", now)
		}
		w.Settle()
	}
	change := func(f func(a *workspaces.ConnectionAlias) error) {
		t.Helper()
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			a := is()
			read := a.Generation
			if err := f(a); err != nil {
				return err
			}
			_, err := tx.SaveConnectionAlias(ctx, a, read)
			return err
		})
	}
	rests := func(state workspaces.AliasState, status workspaces.AssociationStatus) {
		t.Helper()
		if a := is(); a.State != state || a.Association.Status != status || !a.WakeAt.IsZero() || !a.Deadline.IsZero() {
			t.Fatalf("%+v", a)
		}
	}
	pass()
	rests(workspaces.AliasCreated, workspaces.NotAssociated)
	for account, status := range map[string]workspaces.AssociationStatus{
		a.Account: workspaces.AssociatedWithOwner, "222222222222": workspaces.AssociatedWithShared,
	} {
		change(func(a *workspaces.ConnectionAlias) error { return a.BeginAssociate(nil, account, "d-1", w.Clock.Now()) })
		pass()
		rests(workspaces.AliasCreated, status)
		change(func(a *workspaces.ConnectionAlias) error { return a.BeginDisassociate(account, w.Clock.Now()) })
		pass()
		rests(workspaces.AliasCreated, workspaces.NotAssociated)
	}
	change(func(a *workspaces.ConnectionAlias) error { return a.BeginDelete(w.Clock.Now()) })
	pass()
	if a := is(); a != nil {
		t.Fatalf("%+v", a)
	}
	turns(t, w, workspaces.KindConnectionAlias, past...)
}
