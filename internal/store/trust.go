package store

import (
	"context"

	"carrel/internal/workspaces"
)

const trustColumns = "account, region, id, directory_id, remote_domain, direction, type, selective_auth, forwarders, state, created_at, " +
	"updated_at, state_changed_at, generation, deadline, wake_at"

// TrustFilter says which trusts a query is for. Empty members do not restrict.
type TrustFilter struct {
	workspaces.Scope
	DirectoryID string
	IDs         []string
	After       int64 // only those behind this position
	Limit       int   // 0: all
}

// Trusts returns a page of the trusts that the filter names, in the order of creation, and
// where the next page begins, 0 on the last.
func (t *Tx) Trusts(ctx context.Context, f TrustFilter) (page []*workspaces.Trust, next int64, err error) {
	var c condition
	c.scope(f.Scope)
	if f.DirectoryID != "" {
		c.and("directory_id = ?", f.DirectoryID)
	}
	c.inIfAny("id", f.IDs)
	c.and("seq > ?", f.After)
	return sequence(ctx, t, scanTrust, "SELECT seq, "+trustColumns+" FROM trust", c, f.Limit)
}

// Trust returns the trust with the id; found is false where there is none.
func (t *Tx) Trust(ctx context.Context, s workspaces.Scope, id string) (trust *workspaces.Trust, found bool, err error) {
	return one(ctx, t, scanTrust, "SELECT "+trustColumns+" FROM trust WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// InsertTrust adds a trust.
func (t *Tx) InsertTrust(ctx context.Context, trust *workspaces.Trust) error {
	args, err := trustValues(trust)
	if err != nil {
		return err
	}
	args = append(args, t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO trust ("+trustColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SaveTrust writes the trust if it still has the generation that it had when it was read, and
// reports whether it did.
func (t *Tx) SaveTrust(ctx context.Context, trust *workspaces.Trust, read int64) (saved bool, err error) {
	args, err := trustValues(trust)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE trust SET "+assignments(trustColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $17", append(args, read)...)
	return n == 1, err
}

// DeleteTrust forgets a trust, if it still has the generation.
func (t *Tx) DeleteTrust(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM trust WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	return n == 1, err
}

func trustValues(t *workspaces.Trust) ([]any, error) {
	forwarders, err := document{t.Forwarders}.text()
	return []any{
		t.Account, t.Region, t.ID, t.DirectoryID, t.RemoteDomain, t.Direction, t.Type, t.SelectiveAuth, forwarders, string(t.State),
		micros(t.CreatedAt), micros(t.UpdatedAt), micros(t.StateChangedAt), t.Generation, micros(t.Deadline), micros(t.WakeAt),
	}, err
}

func scanTrust(row scanner) (*workspaces.Trust, error) {
	t := new(workspaces.Trust)
	var created, updated, changed, deadline, wake int64
	err := row.Scan(&t.Account, &t.Region, &t.ID, &t.DirectoryID, &t.RemoteDomain, &t.Direction, &t.Type, &t.SelectiveAuth,
		document{&t.Forwarders}, (*string)(&t.State), &created, &updated, &changed, &t.Generation, &deadline, &wake)
	t.CreatedAt, t.UpdatedAt, t.StateChangedAt = instantOf(created), instantOf(updated), instantOf(changed)
	t.Deadline, t.WakeAt = instantOf(deadline), instantOf(wake)
	return t, err
}
