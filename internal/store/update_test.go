package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

var errWanted = errors.New("wanted")

func TestUpdateIsAtomic(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		err := s.Update(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.InsertWorkSpace(ctx, workSpace("ws-1")), errWanted)
		})
		if !errors.Is(err, errWanted) {
			t.Errorf("the error of f came back as %v", err)
		}
		equal(t, count(t, s), 0)

		insert(t, s, "ws-1")
		err = s.Update(ctx, func(tx *store.Tx) error {
			if err := tx.InsertWorkSpace(ctx, workSpace("ws-2")); err != nil {
				return err
			}
			return tx.InsertWorkSpace(ctx, workSpace("ws-1")) // the key is taken
		})
		if err == nil {
			t.Error("a WorkSpace was inserted twice")
		}
		equal(t, count(t, s), 1)
		insert(t, s, "ws-2") // what failed is in nobody's way
	})
}

func TestUpdateThatPanics(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		func() {
			defer func() { equal(t, recover(), "wanted") }()
			_ = s.Update(ctx, func(tx *store.Tx) error {
				if err := tx.InsertWorkSpace(ctx, workSpace("ws-1")); err != nil {
					return err
				}
				panic("wanted")
			})
			t.Error("the panic did not reach the caller")
		}()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Update(ctx, func(tx *store.Tx) error {
				if err := tx.InsertWorkSpace(ctx, workSpace("ws-1")); err != nil {
					return err
				}
				runtime.Goexit() // what t.FailNow does
				return nil
			})
		}()
		<-ended
		equal(t, count(t, s), 0)
		insert(t, s, "ws-1")
	})
}

// TestUpdatesInAGroup lets many updates wait behind one, so that they share a commit, and
// has some of them fail, panic or ask for nothing.
func TestUpdatesInAGroup(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const each = 30
		one := func(i int) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = errWanted
				}
			}()
			return s.Update(ctx, func(tx *store.Tx) error {
				if err := tx.InsertWorkSpace(ctx, workSpace(fmt.Sprintf("ws-%d", i))); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return errWanted
				case 2:
					panic(errWanted)
				default:
					return nil
				}
			})
		}
		var all sync.WaitGroup
		all.Go(func() {
			err := s.Update(ctx, func(*store.Tx) error {
				for i := range 3 * each {
					all.Go(func() {
						if err := one(i); (i%3 == 0) != (err == nil) || err != nil && !errors.Is(err, errWanted) {
							t.Errorf("%d: %v", i, err)
						}
					})
				}
				time.Sleep(20 * time.Millisecond) // for some of them to be waiting
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		equal(t, count(t, s), each)
	})
}

// TestLostTransaction has SQLite undo a whole transaction, as it does when the disk is full.
func TestLostTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.SQLite(t))
	ctx := t.Context()
	for name, f := range map[string]func(tx *store.Tx) error{
		"reported":  func(tx *store.Tx) error { return tx.Exec(ctx, "ROLLBACK") },
		"swallowed": func(tx *store.Tx) error { _ = tx.Exec(ctx, "ROLLBACK"); return errWanted },
	} {
		var all sync.WaitGroup
		var kept, lost atomic.Int64
		before := count(t, s)
		all.Go(func() {
			_ = s.Update(ctx, func(*store.Tx) error {
				for i := range 20 {
					all.Go(func() {
						err := s.Update(ctx, func(tx *store.Tx) error {
							return tx.InsertWorkSpace(ctx, workSpace(fmt.Sprintf("ws-%s-%d", name, i)))
						})
						if err == nil {
							kept.Add(1)
						} else {
							lost.Add(1)
						}
					})
					if i == 10 {
						all.Go(func() {
							if s.Update(ctx, f) == nil {
								t.Error("the transaction was lost, and nothing said so")
							}
						})
					}
				}
				time.Sleep(20 * time.Millisecond)
				return nil
			})
		})
		all.Wait()
		if got := count(t, s) - before; int64(got) != kept.Load() {
			t.Errorf("%s: %d updates were acknowledged, %d are there, %d failed", name, kept.Load(), got, lost.Load())
		}
	}
}

// TestCancelledUpdate hangs up while its update runs beside others.
func TestCancelledUpdate(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx *store.Tx) error {
			cancel()
			return tx.InsertWorkSpace(ctx, workSpace("ws-1"))
		})
		if err != nil {
			t.Error(err)
		}
		if err := s.Update(ctx, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("an update that nobody waits for was begun: %v", err)
		}
		equal(t, count(t, s), 1)
	})
}

func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		err := s.View(func(tx *store.Tx) error { return tx.PutSetting(ctx, "a", "b") })
		if err == nil {
			t.Error("a View has written")
		}
		err = s.View(func(tx *store.Tx) error {
			_, err := tx.TakeDue(ctx, workspaces.KindWorkSpace, start, start, 1)
			return err
		})
		if err == nil {
			t.Error("a View has taken")
		}
		err = s.View(func(tx *store.Tx) error {
			return tx.Enqueue(ctx, store.Work{Refs: []workspaces.Ref{{Scope: here, ID: "ws-1"}}})
		})
		if err == nil {
			t.Error("a View has enqueued")
		}
	})
}

