package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
)

func peers(t *testing.T, s *store.Store) []int {
	t.Helper()
	others, err := s.Peers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(others)
	return others
}

// TestPeers has processes come and go.
func TestPeers(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	first := open(t, url)
	equal(t, len(peers(t, first)), 0)
	open(t, storetest.Postgres(t)) // on another database, which is none of its business
	second, third := open(t, url), open(t, url)
	all := peers(t, first)
	equal(t, len(all), 2)
	equal(t, len(peers(t, third)), 2)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	for len(peers(t, first)) > 1 { // the server takes a moment
	}
	equal(t, slices.Contains(all, peers(t, first)[0]), true)
	equal(t, len(peers(t, open(t, storetest.SQLite(t)))), 0)
}

// TestPeersAgain breaks the connections of two processes: they find each other again.
func TestPeersAgain(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	first, second := open(t, url), open(t, url)
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"+
		" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*store.Store{first, second} {
		if _, err := s.Peers(ctx); err == nil {
			t.Log("it was asked before the connection broke")
		}
	}
	for _, s := range []*store.Store{first, second, first} {
		if _, err := s.Peers(ctx); err != nil {
			t.Error(err)
		}
	}
	equal(t, len(peers(t, first)), 1)
	equal(t, len(peers(t, second)), 1)
}
