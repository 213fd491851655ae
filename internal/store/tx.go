package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"carrel/internal/workspaces"
)

// Tx is the store within one Update, or the committed state within a View. Its methods
// are in the files of their resources.
type Tx struct {
	store *Store
	session

	touched    map[string]bool // accounts whose WorkSpaces the transaction changes
	touchedAll bool            // it changes all of them
	asked      []Work          // what Enqueue was called with
}

// Work asks for background work on things of one kind; it is River's job and its only
// kind of job. One job carries many things, so that creating 25 WorkSpaces, or waking
// 500, costs one insert.
type Work struct {
	Resource workspaces.Kind  `json:"resource"`
	Refs     []workspaces.Ref `json:"refs"`
}

// Kind names the job for River.
func (Work) Kind() string { return "work" }

// Enqueue asks for work, to begin once the transaction has committed.
func (t *Tx) Enqueue(ctx context.Context, w Work) error {
	if t.tx == nil {
		return errReadOnly
	}
	if len(w.Refs) == 0 {
		return nil
	}
	t.asked = append(t.asked, w)
	return t.store.backend.enqueue(t.patient(ctx), t.tx, w)
}

var (
	errReadOnly = errors.New("store: a View cannot write")
	errClosed   = errors.New("store: closed")
)

// exec runs a statement that changes something.
func (t *Tx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.execCount(ctx, query, args...)
	return err
}

// execCount is exec, and returns how many rows the statement changed.
func (t *Tx) execCount(ctx context.Context, query string, args ...any) (int64, error) {
	if t.tx == nil {
		return 0, errReadOnly
	}
	result, err := t.run(t.patient(ctx), query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// patient returns the context that statements run under. A client that hangs up must not
// end a transaction: SQLite would undo with it what others did in it before. Reads from
// SQLite are over sooner than they could be cancelled. Reads over a network may be given up.
func (t *Tx) patient(ctx context.Context) context.Context {
	if t.tx == nil && t.prepared == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// scanner is what a row and rows have in common.
type scanner interface{ Scan(dest ...any) error }

// row is a query for one row, which runs when the row is scanned: sql.ErrNoRows where there is none.
func (t *Tx) row(ctx context.Context, query string, args ...any) scanner {
	return singleRow(func(dest ...any) error {
		err := sql.ErrNoRows
		if e := t.each(ctx, func(row scanner) error {
			err = row.Scan(dest...)
			return err
		}, query, args...); e != nil {
			return e
		}
		return err
	})
}

// singleRow scans what a query answers.
type singleRow func(dest ...any) error

// Scan reads the row.
func (r singleRow) Scan(dest ...any) error { return r(dest...) }

// each runs a query and calls f on every row. f must not use t: PostgreSQL's connection is
// busy with the rows.
func (t *Tx) each(ctx context.Context, f func(scanner) error, query string, args ...any) error {
	if t.tx == nil && !strings.HasPrefix(query, "SELECT") { // UPDATE … RETURNING and its like
		return errReadOnly
	}
	rows, err := t.query(t.patient(ctx), query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list runs a query and collects what scan makes of its rows.
func list[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var out []T
	err := t.each(ctx, func(row scanner) error {
		v, err := scan(row)
		out = append(out, v)
		return err
	}, query, args...)
	return out, err
}

// one runs a query for a single thing; found is false where there is none.
func one[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) (v T, found bool, err error) {
	v, err = scan(t.row(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}

// condition collects the WHERE part of a query and its arguments.
type condition struct {
	parts []string
	args  []any
}

// and adds a part in which each ? stands for the next argument.
func (c *condition) and(part string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		part = strings.Replace(part, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.parts = append(c.parts, part)
}

// in adds that a column has one of the values; without values, nothing has.
func (c *condition) in(column string, values []string) {
	if len(values) == 0 {
		c.and("1 = 0")
		return
	}
	// The last value is repeated up to a power of two, so that lists of any length
	// make only a few texts to be kept prepared.
	args := make([]any, 1<<bits.Len(uint(len(values)-1)))
	for i := range args {
		args[i] = values[min(i, len(values)-1)]
	}
	c.and(column+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
}

// inIfAny is in, and restricts nothing where there are no values.
func (c *condition) inIfAny(column string, values []string) {
	if len(values) > 0 {
		c.in(column, values)
	}
}

func (c *condition) scope(s workspaces.Scope) {
	c.and("account = ?", s.Account)
	c.and("region = ?", s.Region)
}

func (c *condition) where() string { return " WHERE " + strings.Join(c.parts, " AND ") }

// placeholders returns $1, $2, … $n.
func placeholders(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(out, ", ")
}

// assignments returns "a = $1, b = $2 …" for the columns of a comma-separated list.
func assignments(columns string) string {
	names := strings.Split(columns, ", ")
	for i, name := range names {
		names[i] = fmt.Sprintf("%s = $%d", name, i+1)
	}
	return strings.Join(names, ", ")
}

// micros is how a time is kept: 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instantOf reads what micros wrote.
func instantOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// document keeps a value as JSON: a list or settings that no query looks into.
type document struct{ of any }

// text returns the JSON.
func (d document) text() (string, error) {
	b, err := json.Marshal(d.of)
	return string(b), err
}

// Scan reads the column.
func (d document) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), d.of)
	case []byte:
		return json.Unmarshal(v, d.of)
	default:
		return fmt.Errorf("store: a document is kept as text, not as %T", src)
	}
}
