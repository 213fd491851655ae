package store

import (
	"context"

	"carrel/internal/workspaces"
)

const linkColumns = "region, id, source_account, target_account, status"

// AccountLinkFilter says which account links a query is for: those in which the scope's
// account is one of the two. Empty members do not restrict.
type AccountLinkFilter struct {
	workspaces.Scope
	Statuses []string
	After    int64 // only those behind this position
	Limit    int   // 0: all
}

// AccountLinks returns a page of the links that the filter names, in the order of creation,
// and where the next page begins, 0 on the last.
func (t *Tx) AccountLinks(ctx context.Context, f AccountLinkFilter) (page []*workspaces.AccountLink, next int64, err error) {
	var c condition
	c.and("region = ?", f.Region)
	c.and("(source_account = ? OR target_account = ?)", f.Account, f.Account)
	c.inIfAny("status", f.Statuses)
	c.and("seq > ?", f.After)
	return sequence(ctx, t, scanAccountLink, "SELECT seq, "+linkColumns+" FROM account_link", c, f.Limit)
}

// AccountLink returns the link with the id in which the scope's account is one of the two;
// found is false where there is none.
func (t *Tx) AccountLink(ctx context.Context, s workspaces.Scope, id string) (l *workspaces.AccountLink, found bool, err error) {
	return one(ctx, t, scanAccountLink, "SELECT "+linkColumns+" FROM account_link"+
		" WHERE region = $1 AND id = $2 AND (source_account = $3 OR target_account = $3)", s.Region, id, s.Account)
}

// InsertAccountLink adds a link.
func (t *Tx) InsertAccountLink(ctx context.Context, l *workspaces.AccountLink) error {
	return t.exec(ctx, "INSERT INTO account_link ("+linkColumns+", seq) VALUES ("+placeholders(6)+")",
		l.Region, l.ID, l.Source, l.Target, string(l.Status), t.store.nextSeq())
}

// SaveAccountLink writes the status of a link.
func (t *Tx) SaveAccountLink(ctx context.Context, l *workspaces.AccountLink) error {
	return t.exec(ctx, "UPDATE account_link SET status = $1 WHERE region = $2 AND id = $3", string(l.Status), l.Region, l.ID)
}

// DeleteAccountLink forgets a link.
func (t *Tx) DeleteAccountLink(ctx context.Context, l *workspaces.AccountLink) error {
	return t.exec(ctx, "DELETE FROM account_link WHERE region = $1 AND id = $2", l.Region, l.ID)
}

func scanAccountLink(row scanner) (*workspaces.AccountLink, error) {
	l := new(workspaces.AccountLink)
	return l, row.Scan(&l.Region, &l.ID, &l.Source, &l.Target, (*string)(&l.Status))
}
