package store_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// countIn counts the WorkSpaces that a context shows.
func countIn(ctx context.Context, t *testing.T, s *store.Store) (n int) {
	t.Helper()
	err := s.View(func(tx *store.Tx) (err error) {
		n, err = tx.CountWorkSpaces(ctx, workSpace("").Scope)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPast(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := noon
	at := func(when time.Time) int {
		past, release := s.Past(t.Context(), when)
		defer release()
		return countIn(past, t, s)
	}
	insert(t, s, "ws-1")
	equal(t, at(noon), 1) // nothing is kept: the present

	short, cancel := context.WithCancel(t.Context())
	if err := s.KeepHistory(short, time.Minute, func() time.Time { return now }); err != nil {
		t.Fatal(err)
	}
	cancel() // the request that asked for it is over
	insert(t, s, "ws-2")
	equal(t, at(noon), 2) // at one time the last word counts
	equal(t, at(noon.Add(-time.Hour)), 2)

	now = noon.Add(30 * time.Second)
	insert(t, s, "ws-3")
	equal(t, at(now), 3)
	equal(t, at(now.Add(-time.Second)), 2)
	equal(t, countIn(t.Context(), t, s), 3) // the others see the present

	// A past that is being read stays, though nobody else will ask for it any more.
	past, release := s.Past(t.Context(), noon)
	now = noon.Add(10 * time.Minute)
	insert(t, s, "ws-4")
	now = noon.Add(20 * time.Minute)
	insert(t, s, "ws-5")
	equal(t, countIn(past, t, s), 2)
	equal(t, at(noon), 4) // this far back it does not reach any more
	err = s.View(func(tx *store.Tx) error {
		_, found, err := tx.WorkSpace(past, workspaces.Scope{Account: "1", Region: "r"}, "ws-5")
		if found {
			t.Error("a WorkSpace is seen before it was made")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.KeepHistory(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, countIn(past, t, s), 2)
	release()
	equal(t, at(noon), 5)
}

// TestHistoryIsThinned makes many more changes than moments are kept.
func TestHistoryIsThinned(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := start
	if err := s.KeepHistory(t.Context(), time.Minute, func() time.Time { return now }); err != nil {
		t.Fatal(err)
	}
	for i := range 600 { // ten a second
		now = start.Add(time.Duration(i) * 100 * time.Millisecond)
		insert(t, s, "ws-"+strconv.Itoa(i))
		if kept := s.Moments(); kept > 70 {
			t.Fatalf("%d moments are kept", kept)
		}
	}
	for _, seconds := range []int{1, 17, 42} {
		past, release := s.Past(t.Context(), start.Add(time.Duration(seconds)*time.Second))
		if n := countIn(past, t, s); n > 10*seconds+1 || n < 10*seconds-10 {
			t.Errorf("after %d s there were %d WorkSpaces", seconds, n)
		}
		release()
	}
}

func TestNoHistoryOfASharedDatabase(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.KeepHistory(t.Context(), time.Minute, time.Now); !errors.Is(err, store.ErrNoHistory) {
		t.Errorf("got %v", err)
	}
	if err := s.KeepHistory(t.Context(), 0, nil); err != nil { // as it is
		t.Error(err)
	}
}
