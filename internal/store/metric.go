package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// What metrics are made of. A WorkSpace's past is written when it leaves a state; what it has
// been since is in its row. Nothing samples: whoever asks computes what samples would have
// found, over whatever time the clock has passed.

const traitColumns = "account, region, workspace_id, directory_id, running_mode, protocol, compute_type, bundle_id, user_name, computer_name"

func traitValues(t workspaces.Traits) []any {
	return []any{t.Account, t.Region, t.WorkSpaceID, t.DirectoryID, t.RunningMode, t.Protocol, t.ComputeType, t.BundleID, t.UserName, t.ComputerName}
}

func traitTargets(t *workspaces.Traits) []any {
	return []any{
		&t.Account, &t.Region, &t.WorkSpaceID, &t.DirectoryID, &t.RunningMode, &t.Protocol, &t.ComputeType, &t.BundleID, &t.UserName, &t.ComputerName,
	}
}

// keepStays writes what a WorkSpace has been. What is written is not written again. A stay
// without a sample is left out.
func (t *Tx) keepStays(ctx context.Context, stays []workspaces.Stay) error {
	for _, s := range stays {
		if last := workspaces.SampledAt(s.Until.Add(-1)); last.Before(s.Since) {
			continue
		}
		args := append(traitValues(s.Traits), micros(s.Until), stayed(s), micros(s.Since))
		if err := t.exec(ctx, "INSERT INTO stay ("+traitColumns+", until, state, since) VALUES ("+placeholders(len(args))+
			") ON CONFLICT (account, region, workspace_id, until, state) DO NOTHING", args...); err != nil {
			return err
		}
	}
	return nil
}

// connected is what stands for a state in the stay of a user.
const connected = "connected"

func stayed(s workspaces.Stay) string {
	if s.Connected {
		return connected
	}
	return string(s.State)
}

// keepConnection writes that a WorkSpace's user was connected, when they are no more.
func (t *Tx) keepConnection(ctx context.Context, w *workspaces.WorkSpace) error {
	of, err := t.Connections(ctx, w.Scope, []string{w.ID})
	if err != nil {
		return err
	}
	c := of[w.ID]
	return t.keepStays(ctx, []workspaces.Stay{{Traits: w.Traits(), Connected: true, Since: c.ConnectedAt, Until: c.DisconnectedAt}})
}

// MetricFilter says whose metrics a query is for, and of what time. Empty members do not restrict.
type MetricFilter struct {
	workspaces.Scope
	WorkSpaceIDs []string
	DirectoryIDs []string
	From, To     time.Time // To is exclusive
}

// Stays calls f on what WorkSpaces have been within the filter's time, as far as they are it
// no more, and on what they are, which ends at the filter's. f must not use t.
func (t *Tx) Stays(ctx context.Context, filter MetricFilter, f func(workspaces.Stay)) error {
	if err := t.past(ctx, filter, f); err != nil {
		return err
	}
	return t.lasting(ctx, filter, f)
}

// past calls f on what WorkSpaces have been and are no more.
func (t *Tx) past(ctx context.Context, filter MetricFilter, f func(workspaces.Stay)) error {
	c := filter.condition("workspace_id", "directory_id")
	c.and("until > ?", micros(filter.From))
	c.and("since < ?", micros(filter.To))
	return t.each(ctx, func(row scanner) error {
		var s workspaces.Stay
		var until, since int64
		err := row.Scan(append(traitTargets(&s.Traits), &until, &s.State, &since)...)
		s.Until, s.Since = instantOf(until), instantOf(since)
		if s.Connected = s.State == connected; s.Connected {
			s.State = workspaces.Absent
		}
		f(s)
		return err
	}, "SELECT "+traitColumns+", until, state, since FROM stay"+c.where(), c.args...)
}

// lasting calls f on what WorkSpaces are now.
func (t *Tx) lasting(ctx context.Context, filter MetricFilter, f func(workspaces.Stay)) error {
	since := make(map[string]time.Time)
	c := filter.condition("workspace_id", "")
	c.and("disconnected_at = 0")
	err := t.each(ctx, func(row scanner) error {
		var id string
		var at int64
		err := row.Scan(&id, &at)
		since[id] = instantOf(at)
		return err
	}, "SELECT workspace_id, connected_at FROM connection"+c.where(), c.args...)
	if err != nil {
		return err
	}
	c = filter.condition("id", "directory_id")
	return t.each(ctx, func(row scanner) error {
		w, _, err := scanWorkSpace(row)
		if err != nil {
			return err
		}
		if stay, is := w.Stay(filter.To); is {
			f(stay)
		}
		if at, is := since[w.ID]; is && at.Before(filter.To) {
			f(workspaces.Stay{Traits: w.Traits(), Connected: true, Since: at, Until: filter.To})
		}
		return nil
	}, selectWorkSpace+c.where(), c.args...)
}

