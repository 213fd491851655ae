package job

import (
	"context"
	"slices"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Enabling dedicated tenancy for an account. There is no hardware to be set apart, so it is a
// wait that --limits aws makes as long as the service's, and a look at the networks, which
// may have changed since the range was asked for.
//
//	1  PENDING, COMPLETED with the account   undo: none, as in the service
//	   or FAILED, where a network has come into the way

func (r *Runner) accountModification(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		m, found, err := tx.AccountModification(ctx, ref.Scope, ref.ID)
		if err != nil || !found || m.Generation != ref.Generation || m.State != workspaces.ModificationPending {
			return err
		}
		if until := m.StartedAt.Add(r.Limits.AccountChange); waits(r.Clock.Now(), m.StartedAt, until) {
			return tx.PutOff(ctx, workspaces.KindAccountModification, ref, until)
		}
		subnets, err := tx.Subnets(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(subnets, func(s workspaces.Subnet) bool { return s.Region == m.Region && s.Prefix.Overlaps(m.ManagementRange) }) {
			m.Fail("UnsupportedNetworkConfiguration", "The range "+m.ManagementRange.String()+" overlaps with a network of the region.")
		} else if err := tx.PutAccount(ctx, m.Complete()); err != nil {
			return err
		}
		_, err = tx.SaveAccountModification(ctx, m, ref.Generation)
		return err
	})
}
