package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

const (
	standbyColumns = "account, region, id, primary_region, primary_id, replication, recovered_at, retry_at"
	selectStandby  = "SELECT " + standbyColumns + " FROM standby"
	// selectStandbyStates reads beside a standby WorkSpace the states of both.
	selectStandbyStates = "SELECT s.account, s.region, s.id, s.primary_region, s.primary_id, s.replication, s.recovered_at, s.retry_at," +
		" COALESCE(w.state, ''), COALESCE(p.state, '') FROM standby s" +
		" LEFT JOIN workspace w ON w.account = s.account AND w.region = s.region AND w.id = s.id" +
		" LEFT JOIN workspace p ON p.account = s.account AND p.region = s.primary_region AND p.id = s.primary_id"
)

// InsertStandby ties a standby WorkSpace to its primary, which must have none yet.
func (t *Tx) InsertStandby(ctx context.Context, s *workspaces.Standby) error {
	t.touch(s.Scope)
	return t.exec(ctx, "INSERT INTO standby ("+standbyColumns+") VALUES ("+placeholders(8)+")", s.Account, s.Region, s.ID, s.PrimaryRegion, s.PrimaryID,
		s.Replication, micros(s.RecoveredAt), micros(s.RetryAt))
}

// SaveStandby writes what may change: the replication and how far it is.
func (t *Tx) SaveStandby(ctx context.Context, s *workspaces.Standby) error {
	t.touch(s.Scope)
	return t.exec(ctx, "UPDATE standby SET replication = $1, recovered_at = $2, retry_at = $3 WHERE account = $4 AND region = $5 AND id = $6",
		s.Replication, micros(s.RecoveredAt), micros(s.RetryAt), s.Account, s.Region, s.ID)
}

