package operation

import (
	"context"
	"net/netip"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeAccount says how the caller's account is set up for licenses of its own. An account
// that is linked as a target uses what is set up for its source.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeAccount(ctx context.Context, _ *wsapi.DescribeAccountRequest) (*wsapi.DescribeAccountResult, error) {
	var a workspaces.Account
	var links []*workspaces.AccountLink
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if a, err = account(ctx, tx); err == nil {
			links, err = linked(ctx, tx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeAccountResult{
		DedicatedTenancySupport: new(wsapi.DedicatedTenancySupportResultEnumDisabled),
		Message:                 new("Bring your own license is not enabled for this account."),
	}
	if a.DedicatedTenancy {
		out.DedicatedTenancySupport = new(wsapi.DedicatedTenancySupportResultEnumEnabled)
		out.DedicatedTenancyManagementCidrRange = new(a.ManagementRange.String())
		out.Message = new("Bring your own license is enabled for this account.")
	}
	for _, l := range links {
		out.DedicatedTenancyAccountType = new(wsapi.DedicatedTenancyAccountTypeTargetAccount)
		if l.Source == Scope(ctx).Account {
			out.DedicatedTenancyAccountType = new(wsapi.DedicatedTenancyAccountTypeSourceAccount)
			break
		}
	}
	return out, nil
}

// account returns how the caller's account is set up, by itself or through the account that it
// is linked with as a target.
func account(ctx context.Context, tx *store.Tx) (workspaces.Account, error) {
	scope := Scope(ctx)
	own, err := tx.Account(ctx, scope)
	if err != nil || own.DedicatedTenancy {
		return own, err
	}
	links, err := linked(ctx, tx)
	if err != nil {
		return own, err
	}
	for _, l := range links {
		if l.Target == scope.Account {
			source, err := tx.Account(ctx, workspaces.Scope{Account: l.Source, Region: scope.Region})
			source.Scope = scope
			return source, err
		}
	}
	return own, nil
}

// linked returns the links of the caller's account that were accepted.
func linked(ctx context.Context, tx *store.Tx) ([]*workspaces.AccountLink, error) {
	links, _, err := tx.AccountLinks(ctx, store.AccountLinkFilter{Scope: Scope(ctx), Statuses: []string{string(workspaces.LinkLinked)}})
	return links, err
}

// ModifyAccount enables dedicated tenancy for the caller's account in the region, with a range
// for the management of its desktops, or gives it another range. There is no hardware that
// Carrel could set apart: what follows from it is that directories can have the tenancy
// DEDICATED, clear of that range.
//
// Effect: operations, record. Directories can be registered as DEDICATED, and the range stays clear
// of the networks. There is no other hardware to set apart, so desktops run where they ran:
// docs/decisions/0015.
func (s WorkSpaces) ModifyAccount(ctx context.Context, in *wsapi.ModifyAccountRequest) (*wsapi.ModifyAccountResult, error) {
	if err := s.checkOwnLicenses(); err != nil {
		return nil, err
	}
	var asked netip.Prefix
	if in.DedicatedTenancyManagementCidrRange != nil {
		var err error
		if asked, err = netip.ParsePrefix(*in.DedicatedTenancyManagementCidrRange); err != nil || !workspaces.IsManagementRange(asked) {
			return nil, workspaces.Errorf(workspaces.CodeInvalidParameter,
				"The management range %s is none of those that ListAvailableManagementCidrRanges shows.", *in.DedicatedTenancyManagementCidrRange)
		}
	}
	var m *workspaces.AccountModification
	err := s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if m, err = s.newModification(ctx, tx, in, asked); err != nil {
			return err
		}
		if err := tx.InsertAccountModification(ctx, m); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindAccountModification, Refs: []workspaces.Ref{m.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindAccountModification, m.Ref())
	return &wsapi.ModifyAccountResult{Message: new("The account is being modified; DescribeAccountModifications shows when that is done.")}, nil
}

// newModification makes the modification of the caller's account that a request is for; asked
// is the range in it.
func (s WorkSpaces) newModification(
	ctx context.Context, tx *store.Tx, in *wsapi.ModifyAccountRequest, asked netip.Prefix,
) (*workspaces.AccountModification, error) {
	scope, enable := Scope(ctx), in.DedicatedTenancySupport != nil
	a, err := tx.Account(ctx, scope)
	if err != nil {
		return nil, err
	}
	if !a.DedicatedTenancy && (!enable || !asked.IsValid()) || !enable && !asked.IsValid() {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"Enabling bring your own license takes DedicatedTenancySupport and DedicatedTenancyManagementCidrRange.")
	}
	if pending, err := tx.AccountIsModified(ctx, scope); err != nil {
		return nil, err
	} else if pending {
		return nil, workspaces.Errorf(workspaces.CodeInvalidState, "The account %s is being modified already.", scope.Account)
	}
	if !asked.IsValid() {
		asked = a.ManagementRange
	}
	taken, err := networks(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(workspaces.ManagementRanges(asked, taken)) == 0 {
		return nil, workspaces.Errorf(workspaces.CodeUnavailable, "The management range %s overlaps with a network of the region.", asked)
	}
	return workspaces.NewAccountModification(Chance(ctx), scope, asked, s.Clock.Now()), nil
}

// networks returns the ranges of the networks in the caller's region.
func networks(ctx context.Context, tx *store.Tx) (ranges []netip.Prefix, err error) {
	subnets, err := tx.Subnets(ctx)
	for _, n := range subnets {
		if n.Region == Scope(ctx).Region {
			ranges = append(ranges, n.Prefix)
		}
	}
	return ranges, err
}

// checkOwnLicenses refuses accounts that have not been prepared for licenses of their own,
// which with --limits aws no account is, as in the service before its support was asked.
func (s WorkSpaces) checkOwnLicenses() error {
	if s.Limits.OwnLicenses || s.DedicatedTenancy {
		return nil
	}
	return workspaces.Errorf(workspaces.CodeAccessDenied, "This account is not enabled for bring your own license.")
}

// DescribeAccountModifications lists the modifications of the caller's account, the oldest first.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeAccountModifications(
	ctx context.Context, in *wsapi.DescribeAccountModificationsRequest,
) (*wsapi.DescribeAccountModificationsResult, error) {
	about := list(ctx, "DescribeAccountModifications")
	after, err := PagePosition(in.NextToken, about...)
	if err != nil {
		// The operation declares no exception of its own for this.
		return nil, workspaces.Errorf(workspaces.CodeValidation, "%s", err)
	}
	var page []*workspaces.AccountModification
	var next int64
	err = s.Store.View(func(tx *store.Tx) (err error) {
		page, next, err = tx.AccountModifications(ctx, Scope(ctx), after, MaxPage)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeAccountModificationsResult{
		AccountModifications: make([]wsapi.AccountModification, len(page)), NextToken: PageToken(next, about...),
	}
	for i, m := range page {
		out.AccountModifications[i] = wsapi.AccountModification{
			ModificationState: (*string)(&m.State), DedicatedTenancySupport: new(wsapi.DedicatedTenancySupportResultEnumEnabled),
			DedicatedTenancyManagementCidrRange: new(m.ManagementRange.String()), StartTime: api.At(m.StartedAt),
			ErrorCode: some(m.ErrorCode), ErrorMessage: some(m.ErrorMessage),
		}
	}
	return out, nil
}

// maxRanges is the most that one page of management ranges holds.
// Source: ListAvailableManagementCidrRanges, MaxResults.
const maxRanges = 5

// ListAvailableManagementCidrRanges lists the ranges within another that ModifyAccount takes:
// private, of the right size, and clear of the networks in the region.
//
// Effect: answer. Computed from the networks of the region.
func (s WorkSpaces) ListAvailableManagementCidrRanges(
	ctx context.Context, in *wsapi.ListAvailableManagementCidrRangesRequest,
) (*wsapi.ListAvailableManagementCidrRangesResult, error) {
	if err := s.checkOwnLicenses(); err != nil {
		return nil, err
	}
	constraint := deref(in.ManagementCidrRangeConstraint)
	within, err := netip.ParsePrefix(constraint)
	if err != nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The constraint %s is not a range of IPv4 addresses.", constraint)
	}
	about := list(ctx, "ListAvailableManagementCidrRanges", []string{constraint})
	position, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	var taken []netip.Prefix
	err = s.Store.View(func(tx *store.Tx) (err error) {
		taken, err = networks(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	size := maxRanges
	if in.MaxResults != nil {
		size = int(*in.MaxResults)
	}
	free := workspaces.ManagementRanges(within, taken)
	from := min(int(position), len(free))
	to := min(from+size, len(free))
	out := &wsapi.ListAvailableManagementCidrRangesResult{ManagementCidrRanges: []string{}}
	for _, p := range free[from:to] {
		out.ManagementCidrRanges = append(out.ManagementCidrRanges, p.String())
	}
	if to < len(free) {
		out.NextToken = PageToken(int64(to), about...)
	}
	return out, nil
}
