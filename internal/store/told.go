package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// toldStream is the one stream that a test suite can say there is to a desktop.
func toldStream(s workspaces.Scope, id string, at time.Time) Stream {
	return Stream{Scope: s, WorkSpaceID: id, ID: string(ByTests), OpenedAt: at, Told: ByTests}
}

// TellConnected has somebody be connected to a desktop without a stream, until TellDisconnected, or until the
// desktop can be visited no more, or somebody takes it over. It does nothing where it was told before.
func (t *Tx) TellConnected(ctx context.Context, s workspaces.Scope, id string, now time.Time) error {
	if is, err := t.isTold(ctx, s, id); err != nil || is {
		return err
	}
	if err := t.OpenStream(ctx, toldStream(s, id, now)); err != nil {
		return err
	}
	return t.happenTo(ctx, s, id, now, workspaces.MetricAttempt, workspaces.MetricSuccess)
}

// TellDisconnected ends what TellConnected began, and does nothing where there is nothing to end.
func (t *Tx) TellDisconnected(ctx context.Context, s workspaces.Scope, id string, now time.Time) error {
	if !t.store.told.Load() {
		return nil // and nobody has to look
	}
	if is, err := t.isTold(ctx, s, id); err != nil || !is {
		return err
	}
	if err := t.CloseStream(ctx, toldStream(s, id, now), now); err != nil {
		return err
	}
	return t.happenTo(ctx, s, id, now, workspaces.MetricDisconnect)
}

func (t *Tx) isTold(ctx context.Context, s workspaces.Scope, id string) (is bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM stream WHERE account = $1 AND region = $2 AND workspace_id = $3 AND id = $4)",
		s.Account, s.Region, id, string(ByTests)).Scan(&is)
	return is, err
}

// happenTo counts what has happened to the connections of a WorkSpace once; desktops of pools have no metrics.
func (t *Tx) happenTo(ctx context.Context, s workspaces.Scope, id string, now time.Time, metrics ...workspaces.Metric) error {
	w, found, err := t.WorkSpace(ctx, s, id)
	if err != nil || !found {
		return err
	}
	for _, m := range metrics {
		once := workspaces.Happening{Traits: w.Traits(), Metric: m, At: now, Summary: workspaces.Summary{N: 1, Sum: 1, Min: 1, Max: 1}}
		if err := t.Happened(ctx, once); err != nil {
			return err
		}
	}
	return nil
}

// endToldVisits ends what test suites say of the streams of a WorkSpace whose state none of them outlives.
func (t *Tx) endToldVisits(ctx context.Context, w *workspaces.WorkSpace) error {
	if w.State.KeepsVisits() || w.State.LocksOut() {
		return nil
	}
	return t.TellDisconnected(ctx, w.Scope, w.ID, w.ChangedAt)
}

// LeaveToTests makes the streams that a journal told of, once it has ended, such as a test suite tells of: those
// whose desktop is there. The others end now.
func (t *Tx) LeaveToTests(ctx context.Context, now time.Time) error {
	streams, err := t.streamsOf(ctx, string(ByJournal))
	if err != nil {
		return err
	}
	for _, s := range streams {
		state, err := t.VisitState(ctx, s.Scope, s.WorkSpaceID)
		if err != nil {
			return err
		}
		if state.KeepsVisits() || state.LocksOut() {
			if err := t.OpenStream(ctx, toldStream(s.Scope, s.WorkSpaceID, s.OpenedAt)); err != nil {
				return err
			}
		}
		if err := t.CloseStream(ctx, s, now); err != nil {
			return err
		}
	}
	return nil
}

// followTold finds out whether anybody has told of streams before this process began.
func (s *Store) followTold(ctx context.Context) error {
	var told bool
	err := s.View(func(tx *Tx) error {
		return tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM stream WHERE process IN ($1, $2))", string(ByTests), string(ByJournal)).Scan(&told)
	})
	s.told.Store(told)
	return err
}

// ScopeOf returns the account and region in which a WorkSpace or a pool has the id, for who has no account of
// their own; found is false where there is none.
func (t *Tx) ScopeOf(ctx context.Context, id string) (s workspaces.Scope, found bool, err error) {
	return one(ctx, t, func(row scanner) (s workspaces.Scope, err error) { return s, row.Scan(&s.Account, &s.Region) },
		"SELECT account, region FROM workspace WHERE id = $1 UNION ALL SELECT account, region FROM pool WHERE id = $1", id)
}