// condition is whose metrics the filter is for, by the columns of ids; "" where there is none of directories.
func (f MetricFilter) condition(id, directory string) *condition {
	c := new(condition)
	c.scope(f.Scope)
	c.inIfAny(id, f.WorkSpaceIDs)
	if directory != "" {
		c.inIfAny(directory, f.DirectoryIDs)
	}
	return c
}

// Happened adds what has happened to WorkSpaces' connections to what is known of its five minutes.
func (t *Tx) Happened(ctx context.Context, h workspaces.Happening) error {
	args := append(traitValues(h.Traits), micros(workspaces.SampledAt(h.At)), string(h.Metric), h.N, h.Sum, h.Min, h.Max,
		string(h.Measured))
	return t.exec(ctx, "INSERT INTO happening ("+traitColumns+", at, metric, n, total, least, most, measured) VALUES ("+placeholders(len(args))+")"+
		addHappening, args...)
}

const addHappening = " ON CONFLICT (account, region, workspace_id, at, metric) DO UPDATE SET" +
	" n = happening.n + excluded.n, total = happening.total + excluded.total, measured = happening.measured || excluded.measured," +
	" least = CASE WHEN excluded.least < happening.least THEN excluded.least ELSE happening.least END," +
	" most = CASE WHEN excluded.most > happening.most THEN excluded.most ELSE happening.most END"

// Happenings calls f on what has happened within the filter's time. f must not use t.
func (t *Tx) Happenings(ctx context.Context, filter MetricFilter, f func(workspaces.Happening)) error {
	c := filter.condition("workspace_id", "directory_id")
	c.and("at >= ?", micros(filter.From))
	c.and("at < ?", micros(filter.To))
	return t.each(ctx, func(row scanner) error {
		var h workspaces.Happening
		var at int64
		err := row.Scan(append(traitTargets(&h.Traits), &at, &h.Metric, &h.N, &h.Sum, &h.Min, &h.Max, (*string)(&h.Measured))...)
		h.At = instantOf(at)
		f(h)
		return err
	}, "SELECT "+traitColumns+", at, metric, n, total, least, most, measured FROM happening"+c.where(), c.args...)
}

// hourlyAfter is when what happened is kept by the hour. Source: the service, for data of five minutes.
const hourlyAfter = 63 * 24 * time.Hour

// PruneMetrics forgets what is older than metrics are kept, and sums up what is old by the hour.
func (t *Tx) PruneMetrics(ctx context.Context, now time.Time) error {
	scan := func(row scanner) (s workspaces.Scope, err error) { return s, row.Scan(&s.Account, &s.Region) }
	scopes, err := list(ctx, t, scan, "SELECT account, region FROM stay GROUP BY account, region UNION SELECT account, region FROM happening GROUP BY account, region")
	if err != nil {
		return err
	}
	for _, s := range scopes {
		if err := t.pruneMetricsOf(ctx, s, now); err != nil {
			return err
		}
	}
	return t.prunePoolMetrics(ctx, micros(now.Add(-workspaces.MetricsKept)))
}

func (t *Tx) pruneMetricsOf(ctx context.Context, s workspaces.Scope, now time.Time) error {
	hour, kept, fine := time.Hour.Microseconds(), micros(now.Add(-workspaces.MetricsKept)), micros(now.Add(-hourlyAfter).Truncate(time.Hour))
	const traits = "account, region, workspace_id, MAX(directory_id), MAX(running_mode), MAX(protocol), MAX(compute_type), MAX(bundle_id), MAX(user_name), MAX(computer_name)"
	for _, statement := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM stay WHERE account = $1 AND region = $2 AND until < $3", []any{s.Account, s.Region, kept}},
		{"DELETE FROM happening WHERE account = $1 AND region = $2 AND at < $3", []any{s.Account, s.Region, kept}},
		{
			"INSERT INTO happening (" + traitColumns + ", at, metric, n, total, least, most, measured)" +
				" SELECT " + traits + ", at - at % $3, metric, SUM(n), SUM(total), MIN(least), MAX(most), STRING_AGG(measured, '') FROM happening" +
				" WHERE account = $1 AND region = $2 AND at < $4 AND at % $3 <> 0 GROUP BY account, region, workspace_id, at - at % $3, metric" + addHappening,
			[]any{s.Account, s.Region, hour, fine},
		},
		{"DELETE FROM happening WHERE account = $1 AND region = $2 AND at < $4 AND at % $3 <> 0", []any{s.Account, s.Region, hour, fine}},
	} {
		if err := t.exec(ctx, statement.text, statement.args...); err != nil {
			return err
		}
	}
	return nil
}
