// Package clock is the time that everything in Carrel uses. It runs with the real
// time until somebody freezes, scales or advances it; AutoStop, snapshots, the
// 30-day rule and every deadline then follow. It imports only the standard library.
package clock

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// Clock tells the time and sleeps by it. The zero value is not usable; see New.
// All methods may be called from any goroutine.
type Clock struct {
	mu      sync.Mutex
	anchor  time.Time     // the clock's time at the real time realAt
	realAt  time.Time     // carries the monotonic reading
	scale   float64       // the clock's seconds in a real second; 0 is frozen
	changed chan struct{} // closed and replaced at every change
}

// MaxScale is the fastest that a clock can run: a day in less than a second.
const MaxScale = 100_000

// New returns a clock that shows the real time.
func New() *Clock {
	now := time.Now()
	return &Clock{anchor: now.Round(0).UTC(), realAt: now, scale: 1, changed: make(chan struct{})}
}

// Now returns the clock's time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	return c.anchor.Add(time.Duration(float64(time.Since(c.realAt)) * c.scale))
}

// Scale returns how many of the clock's seconds pass in a real one; 0 is frozen.
func (c *Clock) Scale() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scale
}

// Freeze stops the clock where it is.
func (c *Clock) Freeze() { c.change(func() { c.scale = 0 }) }

// FreezeAt stops the clock at a time, which may lie before the clock's.
func (c *Clock) FreezeAt(t time.Time) { c.change(func() { c.anchor, c.scale = t, 0 }) }

// SetScale makes the clock run at a multiple of the real speed: above 0 and at most MaxScale.
func (c *Clock) SetScale(scale float64) error {
	if math.IsNaN(scale) || scale <= 0 || scale > MaxScale {
		return errors.New("a scale must be above 0 and at most 100000")
	}
	c.change(func() { c.scale = scale })
	return nil
}

// Advance moves the clock forward by d, at most 100 years. A clock goes back only by Reset and FreezeAt.
func (c *Clock) Advance(d time.Duration) error {
	if d < 0 || d > 100*365*24*time.Hour {
		return errors.New("an advance must be between 0 and 100 years")
	}
	c.change(func() { c.anchor = c.anchor.Add(d) })
	return nil
}

// Reset returns to the real time at the real speed, which may lie before the clock's.
func (c *Clock) Reset() {
	c.change(func() {
		c.anchor, c.scale = c.realAt.Round(0).UTC(), 1
	})
}

// change re-anchors the clock at this moment, applies f and wakes all sleepers.
func (c *Clock) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	real := time.Now()
	c.anchor, c.realAt = c.anchor.Add(time.Duration(float64(real.Sub(c.realAt))*c.scale)), real
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Changed returns a channel that is closed at the clock's next change.
func (c *Clock) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Sleep returns nil when d of the clock's time has passed, or the context's error.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	return c.SleepUntil(ctx, c.Now().Add(d))
}

// SleepUntil returns nil when the clock shows t, or the context's error.
func (c *Clock) SleepUntil(ctx context.Context, t time.Time) error {
	for {
		wait, changed := c.remaining(t)
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// remaining returns how much real time is left until the clock shows t.
func (c *Clock) remaining(t time.Time) (time.Duration, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := t.Sub(c.now())
	switch {
	case left <= 0:
		return 0, c.changed
	case c.scale == 0:
		return math.MaxInt64, c.changed
	}
	wait := float64(left) / c.scale
	if wait >= math.MaxInt64 {
		return math.MaxInt64, c.changed
	}
	return max(time.Duration(wait), 1), c.changed
}
