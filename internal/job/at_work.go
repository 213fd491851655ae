package job

import (
	"context"
	"sync"
)

// atWork counts the work in hand. Its zero value is ready to use.
type atWork struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again; nil while it is
}

func (a *atWork) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n++; a.n == 1 {
		a.none = make(chan struct{})
	}
}

func (a *atWork) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n--; a.n == 0 {
		close(a.none)
		a.none = nil
	}
}

// ended is closed when no work is in hand any more, nil where none is.
func (a *atWork) ended() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.none
}

// Rest returns when nothing is to be done at the clock's time and no work is in hand, or with the context's
// error when that ends before. The clock may run.
func (r *Runner) Rest(ctx context.Context) error {
	for {
		if err := r.Store.Rest(ctx, r.Clock.Now); err != nil {
			return err
		}
		ended := r.work.ended()
		if ended == nil {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
