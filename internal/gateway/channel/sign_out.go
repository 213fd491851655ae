package channel

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

// How long it is waited before a desktop is asked again whether its user has signed out: a sign-out ends the line, and is
// told to who asks next. A line that ends again and again is asked less often.
const (
	askAgain    = 100 * time.Millisecond
	askSeldom   = 5 * time.Second
	steadyAfter = 10 * time.Second
)

// AwaitSignOut implements [gateway.Channels]. Errors beside the context's: sidechannel.ErrNoFile for a desktop that is too old to
// say so, compute.ErrNotFound and compute.ErrNotRunning.
func (c *Channels) AwaitSignOut(ctx context.Context, d gateway.Desktop) error {
	pause := askAgain
	for {
		asked := c.Real.Now()
		err := c.desktop(d.ID).AwaitSignOut(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, sidechannel.ErrNoFile), errors.Is(err, compute.ErrNotFound), errors.Is(err, compute.ErrNotRunning):
			return err
		case c.Real.Now().Sub(asked) >= steadyAfter:
			pause = askAgain
		}
		if err := c.Real.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, askSeldom)
	}
}
