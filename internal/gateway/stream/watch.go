package stream

import (
	"context"
	"maps"
	"time"

	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	// watchPause is the least between two looks at the store; watchEvery the most, for what
	// other processes change.
	watchPause = 200 * time.Millisecond
	watchEvery = 2 * time.Second
	// beatEvery is how often the process shows in the store that it lives. It has to be well
	// below what reconcile takes for silence.
	beatEvery = 10 * time.Second
)

// watch keeps the streams to what the store says.
func (s *Streams) watch(ctx context.Context) {
	sides := make(map[string]int) // what tabs were told last
	for {
		changed := s.Store.Changed()
		if len(s.all()) > 0 {
			if err := s.look(ctx, sides); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "streams could not be looked at", "error", err)
			}
		}
		if !s.rest(ctx, changed) {
			return
		}
	}
}

// rest returns when it is time to look again; false: it is over.
func (s *Streams) rest(ctx context.Context, changed <-chan struct{}) bool {
	timer := time.NewTimer(watchEvery) //nolint:forbidigo // how soon is looked again is no affair of the service's time
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.poke:
		return true
	case <-changed:
	case <-timer.C:
	}
	return s.Real.Sleep(ctx, watchPause) == nil
}

// look looks at all streams once. told is how many viewers their tabs were told of.
func (s *Streams) look(ctx context.Context, told map[string]int) error {
	var fates []store.StreamFate
	err := s.Store.View(func(tx *store.Tx) (err error) {
		fates, err = tx.StreamFates(ctx)
		return err
	})
	if err != nil {
		return err
	}
	streams := make(map[string]*stream)
	for _, st := range s.all() {
		streams[st.ID] = st
	}
	maps.DeleteFunc(told, func(id string, _ int) bool { return streams[id] == nil })
	for _, fate := range fates {
		st := streams[fate.ID]
		if st == nil {
			continue
		}
		s.meet(st, fate)
		if told[st.ID] != fate.Side {
			told[st.ID] = fate.Side
			st.tell(fate.Side)
		}
	}
	return nil
}

// meet ends the stream where its fate is to end. An UNHEALTHY desktop may be one that others
// find slow: it ends no stream that it still speaks on. Whom maintenance locks out, the
// portal tells.
func (s *Streams) meet(st *stream, fate store.StreamFate) {
	switch {
	case fate.Why != "":
		st.end(ending{code: gateway.CutTaken, text: fate.Why})
	case fate.State == workspaces.Absent:
		st.end(away("The desktop has been removed.", nil))
	case fate.State == workspaces.Unhealthy && st.screen.past(s.KeepAlive):
		st.end(away("The desktop does not answer.", nil))
	case !fate.State.KeepsVisits() && !fate.State.LocksOut():
		st.end(away("The desktop does not run now.", nil))
	}
}

// beat makes the store's record of this process's streams what is so, again and again: it is
// how others know that the process lives, and it makes up for what could not be written.
func (s *Streams) beat(ctx context.Context) {
	clean := true // the store has none of this process's
	for s.Real.Sleep(ctx, beatEvery) == nil {
		var open []store.Stream
		if clean && len(s.all()) == 0 {
			continue
		}
		err := s.Store.Update(ctx, func(tx *store.Tx) error {
			open = s.noted() // now: a stream that is noted before this transaction is among them
			return tx.KeepStreams(ctx, open, s.Clock.Now())
		})
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "streams could not be noted", "error", err)
		}
		clean = err == nil && len(open) == 0
	}
}

// noted returns the streams that are in the store, or about to be.
func (s *Streams) noted() []store.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []store.Stream
	for _, st := range s.open {
		if st.noted {
			open = append(open, st.record())
		}
	}
	return open
}
