package simulated

import (
	"fmt"
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

// advance takes the desktop as far through what is ordered as the time allows.
func (d *Driver) advance(o order) (again time.Time, err error) {
	x, now := d.get(o.spec.ID), d.clock.Now()
	if o.method == creating && x.Whole {
		o.method = starting // what there is to be done for a desktop that is made
	}
	ours := x.going(o)
	if ours && now.Before(x.Until) {
		return d.pend(x, now)
	}
	before := x
	x, err = d.settle(x, now)
	image := d.captured(before, x, now)
	if !ours {
		// What else was under way has ended, or is abandoned where it is.
		x.Doing, x.With, x.Until = idle, with{}, time.Time{}
		x, err = d.begin(x, o, now)
		if x.Runs > before.Runs && o.method == capturing {
			image = d.capture(x, o.with.Image, now)
		}
	}
	if failed := d.commit(x, image); failed != nil {
		return time.Time{}, failed
	}
	return x.Until, err
}

// begin takes an idle desktop into what is ordered, and through it where that takes no
// time.
func (d *Driver) begin(x desktop, o order, now time.Time) (desktop, error) {
	if o.method.disturbs() && o.method != capturing {
		x.Ran = false // whoever captured it has lost interest
	}
	needed, err := x.needs(o)
	if o.method == capturing && needed {
		needed = !d.image(o.with.Image, now).usable()
	}
	if err == nil && needed {
		err = d.admit(x, &o, now)
	}
	if err != nil || !needed {
		return x, err
	}
	if x.Running && o.method.disturbs() {
		d.darken(x.Spec.ID)
	}
	return d.settle(x.begin(o, now.Add(d.fate(x.Spec.ID, o.method, x.Runs+1).takes)), now)
}

// pend returns when to come back for what is under way. Where the clock has been
// set back meanwhile, that is no later than if it had begun just now.
func (d *Driver) pend(x desktop, now time.Time) (time.Time, error) {
	if latest := now.Add(d.fate(x.Spec.ID, x.Doing, x.Runs).takes); latest.Before(x.Until) {
		x.Until = latest
		var captured *osImage
		if stored := d.images[x.With.Image]; x.Doing == capturing && stored != nil {
			i := *stored
			i.Until = latest
			captured = &i
		}
		if err := d.commit(x, captured); err != nil {
			return time.Time{}, err
		}
	}
	return x.Until, nil
}

// admit returns why the engine cannot begin, ErrImage, ErrSnapshot, ErrInvalid or
// ErrCapacity, and gives the order what the volumes begin with.
func (d *Driver) admit(x desktop, o *order, now time.Time) error {
	if o.method == creating || o.method == rebuilding {
		if err := d.admitSpec(o, now); err != nil {
			return err
		}
	}
	if o.from != nil {
		if err := d.admitHome(o, now); err != nil {
			return err
		}
	}
	places := o.method.starts() || (o.method == capturing && x.Ran)
	if d.cfg.Capacity == 0 || !places || x.awake() || d.awake < d.cfg.Capacity {
		return nil
	}
	// The desktop's own place does not count, nor those of desktops that have ended
	// without anybody coming back for them.
	others := d.count(func(y desktop) bool { return y.awake() && y.Spec.ID != x.Spec.ID })
	if others < d.cfg.Capacity {
		return nil
	}
	return fmt.Errorf("%w: %d desktops run", compute.ErrCapacity, others)
}

func (d *Driver) admitSpec(o *order, now time.Time) error {
	image, ok := d.source(o.spec.Image, now)
	if !ok {
		return fmt.Errorf("%w: %q", compute.ErrImage, o.spec.Image)
	}
	if !d.cfg.AnyGroup {
		if err := o.spec.Reach.CheckGroups(d.cfg.Groups); err != nil {
			return err
		}
	}
	o.root = image.Root
	holder, taken := d.byPlace[place{o.spec.Subnet.ID, o.spec.Address}]
	if !taken || holder == o.spec.ID {
		return nil
	}
	if x, _ := d.settle(d.get(holder), now); x.Gone {
		return nil
	}
	return fmt.Errorf("%w: address %v is that of %s", compute.ErrInvalid, o.spec.Address, holder)
}

// admitHome gives the order what the snapshot of another desktop's user volume holds.
func (d *Driver) admitHome(o *order, now time.Time) error {
	x, _ := d.settle(d.get(o.from.Desktop), now)
	snapshot, ok := x.Disks.look().Kept[o.from.Snapshot]
	if !ok {
		return fmt.Errorf("%w: %q of %s", compute.ErrSnapshot, o.from.Snapshot, o.from.Desktop)
	}
	o.home = snapshot.Home
	return nil
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

// commit makes the desktop what x says, and the image, if there is one, in the journal
// first. Errors: ErrUnavailable.
func (d *Driver) commit(x desktop, i *osImage) error {
	stored, ok := d.desktops[x.Spec.ID]
	if i == nil && ((ok && *stored == x) || (!ok && x.Gone)) {
		return nil
	}
	return d.record(entry{desktop: x, Image: i})
}

// record writes down, in one line, what becomes of a desktop, an image or both, and
// makes it so.
func (d *Driver) record(e entry) error {
	if d.journal != nil {
		if err := d.journal.append(e); err != nil {
			return fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
		}
	}
	if e.Spec.ID != "" {
		d.put(e.desktop)
	}
	d.putImage(e.Image)
	if d.journal != nil {
		d.journal.compactWhenDue(d.state)
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
		delete(d.desktops, id)
		return
	}
	d.desktops[id] = &x
	d.byPlace[place{x.Spec.Subnet.ID, x.Spec.Address}] = id
	if x.awake() {
		d.awake++
	}
}
