package job_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestAccountModification enables an account, with turns that come twice, too soon or after a crash.
func TestAccountModification(t *testing.T) {
	t.Parallel()
	w := limited(t)
	m := workspaces.NewAccountModification(nil, jobtest.Scope(), netip.MustParsePrefix("172.20.0.0/16"), w.Clock.Now())
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.InsertAccountModification(ctx, m) })
	is := func() (state workspaces.ModificationState, a workspaces.Account) {
		w.View(func(ctx context.Context, tx *store.Tx) error {
			m, _, err := tx.AccountModification(ctx, m.Scope, m.ID)
			if err != nil {
				return err
			}
			state = m.State
			a, err = tx.Account(ctx, m.Scope)
			return err
		})
		return state, a
	}
	turns(t, w, workspaces.KindAccountModification, m.Ref(), m.Ref())
	w.Crash()
	w.Advance(workspaces.AWSLimits().AccountChange - time.Second)
	turns(t, w, workspaces.KindAccountModification, m.Ref())
	if state, a := is(); state != workspaces.ModificationPending || a.DedicatedTenancy {
		t.Fatalf("too soon: %s, %+v", state, a)
	}
	w.Settle()
	turns(t, w, workspaces.KindAccountModification, m.Ref())
	if state, a := is(); state != workspaces.ModificationCompleted || a.ManagementRange != m.ManagementRange {
		t.Fatalf("%s, %+v", state, a)
	}
}