func (t *Tx) deleteStandby(ctx context.Context, s workspaces.Scope, id string) error {
	return t.exec(ctx, "DELETE FROM standby WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// Standby returns what ties the standby WorkSpace with the id to its primary; found is false where it is none.
func (t *Tx) Standby(ctx context.Context, s workspaces.Scope, id string) (standby *workspaces.Standby, found bool, err error) {
	return one(ctx, t, scanStandby, selectStandby+" WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// StandbyOf returns what ties a primary WorkSpace to its standby WorkSpace; found is false where it has none.
func (t *Tx) StandbyOf(ctx context.Context, primary workspaces.Scope, id string) (standby *workspaces.Standby, found bool, err error) {
	return one(ctx, t, scanStandby, selectStandby+" WHERE account = $1 AND primary_region = $2 AND primary_id = $3", primary.Account, primary.Region, id)
}

// StandbyStates returns, of the WorkSpaces with the ids, those that are standby WorkSpaces and those that are primaries of one.
func (t *Tx) StandbyStates(ctx context.Context, s workspaces.Scope, ids []string) (standbys, primaries []workspaces.StandbyStates, err error) {
	var has bool // most accounts have none, and DescribeWorkspaces is asked all the time
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM standby WHERE account = $1)", s.Account).Scan(&has)
	if err != nil || !has || len(ids) == 0 {
		return nil, nil, err
	}
	var c condition
	c.and("s.account = ?", s.Account)
	c.and("s.region = ?", s.Region)
	c.in("s.id", ids)
	if standbys, err = list(ctx, t, scanStandbyStates, selectStandbyStates+c.where(), c.args...); err != nil {
		return nil, nil, err
	}
	c = condition{}
	c.and("s.account = ?", s.Account)
	c.and("s.primary_region = ?", s.Region)
	c.in("s.primary_id", ids)
	primaries, err = list(ctx, t, scanStandbyStates, selectStandbyStates+c.where(), c.args...)
	return standbys, primaries, err
}

// CountStandbys counts the standby WorkSpaces of a scope that have not ended.
func (t *Tx) CountStandbys(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM standby s JOIN workspace w ON w.account = s.account AND w.region = s.region AND w.id = s.id"+
		" WHERE s.account = $1 AND s.region = $2 AND w.state <> $3", s.Account, s.Region, string(workspaces.Terminated)).Scan(&n)
	return n, err
}

// Replication is a standby WorkSpace whose primary has been kept since what it has.
type Replication struct {
	Standby  *workspaces.Standby
	Snapshot string // the name of the primary's latest snapshot
	TakenAt  time.Time
}

// Replications returns what is to be replicated, the oldest snapshot first: for every standby WorkSpace that follows its
// primary the latest snapshot, if it is another than what it has.
func (t *Tx) Replications(ctx context.Context) ([]Replication, error) {
	return list(ctx, t, func(row scanner) (r Replication, err error) {
		r.Standby = new(workspaces.Standby)
		var taken int64
		err = scanStandbyInto(row, r.Standby, &r.Snapshot, &taken)
		r.TakenAt = instantOf(taken)
		return r, err
	}, "SELECT "+standbyColumns+", name, taken_at FROM (SELECT "+standbyColumns+", "+latestOfPrimary("name")+" AS name, "+latestOfPrimary("taken_at")+
		" AS taken_at FROM standby WHERE replication = $1) AS latest WHERE taken_at <> recovered_at ORDER BY taken_at",
		workspaces.PrimaryAsSource, string(workspaces.SnapshotAvailable))
}

// ReplicationsDue returns some of what can be replicated now, and when the next of the others may be tried again.
func (t *Tx) ReplicationsDue(ctx context.Context, now time.Time, limit int) (due []Replication, next time.Time, err error) {
	all, err := t.Replications(ctx)
	if err != nil || len(all) == 0 {
		return nil, next, err
	}
	down, err := t.RegionsDown(ctx)
	if err != nil {
		return nil, next, err
	}
	for _, one := range all {
		if retry := one.Standby.RetryAt; one.Standby.Rests(now) {
			if next.IsZero() || retry.Before(next) {
				next = retry
			}
			continue
		}
		can, err := t.canReplicate(ctx, one.Standby, down)
		if err != nil {
			return nil, next, err
		}
		if can {
			due = append(due, one)
		}
		if len(due) == limit {
			break
		}
	}
	return due, next, nil
}

// canReplicate reports whether nothing stands in the way of a replication.
func (t *Tx) canReplicate(ctx context.Context, s *workspaces.Standby, down []RegionDown) (bool, error) {
	for _, region := range down {
		if region.Name == s.Region || region.Name == s.PrimaryRegion {
			return false, nil
		}
	}
	w, found, err := t.WorkSpace(ctx, s.Scope, s.ID)
	if err != nil || !found || w.Aside != "" || !workspaces.ActionReplicate.Allowed(w.State) {
		return false, err
	}
	connections, err := t.Connections(ctx, s.Scope, []string{s.ID})
	return !connections[s.ID].Connected, err
}

// latestOfPrimary is a column of the latest snapshot of a standby WorkSpace's primary, as a query within one on standby,
// which is by far the smaller table.
func latestOfPrimary(column string) string {
	return "(SELECT n." + column + " FROM snapshot n WHERE n.account = standby.account AND n.region = standby.primary_region" +
		" AND n.workspace_id = standby.primary_id AND n.state = $2 ORDER BY n.seq DESC LIMIT 1)"
}

func scanStandby(row scanner) (*workspaces.Standby, error) {
	s := new(workspaces.Standby)
	return s, scanStandbyInto(row, s)
}

func scanStandbyStates(row scanner) (s workspaces.StandbyStates, err error) {
	err = scanStandbyInto(row, &s.Standby, (*string)(&s.State), (*string)(&s.PrimaryState))
	return s, err
}

// scanStandbyInto reads standbyColumns, and what follows them into more.
func scanStandbyInto(row scanner, s *workspaces.Standby, more ...any) error {
	var recovered, retry int64
	err := row.Scan(append([]any{&s.Account, &s.Region, &s.ID, &s.PrimaryRegion, &s.PrimaryID, &s.Replication, &recovered, &retry}, more...)...)
	s.RecoveredAt, s.RetryAt = instantOf(recovered), instantOf(retry)
	return err
}
