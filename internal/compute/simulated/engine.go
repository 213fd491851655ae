package simulated

import (
	"fmt"
	"slices"
	"time"

	"carrel/internal/compute"
)

// Everything in this file is called with the driver's lock held.

// get returns a desktop as it was last left, or one that is gone.
func (d *Driver) get(id string) desktop {
	if x, ok := d.desktops[id]; ok {
		return *x
	}
	return desktop{Spec: compute.Desktop{ID: id}, Gone: true}
}

// settle returns what has become of a desktop by now: a method whose time is over
// has ended, whether or not its caller has come back for the error.
func (d *Driver) settle(x desktop, now time.Time) (desktop, error) {
	if x.Doing == idle || now.Before(x.Until) {
		return x, nil
	}
	err := d.fate(x.Spec.ID, x.Doing, x.Runs).err
	return x.end(err), err
}

// advance takes the desktop with the id of spec as far through a method as the time
// allows. Only creating has use for the rest of spec.
func (d *Driver) advance(spec compute.Desktop, m method) (again time.Time, err error) {
	x, now := d.get(spec.ID), d.clock.Now()
	if m == creating && x.Whole {
		m = starting // what there is to be done for a desktop that is made
	}
	if x.Doing == m && now.Before(x.Until) {
		return d.pend(x, now)
	}
	ours := x.Doing == m
	x, err = d.settle(x, now)
	if !ours {
		// What else was under way has ended, or is abandoned where it is.
		x.Doing, x.Until = idle, time.Time{}
		x, err = d.begin(x, spec, m, now)
	}
	if failed := d.commit(x); failed != nil {
		return time.Time{}, failed
	}
	return x.Until, err
}

// begin takes an idle desktop into a method that it needs, and through it where
// that takes no time.
func (d *Driver) begin(x desktop, spec compute.Desktop, m method, now time.Time) (desktop, error) {
	needed, err := x.needs(m)
	if err == nil && needed {
		err = d.admit(x, spec, m, now)
	}
	if err != nil || !needed {
		return x, err
	}
	if m == creating {
		x.Spec = spec
	}
	if x.Running {
		d.darken(spec.ID)
	}
	return d.settle(x.begin(m, now.Add(d.fate(spec.ID, m, x.Runs+1).takes)), now)
}

// pend returns when to come back for what is under way. Where the clock has been
// set back meanwhile, that is no later than if it had begun just now.
func (d *Driver) pend(x desktop, now time.Time) (time.Time, error) {
	if latest := now.Add(d.fate(x.Spec.ID, x.Doing, x.Runs).takes); latest.Before(x.Until) {
		x.Until = latest
		if err := d.commit(x); err != nil {
			return time.Time{}, err
		}
	}
	return x.Until, nil
}

// admit returns why the engine cannot begin: ErrImage, ErrInvalid or ErrCapacity.
func (d *Driver) admit(x desktop, spec compute.Desktop, m method, now time.Time) error {
	if m == creating {
		if err := d.admitNew(spec, now); err != nil {
			return err
		}
	}
	if d.cfg.Capacity == 0 || m == stopping || m == deleting || x.awake() || d.awake < d.cfg.Capacity {
		return nil
	}
	// The desktop's own place does not count, nor those of desktops that have ended
	// without anybody coming back for them.
	others := d.count(func(y desktop) bool { return y.awake() && y.Spec.ID != spec.ID })
	if others < d.cfg.Capacity {
		return nil
	}
	return fmt.Errorf("%w: %d desktops run", compute.ErrCapacity, others)
}

func (d *Driver) admitNew(spec compute.Desktop, now time.Time) error {
	known := func(image compute.Image) bool { return image.Name == spec.Image }
	if !d.cfg.AnyImage && !slices.ContainsFunc(d.cfg.Images, known) {
		return fmt.Errorf("%w: %q", compute.ErrImage, spec.Image)
	}
	holder, taken := d.byPlace[place{spec.Subnet.ID, spec.Address}]
	if !taken || holder == spec.ID {
		return nil
	}
	if x, _ := d.settle(d.get(holder), now); x.Gone {
		return nil
	}
	return fmt.Errorf("%w: address %v is that of %s", compute.ErrInvalid, spec.Address, holder)
}

// count counts the desktops that are now as asked for.
func (d *Driver) count(as func(desktop) bool) int {
	now, n := d.clock.Now(), 0
	for _, stored := range d.desktops {
		if x, _ := d.settle(*stored, now); as(x) {
			n++
		}
	}
	return n
}

// running returns a desktop that runs and is not in the middle of anything. Errors:
// ErrNotFound, ErrNotRunning.
func (d *Driver) running(id string) (desktop, error) {
	x, _ := d.settle(d.get(id), d.clock.Now())
	switch {
	case x.Gone:
		return x, fmt.Errorf("%w: %s", compute.ErrNotFound, id)
	case !x.up():
		return x, fmt.Errorf("%w: %s", compute.ErrNotRunning, id)
	}
	return x, nil
}

// commit makes the desktop what x says, in the journal first. Errors: ErrUnavailable.
func (d *Driver) commit(x desktop) error {
	stored, ok := d.desktops[x.Spec.ID]
	if (ok && *stored == x) || (!ok && x.Gone) {
		return nil
	}
	if d.journal != nil {
		if err := d.journal.append(x); err != nil {
			return fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
		}
	}
	d.put(x)
	if d.journal != nil {
		d.journal.compactWhenDue(d.desktops)
	}
	return nil
}

func (d *Driver) put(x desktop) {
	id := x.Spec.ID
	if old := d.get(id); !old.Gone {
		if at := (place{old.Spec.Subnet.ID, old.Spec.Address}); d.byPlace[at] == id {
			delete(d.byPlace, at)
		}
		if old.awake() {
			d.awake--
		}
	}
	if x.Gone {
		delete(d.homes, id)
		delete(d.desktops, id)
		return
	}
	d.desktops[id] = &x
	d.byPlace[place{x.Spec.Subnet.ID, x.Spec.Address}] = id
	if x.awake() {
		d.awake++
	}
}
