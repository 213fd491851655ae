package store_test

import (
	"testing"

	"carrel/internal/store/storetest"
)

// TestFirst opens a database while others have it open, and after they are gone.
func TestFirst(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	first := open(t, url)
	second := open(t, url)
	equal(t, []bool{first.First(), second.First()}, []bool{true, false})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third := open(t, url)
	equal(t, third.First(), false)
	for _, s := range []interface{ Close() error }{second, third} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, open(t, url).First(), true)
	equal(t, open(t, storetest.SQLite(t)).First(), true)
}
