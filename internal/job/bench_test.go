package job_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/job/jobtest"
	"carrel/internal/reconcile"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// settled is how many WorkSpaces each benchmark settles: as many as are to be PENDING at once.
const settled = 10_000

// BenchmarkSettle takes 10,000 WorkSpaces from CreateWorkspaces to AVAILABLE, with desktops
// that take no time and with some that take 5 seconds, beside bare transactions of one row
// on the same disk, one at a time.
func BenchmarkSettle(b *testing.B) {
	b.Run("bare", bare)
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		b.Run(fmt.Sprintf("takes=%v", takes), func(b *testing.B) {
			for b.Loop() {
				settle(b, takes)
			}
		})
	}
}

// bare updates one row in a transaction, again and again.
func bare(b *testing.B) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"); err != nil {
		b.Fatal(err)
	}
	for i := range settled {
		if _, err := db.ExecContext(b.Context(), "INSERT INTO t VALUES (?, 0)", i); err != nil {
			b.Fatal(err)
		}
	}
	update, err := db.PrepareContext(b.Context(), "UPDATE t SET n = n + 1 WHERE id = ?")
	if err != nil {
		b.Fatal(err)
	}
	defer update.Close()
	n := 0
	for b.Loop() {
		if _, err := update.ExecContext(b.Context(), n%settled); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "updates/s")
}

func settle(b *testing.B, takes time.Duration) {
	b.Helper()
	b.StopTimer()
	w := jobtest.New(b, storetest.SQLite(b), engine(takes))
	w.Clock.Reset()
	ctx, stop := context.WithCancel(w.Context())
	repair := &reconcile.Reconciler{
		Store: w.Store, Clock: w.Clock, Real: clock.New(), Driver: w.Driver, Runner: w.Runner, Log: slog.New(slog.DiscardHandler),
	}
	var ended sync.WaitGroup
	ended.Go(func() { _ = repair.Run(ctx) })
	stopWorkers := w.Work()
	defer func() {
		stop()
		stopWorkers()
		ended.Wait()
	}()
	before := runtime.NumGoroutine()
	most := new(atomic.Int64)
	b.StartTimer()
	began := time.Now()
	for i := 0; i < settled; i += 25 {
		users := make([]string, 25)
		for j := range users {
			users[j] = fmt.Sprintf("user-%d", i+j)
		}
		w.Create(users...)
	}
	asked := time.Since(began)
	for left := settled; left > 0; {
		time.Sleep(50 * time.Millisecond)
		left = 0
		most.Store(max(most.Load(), int64(runtime.NumGoroutine()-before)))
		for _, found := range w.All() {
			if found.State == workspaces.Pending {
				left++
			}
		}
	}
	took := time.Since(began)
	b.StopTimer()
	for _, found := range w.All() {
		if found.State != workspaces.Available {
			b.Fatalf("%+v", found)
		}
	}
	w.Driver.Calls()
	b.ReportMetric(float64(settled)/(took-takes).Seconds(), "settled/s")
	b.ReportMetric(asked.Seconds(), "s-to-ask")
	b.ReportMetric(float64(most.Load()), "goroutines-more")
	b.StartTimer()
}

// BenchmarkKeep takes the first snapshots of as many WorkSpaces, all due at once, as the loop of
// snapshots does.
func BenchmarkKeep(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := jobtest.New(b, storetest.SQLite(b), engine(0))
		for i := 0; i < settled; i += 25 {
			users := make([]string, 25)
			for j := range users {
				users[j] = fmt.Sprintf("user-%d", i+j)
			}
			w.Create(users...)
		}
		for !w.NextDue().IsZero() {
			w.Hasten()
			w.WakeDue()
		}
		w.Advance(time.Minute)
		began := time.Now()
		b.StartTimer()
		for taken := 1; taken > 0; {
			var err error
			if taken, err = w.Runner.KeepDue(b.Context(), workspaces.Watchdog); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(settled/time.Since(began).Seconds(), "snapshots/s")
	}
}

// BenchmarkMaintenance looks at what 100,000 WorkSpaces have to be maintained: once at all of them, as after an upgrade, and then
// again and again while nothing is due, as the loop does each minute.
func BenchmarkMaintenance(b *testing.B) {
	const n, together = 100_000, 1000
	w := jobtest.New(b, storetest.SQLite(b), engine(0))
	created := w.Clock.Now().AddDate(-1, 0, 0)
	for first := 0; first < n; first += together {
		w.Update(func(ctx context.Context, tx *store.Tx) error {
			for i := first; i < first+together; i++ {
				made := &workspaces.WorkSpace{
					Scope: jobtest.Scope(), ID: fmt.Sprintf("ws-%09d", i), DirectoryID: jobtest.DirectoryID, UserName: fmt.Sprint("user-", i),
					State: workspaces.Stopped, Properties: workspaces.Properties{RunningMode: workspaces.AutoStop, AutoStopMinutes: 60},
					SubnetID: jobtest.Subnet().ID, AddressOffset: int64(i + 4), CreatedAt: created, Generation: 1,
				}
				if err := tx.InsertWorkSpace(ctx, made); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.ToNight(0)
	w.Advance(12 * time.Hour) // by day, so that none is begun
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.HastenMaintenances(ctx, created, created) })
			w.MaintainDue()
		}
	})
	w.MaintainDue()
	b.Run("none due", func(b *testing.B) {
		for b.Loop() {
			w.MaintainDue()
		}
	})
}
