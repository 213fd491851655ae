package job

import (
	"context"
	"sync"
)

// serial is a lock per name. Its zero value is ready to use.
type serial struct {
	mu   sync.Mutex
	held map[string]*place
}

// place is a lock that some hold or wait for.
type place struct {
	turn  chan struct{} // has an element while it is free
	users int
}

// lock waits until nobody holds the name, or for the context.
func (s *serial) lock(ctx context.Context, name string) (unlock func(), err error) {
	s.mu.Lock()
	if s.held == nil {
		s.held = make(map[string]*place)
	}
	p := s.held[name]
	if p == nil {
		p = &place{turn: make(chan struct{}, 1)}
		p.turn <- struct{}{}
		s.held[name] = p
	}
	p.users++
	s.mu.Unlock()

	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p.users--; p.users == 0 {
			delete(s.held, name)
		}
	}
	select {
	case <-p.turn:
		return func() { p.turn <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
