package workspaces

import "slices"

// AccountLink lets the target account use what is set up for the source account: its
// licenses and the hardware that they are for. It is of one region.
type AccountLink struct {
	Region string
	ID     string
	Source string // the account that invited
	Target string // the account that was invited
	Status LinkStatus
}

// LinkStatus is how far a link is.
type LinkStatus string

// The statuses that Carrel enters, as the API spells them.
const (
	LinkPending  LinkStatus = "PENDING_ACCEPTANCE_BY_TARGET_ACCOUNT"
	LinkLinked   LinkStatus = "LINKED"
	LinkRejected LinkStatus = "REJECTED"
)

// NewAccountLink makes an invitation, or refuses an account that invites itself.
func NewAccountLink(c *Chance, from Scope, target string) (*AccountLink, error) {
	if target == from.Account {
		return nil, Errorf(CodeInvalidParameter, "The account %s cannot be linked with itself.", target)
	}
	return &AccountLink{Region: from.Region, ID: NewAccountLinkID(c), Source: from.Account, Target: target, Status: LinkPending}, nil
}

// Other returns the account that is linked with one of the two.
func (l *AccountLink) Other(account string) string {
	if l.Source == account {
		return l.Target
	}
	return l.Source
}

// CheckInvite refuses an invitation between accounts that have these links: one that is open
// or was accepted is in its way.
func (l *AccountLink) CheckInvite(links []*AccountLink) error {
	for _, k := range links {
		if k.Other(l.Source) == l.Target && k.Status != LinkRejected {
			return Errorf(CodeAlreadyExists, "The accounts %s and %s have the account link %s already, which is %s.", l.Source, l.Target, k.ID, k.Status)
		}
	}
	return nil
}

// Accept makes the link real, on behalf of an account that has these links. Only the target
// can, and an account can be the target of one source.
func (l *AccountLink) Accept(account string, links []*AccountLink) error {
	if err := l.checkPending(account, l.Target); err != nil {
		return err
	}
	i := slices.IndexFunc(links, func(k *AccountLink) bool { return k.Target == account && k.Status == LinkLinked })
	if i >= 0 {
		return Errorf(CodeAlreadyExists, "The account %s is linked with the account %s already.", account, links[i].Source)
	}
	l.Status = LinkLinked
	return nil
}

// Reject turns the invitation down, which only the target can.
func (l *AccountLink) Reject(account string) error {
	if err := l.checkPending(account, l.Target); err != nil {
		return err
	}
	l.Status = LinkRejected
	return nil
}

// CheckDelete refuses to take back an invitation that is another account's or was answered.
func (l *AccountLink) CheckDelete(account string) error { return l.checkPending(account, l.Source) }

func (l *AccountLink) checkPending(account, allowed string) error {
	if account != allowed {
		return Errorf(CodeAccessDenied, "Only the account %s can do this with the account link %s.", allowed, l.ID)
	}
	if l.Status != LinkPending {
		return Errorf(CodeInvalidState, "The account link %s is %s.", l.ID, l.Status)
	}
	return nil
}
