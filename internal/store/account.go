package store

import (
	"context"
	"net/netip"

	"carrel/internal/workspaces"
)

// Account returns how the account of a scope is set up: without dedicated tenancy, where nothing is kept.
func (t *Tx) Account(ctx context.Context, s workspaces.Scope) (workspaces.Account, error) {
	a, found, err := one(ctx, t, func(row scanner) (a workspaces.Account, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return a, err
		}
		a.ManagementRange, err = netip.ParsePrefix(text)
		return a, err
	}, "SELECT management_range FROM account WHERE account = $1 AND region = $2", s.Account, s.Region)
	a.Scope, a.DedicatedTenancy = s, found
	return a, err
}

// PutAccount keeps how an account with dedicated tenancy is set up.
func (t *Tx) PutAccount(ctx context.Context, a workspaces.Account) error {
	return t.exec(ctx, "INSERT INTO account (account, region, management_range) VALUES ($1, $2, $3)"+
		" ON CONFLICT (account, region) DO UPDATE SET management_range = excluded.management_range", a.Account, a.Region, a.ManagementRange.String())
}

const modificationColumns = "account, region, id, management_range, state, started_at, error_code, error_message, generation, deadline, wake_at"

// AccountModifications returns the modifications of a scope's account behind a position, and
// where the next page begins, 0 on the last; a limit of 0 reads all.
func (t *Tx) AccountModifications(
	ctx context.Context, s workspaces.Scope, after int64, limit int,
) (page []*workspaces.AccountModification, next int64, err error) {
	var c condition
	c.scope(s)
	c.and("seq > ?", after)
	return sequence(ctx, t, scanModification, "SELECT seq, "+modificationColumns+" FROM account_modification", c, limit)
}

// AccountModification returns the modification with the id; found is false where there is none.
func (t *Tx) AccountModification(ctx context.Context, s workspaces.Scope, id string) (m *workspaces.AccountModification, found bool, err error) {
	return one(ctx, t, scanModification, "SELECT "+modificationColumns+" FROM account_modification"+
		" WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// AccountIsModified reports whether a modification of a scope's account is PENDING.
func (t *Tx) AccountIsModified(ctx context.Context, s workspaces.Scope) (is bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM account_modification WHERE account = $1 AND region = $2 AND state = $3)",
		s.Account, s.Region, string(workspaces.ModificationPending)).Scan(&is)
	return is, err
}

// InsertAccountModification adds a modification.
func (t *Tx) InsertAccountModification(ctx context.Context, m *workspaces.AccountModification) error {
	args := append(modificationValues(m), t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO account_modification ("+modificationColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SaveAccountModification writes the modification if it still has the generation that it had
// when it was read, and reports whether it did.
func (t *Tx) SaveAccountModification(ctx context.Context, m *workspaces.AccountModification, read int64) (saved bool, err error) {
	n, err := t.execCount(ctx, "UPDATE account_modification SET "+assignments(modificationColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $12", append(modificationValues(m), read)...)
	return n == 1, err
}

func modificationValues(m *workspaces.AccountModification) []any {
	return []any{
		m.Account, m.Region, m.ID, m.ManagementRange.String(), string(m.State), micros(m.StartedAt), m.ErrorCode, m.ErrorMessage,
		m.Generation, micros(m.Deadline), micros(m.WakeAt),
	}
}

func scanModification(row scanner) (*workspaces.AccountModification, error) {
	m := new(workspaces.AccountModification)
	var text string
	var started, deadline, wake int64
	err := row.Scan(&m.Account, &m.Region, &m.ID, &text, (*string)(&m.State), &started, &m.ErrorCode, &m.ErrorMessage, &m.Generation, &deadline, &wake)
	if err != nil {
		return nil, err
	}
	m.StartedAt, m.Deadline, m.WakeAt = instantOf(started), instantOf(deadline), instantOf(wake)
	m.ManagementRange, err = netip.ParsePrefix(text)
	return m, err
}
