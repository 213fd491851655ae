package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// postgres is a database that several Carrel processes can share. River inserts through
// database/sql, in Carrel's transactions, and works through pgx, which can listen.
type postgres struct {
	pool *pgxpool.Pool
	db   *sql.DB
	jobs *river.Client[*sql.Tx]
}

func (s *Store) openPostgres(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
	}
	b := &postgres{pool: pool, db: stdlib.OpenDBFromPool(pool)}
	if b.jobs, err = river.NewClient(riverdatabasesql.New(b.db), &river.Config{}); err != nil {
		pool.Close()
		return fmt.Errorf("store: %w", err)
	}
	s.backend, s.write, s.read = b, b.db, b.db
	return nil
}

// maxAttempts is how often a transaction is tried that others get in the way of.
const maxAttempts = 20

// update runs f serializably, so that what it looked up still holds when it commits, and
// again where PostgreSQL finds that it would not.
func (b *postgres) update(ctx context.Context, f func(*sql.Tx) error) error {
	var err error
	for attempt := range maxAttempts {
		if err = b.try(ctx, f); !conflicts(err) {
			return err
		}
		pause := time.Duration(rand.Int64N(int64(time.Millisecond) << min(attempt, 7))) //nolint:gosec // spreads retries, hides nothing
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause): //nolint:forbidigo // the database's time, not the service's
		}
	}
	return err
}

func (b *postgres) try(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := b.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // has no effect once committed
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// conflicts reports whether another transaction was the cause: serialization failure,
// deadlock, or a unique key that another has just taken, which f then sees.
func conflicts(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505")
}

func (b *postgres) enqueue(ctx context.Context, tx *sql.Tx, w Work) error {
	_, err := b.jobs.InsertTx(ctx, tx, w, nil)
	return err
}

func (b *postgres) workers(config *river.Config) (Workers, error) {
	return river.NewClient(riverpgxv5.New(b.pool), config)
}

func (b *postgres) migrateJobs(ctx context.Context) error {
	m, err := rivermigrate.New(riverpgxv5.New(b.pool), nil)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (b *postgres) close() error {
	err := b.db.Close()
	b.pool.Close()
	return err
}
