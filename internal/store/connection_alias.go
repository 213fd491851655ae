package store

import (
	"context"

	"carrel/internal/workspaces"
)

const aliasColumns = "account, region, id, connection_string, host, state, generation, changed_at, deadline, wake_at, shared_with, " +
	"association_status, associated_account, directory_id, connection_identifier"

// ConnectionAliasFilter says which connection aliases a query is for: those that the scope's
// account owns or that are shared with it. Empty members do not restrict.
type ConnectionAliasFilter struct {
	workspaces.Scope
	IDs         []string
	DirectoryID string // only those that are associated with it
	After       int64  // only those behind this position
	Limit       int    // 0: all
}

// ConnectionAliasPage is a part of a list, in the order of creation.
type ConnectionAliasPage struct {
	Aliases []*workspaces.ConnectionAlias
	Next    int64 // where the next page begins; 0 on the last
}

// ConnectionAliases returns a page of the aliases that the filter names.
func (t *Tx) ConnectionAliases(ctx context.Context, f ConnectionAliasFilter) (ConnectionAliasPage, error) {
	var c condition
	c.and("region = ?", f.Region)
	c.and("(account = ? OR shared_with = ?)", f.Account, f.Account)
	c.inIfAny("id", f.IDs)
	if f.DirectoryID != "" {
		c.and("directory_id = ?", f.DirectoryID)
	}
	c.and("seq > ?", f.After)
	found, next, err := sequence(ctx, t, scanConnectionAlias, "SELECT seq, "+aliasColumns+" FROM connection_alias", c, f.Limit)
	return ConnectionAliasPage{Aliases: found, Next: next}, err
}

// ConnectionAlias returns the alias with the id that the scope's account owns or shares;
// found is false where there is none.
func (t *Tx) ConnectionAlias(ctx context.Context, s workspaces.Scope, id string) (a *workspaces.ConnectionAlias, found bool, err error) {
	return one(ctx, t, scanConnectionAlias, "SELECT "+aliasColumns+" FROM connection_alias"+
		" WHERE region = $1 AND id = $2 AND (account = $3 OR shared_with = $3)", s.Region, id, s.Account)
}

// ConnectionAliasesOfHost returns the aliases of a host name, whoever owns them, one in each region, in the order of
// creation: the first leads to where the name is meant to lead.
// The directory that one leads to is its Association's.
func (t *Tx) ConnectionAliasesOfHost(ctx context.Context, host string) ([]*workspaces.ConnectionAlias, error) {
	return list(ctx, t, scanConnectionAlias, "SELECT "+aliasColumns+" FROM connection_alias WHERE host = $1 ORDER BY seq",
		workspaces.HostOf(host))
}

// CountConnectionAliases counts the aliases that the scope's account owns.
func (t *Tx) CountConnectionAliases(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM connection_alias WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// ReserveConnectionString gives a connection string to an account for ever, in all regions,
// unless it is another's already; it returns whose it is.
func (t *Tx) ReserveConnectionString(ctx context.Context, connectionString, account string) (owner string, err error) {
	host := workspaces.HostOf(connectionString)
	err = t.exec(ctx, "INSERT INTO connection_string (name, account) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", host, account)
	if err == nil {
		err = t.row(ctx, "SELECT account FROM connection_string WHERE name = $1", host).Scan(&owner)
	}
	return owner, err
}

// InsertConnectionAlias adds an alias.
func (t *Tx) InsertConnectionAlias(ctx context.Context, a *workspaces.ConnectionAlias) error {
	args := append(aliasValues(a), t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO connection_alias ("+aliasColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SaveConnectionAlias writes the alias if it still has the generation that it had when it was
// read, and reports whether it did.
func (t *Tx) SaveConnectionAlias(ctx context.Context, a *workspaces.ConnectionAlias, read int64) (saved bool, err error) {
	n, err := t.execCount(ctx, "UPDATE connection_alias SET "+assignments(aliasColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $16", append(aliasValues(a), read)...)
	return n == 1, err
}

// DeleteConnectionAlias forgets an alias and its tags, if it still has the generation. The
// connection string stays its account's.
func (t *Tx) DeleteConnectionAlias(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM connection_alias WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.deleteTags(ctx, r.Scope, r.ID)
}

// disassociateAliases ends the associations with a directory of the scope's account.
func (t *Tx) disassociateAliases(ctx context.Context, s workspaces.Scope, directoryID string) error {
	return t.exec(ctx, "UPDATE connection_alias SET association_status = $1, associated_account = '', directory_id = '',"+
		" connection_identifier = '', deadline = 0, wake_at = 0, generation = generation + 1"+
		" WHERE directory_id = $2 AND directory_id <> '' AND associated_account = $3 AND region = $4",
		string(workspaces.NotAssociated), directoryID, s.Account, s.Region)
}

func aliasValues(a *workspaces.ConnectionAlias) []any {
	return []any{
		a.Account, a.Region, a.ID, a.ConnectionString, workspaces.HostOf(a.ConnectionString), string(a.State), a.Generation,
		micros(a.ChangedAt), micros(a.Deadline), micros(a.WakeAt), a.SharedWith, string(a.Association.Status), a.Association.Account,
		a.Association.DirectoryID, a.Association.Identifier,
	}
}

func scanConnectionAlias(row scanner) (*workspaces.ConnectionAlias, error) {
	a := new(workspaces.ConnectionAlias)
	var host string
	var changed, deadline, wake int64
	err := row.Scan(&a.Account, &a.Region, &a.ID, &a.ConnectionString, &host, (*string)(&a.State), &a.Generation, &changed, &deadline, &wake,
		&a.SharedWith, (*string)(&a.Association.Status), &a.Association.Account, &a.Association.DirectoryID, &a.Association.Identifier)
	a.ChangedAt, a.Deadline, a.WakeAt = instantOf(changed), instantOf(deadline), instantOf(wake)
	return a, err
}
