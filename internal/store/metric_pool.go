package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// keepPoolStays writes what desktops of a pool, or a pool, have been. What is written is not
// written again. A stay without a sample is left out.
func (t *Tx) keepPoolStays(ctx context.Context, stays ...workspaces.PoolStay) error {
	for _, s := range stays {
		if last := s.Until.Add(-1).Truncate(workspaces.PoolSampleEvery); last.Before(s.Since) {
			continue
		}
		err := t.exec(ctx, "INSERT INTO pool_stay (account, region, pool_id, until, desktop_id, state, since) VALUES ($1, $2, $3, $4, $5, $6, $7)"+
			" ON CONFLICT (account, region, pool_id, until, desktop_id, state) DO NOTHING",
			s.Account, s.Region, s.PoolID, micros(s.Until), s.DesktopID, string(s.State), micros(s.Since))
		if err != nil {
			return err
		}
	}
	return nil
}

// PoolMetricFilter says which pools' metrics a query is for, and of what time. Without ids it is for all.
type PoolMetricFilter struct {
	workspaces.Scope
	PoolIDs  []string
	From, To time.Time // To is exclusive
}

// PoolStays calls f on what pools and their desktops have been within the filter's time, as far
// as they are it no more, and on what they are, which ends at the filter's. f must not use t.
func (t *Tx) PoolStays(ctx context.Context, filter PoolMetricFilter, f func(workspaces.PoolStay)) error {
	c := filter.condition("pool_id")
	c.and("until > ?", micros(filter.From))
	c.and("since < ?", micros(filter.To))
	err := t.each(ctx, func(row scanner) error {
		s := workspaces.PoolStay{Scope: filter.Scope}
		var until, since int64
		err := row.Scan(&s.PoolID, &s.DesktopID, (*string)(&s.State), &until, &since)
		s.Until, s.Since = instantOf(until), instantOf(since)
		f(s)
		return err
	}, "SELECT pool_id, desktop_id, state, until, since FROM pool_stay"+c.where(), c.args...)
	if err != nil {
		return err
	}
	c = filter.condition("id")
	err = t.each(ctx, func(row scanner) error {
		p, err := scanPool(row)
		if err == nil && p.CreatedAt.Before(filter.To) {
			f(p.Stay(filter.To))
		}
		return err
	}, "SELECT "+poolColumns+" FROM pool"+c.where(), c.args...)
	if err != nil {
		return err
	}
	c = filter.condition("pool_id")
	return t.each(ctx, func(row scanner) error {
		d, err := scanPoolDesktop(row)
		if err != nil {
			return err
		}
		if stay, is := d.Stay(filter.To); is && stay.Since.Before(stay.Until) {
			f(stay)
		}
		return nil
	}, "SELECT "+poolDesktopColumns+" FROM pool_desktop"+c.where(), c.args...)
}

// condition is which pools' metrics the filter is for, by the column of ids.
func (f PoolMetricFilter) condition(id string) *condition {
	c := new(condition)
	c.scope(f.Scope)
	c.inIfAny(id, f.PoolIDs)
	return c
}

// RefusePoolSession notes that a pool had no desktop for a session.
func (t *Tx) RefusePoolSession(ctx context.Context, p *workspaces.Pool, now time.Time) error {
	return t.exec(ctx, "INSERT INTO pool_refusal (account, region, pool_id, at, n) VALUES ($1, $2, $3, $4, 1)"+
		" ON CONFLICT (account, region, pool_id, at) DO UPDATE SET n = pool_refusal.n + 1",
		p.Account, p.Region, p.ID, micros(now.Truncate(workspaces.PoolSampleEvery)))
}

// PoolRefusals calls f on the sessions that pools had no desktop for within the filter's time. f must not use t.
func (t *Tx) PoolRefusals(ctx context.Context, filter PoolMetricFilter, f func(workspaces.PoolRefusals)) error {
	c := filter.condition("pool_id")
	c.and("at >= ?", micros(filter.From))
	c.and("at < ?", micros(filter.To))
	return t.each(ctx, func(row scanner) error {
		r := workspaces.PoolRefusals{Scope: filter.Scope}
		var at int64
		err := row.Scan(&r.PoolID, &at, &r.N)
		r.At = instantOf(at)
		f(r)
		return err
	}, "SELECT pool_id, at, n FROM pool_refusal"+c.where(), c.args...)
}

// prunePoolMetrics forgets what is older than metrics are kept.
func (t *Tx) prunePoolMetrics(ctx context.Context, kept int64) error {
	if err := t.exec(ctx, "DELETE FROM pool_stay WHERE until < $1", kept); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM pool_refusal WHERE at < $1", kept)
}
