package simulated

import (
	"errors"
	"fmt"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Config says what a simulated engine is like. The zero value is an engine in
// memory that does everything at once, never fails, and has no images.
type Config struct {
	// Dir is the folder, made where missing, of the journal that lets desktops
	// outlive the process. It belongs to one Driver at a time. "": in memory only.
	Dir string
	// Clock is what durations pass on; nil: the real time.
	Clock *clock.Clock
	// Seed decides, together with a desktop's id, what is drawn for the desktop.
	Seed uint64
	// Capacity is how many desktops may run at once; 0: any number.
	Capacity int
	// Images are those that the engine has.
	Images []compute.Image
	// AnyImage makes it have every image, beside those that are captured and made.
	AnyImage bool
	// Groups are the security groups that it knows.
	Groups []compute.SecurityGroup
	// AnyGroup makes it know every security group. It filters nothing in any case, and shows what it was told.
	AnyGroup bool

	// How each method goes.
	Create, Start, Stop, Reboot, Delete              Behaviour
	Snapshot, DropSnapshot, Rebuild, Restore, Resize Behaviour
	Capture, MakeImage, DeleteImage, Run, Receive    Behaviour
}

// Behaviour is how one of the engine's methods goes.
type Behaviour struct {
	// Min and Max bound how long it takes, of the clock's time. A desktop takes
	// equally long for the same method each time. Zero: done at once.
	Min, Max time.Duration
	// Fail is the probability, from 0 to 1, that it fails with compute.ErrFailed at
	// the end of that time; each call that begins anew draws anew.
	Fail float64
}

func (c *Config) check() error {
	var errs []error
	for _, m := range []method{
		creating, starting, stopping, rebooting, deleting, snapshotting, dropping,
		rebuilding, restoring, resizing, capturing, making, unmaking, scripting, receiving,
	} {
		errs = append(errs, c.behaviour(m).check(m))
	}
	if c.Capacity < 0 {
		errs = append(errs, errors.New("simulated: Capacity is below zero"))
	}
	return errors.Join(errs...)
}

func (c *Config) behaviour(m method) Behaviour {
	switch m {
	case idle:
	case creating:
		return c.Create
	case starting:
		return c.Start
	case stopping:
		return c.Stop
	case rebooting:
		return c.Reboot
	case deleting:
		return c.Delete
	case snapshotting:
		return c.Snapshot
	case dropping:
		return c.DropSnapshot
	case rebuilding:
		return c.Rebuild
	case restoring:
		return c.Restore
	case resizing:
		return c.Resize
	case capturing:
		return c.Capture
	case making:
		return c.MakeImage
	case unmaking:
		return c.DeleteImage
	case scripting:
		return c.Run
	case receiving:
		return c.Receive
	}
	return Behaviour{}
}

func (b Behaviour) check(m method) error {
	switch {
	case b.Min < 0 || b.Max < b.Min:
		return fmt.Errorf("simulated: to %s takes from %v to %v", m, b.Min, b.Max)
	case !(b.Fail >= 0 && b.Fail <= 1):
		return fmt.Errorf("simulated: to %s fails with probability %v", m, b.Fail)
	}
	return nil
}
