package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// worker notes what it is asked to work.
type worker struct {
	river.WorkerDefaults[store.Work]
	store *store.Store

	mu     sync.Mutex
	worked map[string]int
	more   chan struct{}
}

// Work saves what it is asked to work, as jobs do, so that River's transactions and ours meet.
func (w *worker) Work(ctx context.Context, job *river.Job[store.Work]) error {
	for _, ref := range job.Args.Refs {
		err := w.store.Update(ctx, func(tx *store.Tx) error {
			found, ok, err := tx.WorkSpace(ctx, ref.Scope, ref.ID)
			if err != nil || !ok {
				return fmt.Errorf("a job without its WorkSpace: %w", err)
			}
			found.Finish(start)
			_, err = tx.SaveWorkSpace(ctx, found, ref.Generation)
			return err
		})
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.worked[ref.ID]++
		w.mu.Unlock()
		w.more <- struct{}{}
	}
	return nil
}

// startWorkers works what is enqueued in s until the end of the test, or until stop is called.
func startWorkers(t *testing.T, s *store.Store) (w *worker, stop func()) {
	t.Helper()
	w = &worker{store: s, worked: make(map[string]int), more: make(chan struct{}, 10_000)}
	bundle := river.NewWorkers()
	river.AddWorker(bundle, w)
	client, err := s.Workers(&river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}}, Workers: bundle,
		FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := client.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// await waits until so many things were worked, or fails the test.
func (w *worker) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for range n {
		select {
		case <-w.more:
		case <-deadline:
			t.Fatal("the work is not done")
		}
	}
}

func enqueueOne(ctx context.Context, tx *store.Tx, id string) error {
	w := workSpace(id)
	if err := w.Begin(workspaces.ActionCreate, start); err != nil {
		return err
	}
	if err := tx.InsertWorkSpace(ctx, w); err != nil {
		return err
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{w.Ref()}})
}

// TestEnqueue has workers at work while updates enqueue, fail, and share commits.
func TestEnqueue(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url)
		w, stop := startWorkers(t, s)
		const goroutines, each = 8, 10
		var all sync.WaitGroup
		for i := range goroutines {
			all.Go(func() {
				for j := range each {
					keep := j%2 == 0
					err := s.Update(ctx, func(tx *store.Tx) error {
						if err := enqueueOne(ctx, tx, fmt.Sprintf("ws-%d-%d", i, j)); err != nil || keep {
							return err
						}
						return errWanted
					})
					if (err == nil) != keep {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		w.await(t, goroutines*each/2)
		update(t, s, func(tx *store.Tx) error { return tx.Enqueue(ctx, store.Work{}) }) // nothing to do is no job
		time.Sleep(200 * time.Millisecond)                                              // for what there should not be
		stop()
		equal(t, len(w.worked), goroutines*each/2)
		for id, n := range w.worked {
			if n != 1 || (id[len(id)-1]-'0')%2 != 0 {
				t.Errorf("%s was worked %d times", id, n)
			}
		}
		page, err := pageOf(ctx, s, store.WorkSpaceFilter{Scope: here})
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(page.WorkSpaces, func(w *workspaces.WorkSpace) bool { return w.State != workspaces.Available }); i >= 0 {
			t.Errorf("%+v", page.WorkSpaces[i])
		}
		jobs := read(t, s, func(tx *store.Tx) (string, error) {
			return tx.Text(ctx, "SELECT CAST(COUNT(*) AS TEXT) FROM river_job WHERE state = 'completed'")
		})
		equal(t, jobs, "40")
	})
}

// TestWorkSurvives enqueues in a store that nobody works, closes it, and works it in another.
func TestWorkSurvives(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		first := open(t, url)
		update(t, first, func(tx *store.Tx) error { return enqueueOne(t.Context(), tx, "ws-1") })
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second := open(t, url)
		w, _ := startWorkers(t, second)
		w.await(t, 1)
	})
}

// TestLatency enqueues for workers that have nothing else to do: they are told, and need
// not wait for their next look.
func TestLatency(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		w, _ := startWorkers(t, s)
		for i := range 5 {
			time.Sleep(50 * time.Millisecond)
			begin := time.Now()
			update(t, s, func(tx *store.Tx) error { return enqueueOne(t.Context(), tx, fmt.Sprintf("ws-%d", i)) })
			w.await(t, 1)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Log(took)
			}
		}
	})
}
