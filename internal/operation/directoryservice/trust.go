package directoryservice

import (
	"context"
	"slices"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateTrust starts to make a trust between a Microsoft AD and a domain elsewhere. Its
// password is for that domain, which nobody asks, and is not kept.
func (s *Service) CreateTrust(ctx context.Context, in *ds.CreateTrustRequest) (*ds.CreateTrustResult, error) {
	t := &workspaces.Trust{
		Scope: operation.Scope(ctx), ID: workspaces.NewTrustID(operation.Chance(ctx)), DirectoryID: value(in.DirectoryId), RemoteDomain: value(in.RemoteDomainName),
		Direction: value(in.TrustDirection), Type: ds.TrustTypeForest, SelectiveAuth: ds.SelectiveAuthDisabled,
		Forwarders: slices.Concat(in.ConditionalForwarderIpAddrs, in.ConditionalForwarderIpv6Addrs),
	}
	if in.TrustType != nil {
		t.Type = *in.TrustType
	}
	if in.SelectiveAuth != nil {
		t.SelectiveAuth = *in.SelectiveAuth
	}
	err := s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := find(ctx, tx, t.DirectoryID)
		if err != nil {
			return err
		}
		if d.Type != workspaces.MicrosoftAD {
			return workspaces.Errorf(workspaces.CodeDirectoryType, "Trusts are not supported for a directory of the type %s.", d.Type)
		}
		if err := d.CheckActive(); err != nil {
			return err
		}
		others, _, err := tx.Trusts(ctx, store.TrustFilter{Scope: t.Scope, DirectoryID: d.ID})
		if err != nil {
			return err
		}
		t.Generation = 0 // the transaction may run again
		if err := t.Begin(d, others, s.core.Clock.Now()); err != nil {
			return err
		}
		if len(t.Forwarders) > 0 {
			read := d.Generation
			d.PutForwarder(workspaces.ConditionalForwarder{Domain: t.RemoteDomain, Addresses: t.Forwarders})
			if err := save(ctx, tx, d, read); err != nil {
				return err
			}
		}
		if err := tx.InsertTrust(ctx, t); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindTrust, Refs: []workspaces.Ref{t.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	operation.Started(ctx, workspaces.KindTrust, t.Ref())
	return &ds.CreateTrustResult{TrustId: &t.ID}, nil
}

// maxTrusts is the most that one reply describes.
const maxTrusts = 100

// DescribeTrusts lists the caller's trusts, those of a directory, or those with the ids, of
// which each must exist.
func (s *Service) DescribeTrusts(ctx context.Context, in *ds.DescribeTrustsRequest) (*ds.DescribeTrustsResult, error) {
	if in.TrustIds != nil && len(in.TrustIds) == 0 || len(in.TrustIds) > maxTrusts {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "TrustIds must hold between 1 and %d ids, or be left out.", maxTrusts)
	}
	filter := store.TrustFilter{
		Scope: operation.Scope(ctx), DirectoryID: value(in.DirectoryId), IDs: in.TrustIds, Limit: int(value(in.Limit)),
	}
	if filter.Limit == 0 || filter.Limit > maxTrusts {
		filter.Limit = maxTrusts
	}
	about := append([]string{"DescribeTrusts", filter.Account, filter.Region, filter.DirectoryID}, filter.IDs...)
	var err error
	if filter.After, err = operation.PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page []*workspaces.Trust
	var next int64
	err = s.core.Store.View(func(tx *store.Tx) error {
		if err := mustHaveTrusts(ctx, tx, filter); err != nil {
			return err
		}
		page, next, err = tx.Trusts(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeTrustsResult{Trusts: make([]ds.Trust, len(page)), NextToken: operation.PageToken(next, about...)}
	for i, t := range page {
		out.Trusts[i] = describeTrust(t)
	}
	return out, nil
}

// mustHaveTrusts refuses a directory and ids that do not exist.
func mustHaveTrusts(ctx context.Context, tx *store.Tx, f store.TrustFilter) error {
	if f.DirectoryID != "" {
		if _, err := find(ctx, tx, f.DirectoryID); err != nil {
			return err
		}
	}
	if len(f.IDs) == 0 {
		return nil
	}
	known, _, err := tx.Trusts(ctx, store.TrustFilter{Scope: f.Scope, DirectoryID: f.DirectoryID, IDs: f.IDs})
	if err != nil {
		return err
	}
	for _, id := range f.IDs {
		if !slices.ContainsFunc(known, func(t *workspaces.Trust) bool { return t.ID == id }) {
			return unknownTrust(id)
		}
	}
	return nil
}

func unknownTrust(id string) error {
	return workspaces.Errorf(workspaces.CodeNotFound, "Trust %s does not exist.", id)
}

func describeTrust(t *workspaces.Trust) ds.Trust {
	return ds.Trust{
		DirectoryId: &t.DirectoryID, TrustId: &t.ID, RemoteDomainName: &t.RemoteDomain, TrustType: &t.Type, TrustDirection: &t.Direction,
		TrustState: (*string)(&t.State), CreatedDateTime: api.At(t.CreatedAt), LastUpdatedDateTime: api.At(t.UpdatedAt),
		StateLastUpdatedDateTime: api.At(t.StateChangedAt), SelectiveAuth: &t.SelectiveAuth,
	}
}

// VerifyTrust verifies a trust again, which always succeeds: no domain is asked.
func (s *Service) VerifyTrust(ctx context.Context, in *ds.VerifyTrustRequest) (*ds.VerifyTrustResult, error) {
	err := s.changeTrust(ctx, value(in.TrustId), func(_ *store.Tx, t *workspaces.Trust) error {
		return t.Change(workspaces.TrustVerifying, s.core.Clock.Now())
	})
	return &ds.VerifyTrustResult{TrustId: in.TrustId}, err
}

// UpdateTrust sets whether a trust authenticates selectively.
func (s *Service) UpdateTrust(ctx context.Context, in *ds.UpdateTrustRequest) (*ds.UpdateTrustResult, error) {
	err := s.changeTrust(ctx, value(in.TrustId), func(_ *store.Tx, t *workspaces.Trust) error {
		if in.SelectiveAuth != nil {
			t.SelectiveAuth = *in.SelectiveAuth
		}
		return t.Change(workspaces.TrustUpdating, s.core.Clock.Now())
	})
	return &ds.UpdateTrustResult{TrustId: in.TrustId, RequestId: new(api.CallerFrom(ctx).RequestID)}, err
}

// DeleteTrust starts to take a trust away, and where that is asked, what its directory knows of
// the domain's name servers at once.
func (s *Service) DeleteTrust(ctx context.Context, in *ds.DeleteTrustRequest) (*ds.DeleteTrustResult, error) {
	err := s.changeTrust(ctx, value(in.TrustId), func(tx *store.Tx, t *workspaces.Trust) error {
		if err := t.Change(workspaces.TrustDeleting, s.core.Clock.Now()); err != nil || !value(in.DeleteAssociatedConditionalForwarder) {
			return err
		}
		d, err := find(ctx, tx, t.DirectoryID)
		if err != nil {
			return err
		}
		read := d.Generation
		if !d.DropForwarder(t.RemoteDomain) {
			return nil
		}
		return save(ctx, tx, d, read)
	})
	return &ds.DeleteTrustResult{TrustId: in.TrustId}, err
}

// changeTrust changes a trust in one transaction with the job that the change asks for.
func (s *Service) changeTrust(ctx context.Context, id string, change func(*store.Tx, *workspaces.Trust) error) error {
	var t *workspaces.Trust
	err := s.core.Store.Update(ctx, func(tx *store.Tx) (err error) {
		var found bool
		if t, found, err = tx.Trust(ctx, operation.Scope(ctx), id); err != nil {
			return err
		}
		if !found {
			return unknownTrust(id)
		}
		read := t.Generation
		if err := change(tx, t); err != nil {
			return err
		}
		if _, err := tx.SaveTrust(ctx, t, read); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindTrust, Refs: []workspaces.Ref{t.Ref()}})
	})
	if err == nil {
		operation.Started(ctx, workspaces.KindTrust, t.Ref())
	}
	return err
}

// trustExceptions is the table of the operations on trusts.
func trustExceptions() operation.Exceptions { return aliasExceptions() }
