package store

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"carrel/internal/workspaces"
)

const poolColumns = "account, region, id, name, description, directory_id, bundle_id, design, running_mode, desired, timeouts, state, " +
	"generation, changed_at, deadline, wake_at, attempts, retry_at, error_code, error_message, created_at, settings_group, seed, numbered"

// PoolFilter says which pools a query is for. Empty members do not restrict.
type PoolFilter struct {
	workspaces.Scope
	DirectoryID string
	IDs         []string
	Names       []PoolNameFilter
	After       int64 // only those behind this position
	Limit       int   // 0: all
}

// PoolNameFilter lets pools through whose name is, or contains, one of the values; or, negated, none of them.
type PoolNameFilter struct {
	Contains bool
	Not      bool
	Values   []string
}

// PoolPage is a part of a list, in the order of creation.
type PoolPage struct {
	Pools []*workspaces.Pool
	Sizes map[string]PoolSize // by pool; of other pools too
	Next  int64               // where the next page begins; 0 on the last
}

// PoolSize is how many desktops of a pool there are.
type PoolSize struct {
	Ready int
	InUse int // by a session
}

// Pools returns a page of the pools that the filter names.
func (t *Tx) Pools(ctx context.Context, f PoolFilter) (PoolPage, error) {
	var c condition
	c.scope(f.Scope)
	c.inIfAny("id", f.IDs)
	if f.DirectoryID != "" {
		c.and("directory_id = ?", f.DirectoryID)
	}
	for _, n := range f.Names {
		c.poolName(n)
	}
	c.and("seq > ?", f.After)
	pools, next, err := sequence(ctx, t, scanPool, "SELECT seq, "+poolColumns+" FROM pool", c, f.Limit)
	if err != nil {
		return PoolPage{}, err
	}
	page := PoolPage{Pools: pools, Sizes: make(map[string]PoolSize), Next: next}
	err = t.each(ctx, func(row scanner) error {
		var id, state string
		var n int
		err := row.Scan(&id, &state, &n)
		size := page.Sizes[id]
		switch workspaces.PoolDesktopState(state) {
		case workspaces.PoolDesktopReady:
			size.Ready = n
		case workspaces.PoolDesktopInUse:
			size.InUse = n
		case workspaces.PoolDesktopMaking, workspaces.PoolDesktopRemoving:
		}
		page.Sizes[id] = size
		return err
	}, "SELECT pool_id, state, COUNT(*) FROM pool_desktop WHERE account = $1 AND region = $2 GROUP BY pool_id, state", f.Account, f.Region)
	return page, err
}

// poolName adds what a filter on names asks for. LIKE would take _ for any letter, and SQLite's letters in any case.
func (c *condition) poolName(f PoolNameFilter) {
	has := "name = ?"
	if f.Contains {
		has = "replace(name, ?, '') <> name"
	}
	parts, args := make([]string, len(f.Values)), make([]any, len(f.Values))
	for i, v := range f.Values {
		parts[i], args[i] = has, v
	}
	either := "(" + strings.Join(parts, " OR ") + ")"
	if f.Not {
		either = "NOT " + either
	}
	c.and(either, args...)
}

// Pool returns the pool of the scope with the id; found is false where there is none.
func (t *Tx) Pool(ctx context.Context, s workspaces.Scope, id string) (p *workspaces.Pool, found bool, err error) {
	return one(ctx, t, scanPool, "SELECT "+poolColumns+" FROM pool WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// CountPools counts the pools of a scope.
func (t *Tx) CountPools(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM pool WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// PoolNameTaken reports whether a scope has a pool of the name.
func (t *Tx) PoolNameTaken(ctx context.Context, s workspaces.Scope, name string) (taken bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM pool WHERE account = $1 AND region = $2 AND name = $3)",
		s.Account, s.Region, name).Scan(&taken)
	return taken, err
}

// DirectoryHasPools reports whether a directory has any pool, in whatever state, or a desktop of one.
func (t *Tx) DirectoryHasPools(ctx context.Context, s workspaces.Scope, directoryID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM pool WHERE account = $1 AND region = $2 AND directory_id = $3)"+
		" OR EXISTS (SELECT 1 FROM pool_desktop WHERE account = $1 AND region = $2 AND directory_id = $3)",
		s.Account, s.Region, directoryID).Scan(&has)
	return has, err
}

// BundleHasPools reports whether any pool of the scope is of a bundle.
func (t *Tx) BundleHasPools(ctx context.Context, s workspaces.Scope, bundleID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM pool WHERE account = $1 AND region = $2 AND bundle_id = $3)",
		s.Account, s.Region, bundleID).Scan(&has)
	return has, err
}

// InsertPool adds a pool.
func (t *Tx) InsertPool(ctx context.Context, p *workspaces.Pool) error {
	args, err := poolValues(p)
	if err != nil {
		return err
	}
	args = append(args, t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO pool ("+poolColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SavePool writes the pool if it still has the generation that it had when it was read, and
// reports whether it did.
func (t *Tx) SavePool(ctx context.Context, p *workspaces.Pool, read int64) (saved bool, err error) {
	args, err := poolValues(p)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE pool SET "+assignments(poolColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $25", append(args, read)...)
	return n == 1, err
}

// DeletePool forgets a pool with its tags, and users' settings that no other pool has a part in, if
// it still has the generation that it had when it was read. That it has been there is kept.
func (t *Tx) DeletePool(ctx context.Context, p *workspaces.Pool, read int64, now time.Time) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM pool WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		p.Account, p.Region, p.ID, read)
	if err != nil || n == 0 {
		return false, err
	}
	if err := t.keepPoolStays(ctx, p.Stay(now)); err != nil {
		return false, err
	}
	if err := t.dropPoolSettings(ctx, p.Scope); err != nil {
		return false, err
	}
	return true, t.deleteTags(ctx, p.Scope, p.ID)
}

func poolValues(p *workspaces.Pool) ([]any, error) {
	design, err := document{p.Design}.text()
	if err != nil {
		return nil, err
	}
	timeouts, err := document{p.Timeouts}.text()
	return []any{
		p.Account, p.Region, p.ID, p.Name, p.Description, p.DirectoryID, p.BundleID, design, p.RunningMode, p.Desired, timeouts,
		string(p.State), p.Generation, micros(p.ChangedAt), micros(p.Deadline), micros(p.WakeAt), p.Attempts, micros(p.RetryAt),
		p.ErrorCode, p.ErrorMessage, micros(p.CreatedAt), p.SettingsGroup, hex.EncodeToString(p.Seed[:]), p.Numbered,
	}, err
}

func scanPool(row scanner) (*workspaces.Pool, error) {
	p := new(workspaces.Pool)
	var changed, deadline, wake, retry, created int64
	var seed string
	err := row.Scan(&p.Account, &p.Region, &p.ID, &p.Name, &p.Description, &p.DirectoryID, &p.BundleID, document{&p.Design}, &p.RunningMode,
		&p.Desired, document{&p.Timeouts}, (*string)(&p.State), &p.Generation, &changed, &deadline, &wake, &p.Attempts, &retry,
		&p.ErrorCode, &p.ErrorMessage, &created, &p.SettingsGroup, &seed, &p.Numbered)
	p.ChangedAt, p.Deadline, p.WakeAt = instantOf(changed), instantOf(deadline), instantOf(wake)
	p.RetryAt, p.CreatedAt = instantOf(retry), instantOf(created)
	if err == nil {
		_, err = hex.Decode(p.Seed[:], []byte(seed))
	}
	return p, err
}
