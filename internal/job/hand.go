package job

import (
	"context"
	"sync"

	"carrel/internal/store"
)

// hands works what this process has just asked for at once, where no other process can be at it:
// River sees a job only at its next poll, and each poll costs the database a write's turn. The job
// stays River's all the same. It is the one that cannot be lost, and that is worked when all
// hands are full; where a hand was quicker, it finds nothing left to do.
type hands struct {
	store.Workers
	runner *Runner

	free chan struct{} // a place for each job that is in hand

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // of the turns, from Start to Stop
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// Start begins to work jobs.
func (h *hands) Start(ctx context.Context) error {
	h.mu.Lock()
	h.ctx, h.cancel = context.WithCancel(ctx)
	h.mu.Unlock()
	if err := h.Workers.Start(ctx); err != nil {
		return err
	}
	h.runner.Store.HandOver(h.take)
	return nil
}

// take works a job in a goroutine of its own, if there is a hand free.
func (h *hands) take(w store.Work) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return
	}
	select {
	case h.free <- struct{}{}:
	default:
		return
	}
	h.runner.work.begin()
	h.work.Go(func() {
		defer h.runner.work.done()
		defer func() { <-h.free }()
		if err := h.runner.Do(h.ctx, w); err != nil && h.ctx.Err() == nil {
			h.runner.Log.WarnContext(h.ctx, "a turn of work failed and is left to its job", "error", err)
		}
	})
}

// Stop waits for what is in hand.
func (h *hands) Stop(ctx context.Context) error {
	h.runner.Store.HandOver(nil)
	err := h.Workers.Stop(ctx)
	h.drop()
	return err
}

// StopAndCancel cuts off what is in hand.
func (h *hands) StopAndCancel(ctx context.Context) error {
	h.runner.Store.HandOver(nil)
	h.mu.Lock()
	h.cancel()
	h.mu.Unlock()
	err := h.Workers.StopAndCancel(ctx)
	h.drop()
	return err
}

func (h *hands) drop() {
	h.work.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cancel()
}
