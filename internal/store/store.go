// Package store keeps Carrel's state in SQL: SQLite in the data folder by default,
// PostgreSQL for several processes on one database. One Store serves both; the SQL is
// the part of the language that they share, and one suite of tests runs on both.
//
// It has one file per resource, named as in packages workspaces and operation. A change
// of state and the job that it asks for are written in one transaction: see Tx.Enqueue.
// It imports the domain, the two database drivers and River. Start at Store.Update.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"carrel/internal/store/migration"
)

// Store is the state of one installation. Its methods may be called from any goroutine.
type Store struct {
	// Maintains is set, before anything is asked, where somebody looks at the maintenance of WorkSpaces: see Rest.
	Maintains bool

	backend backend
	process string // random: what this process is called in the database
	lastSeq atomic.Int64
	told    atomic.Bool // somebody has told of streams: see Told

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced after every committed change
	versions versions
	handOver func(Work)
	history  history
}

// backend is what the two databases do differently.
type backend interface {
	// update runs f in a transaction and commits it, or rolls back on an error.
	update(ctx context.Context, f func(session) error) error
	// view lends the connections for reads.
	view() session
	// enqueue inserts a job in the transaction.
	enqueue(ctx context.Context, tx *sql.Tx, w Work) error
	// workers makes a River client that works the jobs.
	workers(config *river.Config) (Workers, error)
	// migrate brings River's own tables up to date, then has ours brought up to date.
	migrate(ctx context.Context, apply func(context.Context) error) error
	// schema turns a statement of a migration into the database's own SQL.
	schema(statement string) string
	close() error
}

// Workers is a River client that works jobs until it is stopped.
type Workers interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// Open opens the database at url, making and migrating its schema. A url that begins
// with postgres:// or postgresql:// is PostgreSQL's; any other is the path of an SQLite
// file, which is made, readable by its owner only, where it does not exist.
func Open(ctx context.Context, url string) (*Store, error) {
	s := &Store{process: rand.Text(), changed: make(chan struct{})}
	var err error
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		err = s.openPostgres(ctx, url)
	} else {
		err = s.openSQLite(ctx, url)
	}
	if err != nil {
		return nil, err
	}
	if err := s.backend.migrate(ctx, s.migrate); err != nil {
		return nil, errors.Join(fmt.Errorf("store: migrate: %w", err), s.Close())
	}
	if err := errors.Join(s.followSeq(ctx), s.followTold(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close waits for the updates that are under way and closes the database. Later updates,
// and those that still wait for their turn, fail.
func (s *Store) Close() error {
	s.history.mu.Lock()
	err := s.history.end()
	s.history.mu.Unlock()
	return errors.Join(err, s.backend.close())
}

// migrate applies the steps that the database does not have yet, all or none.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migration.Steps()
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.exec(ctx, s.backend.schema(`CREATE TABLE IF NOT EXISTS schema_step (name TEXT PRIMARY KEY)`)); err != nil {
			return err
		}
		for _, step := range steps {
			var n int
			if err := tx.row(ctx, `SELECT COUNT(*) FROM schema_step WHERE name = $1`, step.Name).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			for _, statement := range step.Statements() {
				if err := tx.exec(ctx, s.backend.schema(statement)); err != nil {
					return fmt.Errorf("%s: %w", step.Name, err)
				}
			}
			if err := tx.exec(ctx, `INSERT INTO schema_step (name) VALUES ($1)`, step.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Update runs f in one transaction. If f returns an error nothing of it is kept, and the
// error comes back as it is. On PostgreSQL f runs again where another transaction got in
// its way, so it must have no effect of its own besides those on tx. f must neither use
// tx after it has returned, nor call Update itself, nor ignore an error of a method that
// writes. Once Update has returned nil, the change survives a crash of the process and of
// the machine. Cancelling ctx has no effect once f may have begun.
func (s *Store) Update(ctx context.Context, f func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// From here on a client that hangs up must not break a transaction that others share.
	ctx = context.WithoutCancel(ctx)
	var tx *Tx // of the last try
	err := s.backend.update(ctx, func(in session) error {
		tx = &Tx{store: s, session: in}
		return f(tx)
	})
	if err == nil {
		s.versions.grow(tx)
		s.history.note(ctx)
		if take := s.notify(); take != nil {
			for _, w := range tx.asked {
				take(w)
			}
		}
	}
	return err
}

// View runs f on what is committed. Statements of one View may see different commits.
func (s *Store) View(f func(tx *Tx) error) error {
	return f(&Tx{store: s, session: s.backend.view()})
}

// Workers makes the River client that works what Tx.Enqueue inserts.
func (s *Store) Workers(config *river.Config) (Workers, error) { return s.backend.workers(config) }

// Alone reports whether this process has the database to itself: SQLite's file is in one
// data folder, and one Carrel serves a data folder.
func (s *Store) Alone() bool {
	_, alone := s.backend.(*sqlite)
	return alone
}

// Peers returns the other processes that have the database open, by numbers that are not
// given again soon. One that dies is no longer among them, within moments.
func (s *Store) Peers(ctx context.Context) ([]int, error) {
	if b, shared := s.backend.(*postgres); shared {
		return b.presence.others(ctx)
	}
	return nil, nil
}

// Changed returns a channel that is closed after the next change that this process commits.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// HandOver has f called with all work that this process asks for from now on, as soon as it is
// committed; nil ends it. f must not wait. It is a short cut: the work's job is there as well.
func (s *Store) HandOver(f func(Work)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handOver = f
}

// notify tells of a committed change, and returns who takes work over.
func (s *Store) notify() (handOver func(Work)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.handOver
}

// tablesInOrder are the tables that have a seq.
func tablesInOrder() []string {
	return []string{
		"workspace",
		"workspace_directory",
		"ip_group",
		"connection_alias",
		"account_modification",
		"account_link",
		"trust",
		"image",
		"pool",
		"image_permission",
		"bundle",
		"application_association",
	}
}

// Seq returns a number below that of everything that is made from now on, in the order of creation.
func (s *Store) Seq() int64 { return s.lastSeq.Load() }

// followSeq makes nextSeq go on behind what the database has, should the clock have gone back.
func (s *Store) followSeq(ctx context.Context) error {
	var last int64
	parts := tablesInOrder()
	for i, table := range parts {
		parts[i] = "SELECT MAX(seq) AS seq FROM " + table
	}
	err := s.View(func(tx *Tx) error {
		return tx.row(ctx, "SELECT COALESCE(MAX(seq), 0) FROM ("+strings.Join(parts, " UNION ALL ")+") AS every_table").Scan(&last)
	})
	s.lastSeq.Store(last)
	return err
}

// nextSeq returns a number above all that it returned before: the order of creation.
func (s *Store) nextSeq() int64 {
	for {
		last := s.lastSeq.Load()
		next := max(time.Now().UnixNano(), last+1) //nolint:forbidigo // only an order, which must not stand still with the service's clock
		if s.lastSeq.CompareAndSwap(last, next) {
			return next
		}
	}
}
