package operation

import (
	"context"
	"sync"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// startedKey finds the started work in a context.
type startedKey struct{}

// started collects the work that an operation has asked for.
type started struct {
	mu   sync.Mutex
	work []store.Work
}

// Started notes work that the operation has asked for, so that an instant reply can wait
// for it. Call it once the transaction has committed.
func Started(ctx context.Context, kind workspaces.Kind, refs ...workspaces.Ref) {
	if s, ok := ctx.Value(startedKey{}).(*started); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.work = append(s.work, store.Work{Resource: kind, Refs: refs})
	}
}

// instantPatience is how long, in real time, an instant reply waits before it is sent
// although something has not settled: the clock may be frozen, a simulated duration long.
const instantPatience = 20 * time.Second

// aMoment is what a thing's next snapshot must be away, of the clock's time, for it to rest: it may
// become due while it is looked at.
const aMoment = time.Second

// Instant returns a middleware that sends a reply only when the work that the operation
// started has settled, for suites that were written for emulators without states. It does not
// wait for things that held, where it is not nil, says are being held up.
func Instant(s *store.Store, c *clock.Clock, held func(id string) bool) api.Middleware {
	return func(h api.Handler) api.Handler { return instant{Handler: h, store: s, clock: c, held: held} }
}

type instant struct {
	api.Handler
	store *store.Store
	clock *clock.Clock
	held  func(id string) bool
}

// Invoke runs the operation and waits.
func (i instant) Invoke(ctx context.Context, input any) (any, error) {
	work := new(started)
	output, err := i.Handler.Invoke(context.WithValue(ctx, startedKey{}, work), input)
	if err != nil {
		return output, err
	}
	patience, cancel := context.WithTimeout(ctx, instantPatience)
	defer cancel()
	for _, w := range work.work {
		for _, ref := range w.Refs {
			if err := i.await(patience, w.Resource, ref); err != nil {
				return output, nil // true either way, only not yet settled
			}
		}
	}
	return output, nil
}

// await returns when a thing has nothing more to do.
func (i instant) await(ctx context.Context, kind workspaces.Kind, ref workspaces.Ref) error {
	for {
		changed := i.store.Changed()
		var settled bool
		err := i.store.View(func(tx *store.Tx) (err error) {
			settled, err = tx.Settled(ctx, kind, ref, i.clock.Now().Add(aMoment))
			return err
		})
		if err != nil || settled || i.held != nil && i.held(ref.ID) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