func TestChanged(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		changed := s.Changed()
		_ = s.Update(t.Context(), func(*store.Tx) error { return errWanted })
		select {
		case <-changed:
			t.Error("a failed update is no change")
		default:
		}
		insert(t, s, "ws-1")
		select {
		case <-changed:
		default:
			t.Error("a change was not told")
		}
	})
}

// TestNoLostUpdates has many goroutines of two processes read, think and write.
func TestNoLostUpdates(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx := t.Context()
		stores := []*store.Store{open(t, url), open(t, url)}
		const goroutines, quota, times = 16, 40, 5
		var all sync.WaitGroup
		var made, next atomic.Int64
		for i := range goroutines {
			s := stores[i%len(stores)]
			all.Go(func() {
				for range times {
					err := s.Update(ctx, func(tx *store.Tx) error {
						text, err := tx.Setting(ctx, "counter")
						if err != nil {
							return err
						}
						n, _ := strconv.Atoi(text)
						return tx.PutSetting(ctx, "counter", strconv.Itoa(n+1))
					})
					if err != nil {
						t.Error(err)
					}
					err = s.Update(ctx, func(tx *store.Tx) error {
						n, err := tx.CountWorkSpaces(ctx, here)
						if err == nil && n >= quota {
							err = errWanted
						}
						if err != nil {
							return err
						}
						return tx.InsertWorkSpace(ctx, workSpace(fmt.Sprintf("ws-%d", next.Add(1))))
					})
					switch {
					case err == nil:
						made.Add(1)
					case !errors.Is(err, errWanted):
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		equal(t, made.Load(), int64(quota))
		equal(t, count(t, stores[0]), quota)
		counter := read(t, stores[0], func(tx *store.Tx) (string, error) { return tx.Setting(ctx, "counter") })
		equal(t, counter, strconv.Itoa(goroutines*times))
	})
}

// TestOneForAUser has many goroutines make the same user's WorkSpace, and give out addresses.
func TestOneForAUser(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx := t.Context()
		stores := []*store.Store{open(t, url), open(t, url)}
		net := subnet("10.0.0.0/24")
		update(t, stores[0], func(tx *store.Tx) error { return tx.PutSubnet(ctx, net) })
		var all sync.WaitGroup
		var made atomic.Int64
		for i := range 16 {
			s := stores[i%len(stores)]
			all.Go(func() {
				for user := range 4 {
					err := s.Update(ctx, func(tx *store.Tx) error {
						w := workSpace(fmt.Sprintf("ws-%d-%d", i, user))
						w.UserName = []string{"User", "uSER"}[i%2] + strconv.Itoa(user)
						has, err := tx.UserHasWorkSpace(ctx, here, w.DirectoryID, w.UserName)
						if err == nil && has {
							err = errWanted
						}
						if err != nil {
							return err
						}
						offsets, err := tx.TakeAddresses(ctx, net, 1)
						if err != nil {
							return err
						}
						w.SubnetID, w.AddressOffset = net.ID, offsets[0]
						return tx.InsertWorkSpace(ctx, w)
					})
					switch {
					case err == nil:
						made.Add(1)
					case !errors.Is(err, errWanted):
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		equal(t, made.Load(), int64(4))
	})
}

// TestClose closes the store under updates: each of them either is kept or says that it is not.
func TestClose(t *testing.T) { //nolint:paralleltest // counts the goroutines of database/sql
	//nolint:paralleltest // as above
	for _, kind := range []func(testing.TB) string{storetest.SQLite, storetest.Postgres} {
		t.Run("", func(t *testing.T) {
			url := kind(t)
			for round := range 5 {
				closeUnderUpdates(t, url, round)
			}
			deadline := time.Now().Add(10 * time.Second)
			for ; ; time.Sleep(10 * time.Millisecond) {
				buf := make([]byte, 1<<20)
				stacks := string(buf[:runtime.Stack(buf, true)])
				if !strings.Contains(stacks, "database/sql") && !strings.Contains(stacks, "internal/store.") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("goroutines are left:\n%s", stacks)
				}
			}
		})
	}
}

func closeUnderUpdates(t *testing.T, url string, round int) {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	before := count(t, s)
	var all sync.WaitGroup
	var kept atomic.Int64
	for i := range 8 {
		all.Go(func() {
			for j := 0; ; j++ {
				err := s.Update(ctx, func(tx *store.Tx) error {
					return tx.InsertWorkSpace(ctx, workSpace(fmt.Sprintf("ws-%d-%d-%d", round, i, j)))
				})
				if err != nil {
					return
				}
				kept.Add(1)
			}
		})
	}
	time.Sleep(30 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	again, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	equal(t, int64(count(t, again)-before), kept.Load())
}
