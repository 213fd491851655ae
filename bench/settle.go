package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // for the bare transactions
)

// benchSettle measures how fast simulated WorkSpaces go from CreateWorkspaces to AVAILABLE,
// beside transactions of one row update each on the same disk.
func benchSettle(ctx context.Context, o options, t *table) error {
	bare, err := bareUpdates(ctx, o)
	if err != nil {
		return err
	}
	s, err := startCarrel(ctx, o, "--engine", "simulated")
	if err != nil {
		return err
	}
	defer s.stop()
	start := time.Now()
	if _, err := s.fill(ctx, "wsb-carrelval", "s", o.settle); err != nil {
		return err
	}
	took := time.Since(start)
	perSecond := float64(o.settle) / took.Seconds()
	t.add(fmt.Sprintf("%d simulated WorkSpaces from CreateWorkspaces to AVAILABLE", o.settle),
		fmt.Sprintf("%.1f s, %.0f/s", took.Seconds(), perSecond), fmt.Sprintf("bare SQLite: %.0f transactions/s", bare),
		fmt.Sprintf("%.2f (at least 0.2)", perSecond/bare))
	return nil
}

// bareUpdates returns how many transactions a second SQLite does that update one row.
func bareUpdates(ctx context.Context, o options) (float64, error) {
	dir, err := os.MkdirTemp("", "carrel-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) // it lies where the system cleans up
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return 0, err
	}
	defer db.Close() // thrown away
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE thing (id INTEGER PRIMARY KEY, state TEXT)"); err != nil {
		return 0, err
	}
	for i := range 1_000 {
		if _, err := db.ExecContext(ctx, "INSERT INTO thing VALUES ($1, 'PENDING')", i); err != nil {
			return 0, err
		}
	}
	// Each writes something new: SQLite does not write a row that stays as it was.
	n, start := 0, time.Now()
	for ; time.Since(start) < o.duration; n++ {
		if _, err := db.ExecContext(ctx, "UPDATE thing SET state = $1 WHERE id = $2", fmt.Sprint(n), n%1_000); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
