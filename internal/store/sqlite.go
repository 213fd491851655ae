package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the pure Go driver, registered as "sqlite"
)

// sqlite is one file in WAL mode. All writes, Carrel's and River's, go through one
// connection, since SQLite has one writer at a time; reads have connections of their own.
type sqlite struct {
	write  *sql.DB
	read   *sql.DB
	jobs   *river.Client[*sql.Tx]
	queue  chan *pendingWrite
	closed chan struct{}
	once   sync.Once
}

// pendingWrite is an update that waits for its turn in a transaction.
type pendingWrite struct {
	run  func(*sql.Tx) error
	done chan error
}

// maxGroup is how many updates share one commit at the most.
const maxGroup = 64

func (s *Store) openSQLite(ctx context.Context, path string) error {
	// The file holds secret keys: nobody else may read it, from its first byte on.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the administrator's own path
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"
	b := &sqlite{queue: make(chan *pendingWrite, maxGroup), closed: make(chan struct{})}
	if b.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	b.write.SetMaxOpenConns(1)
	if err := b.write.PingContext(ctx); err != nil {
		return fmt.Errorf("store: %s: %w", path, err)
	}
	if b.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	b.read.SetMaxOpenConns(2 * runtime.NumCPU())
	b.read.SetMaxIdleConns(2 * runtime.NumCPU())
	if b.jobs, err = river.NewClient(riversqlite.New(b.write), &river.Config{}); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.backend, s.write, s.read = b, b.write, b.read
	go b.commitGroups()
	return nil
}

// update waits for a place in the next commit. Updates that arrive while one commit is
// being made durable share the next: each runs under a savepoint of its own, so one that
// fails takes nothing of the others with it.
func (b *sqlite) update(_ context.Context, f func(*sql.Tx) error) error {
	w := &pendingWrite{run: f, done: make(chan error, 1)}
	select {
	case b.queue <- w:
	case <-b.closed:
		return sql.ErrConnDone
	}
	select {
	case err := <-w.done:
		return err
	case <-b.closed:
		return sql.ErrConnDone
	}
}

func (b *sqlite) commitGroups() {
	for {
		select {
		case <-b.closed:
			return
		case first := <-b.queue:
			group := []*pendingWrite{first}
			for len(group) < maxGroup && len(b.queue) > 0 {
				group = append(group, <-b.queue)
			}
			b.commit(group)
		}
	}
}

// commit runs a group in one transaction and tells each member how it went.
func (b *sqlite) commit(group []*pendingWrite) {
	tell := func(err error) {
		for _, w := range group {
			w.done <- err
		}
	}
	tx, err := b.write.Begin() //nolint:noctx // no single request may cancel what others share
	if err != nil {
		tell(err)
		return
	}
	kept := group[:0:0]
	for _, w := range group {
		if err := savepoint(tx, w.run); err != nil {
			w.done <- err
			continue
		}
		kept = append(kept, w)
	}
	group = kept
	if len(group) == 0 {
		_ = tx.Rollback() //nolint:errcheck // nothing was to be kept
		return
	}
	tell(tx.Commit())
}

// savepoint runs f so that an error, or a panic, undoes what f did and nothing else.
func savepoint(tx *sql.Tx, f func(*sql.Tx) error) (err error) {
	if _, err := tx.Exec("SAVEPOINT one"); err != nil { //nolint:noctx // see commit
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in an update: %v", p)
		}
		end := "RELEASE one"
		if err != nil {
			end = "ROLLBACK TO one; RELEASE one"
		}
		if _, e := tx.Exec(end); e != nil && err == nil { //nolint:noctx // see commit
			err = e
		}
	}()
	return f(tx)
}

func (b *sqlite) enqueue(ctx context.Context, tx *sql.Tx, w Work) error {
	_, err := b.jobs.InsertTx(ctx, tx, w, nil)
	return err
}

func (b *sqlite) workers(config *river.Config) (Workers, error) {
	return river.NewClient(riversqlite.New(b.write), config)
}

func (b *sqlite) migrateJobs(ctx context.Context) error {
	m, err := rivermigrate.New(riversqlite.New(b.write), nil)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (b *sqlite) close() error {
	b.once.Do(func() { close(b.closed) })
	err := b.read.Close()
	if e := b.write.Close(); err == nil {
		err = e
	}
	return err
}
