package clock_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/clock"
)

func TestRunsWithRealTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		start := c.Now()
		time.Sleep(time.Hour)
		if got := c.Now().Sub(start); got != time.Hour {
			t.Fatalf("an hour later the clock shows %v later", got)
		}
	})
}

func TestFreezeScaleAdvance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		start := c.Now()
		c.Freeze()
		time.Sleep(time.Hour)
		if got := c.Now().Sub(start); got != 0 {
			t.Fatalf("frozen, it moved by %v", got)
		}
		if err := c.Advance(30 * 24 * time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := c.SetScale(60); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got, want := c.Now().Sub(start), 30*24*time.Hour+time.Hour; got != want {
			t.Fatalf("moved by %v, want %v", got, want)
		}
		c.Reset()
		if got, want := c.Now().Sub(start), time.Hour+time.Minute; got != want || c.Scale() != 1 {
			t.Fatalf("after a reset it is %v after the start, want the real %v", got, want)
		}
	})
}

func TestBadMoves(t *testing.T) {
	t.Parallel()
	c := clock.New()
	for _, scale := range []float64{0, -1, math.NaN(), math.Inf(1), clock.MaxScale + 1} {
		if c.SetScale(scale) == nil {
			t.Errorf("the scale %v was taken", scale)
		}
	}
	for _, d := range []time.Duration{-1, math.MaxInt64} {
		if c.Advance(d) == nil {
			t.Errorf("an advance of %v was taken", d)
		}
	}
}

// A sleeper wakes when the clock shows its time, however the clock came there.
func TestSleepFollowsTheClock(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*clock.Clock) time.Duration{
		"runs":     func(*clock.Clock) time.Duration { return time.Hour },
		"advances": func(c *clock.Clock) time.Duration { _ = c.Advance(time.Hour); return 0 },
		"is fast":  func(c *clock.Clock) time.Duration { _ = c.SetScale(3600); return time.Second },
		"is frozen, then advances": func(c *clock.Clock) time.Duration {
			c.Freeze()
			time.Sleep(100 * time.Hour)
			_ = c.Advance(2 * time.Hour)
			return 100 * time.Hour
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := clock.New()
				real := time.Now()
				woke := make(chan time.Duration, 1)
				go func() {
					if c.Sleep(t.Context(), time.Hour) == nil {
						woke <- time.Since(real)
					}
				}()
				synctest.Wait()
				want := move(c)
				if got := <-woke; got != want {
					t.Fatalf("woke after %v of real time, want %v", got, want)
				}
			})
		})
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		c.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.Sleep(ctx, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
}
