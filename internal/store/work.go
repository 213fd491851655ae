package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/internal/workspaces"
)

// tableOf is where things of a kind are kept.
func tableOf(kind workspaces.Kind) (string, error) {
	switch kind {
	case workspaces.KindWorkSpace:
		return "workspace", nil
	case workspaces.KindImage:
		return "image", nil
	case workspaces.KindDirectory:
		return "directory", nil
	case workspaces.KindWorkspaceDirectory:
		return "workspace_directory", nil
	case workspaces.KindConnectionAlias:
		return "connection_alias", nil
	case workspaces.KindAccountModification:
		return "account_modification", nil
	case workspaces.KindPool:
		return "pool", nil
	case workspaces.KindPoolDesktop:
		return "pool_desktop", nil
	case workspaces.KindPoolSession:
		return "pool_session", nil
	case workspaces.KindTrust:
		return "trust", nil
	case workspaces.KindDeployment:
		return "deployment", nil
	default:
		return "", fmt.Errorf("store: no table for %q", kind)
	}
}

// Settled reports whether a thing rests: it has neither a deadline nor a turn of work to
// come, nor a snapshot that is due or on its way, or it is gone.
func (t *Tx) Settled(ctx context.Context, kind workspaces.Kind, r workspaces.Ref, now time.Time) (settled bool, err error) {
	table, err := tableOf(kind)
	if err != nil {
		return false, err
	}
	busy, args := "deadline > 0 OR wake_at > 0", []any{r.Account, r.Region, r.ID}
	if kind == workspaces.KindWorkSpace {
		busy += " OR next_snapshot_at > 0 AND next_snapshot_at <= $4 OR EXISTS (SELECT 1 FROM snapshot WHERE account = $1 AND region = $2" +
			" AND workspace_id = $3 AND snapshot.generation = workspace.generation AND snapshot.state IN ($5, $6))"
		args = append(args, micros(now), string(workspaces.SnapshotPending), string(workspaces.SnapshotRedo))
	}
	err = t.row(ctx, "SELECT NOT EXISTS (SELECT 1 FROM "+table+" WHERE account = $1 AND region = $2 AND id = $3 AND ("+busy+"))", args...).Scan(&settled)
	return settled, err
}

// AtRest reports whether there is nothing to be done at a time at which the clock stands still: no
// turn of work is due or being taken, no snapshot is due or being taken, and nothing is to be stopped,
// replicated, maintained or deregistered.
func (t *Tx) AtRest(ctx context.Context, now time.Time) (resting bool, err error) {
	due, asked := micros(now), micros(now.Add(workspaces.Watchdog)) // until which what is asked for now is put off
	for _, kind := range workspaces.Kinds() {
		table, err := tableOf(kind)
		if err != nil {
			return false, err
		}
		query := "SELECT NOT EXISTS (SELECT 1 FROM " + table + " WHERE wake_at > 0 AND (wake_at <= $1 OR wake_at = $2))"
		if err := t.row(ctx, query, due, asked).Scan(&resting); err != nil || !resting {
			return false, err
		}
	}
	const others = "SELECT NOT EXISTS (SELECT 1 FROM workspace" +
		" WHERE state IN ($2, $3) AND next_snapshot_at > 0 AND (next_snapshot_at <= $1 OR next_snapshot_at = $4)" +
		" OR state = $2 AND auto_stop_at > 0 AND auto_stop_at <= $1)"
	err = t.row(ctx, others, due, string(workspaces.Available), string(workspaces.Stopped), asked).Scan(&resting)
	if err != nil || !resting {
		return false, err
	}
	replications, _, err := t.ReplicationsDue(ctx, now, 1)
	if err != nil || len(replications) > 0 {
		return false, err
	}
	const idle = "SELECT NOT EXISTS (SELECT 1 FROM workspace_directory AS d WHERE type IN ('SIMPLE_AD', 'AD_CONNECTOR') AND state = $1" +
		" AND empty_since > 0 AND empty_since <= $2 AND NOT EXISTS (SELECT 1 FROM workspace AS w" +
		" WHERE w.account = d.account AND w.region = d.region AND w.directory_id = d.id))"
	err = t.row(ctx, idle, string(workspaces.Registered), micros(now.Add(-workspaces.IdleDirectoryAfter))).Scan(&resting)
	if err != nil || !resting || !t.store.Maintains {
		return resting, err
	}
	next, err := t.NextMaintenance(ctx)
	return next.IsZero() || next.After(now), err
}

// Rest returns when nothing is to be done at the time that now tells, or with the context's error when that ends before.
func (s *Store) Rest(ctx context.Context, now func() time.Time) error {
	for {
		changed := s.Changed()
		var resting bool
		// Twice, for one look may see of a change that comes meanwhile what it ended, and not what it began.
		err := s.View(func(tx *Tx) (err error) {
			if resting, err = tx.AtRest(ctx, now()); err == nil && resting {
				resting, err = tx.AtRest(ctx, now())
			}
			return err
		})
		if err == nil && resting {
			select {
			case <-changed:
				continue
			default:
				return nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// TakeDue returns things of a kind whose next turn of work is due, the longest-waiting
// first, and puts their next turn off until the watchdog's time, in case this one dies.
func (t *Tx) TakeDue(ctx context.Context, kind workspaces.Kind, now, watchdog time.Time, limit int) ([]workspaces.Ref, error) {
	table, err := tableOf(kind)
	if err != nil {
		return nil, err
	}
	return list(ctx, t, scanRef, "UPDATE "+table+" SET wake_at = $1 WHERE (account, region, id) IN"+
		" (SELECT account, region, id FROM "+table+" WHERE wake_at > 0 AND wake_at <= $2 ORDER BY wake_at LIMIT $3)"+
		" RETURNING account, region, id, generation", micros(watchdog), micros(now), limit)
}

// NextDue returns when the next turn of work of a kind is due, the zero time where there is none.
func (t *Tx) NextDue(ctx context.Context, kind workspaces.Kind) (time.Time, error) {
	table, err := tableOf(kind)
	if err != nil {
		return time.Time{}, err
	}
	var next int64
	err = t.row(ctx, "SELECT COALESCE(MIN(wake_at), 0) FROM "+table+" WHERE wake_at > 0").Scan(&next)
	return instantOf(next), err
}

// PutOff sets when the next turn of work on a thing is due, if it still has the generation.
func (t *Tx) PutOff(ctx context.Context, kind workspaces.Kind, r workspaces.Ref, until time.Time) error {
	table, err := tableOf(kind)
	if err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE "+table+" SET wake_at = $1 WHERE account = $2 AND region = $3 AND id = $4 AND generation = $5",
		micros(until), r.Account, r.Region, r.ID, r.Generation)
}

// HastenAll makes the next turn of work of every thing of a kind due at once: what a process
// does that knows that no other is at work on this database.
func (t *Tx) HastenAll(ctx context.Context, kind workspaces.Kind, now time.Time) error {
	table, err := tableOf(kind)
	if err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE "+table+" SET wake_at = $1 WHERE wake_at > $1 AND wake_at > 0", micros(now))
}

func scanRef(row scanner) (r workspaces.Ref, err error) {
	err = row.Scan(&r.Account, &r.Region, &r.ID, &r.Generation)
	return r, err
}
