package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// The benchmarks run on SQLite, on a file, every commit flushed to the disk: what a small
// installation has. BenchmarkBareUpdate is the floor, the same disk and driver without us.

func BenchmarkBareUpdate(b *testing.B) {
	db, err := sql.Open("sqlite", "file:"+storetest.SQLite(b)+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	ctx := b.Context()
	for _, statement := range []string{"CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", "INSERT INTO t VALUES (1, 0)"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreate25 inserts 25 WorkSpaces and asks for the work on them in one Update.
func BenchmarkCreate25(b *testing.B) {
	for _, writers := range []int{1, 4} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, storetest.SQLite(b))
			var next atomic.Int64
			share(b, writers, func(ctx context.Context) error {
				return s.Update(ctx, func(tx *store.Tx) error { return insertMany(ctx, tx, next.Add(25)-25, 25) })
			})
		})
	}
}

// BenchmarkSave saves one WorkSpace in each Update, and each updater its own.
func BenchmarkSave(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, storetest.SQLite(b))
			seed(b, s, 1000)
			page, err := pageOf(b.Context(), s, store.WorkSpaceFilter{Scope: benchScope, Limit: writers})
			if err != nil {
				b.Fatal(err)
			}
			own := make(chan *workspaces.WorkSpace, writers)
			for _, w := range page.WorkSpaces {
				own <- w
			}
			share(b, writers, func(ctx context.Context) error {
				w := <-own
				defer func() { own <- w }()
				read := w.Generation
				w.Generation++
				return s.Update(ctx, func(tx *store.Tx) error {
					saved, err := tx.SaveWorkSpace(ctx, w, read)
					if err == nil && !saved {
						err = fmt.Errorf("%s was not saved", w.ID)
					}
					return err
				})
			})
		})
	}
}

// BenchmarkPage reads 25 WorkSpaces from the middle of many.
func BenchmarkPage(b *testing.B) {
	for _, rows := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("of=%d", rows), func(b *testing.B) {
			s := open(b, storetest.SQLite(b))
			seed(b, s, rows)
			ctx := b.Context()
			half, err := pageOf(ctx, s, store.WorkSpaceFilter{Scope: benchScope, Limit: rows / 2})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				page, err := pageOf(ctx, s, store.WorkSpaceFilter{Scope: benchScope, After: half.Next, Limit: 25})
				if err != nil || len(page.WorkSpaces) != 25 {
					b.Fatal(len(page.WorkSpaces), err)
				}
			}
		})
	}
}

// BenchmarkCount counts the living WorkSpaces of a scope, as each creation does for the quota.
func BenchmarkCount(b *testing.B) {
	s := open(b, storetest.SQLite(b))
	seed(b, s, 100_000)
	ctx := b.Context()
	for b.Loop() {
		err := s.View(func(tx *store.Tx) error {
			_, err := tx.CountLivingWorkSpaces(ctx, benchScope, "")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOne reads one WorkSpace by its id.
func BenchmarkOne(b *testing.B) {
	s := open(b, storetest.SQLite(b))
	seed(b, s, 1000)
	ctx := b.Context()
	for b.Loop() {
		err := s.View(func(tx *store.Tx) error {
			_, found, err := tx.WorkSpace(ctx, benchScope, "ws-000000500")
			if err == nil && !found {
				b.Fatal("not found")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

var benchScope = workspaces.Scope{Account: "123456789012", Region: "us-east-1"}

func benchWorkSpace(i int64) *workspaces.WorkSpace {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &workspaces.WorkSpace{
		Scope: benchScope, ID: fmt.Sprintf("ws-%09d", i), DirectoryID: "d-0123456789", UserName: fmt.Sprintf("user%d", i),
		BundleID: "wsb-clj85qzj1", Image: "carrel/debian-13/3f2a", CreatedAt: now, WakeAt: now.Add(time.Minute),
		SubnetID: "subnet-0123456789abcdef0", AddressOffset: i, IPAddress: "10.20.30.40", ComputerName: "A-10123456789AB",
		Properties: workspaces.Properties{
			ComputeType: "STANDARD", RootGiB: 80, UserGiB: 50, RunningMode: workspaces.AutoStop, AutoStopMinutes: 60,
			Protocols: []string{"WSP"}, OperatingSystem: "UBUNTU_22_04",
		},
	}
	if err := w.Begin(workspaces.ActionCreate, now); err != nil {
		panic(err)
	}
	return w
}

func insertMany(ctx context.Context, tx *store.Tx, first, n int64) error {
	work := store.Work{Resource: workspaces.KindWorkSpace}
	for i := first; i < first+n; i++ {
		w := benchWorkSpace(i)
		if err := tx.InsertWorkSpace(ctx, w); err != nil {
			return err
		}
		work.Refs = append(work.Refs, w.Ref())
	}
	return tx.Enqueue(ctx, work)
}

func seed(b *testing.B, s *store.Store, n int) {
	b.Helper()
	for i := 0; i < n; i += 1000 {
		if err := s.Update(b.Context(), func(tx *store.Tx) error { return insertMany(b.Context(), tx, int64(i), 1000) }); err != nil {
			b.Fatal(err)
		}
	}
}

func pageOf(ctx context.Context, s *store.Store, f store.WorkSpaceFilter) (page store.WorkSpacePage, err error) {
	err = s.View(func(tx *store.Tx) error {
		page, err = tx.WorkSpaces(ctx, f)
		return err
	})
	return page, err
}

// share has b.N runs of f done by so many goroutines, and reports runs a second.
func share(b *testing.B, goroutines int, f func(context.Context) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, goroutines)
	b.ResetTimer()
	for range goroutines {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = f(b.Context())
			}
			done <- err
		}()
	}
	for range goroutines {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

// BenchmarkAutoStop asks among 100,000 AUTO_STOP WorkSpaces, all of which are due one after the
// other, for the next, and for a batch.
func BenchmarkAutoStop(b *testing.B) {
	s := open(b, storetest.SQLite(b))
	seed(b, s, 100_000)
	ctx := b.Context()
	err := s.Update(ctx, func(tx *store.Tx) error {
		return tx.Exec(ctx, "UPDATE workspace SET state = 'AVAILABLE', auto_stop_at = 1767323045000000 + seq % 1000000")
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("next", func(b *testing.B) {
		for b.Loop() {
			err := s.View(func(tx *store.Tx) error {
				next, err := tx.NextAutoStop(ctx)
				if next.IsZero() {
					b.Fatal("nothing is due")
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("batch", func(b *testing.B) {
		for b.Loop() {
			err := s.View(func(tx *store.Tx) error {
				due, err := tx.AutoStopsDue(ctx, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 100)
				if len(due) != 100 {
					b.Fatal(len(due))
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
