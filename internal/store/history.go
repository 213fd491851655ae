package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// thinning is how much closer in time than the whole history kept moments may lie: a history of
// a minute has one about every second, so that there are never many.
const thinning = 64

// history is what the database was at moments past, each a read transaction that has been held
// open since. It is of use to test suites only.
type history struct {
	mu      sync.Mutex
	db      *sql.DB // nil: nothing is kept
	now     func() time.Time
	back    time.Duration
	moments []*moment // in the order of time; never empty while something is kept
}

// moment is the database as it was at a time.
type moment struct {
	at      time.Time
	tx      *sql.Tx
	readers int
	dropped bool // to be let go of by the last reader
}

// ErrNoHistory says that the past of this database cannot be kept.
var ErrNoHistory = errors.New("only a database of one process, SQLite's, has a past that can be kept")

// KeepHistory keeps, from now on, what Past needs to look back as far as back, by the time that
// now tells; zero ends it. Errors: ErrNoHistory.
func (s *Store) KeepHistory(ctx context.Context, back time.Duration, now func() time.Time) error {
	h := &s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if back == 0 {
		return h.end()
	}
	b, ok := s.backend.(*sqlite)
	if !ok {
		return ErrNoHistory
	}
	h.back, h.now = back, now
	if h.db != nil {
		return nil
	}
	db, err := sql.Open("sqlite", b.source+"&_pragma=query_only(1)")
	if err != nil {
		return err
	}
	h.db = db
	return h.keep(ctx)
}

// end lets go of everything that nobody reads.
func (h *history) end() error {
	if h.db == nil {
		return nil
	}
	for _, m := range h.moments {
		m.drop()
	}
	db := h.db
	h.moments, h.db = nil, nil
	return db.Close() // connections that are being read from are closed when they are given back
}

// drop lets go of the moment once nobody reads it.
func (m *moment) drop() {
	m.dropped = true
	if m.readers == 0 {
		_ = m.tx.Rollback() // it has written nothing
	}
}

// note keeps the moment after a commit. One that cannot be kept is missing: the one before it
// is shown in its place.
func (h *history) note(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.db != nil {
		_ = h.keep(ctx) // as said
	}
}

// keep keeps this moment, and drops those that nobody will ask for any more.
func (h *history) keep(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // whose end would be the transaction's
	tx, err := h.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	var n int // the first read is what fixes the moment
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM setting").Scan(&n); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	now := h.now()
	last := len(h.moments) - 1
	if last >= 1 && now.Sub(h.moments[last-1].at) < h.back/thinning || last >= 0 && !now.After(h.moments[last].at) {
		h.moments[last].drop()
		h.moments = h.moments[:last]
	}
	h.moments = append(h.moments, &moment{at: now, tx: tx})
	for len(h.moments) > 1 && !h.moments[1].at.After(now.Add(-h.back)) {
		h.moments[0].drop()
		h.moments = h.moments[1:]
	}
	return nil
}

// pastKey finds a moment in a context.
type pastKey struct{}

// Past returns a context in which every View shows one and the same past: what was committed
// at a time or, at the most a 64th of the history's length, before it. The past does not reach
// further back than KeepHistory; without it the present is shown. To be released after use.
func (s *Store) Past(ctx context.Context, at time.Time) (past context.Context, release func()) {
	h := &s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.db == nil {
		return ctx, func() {}
	}
	m := h.moments[0]
	for _, later := range h.moments[1:] {
		if later.at.After(at) {
			break
		}
		m = later
	}
	m.readers++
	return context.WithValue(ctx, pastKey{}, m), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if m.readers--; m.readers == 0 && m.dropped {
			_ = m.tx.Rollback() // it has written nothing
		}
	}
}

// IsPast reports whether Views in the context show the past.
func IsPast(ctx context.Context) bool { return momentOf(ctx) != nil }

func momentOf(ctx context.Context) *moment {
	m, _ := ctx.Value(pastKey{}).(*moment) // nil is the answer where there is none
	return m
}
