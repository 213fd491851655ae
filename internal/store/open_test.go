package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// open opens a store that the end of the test closes.
func open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// onEach runs f as a subtest on an empty store of each kind.
func onEach(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.OnEach(t, func(t *testing.T, url string) {
		f(t, open(t, url))
	})
}

// update is Update where an error fails the test.
func update(tb testing.TB, s *store.Store, f func(tx *store.Tx) error) {
	tb.Helper()
	if err := s.Update(tb.Context(), f); err != nil {
		tb.Fatal(err)
	}
}

// read is a View of one value.
func read[T any](tb testing.TB, s *store.Store, f func(tx *store.Tx) (T, error)) (v T) {
	tb.Helper()
	err := s.View(func(tx *store.Tx) (err error) {
		v, err = f(tx)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// found adapts the methods that also say whether there is a thing.
func found[T any](v T, ok bool, err error) (T, error) { //nolint:revive // ok is a result, passed on
	if err == nil && !ok {
		err = errors.New("not found")
	}
	return v, err
}

// equal fails the test where got is not want.
func equal(tb testing.TB, got, want any) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

var here = workspaces.Scope{Account: "111122223333", Region: "eu-central-1"}

// start is when the tests' things are made: SQL keeps microseconds.
var start = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

// filled returns a T in which every member has a value of its own, so that one that is not
// kept, or is kept in the place of another, shows.
func filled[T any](n int) *T {
	v := new(T)
	fill(reflect.ValueOf(v).Elem(), "", &n)
	return v
}

func fill(v reflect.Value, name string, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(start.Add(time.Duration(*n) * time.Second)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() { // what is not exported is not kept
				fill(f, v.Type().Field(i).Name, n)
			}
		}
	case v.Kind() == reflect.String:
		// What a careless encoding would trip over.
		v.SetString(name + strconv.Itoa(*n) + `","\"` + "'\n\t<&> ${x} é\u2028 ")
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.CanUint():
		v.SetUint(uint64(*n) % 256)
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), name, n)
		fill(v.Index(1), name, n)
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), name, n)
		}
	case v.Kind() == reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, name, n)
		fill(value, name, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		panic("fill: " + v.Type().String())
	}
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		update(t, open(t, url), func(tx *store.Tx) error { return tx.PutSetting(t.Context(), "kept", "yes") })
		again := open(t, url)
		value := read(t, again, func(tx *store.Tx) (string, error) { return tx.Setting(t.Context(), "kept") })
		equal(t, value, "yes")
	})
}

// TestOpenAtOnce opens an empty database from several places, as processes that start together do.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				s, err := store.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	s := open(t, path)
	update(t, s, func(tx *store.Tx) error { return tx.PutSetting(t.Context(), "a", "b") })
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(file), mode)
		}
	}
}

// TestOddPaths opens files whose names mean something to SQLite or in a URL.
func TestOddPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{":memory:", "a b?c#d%20e.db", "file:x.db", "ü&mode=memory.db"} {
		open(t, name)
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("this is no database, it is a text of some length that nobody can take for one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{t.TempDir(), bad, bad + "/below", "postgres://127.0.0.1:1/none", "postgres://%%%"} {
		if s, err := store.Open(t.Context(), url); err == nil {
			t.Errorf("%s was opened: %v", url, s.Close())
		}
	}
}

func TestMigrationsAreKept(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		got := read(t, s, func(tx *store.Tx) (string, error) {
			return tx.Text(t.Context(), "SELECT CAST(COUNT(*) AS TEXT) FROM schema_step WHERE name LIKE '0001%'")
		})
		equal(t, got, "1")
	})
}

// TestOrderSurvives makes WorkSpaces before and after the database was closed: the later
// ones come later, whatever the clock does in between.
func TestOrderSurvives(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		first := open(t, url)
		insert(t, first, "ws-1")
		// As if the clock had been an hour ahead.
		update(t, first, func(tx *store.Tx) error {
			return tx.Exec(t.Context(), "UPDATE workspace SET seq = seq + 3600000000000")
		})
		second := open(t, url)
		insert(t, second, "ws-2")
		page, err := pageOf(t.Context(), second, store.WorkSpaceFilter{Scope: here})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, idsOf(page.WorkSpaces), []string{"ws-1", "ws-2"})
	})
}

// insert adds WorkSpaces of different users to the scope of the tests.
func insert(tb testing.TB, s *store.Store, ids ...string) {
	tb.Helper()
	update(tb, s, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.InsertWorkSpace(tb.Context(), workSpace(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// workSpace returns a WorkSpace with little in it, of a user of its own.
func workSpace(id string) *workspaces.WorkSpace {
	return &workspaces.WorkSpace{Scope: here, ID: id, DirectoryID: "d-1", UserName: "of " + id, Generation: 1, CreatedAt: start}
}

func idsOf(list []*workspaces.WorkSpace) []string {
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = w.ID
	}
	return ids
}

func count(tb testing.TB, s *store.Store) int {
	tb.Helper()
	return read(tb, s, func(tx *store.Tx) (int, error) { return tx.CountWorkSpaces(context.WithoutCancel(tb.Context()), here) })
}
