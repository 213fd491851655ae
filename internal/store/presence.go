package store

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
)

// presenceLock is the number of the lock that every process on a PostgreSQL database shares
// for as long as it lives. The server takes it from a process that dies.
const presenceLock = migrationLock + 1

// presence is a connection that holds presenceLock, and is made anew where it breaks.
type presence struct {
	config *pgx.ConnConfig

	mu   sync.Mutex
	conn *pgx.Conn
}

// others returns the server's numbers of the connections by which other processes hold the lock.
func (p *presence) others(ctx context.Context) ([]int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil || p.conn.IsClosed() {
		if err := p.enter(ctx); err != nil {
			return nil, err
		}
	}
	rows, err := p.conn.Query(ctx, `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32) | objid::bigint = $1`, int64(presenceLock))
	if err != nil {
		return nil, errors.Join(err, p.leave(ctx))
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return nil, errors.Join(err, p.leave(ctx))
	}
	return others, nil
}

func (p *presence) enter(ctx context.Context) (err error) {
	if p.conn, err = pgx.ConnectConfig(ctx, p.config.Copy()); err != nil {
		return err
	}
	if _, err := p.conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", int64(presenceLock)); err != nil {
		return errors.Join(err, p.leave(ctx))
	}
	return nil
}

func (p *presence) leave(ctx context.Context) error {
	conn := p.conn
	p.conn = nil
	return conn.Close(context.WithoutCancel(ctx))
}

// close gives the lock back.
func (p *presence) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return nil
	}
	return p.leave(context.Background())
}
