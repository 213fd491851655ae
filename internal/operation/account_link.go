package operation

import (
	"context"
	"slices"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateAccountLinkInvitation invites another account to use what is set up for the caller's.
//
// Effect: operations. The other account can accept it.
func (s WorkSpaces) CreateAccountLinkInvitation(
	ctx context.Context, in *wsapi.CreateAccountLinkInvitationRequest,
) (*wsapi.CreateAccountLinkInvitationResult, error) {
	link, err := s.answerOnce(ctx, wsapi.CreateAccountLinkInvitation.Name, in.ClientToken, in, func(tx *store.Tx) (*workspaces.AccountLink, error) {
		l, err := workspaces.NewAccountLink(Chance(ctx), Scope(ctx), deref(in.TargetAccountId))
		if err != nil {
			return nil, err
		}
		links, _, err := tx.AccountLinks(ctx, store.AccountLinkFilter{Scope: Scope(ctx)})
		if err != nil {
			return nil, err
		}
		if err := l.CheckInvite(links); err != nil {
			return nil, err
		}
		return l, tx.InsertAccountLink(ctx, l)
	})
	return &wsapi.CreateAccountLinkInvitationResult{AccountLink: link}, err
}

// AcceptAccountLinkInvitation accepts another account's invitation. There is no way back.
//
// Effect: operations. The target has the dedicated tenancy of its source from then on; what that
// is: ModifyAccount.
func (s WorkSpaces) AcceptAccountLinkInvitation(
	ctx context.Context, in *wsapi.AcceptAccountLinkInvitationRequest,
) (*wsapi.AcceptAccountLinkInvitationResult, error) {
	link, err := s.answerOnce(ctx, wsapi.AcceptAccountLinkInvitation.Name, in.ClientToken, in, func(tx *store.Tx) (*workspaces.AccountLink, error) {
		l, err := findLink(ctx, tx, deref(in.LinkId))
		if err != nil {
			return nil, err
		}
		links, err := linked(ctx, tx)
		if err != nil {
			return nil, err
		}
		if err := l.Accept(Scope(ctx).Account, links); err != nil {
			return nil, err
		}
		return l, tx.SaveAccountLink(ctx, l)
	})
	return &wsapi.AcceptAccountLinkInvitationResult{AccountLink: link}, err
}

// RejectAccountLinkInvitation turns another account's invitation down.
//
// Effect: operations. The invitation can no longer be accepted.
func (s WorkSpaces) RejectAccountLinkInvitation(
	ctx context.Context, in *wsapi.RejectAccountLinkInvitationRequest,
) (*wsapi.RejectAccountLinkInvitationResult, error) {
	link, err := s.answerOnce(ctx, wsapi.RejectAccountLinkInvitation.Name, in.ClientToken, in, func(tx *store.Tx) (*workspaces.AccountLink, error) {
		l, err := findLink(ctx, tx, deref(in.LinkId))
		if err != nil {
			return nil, err
		}
		if err := l.Reject(Scope(ctx).Account); err != nil {
			return nil, err
		}
		return l, tx.SaveAccountLink(ctx, l)
	})
	return &wsapi.RejectAccountLinkInvitationResult{AccountLink: link}, err
}

// DeleteAccountLinkInvitation takes an invitation of the caller's back that was not answered.
//
// Effect: operations. The invitation can no longer be accepted.
func (s WorkSpaces) DeleteAccountLinkInvitation(
	ctx context.Context, in *wsapi.DeleteAccountLinkInvitationRequest,
) (*wsapi.DeleteAccountLinkInvitationResult, error) {
	link, err := s.answerOnce(ctx, wsapi.DeleteAccountLinkInvitation.Name, in.ClientToken, in, func(tx *store.Tx) (*workspaces.AccountLink, error) {
		l, err := findLink(ctx, tx, deref(in.LinkId))
		if err != nil {
			return nil, err
		}
		if err := l.CheckDelete(Scope(ctx).Account); err != nil {
			return nil, err
		}
		return l, tx.DeleteAccountLink(ctx, l)
	})
	return &wsapi.DeleteAccountLinkInvitationResult{AccountLink: link}, err
}

// GetAccountLink returns the link with an id, or the newest with another account.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) GetAccountLink(ctx context.Context, in *wsapi.GetAccountLinkRequest) (*wsapi.GetAccountLinkResult, error) {
	if (in.LinkId == nil) == (in.LinkedAccountId == nil) {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "One of LinkId and LinkedAccountId is needed, and not both.")
	}
	var l *workspaces.AccountLink
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if in.LinkId != nil {
			l, err = findLink(ctx, tx, *in.LinkId)
			return err
		}
		links, _, err := tx.AccountLinks(ctx, store.AccountLinkFilter{Scope: Scope(ctx)})
		if err != nil {
			return err
		}
		for _, k := range slices.Backward(links) {
			if k.Other(Scope(ctx).Account) == *in.LinkedAccountId {
				l = k
				return nil
			}
		}
		return workspaces.Errorf(workspaces.CodeNotFound, "There is no account link with the account %s.", *in.LinkedAccountId)
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.GetAccountLinkResult{AccountLink: describeLink(l)}, nil
}

// ListAccountLinks lists the links in which the caller's account is one of the two.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) ListAccountLinks(ctx context.Context, in *wsapi.ListAccountLinksRequest) (*wsapi.ListAccountLinksResult, error) {
	filter := store.AccountLinkFilter{Scope: Scope(ctx), Statuses: in.LinkStatusFilter, Limit: PageSize(in.MaxResults)}
	about := list(ctx, "ListAccountLinks", filter.Statuses)
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var links []*workspaces.AccountLink
	var next int64
	err = s.Store.View(func(tx *store.Tx) (err error) {
		links, next, err = tx.AccountLinks(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.ListAccountLinksResult{AccountLinks: make([]wsapi.AccountLink, len(links)), NextToken: PageToken(next, about...)}
	for i, l := range links {
		out.AccountLinks[i] = *describeLink(l)
	}
	return out, nil
}

// answerOnce changes a link in one transaction and returns it, once for a client token.
func (s WorkSpaces) answerOnce(
	ctx context.Context, operation string, token *string, in any, change func(*store.Tx) (*workspaces.AccountLink, error),
) (out *wsapi.AccountLink, err error) {
	request := TokenRequest{Operation: operation, About: "account-link", Token: token, Input: in}
	err = s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		out, err = Once(ctx, tx, s.Clock.Now(), request, func() (*wsapi.AccountLink, error) {
			l, err := change(tx)
			if err != nil {
				return nil, err
			}
			return describeLink(l), nil
		})
		return err
	})
	return out, err
}

// findLink returns a link in which the caller's account is one of the two.
func findLink(ctx context.Context, tx *store.Tx, id string) (*workspaces.AccountLink, error) {
	l, found, err := tx.AccountLink(ctx, Scope(ctx), id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The account link %s could not be found.", id).About(id)
	}
	return l, err
}

func describeLink(l *workspaces.AccountLink) *wsapi.AccountLink {
	return &wsapi.AccountLink{
		AccountLinkId: &l.ID, AccountLinkStatus: (*string)(&l.Status), SourceAccountId: &l.Source, TargetAccountId: &l.Target,
	}
}
