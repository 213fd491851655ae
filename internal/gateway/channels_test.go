package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"carrel/internal/gateway"
)

// channels answer whoever is let in, at once or when they are cut.
type channels struct {
	hold bool
	left chan struct{} // a value is a sign-out; nil: it cannot be known

	mu     sync.Mutex
	n      int
	visits map[string]gateway.Visit
	ends   map[string]chan string
}

func (c *channels) serve(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	end := make(chan string, 1)
	c.mu.Lock()
	if c.visits == nil {
		c.visits, c.ends = make(map[string]gateway.Visit), make(map[string]chan string)
	}
	c.n++
	c.visits[v.ID], c.ends[v.ID] = v, end
	c.mu.Unlock()
	if c.hold {
		select {
		case why := <-end:
			http.Error(w, why, http.StatusForbidden)
		case <-r.Context().Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.visits, v.ID)
}

func (c *channels) Files(w http.ResponseWriter, r *http.Request, v gateway.Visit) { c.serve(w, r, v) }

func (c *channels) Sound(w http.ResponseWriter, r *http.Request, v gateway.Visit) { c.serve(w, r, v) }

func (c *channels) AwaitSignOut(ctx context.Context, _ gateway.Desktop) error {
	if c.left == nil {
		return errors.ErrUnsupported
	}
	select {
	case <-c.left:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// served returns how many were let in.
func (c *channels) served() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *channels) Visits() (all []gateway.Visit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.visits {
		all = append(all, v)
	}
	return all
}

func (c *channels) SetRules(id string, rules gateway.Rules) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, there := c.visits[id]; there {
		v.Rules = rules
		c.visits[id] = v
	}
}

func (c *channels) Cut(id, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.ends[id] <- why:
	default:
	}
}
