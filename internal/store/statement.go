package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// session is where the statements of a Tx run.
type session struct {
	conn     connection
	tx       *sql.Tx     // conn, where it is a transaction; else nil
	prepared *statements // nil where the driver itself keeps statements prepared
}

// connection is what a transaction and a pool of connections have in common.
type connection interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s session) run(ctx context.Context, query string, args []any) (sql.Result, error) {
	if st := s.statement(ctx, query); st != nil { //nolint:sqlclosecheck // kept; statements.close closes it
		return st.ExecContext(ctx, args...)
	}
	return s.conn.ExecContext(ctx, query, args...)
}

func (s session) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if m := momentOf(ctx); m != nil && s.tx == nil {
		return m.tx.QueryContext(ctx, query, args...)
	}
	if st := s.statement(ctx, query); st != nil { //nolint:sqlclosecheck // as above
		return st.QueryContext(ctx, args...)
	}
	return s.conn.QueryContext(ctx, query, args...)
}

// statement returns the prepared form of a text, nil where it is not there (yet).
func (s session) statement(ctx context.Context, query string) *sql.Stmt {
	switch {
	case s.prepared == nil:
		return nil
	case s.tx == nil:
		return s.prepared.get(ctx, query)
	default:
		if st := s.prepared.want(query); st != nil {
			return s.tx.StmtContext(ctx, st)
		}
		return nil
	}
}

// maxStatements bounds how many texts are kept prepared. The store has fewer; a bound keeps
// a mistake from becoming a leak.
const maxStatements = 500

// statements keeps the prepared form of every text that runs on a pool of connections:
// SQLite takes longer to plan most of ours than to run them.
type statements struct {
	db     *sql.DB
	byText sync.Map // text -> *sql.Stmt
	count  atomic.Int64

	mu     sync.Mutex
	wanted []string // texts that prepareWanted is to prepare
}

// get returns the prepared form of a text and prepares it where need be. It returns nil
// where that is impossible; running the text then tells why.
func (p *statements) get(ctx context.Context, text string) *sql.Stmt {
	if st, ok := p.byText.Load(text); ok {
		return st.(*sql.Stmt) //nolint:errcheck // only *sql.Stmt is ever stored
	}
	if p.count.Load() >= maxStatements {
		return nil
	}
	st, err := p.db.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	if other, loaded := p.byText.LoadOrStore(text, st); loaded {
		_ = st.Close()           //nolint:sqlclosecheck // only where another was faster
		return other.(*sql.Stmt) //nolint:errcheck // only *sql.Stmt is ever stored
	}
	p.count.Add(1)
	return st
}

// want is get for a transaction that holds the only connection, so that nothing can be
// prepared beside it: a text that is not there is left to prepareWanted.
func (p *statements) want(text string) *sql.Stmt {
	if st, ok := p.byText.Load(text); ok {
		return st.(*sql.Stmt) //nolint:errcheck // only *sql.Stmt is ever stored
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = append(p.wanted, text)
	return nil
}

// prepareWanted prepares what want asked for. No transaction may be open.
func (p *statements) prepareWanted(ctx context.Context) {
	p.mu.Lock()
	wanted := p.wanted
	p.wanted = nil
	p.mu.Unlock()
	for _, text := range wanted {
		p.get(ctx, text)
	}
}

func (p *statements) close() error {
	var errs []error
	p.byText.Range(func(_, st any) bool {
		errs = append(errs, st.(*sql.Stmt).Close()) //nolint:errcheck // only *sql.Stmt is ever stored
		return true
	})
	return errors.Join(errs...)
}
