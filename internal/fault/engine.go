package fault

import (
	"context"
	"fmt"
	"maps"
	"net"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Engine returns a simulated engine that has the faults of desktops: it does not come to an end
// with making them, fails at it, or has desktops that do not answer.
func (f *Faults) Engine(real compute.Driver) compute.Driver { return engine{real, f} }

type engine struct {
	compute.Driver
	faults *Faults
}

// heldFor is how long, of the service's clock, a desktop that is held is left alone. It goes on
// sooner where the rule is taken away.
const heldFor = 10 * time.Minute

// Create implements [compute.Driver].
func (e engine) Create(ctx context.Context, d compute.Desktop) (time.Time, error) {
	if err := e.faults.making(ctx, d.ID); err != nil {
		return time.Time{}, err
	}
	return e.Driver.Create(ctx, d)
}

// making decides what becomes of the making of a desktop: a compute.HeldError, a compute.RefusalError or nil.
func (f *Faults) making(ctx context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.befalling(ctx, id, StuckPending, ErrorAfterN)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
	case r == nil:
		return nil
	case r.Name == ErrorAfterN:
		return &compute.RefusalError{Code: r.ErrorCode, Message: r.ErrorMessage}
	}
	r.held[id] = true
	until := f.clock.Now().Add(heldFor)
	if !r.Until.IsZero() && r.Until.Before(until) {
		until = r.Until
	}
	return &compute.HeldError{Until: until}
}

// Holds reports whether the making of a desktop is being held up, so that nobody waits for it.
func (f *Faults) Holds(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.held[id] && !r.over(f.clock.Now()) {
			return true
		}
	}
	return false
}

// List implements [compute.Driver].
func (e engine) List(ctx context.Context) ([]compute.Machine, error) {
	machines, err := e.Driver.List(ctx)
	if err != nil {
		return nil, err
	}
	silent, err := e.faults.silent(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
	}
	for i := range machines {
		if silent(machines[i].ID) {
			machines[i].Answers, machines[i].Detail = false, "it has the fault "+UnhealthyFlapping
		}
	}
	return machines, nil
}

// Dial implements [compute.Driver].
func (e engine) Dial(ctx context.Context, id string) (net.Conn, error) {
	if err := e.refuseSilent(ctx, id); err != nil {
		return nil, err
	}
	return e.Driver.Dial(ctx, id)
}

// DialSide implements [compute.Driver].
func (e engine) DialSide(ctx context.Context, id string) (net.Conn, error) {
	if err := e.refuseSilent(ctx, id); err != nil {
		return nil, err
	}
	return e.Driver.DialSide(ctx, id)
}

func (e engine) refuseSilent(ctx context.Context, id string) error {
	silent, err := e.faults.silent(ctx)
	if err == nil && !silent(id) {
		return nil
	}
	return fmt.Errorf("%w: %s has the fault %s", compute.ErrUnavailable, id, UnhealthyFlapping)
}

// silent returns what tells whether a desktop answers now: it is silent for the first half of each
// period, counted from when the rule was set.
func (f *Faults) silent(ctx context.Context) (func(id string) bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	ids := make(map[string]bool)
	for _, r := range f.rules {
		period := time.Duration(r.Period)
		if r.Name != UnhealthyFlapping || r.over(now) || now.Sub(r.since)%period >= period/2 {
			continue
		}
		if err := f.catchUp(ctx, r); err != nil {
			return nil, err
		}
		maps.Copy(ids, r.struck)
	}
	return func(id string) bool { return ids[id] }, nil
}

// lookEvery is how often, in real time, desktops are looked at that fall silent and answer again.
const lookEvery = 100 * time.Millisecond

// Looks tells, until the context ends, when there is something new to be seen of the desktops. It
// lives by the machine's time.
func (f *Faults) Looks(ctx context.Context, machine *clock.Clock) <-chan struct{} {
	looks := make(chan struct{})
	go func() {
		for flapped := false; ; {
			changed, flapping := f.watch()
			if flapping && machine.Sleep(ctx, lookEvery) != nil {
				return
			}
			if !flapping && !flapped { // else the last is still to be seen
				select {
				case <-changed:
				case <-ctx.Done():
					return
				}
			}
			flapped = flapping
			select {
			case looks <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return looks
}

func (f *Faults) watch() (changed <-chan struct{}, flapping bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		flapping = flapping || r.Name == UnhealthyFlapping
	}
	return f.changed, flapping
}
