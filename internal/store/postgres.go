package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/sync/semaphore"
)

// postgres is a database that several Carrel processes can share. River inserts through
// database/sql, in Carrel's transactions, and works through pgx, which can listen.
// pgx itself keeps the prepared form of every statement.
type postgres struct {
	pool *pgxpool.Pool
	db   *sql.DB
	jobs *river.Client[*sql.Tx]
	room *semaphore.Weighted // for updates that run at once

	presence presence
}

// connections is how many a process has at the most, unless pool_max_conns in the url says
// otherwise: requests, River's workers and its listener share them.
const connections = 20

func (s *Store) openPostgres(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = connections
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
	}
	b := &postgres{pool: pool, presence: presence{config: config.ConnConfig}, db: stdlib.OpenDBFromPool(pool), room: semaphore.NewWeighted(updatesAtOnce)}
	if b.jobs, err = river.NewClient(riverdatabasesql.New(b.db), &river.Config{}); err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), b.close()) //nolint:contextcheck // what is closed is closed
	}
	if _, err := b.presence.others(ctx); err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), b.close()) //nolint:contextcheck // what is closed is closed
	}
	s.backend = b
	return nil
}

const (
	// updatesAtOnce is how many updates a process runs beside each other. More would only
	// get in each other's way: they then spend their time on being tried again.
	updatesAtOnce = 4
	// maxAttempts is how often a transaction is tried that others get in the way of.
	maxAttempts = 20
	// politeAttempts is how many of them run beside other updates of this process. Those
	// after it have the process to themselves, so that many updates of the same rows end.
	politeAttempts = 3
	// maxDuplicates is how often a unique key that is taken may be another transaction's
	// doing. After that, it is the update's own.
	maxDuplicates = 3
)

// update runs f serializably, so that what it looked up still holds when it commits, and
// again where PostgreSQL finds that it would not.
func (b *postgres) update(ctx context.Context, f func(session) error) error {
	duplicates := 0
	for attempt := 1; ; attempt++ {
		room := int64(1)
		if attempt > politeAttempts {
			room = updatesAtOnce
		}
		err := b.attempt(ctx, room, f)
		switch conflictOf(err) {
		case noConflict:
			return err
		case duplicateKey:
			duplicates++
		case serialization:
		}
		if attempt == maxAttempts || duplicates == maxDuplicates {
			return err
		}
		pause := time.Duration(rand.Int64N(int64(time.Millisecond) << min(attempt, 6))) //nolint:gosec // spreads retries, hides nothing
		time.Sleep(pause)                                                               //nolint:forbidigo // the database's time, not the service's
	}
}

// attempt runs f in a transaction once there is that much room for it.
func (b *postgres) attempt(ctx context.Context, room int64, f func(session) error) error {
	if err := b.room.Acquire(ctx, room); err != nil {
		return err
	}
	defer b.room.Release(room)
	tx, err := b.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // has no effect once committed
	if err := f(session{conn: tx, tx: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// conflict is how another transaction can be the cause of an error.
type conflict int

const (
	noConflict    conflict = iota
	serialization          // or a deadlock: trying again is all there is to it
	duplicateKey           // a unique key that another has just taken, which f then sees
)

func conflictOf(err error) conflict {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return noConflict
	case pg.Code == "40001", pg.Code == "40P01":
		return serialization
	case pg.Code == "23505":
		return duplicateKey
	default:
		return noConflict
	}
}

// view lends the connections for reads.
func (b *postgres) view() session { return session{conn: b.db} }

func (b *postgres) enqueue(ctx context.Context, tx *sql.Tx, w Work) error {
	_, err := b.jobs.InsertManyFastTx(ctx, tx, []river.InsertManyParams{{Args: w}})
	return err
}

func (b *postgres) workers(config *river.Config) (Workers, error) {
	return river.NewClient(riverpgxv5.New(b.pool), config)
}

// migrationLock is the number of the lock that migrations hold: any that nothing else uses.
const migrationLock = 0x6361_7272_656c

// migrate keeps processes that start at once apart.
func (b *postgres) migrate(ctx context.Context, apply func(context.Context) error) error {
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer conn.Conn().Close(ctx) // and with it the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	m, err := rivermigrate.New(riverpgxv5.New(b.pool), nil)
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	return apply(ctx)
}

// schema makes texts compare byte by byte, whatever the database's locale is: SQLite's
// order, which pages go by, and the fastest for an index.
func (*postgres) schema(statement string) string {
	return strings.NewReplacer(" TEXT", ` TEXT COLLATE "C"`, " BLOB", " BYTEA").Replace(statement)
}

// close waits for the updates that are under way; later ones find the database closed.
func (b *postgres) close() error {
	if err := b.room.Acquire(context.Background(), updatesAtOnce); err != nil {
		return err
	}
	defer b.room.Release(updatesAtOnce)
	err := b.db.Close()
	b.pool.Close()
	return errors.Join(err, b.presence.close())
}
