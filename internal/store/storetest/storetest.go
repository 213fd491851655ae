// Package storetest makes empty databases for tests: an SQLite file, and a database in the
// PostgreSQL that the tests are given. It imports only what that needs; nothing but tests
// imports it. Start at OnEach.
//
// PostgreSQL is found by the environment variable CARREL_TEST_POSTGRES, a URL, which
// scripts/postgres-up.sh prints. Without it the PostgreSQL half of each test is skipped,
// unless CARREL_TEST_REQUIRE=1 asks for everything.
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// OnEach runs f as a subtest on an empty database of each kind. database is for store.Open.
func OnEach(t *testing.T, f func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, Postgres(t))
	})
}

// SQLite returns the path of a file that does not exist yet, in a folder of the test's own.
func SQLite(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "carrel.db")
}

// Postgres makes a database and returns its url; the end of the test drops it. The test
// is skipped where there is no PostgreSQL, or fails where CARREL_TEST_REQUIRE is 1.
func Postgres(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("CARREL_TEST_POSTGRES")
	if server == "" {
		const hint = `CARREL_TEST_POSTGRES is empty: run CARREL_TEST_POSTGRES="$(scripts/postgres-up.sh DIR)" go test …`
		if os.Getenv("CARREL_TEST_REQUIRE") == "1" {
			tb.Fatal(hint)
		}
		tb.Skip(hint)
	}
	at, err := url.Parse(server)
	if err != nil {
		tb.Fatalf("CARREL_TEST_POSTGRES: %v", err)
	}
	name := "carrel_test_" + rand.Text()
	// A locale whose order is not that of bytes, as servers in use have: what the store
	// promises about order must not depend on it.
	run(tb, server, `CREATE DATABASE "`+name+`" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`)
	tb.Cleanup(func() { run(tb, server, `DROP DATABASE "`+name+`" WITH (FORCE)`) })
	at.Path = "/" + name
	return at.String()
}

func run(tb testing.TB, server, statement string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context()) // Cleanup runs after the test's own has ended
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("CARREL_TEST_POSTGRES: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
