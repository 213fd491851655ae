package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	driver "modernc.org/sqlite" // pure Go, registered as "sqlite"
	codes "modernc.org/sqlite/lib"
)

// sqlite is one file in WAL mode. All writes, Carrel's and River's, go through one
// connection, since SQLite has one writer at a time; reads have connections of their own.
type sqlite struct {
	source string // names the file, for further connections
	write  *sql.DB
	read   *sql.DB
	jobs   *river.Client[*sql.Tx]

	reads  statements
	writes statements

	waiting atomic.Int64 // updates that are about to have their turn
	turn    sync.Mutex   // held by the update that runs, and over a commit; guards what follows
	open    *group       // what the next commit makes durable, nil where nothing is under way
	closed  bool
}

// group is a transaction that several updates share. Where updates wait for their turn
// while one runs, the last of them commits for all: one flush of the disk serves them all.
type group struct {
	tx        *sql.Tx
	kept      int           // updates in it that succeeded
	committed chan struct{} // closed once err is what became of the transaction
	err       error
}

// maxGroup is how many updates share one commit at the most.
const maxGroup = 64

func (s *Store) openSQLite(ctx context.Context, path string) (err error) {
	// Absolute, so that no name of a file has a meaning of its own to SQLite.
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	// The file holds secret keys: nobody else may read it, from its first byte on. A file that
	// is there is not opened here, since to close it would undo SQLite's own locks on it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the administrator's own path
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"
	b := &sqlite{source: dsn}
	if b.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	b.write.SetMaxOpenConns(1)
	if err := reach(ctx, b.write); err != nil {
		return errors.Join(fmt.Errorf("store: %s: %w", path, err), b.write.Close())
	}
	if b.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), b.write.Close())
	}
	b.read.SetMaxOpenConns(2 * runtime.NumCPU())
	b.read.SetMaxIdleConns(2 * runtime.NumCPU())
	b.reads.db, b.writes.db = b.read, b.write
	if b.jobs, err = river.NewClient(riversqlite.New(b.write), &river.Config{}); err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), b.close())
	}
	s.backend = b
	return nil
}

// How long opening a file waits for others that open it, and how often it looks.
const reachPatience, reachEvery = 10 * time.Second, 10 * time.Millisecond

// reach opens a file's first connection. To begin with WAL takes the whole file, for which SQLite does not wait, whatever
// busy_timeout says, where somebody else is beginning too: two that waited for each other would wait for ever.
func reach(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if failure, is := errors.AsType[*driver.Error](err); !is || failure.Code()&0xff != codes.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(reachEvery): //nolint:forbidigo // files are opened in real time
		}
	}
}

// update runs f when its turn has come, and returns once it is committed. f runs in the
// caller's goroutine, so that a panic in it is the caller's.
func (b *sqlite) update(ctx context.Context, f func(session) error) error {
	g, err := b.join(ctx, f)
	if err != nil {
		return err
	}
	<-g.committed
	return g.err
}

// join runs f in the open group. Whoever gives up the turn while a group is open knows of
// another update that waits for it, and that will commit the group if it is the last.
func (b *sqlite) join(ctx context.Context, f func(session) error) (*group, error) {
	b.waiting.Add(1)
	b.turn.Lock()
	defer b.turn.Unlock()
	b.waiting.Add(-1)
	if b.closed {
		return nil, errClosed
	}
	if b.open == nil {
		b.writes.prepareWanted(ctx)
		tx, err := b.write.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		b.open = &group{tx: tx, committed: make(chan struct{})}
	}
	g := b.open
	defer b.commitIfLast()
	return g, b.savepoint(ctx, f)
}

// savepoint runs f so that an error, or a panic, undoes what f did and nothing else of the
// group. The database itself can end a whole transaction, for instance when the disk is
// full: then the group has failed, and nothing more may run in what would be no transaction.
func (b *sqlite) savepoint(ctx context.Context, f func(session) error) (err error) {
	g := b.open
	if _, err := g.tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		b.fail(err)
		return err
	}
	ended := false
	defer func() { // also where f panics
		end := "ROLLBACK TO one; RELEASE one"
		if ended && err == nil {
			end = "RELEASE one"
		}
		if _, e := g.tx.ExecContext(ctx, end); e != nil {
			b.fail(e)
			err = errors.Join(err, e)
			return
		}
		if ended && err == nil {
			g.kept++
		}
	}()
	err = f(session{conn: g.tx, prepared: &b.writes, tx: g.tx})
	ended = true
	return err
}

// commitIfLast commits the open group unless another update is to join it.
func (b *sqlite) commitIfLast() {
	if b.open != nil && (b.open.kept >= maxGroup || b.waiting.Load() == 0) {
		b.commit()
	}
}

func (b *sqlite) commit() {
	g := b.open
	b.open = nil
	if g.kept > 0 {
		g.err = g.tx.Commit()
	} else {
		g.err = g.tx.Rollback()
	}
	close(g.committed)
}

// fail ends the open group with an error for all who are in it.
func (b *sqlite) fail(err error) {
	g := b.open
	b.open = nil
	_ = g.tx.Rollback() // err is the one that tells why
	g.err = fmt.Errorf("store: the transaction was lost: %w", err)
	close(g.committed)
}

// view lends the connections for reads.
func (b *sqlite) view() session { return session{conn: b.read, prepared: &b.reads} }

func (b *sqlite) enqueue(ctx context.Context, tx *sql.Tx, w Work) error {
	_, err := b.jobs.InsertManyFastTx(ctx, tx, []river.InsertManyParams{{Args: w}})
	return err
}

func (b *sqlite) workers(config *river.Config) (Workers, error) {
	return river.NewClient(riversqlite.New(b.write), config)
}

// migrate brings River's tables up to date in one transaction: SQLite keeps others out of it.
func (b *sqlite) migrate(ctx context.Context, apply func(context.Context) error) error {
	m, err := rivermigrate.New(riversqlite.New(b.write), nil)
	if err != nil {
		return err
	}
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // has no effect once committed
	//nolint:staticcheck // deprecated for PostgreSQL's sake; SQLite can do all in one, and nothing else keeps two processes apart
	if _, err := m.MigrateTx(ctx, tx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return apply(ctx)
}

// schema returns the statement as it is: the migrations are written in SQLite's SQL.
func (*sqlite) schema(statement string) string { return statement }

func (b *sqlite) close() error {
	b.turn.Lock()
	b.closed = true
	if b.open != nil {
		b.commit() // those that wait for their turn will not have it
	}
	b.turn.Unlock()
	return errors.Join(b.reads.close(), b.writes.close(), b.read.Close(), b.write.Close())
}
