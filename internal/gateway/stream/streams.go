// Package stream carries the screens of desktops to browsers: RFB between a WebSocket and
// the engine, which is the only way to a desktop's display. It reads the stream as far as it
// must (see [rfb.Relay]), so that the clipboard keeps to the directory's rules, nonsense from
// either side ends the stream, and real input is known from silence. It notes in the store
// who is connected, on which AutoStop and DescribeWorkspacesConnectionStatus rest, and takes
// small pictures of screens.
//
// It imports the portal's words (package gateway), the domain, the store, compute and rfb,
// and knows nothing of sign-in: whoever calls [Streams.Serve] has let the user in. Start
// there; carry.go is a stream's life, watch.go what the store says to streams under way.
package stream

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/store"
)

// Config is what Streams need.
type Config struct {
	Driver compute.Driver
	Store  *store.Store
	Clock  *clock.Clock // the service's time: when users connect and disconnect
	Real   *clock.Clock // the machine's time
	Log    *slog.Logger
	// Observe is told what happens to users' connections; nil: nobody is.
	Observe func(Event)
	// Note writes down that users connect and disconnect; nil: nobody does.
	Note store.Note
	// KeepAlive is how often a tab has to show that it is there; 0: 10 seconds. One that has
	// not for three times as long is gone. A desktop may not take what it is sent, or say
	// nothing while it is UNHEALTHY, for as long.
	KeepAlive time.Duration
}

// Streams are those that this process carries. Methods may be called from any goroutine;
// Run must run for as long as they are to be noted.
type Streams struct {
	Config
	metrics  *metrics
	pictures *pictures
	poke     chan struct{} // tells the watch that streams have come or gone

	mu      sync.Mutex
	open    map[string]*stream // by the ids of their visits
	closing bool               // no more may come
	serving sync.WaitGroup
}

var (
	_ gateway.Streams  = (*Streams)(nil)
	_ gateway.Pictures = (*Streams)(nil)
)

const keepAlive = 10 * time.Second

// New makes Streams.
func New(c Config) *Streams {
	if c.KeepAlive == 0 {
		c.KeepAlive = keepAlive
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.Note == nil {
		c.Note = store.Unnoted
	}
	s := &Streams{Config: c, poke: make(chan struct{}, 1), open: make(map[string]*stream)}
	s.metrics = newMetrics(s)
	s.pictures = newPictures(c.Driver, c.Real)
	return s
}

// Visits returns the visits whose streams this process carries.
func (s *Streams) Visits() []gateway.Visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	visits := make([]gateway.Visit, 0, len(s.open))
	for _, st := range s.open {
		visits = append(visits, st.visit())
	}
	return visits
}

// Cut ends the visit with the id, with [gateway.CutAccess]; why is a sentence for its user. It
// succeeds where there is none.
func (s *Streams) Cut(id, why string) { s.cut(id, ending{code: gateway.CutAccess, text: why}) }

// Leave ends the visit with the id, with [gateway.CutLeft]. It succeeds where there is none.
func (s *Streams) Leave(id string) {
	s.cut(id, ending{code: gateway.CutLeft, text: "You have signed out."})
}

func (s *Streams) cut(id string, e ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.open[id]; st != nil {
		st.end(e)
	}
}

// SetRules changes what may cross during the visit with the id. It succeeds where there is none.
func (s *Streams) SetRules(id string, rules gateway.Rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.open[id]; st != nil {
		st.rules.Store(&rules)
	}
}

// Warn tells the user of a visit, once, what they have to know. It succeeds where there is no such visit.
func (s *Streams) Warn(id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.open[id]
	if st == nil || st.warned == text {
		return
	}
	select {
	case st.warnings <- text:
		st.warned = text
	default: // the page takes nothing now; whoever warns does so again
	}
}

// LastInput returns when, by the service's time, the user of a visit last did something (a key, a pointer
// or a clipboard), or came where they have not; found is false where there is no such visit.
func (s *Streams) LastInput(id string) (at time.Time, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.open[id]
	if st == nil {
		return time.Time{}, false
	}
	return time.UnixMicro(st.input.Load()).UTC(), true
}

// enter adds a stream, unless there may be no more.
func (s *Streams) enter(st *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.serving.Add(1)
	s.open[st.ID] = st
	return true
}

// leave removes a stream.
func (s *Streams) leave(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, st.ID)
}

// all returns the streams that are under way.
func (s *Streams) all() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.open))
}

// stirred has the watch look at once.
func (s *Streams) stirred() {
	select {
	case s.poke <- struct{}{}:
	default: // it is about to
	}
}

// Run keeps the store's record of the streams, and the streams to what the store says, until
// the context ends. Then it ends all streams and returns when they have ended.
func (s *Streams) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { s.watch(ctx) })
	loops.Go(func() { s.beat(ctx) })
	loops.Wait()
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	for _, st := range s.all() {
		st.end(stopping())
	}
	s.serving.Wait()
	ctx = context.WithoutCancel(ctx)
	if err := s.Store.Update(ctx, func(tx *store.Tx) error { return tx.KeepStreams(ctx, nil, s.Clock.Now()) }); err != nil {
		s.Log.WarnContext(ctx, "the end of streams could not be noted", "error", err)
	}
}
