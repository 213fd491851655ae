package computetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// retries is how often Wait calls again after an error that allows it.
const retries = 8

// Wait repeats a driver's call until it is done, as a job would: at the times that
// the call returns, and a moment after ErrUnavailable or ErrFailed, up to 8 times.
// A frozen clock is advanced, any other waited for. It returns the call's last
// error, or the context's.
//
//	err := computetest.Wait(ctx, clk, func(ctx context.Context) (time.Time, error) {
//		return driver.Stop(ctx, id)
//	})
func Wait(ctx context.Context, c *clock.Clock, call func(context.Context) (again time.Time, err error)) error {
	for failed := 0; ; {
		again, err := call(ctx)
		switch {
		case err == nil && again.IsZero():
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("computetest: interrupted: %w", errors.Join(context.Cause(ctx), err))
		case err != nil && (failed == retries || !transient(err)):
			return err
		case err != nil:
			failed++
			again = c.Now().Add(200 * time.Millisecond)
		}
		if err := pass(ctx, c, again); err != nil {
			return fmt.Errorf("computetest: interrupted: %w", err)
		}
	}
}

// transient tells whether a job would call again after this error.
func transient(err error) bool {
	for _, final := range []error{
		compute.ErrNotFound, compute.ErrNotRunning, compute.ErrImage, compute.ErrSnapshot, compute.ErrCapacity, compute.ErrInvalid,
	} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

// pass returns when the clock shows t, and moves it there where it is frozen.
func pass(ctx context.Context, c *clock.Clock, t time.Time) error {
	if c.Scale() > 0 {
		return c.SleepUntil(ctx, t)
	}
	return c.Advance(max(t.Sub(c.Now()), 0))
}
