package store

import (
	"context"
	"strconv"
)

// sequence reads a page of things in the order of their creation. The query selects their seq
// and then what scan reads, without an order; a limit of 0 reads all. Next is where the next
// page begins, 0 on the last.
func sequence[T any](
	ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, c condition, limit int,
) (things []T, next int64, err error) {
	query += c.where() + " ORDER BY seq"
	if limit > 0 {
		c.args = append(c.args, limit+1) // one more tells whether there is another page
		query += " LIMIT $" + strconv.Itoa(len(c.args))
	}
	var seqs []int64
	err = t.each(ctx, func(row scanner) error {
		var seq int64
		v, err := scan(behind{row, &seq})
		things, seqs = append(things, v), append(seqs, seq)
		return err
	}, query, c.args...)
	if limit > 0 && len(seqs) > limit {
		things, next = things[:limit], seqs[limit-1]
	}
	return things, next, err
}

// behind scans a column of its own before those of the row's thing.
type behind struct {
	row   scanner
	first any
}

// Scan reads the first column, then the others.
func (b behind) Scan(dest ...any) error { return b.row.Scan(append([]any{b.first}, dest...)...) }
