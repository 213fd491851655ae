package channel

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"carrel/internal/clock"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

// Config is what Channels are made of.
type Config struct {
	// Dial opens a connection to a desktop's side channel, with the errors of compute.Driver's DialSide.
	Dial func(ctx context.Context, desktop string) (net.Conn, error)
	// Real is the machine's time.
	Real *clock.Clock
	Log  *slog.Logger
	// MaxFile is the most that a file that comes in may hold, in bytes; 0: as much as the user volume does.
	MaxFile int64
}

// mostAtOnce is how many requests to one desktop are under way at once. A browser sends six.
const mostAtOnce = 12

// Channels implements [gateway.Channels].
type Channels struct {
	Config

	mu     sync.Mutex
	busy   map[string]int    // requests under way, by desktop
	guests map[string]*guest // by the id of the visit
}

// guest is a visit that lasts: every request is one.
type guest struct {
	gateway.Visit
	needs func(gateway.Rules) bool // whether it may go on by these
	end   context.CancelCauseFunc
}

// cut is why somebody may not go on, for them.
type cut string

func (c cut) Error() string { return string(c) }

var _ gateway.Channels = (*Channels)(nil)

// New makes channels.
func New(c Config) *Channels {
	return &Channels{Config: c, busy: make(map[string]int), guests: make(map[string]*guest)}
}

// enter lets a visit in that may go on as long as needs says so. What it does has to end with the context, whose cause is
// a cut then; leave is called when it has. Errors: errBusy.
func (c *Channels) enter(ctx context.Context, v gateway.Visit, needs func(gateway.Rules) bool) (_ context.Context, leave func(), err error) {
	desktop := v.Desktop.ID
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[desktop] == mostAtOnce {
		return ctx, func() {}, errBusy
	}
	ctx, end := context.WithCancelCause(ctx)
	c.busy[desktop]++
	c.guests[v.ID] = &guest{v, needs, end}
	return ctx, func() {
		end(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.guests, v.ID)
		if c.busy[desktop]--; c.busy[desktop] == 0 {
			delete(c.busy, desktop)
		}
	}, nil
}

// Visits implements [gateway.Carrier].
func (c *Channels) Visits() []gateway.Visit {
	c.mu.Lock()
	defer c.mu.Unlock()
	visits := make([]gateway.Visit, 0, len(c.guests))
	for _, g := range c.guests {
		visits = append(visits, g.Visit)
	}
	return visits
}

// Cut implements [gateway.Carrier].
func (c *Channels) Cut(id, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.guests[id]; g != nil {
		g.end(cut(why))
	}
}

// SetRules implements [gateway.Carrier]: a file that may not cross any more is broken off.
func (c *Channels) SetRules(id string, rules gateway.Rules) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.guests[id]; g != nil {
		g.Rules = rules
		if !g.needs(rules) {
			g.end(cut("Your organisation does not allow this any more."))
		}
	}
}

func (c *Channels) desktop(id string) sidechannel.Client {
	return sidechannel.Client{Dial: func(ctx context.Context) (net.Conn, error) { return c.Dial(ctx, id) }}
}

// headers are those of every reply.
func headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
