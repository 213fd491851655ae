package store

import (
	"context"
	"database/sql"
	"strings"

	"carrel/internal/workspaces"
)

// TakenAddresses is the query for the addresses that are taken.
const TakenAddresses = takenAddresses

// Exec runs a statement of a test's own in the transaction.
func (t *Tx) Exec(ctx context.Context, statement string) error { return t.exec(ctx, statement) }

// Text runs a query for a single text.
func (t *Tx) Text(ctx context.Context, query string) (text string, err error) {
	err = t.row(ctx, query).Scan(&text)
	return text, err
}

// KeepStays writes what a WorkSpace has been.
func (t *Tx) KeepStays(ctx context.Context, stays []workspaces.Stay) error {
	return t.keepStays(ctx, stays)
}

// KeepPoolStays writes what a pool and its desktops have been.
func (t *Tx) KeepPoolStays(ctx context.Context, stays ...workspaces.PoolStay) error {
	return t.keepPoolStays(ctx, stays...)
}

// PastStays calls f on what WorkSpaces have been and are no more.
func (t *Tx) PastStays(ctx context.Context, filter MetricFilter, f func(workspaces.Stay)) error {
	return t.past(ctx, filter, f)
}

// Explained is a View that returns SQLite's plans of the queries that f runs.
func (s *Store) Explained(f func(tx *Tx) error) (plan string, err error) {
	in := s.backend.view()
	e := &explainer{connection: in.conn}
	err = f(&Tx{store: s, session: session{conn: e}})
	return strings.Join(e.plan, "\n"), err
}

// Explain notes the plan of a text that is not to run.
func (t *Tx) Explain(ctx context.Context, text string) error {
	args := make([]any, strings.Count(text, "$"))
	e := t.conn.(*explainer) //nolint:errcheck // a test may panic
	return e.explain(ctx, text, args)
}

// explainer notes the plan of each query before it runs it.
type explainer struct {
	connection
	plan []string
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := e.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return e.connection.QueryContext(ctx, query, args...)
}

func (e *explainer) explain(ctx context.Context, query string, args []any) error {
	rows, err := e.connection.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return err
		}
		e.plan = append(e.plan, detail)
	}
	return rows.Err()
}

// Moments returns how many moments of the past are kept.
func (s *Store) Moments() int {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return len(s.history.moments)
}
