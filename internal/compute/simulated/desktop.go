package simulated

import (
	"fmt"
	"time"

	"carrel/internal/compute"
)

// desktop is one desktop as the engine has it, and as the journal keeps it. It is a
// value: methods return the desktop that comes of it, and Driver.commit makes it so.
type desktop struct {
	Spec    compute.Desktop `json:"spec,omitzero"`
	Gone    bool            `json:"gone,omitzero"` // it does not exist
	Whole   bool            `json:"whole,omitzero"`
	Running bool            `json:"running,omitzero"`
	Broken  bool            `json:"broken,omitzero"` // its screen does not answer
	Detail  string          `json:"detail,omitzero"` // what the engine last failed to do
	Doing   method          `json:"doing,omitzero"`  // what it is going through…
	With    with            `json:"with,omitzero"`   // …with what…
	Until   time.Time       `json:"until,omitzero"`  // …and when that is over
	Runs    int             `json:"runs,omitzero"`   // how many runs of methods it has begun
	Ran     bool            `json:"ran,omitzero"`    // before the capturing that it has begun, and is to run again
	Disks   *disks          `json:"disks,omitzero"`
}

// with is what a method is to do, where the method alone does not say.
type with struct {
	Snapshot string `json:"snapshot,omitzero"` // its name
	Root     bool   `json:"root,omitzero"`     // the snapshot is of the root volume too
	Desktop  string `json:"desktop,omitzero"`  // whose snapshot it is, where it is another's
	Image    string `json:"image,omitzero"`    // the name of the image to make
	Script   string `json:"script,omitzero"`   // the name of the run
	Text     string `json:"text,omitzero"`     // of the script
}

// order is a call of one of the driver's methods.
type order struct {
	method method
	with   with
	spec   compute.Desktop // where the method needs no more, the id alone; never with a Home
	from   *compute.Home   // creating, receiving: the snapshot that the user volume is made from, if any
	home   contents        // creating, receiving: what that holds
	root   contents        // creating, rebuilding: what the image holds
}

// going tells whether the order is what the desktop is going through.
func (x desktop) going(o order) bool {
	if x.Doing != o.method || x.With != o.with {
		return false
	}
	return (o.method != rebuilding && o.method != resizing) || x.Spec == x.sized(o)
}

// sized returns the desktop that comes of rebuilding or resizing.
func (x desktop) sized(o order) compute.Desktop {
	spec := x.Spec
	if o.method == rebuilding {
		spec = o.spec
	} else {
		spec.CPUs, spec.MemoryMiB = o.spec.CPUs, o.spec.MemoryMiB
		spec.RootGiB = max(x.Spec.RootGiB, o.spec.RootGiB)
	}
	spec.UserGiB = max(x.Spec.UserGiB, o.spec.UserGiB)
	return spec
}

// begin is the desktop from the moment that it goes through what was ordered. What
// changes on its volumes changes then.
func (x desktop) begin(o order, until time.Time) desktop {
	x.Doing, x.With, x.Until = o.method, o.with, until
	x.Runs++
	switch o.method {
	case creating:
		x = desktop{Spec: o.spec, Doing: o.method, Until: until, Runs: x.Runs}
		if len(o.home)+len(o.root) > 0 {
			x.Disks = &disks{Home: o.home, Root: o.root}
		}
	case deleting:
		x.Whole, x.Running = false, false
	case snapshotting:
		x.Disks = x.Disks.keep(o.with)
	case dropping:
		x.Disks = x.Disks.drop(o.with.Snapshot)
	case rebuilding:
		x.Spec, x.Running = x.sized(o), false
		x.Disks = x.Disks.rebuild(o.root, o.with.Snapshot)
	case restoring:
		x.Running = false
		x.Disks = x.Disks.restore(o.with.Snapshot)
	case receiving:
		x.Running = false
		x.Disks = x.Disks.receive(o.home)
	case resizing:
		x.Spec = x.sized(o)
	case capturing:
		x.Ran = x.Ran || x.Running
		x.Running = false
	case idle, starting, stopping, rebooting, making, unmaking, scripting:
		// It is what it was until the method is through.
	}
	return x
}

// end is the desktop after what it went through, which may have failed.
func (x desktop) end(failed error) desktop {
	m, w := x.Doing, x.With
	x.Doing, x.With, x.Until = idle, with{}, time.Time{}
	if failed != nil {
		x.Detail = string(m) + " failed"
		x.Running = x.Running && m != rebooting
		if m == snapshotting {
			x.Disks = x.Disks.drop(w.Snapshot)
		}
		return x
	}
	x.Detail = ""
	switch m {
	case creating, starting, rebooting, rebuilding, restoring:
		x.Whole, x.Running, x.Broken = true, true, false
	case stopping, receiving:
		x.Running = false
	case deleting:
		x.Gone = true
	case capturing:
		x.Running, x.Ran, x.Broken = x.Ran, false, false
	case scripting:
		x.Disks = x.Disks.ran(w)
	case idle, snapshotting, dropping, resizing, making, unmaking:
	}
	return x
}

// needs tells whether an idle desktop is not yet as ordered, or why it cannot be:
// errors wrap ErrNotFound, ErrSnapshot or ErrFailed.
func (x desktop) needs(o order) (bool, error) {
	m := o.method
	switch {
	case x.Gone && (m == deleting || m == dropping):
		return false, nil
	case x.Gone && m != creating:
		return false, fmt.Errorf("%w: %s", compute.ErrNotFound, x.Spec.ID)
	case m == stopping:
		return x.Running, nil
	case m == creating, m == deleting:
		return true, nil
	case m == dropping, m == rebuilding:
		return x.needsSnapshot(o)
	case !x.Whole:
		return false, fmt.Errorf("%w: %s is half-made or half-removed", compute.ErrFailed, x.Spec.ID)
	case m == starting && x.Running && x.Broken:
		return false, fmt.Errorf("%w: %s", compute.ErrFailed, unanswered)
	case m == snapshotting, m == restoring:
		return x.needsSnapshot(o)
	case m == scripting && !x.up():
		return false, fmt.Errorf("%w: %s", compute.ErrNotRunning, x.Spec.ID)
	case m == scripting:
		_, ended := x.Disks.result(o.with.Script)
		return !ended, nil
	case m == resizing:
		return x.Spec != x.sized(o), nil
	}
	return m == rebooting || m == capturing || m == receiving || !x.Running, nil
}

// needsSnapshot is needs for methods that have to do with one.
func (x desktop) needsSnapshot(o order) (bool, error) {
	snapshot, there := x.Disks.look().Kept[o.with.Snapshot]
	missing := fmt.Errorf("%w: %q of %s", compute.ErrSnapshot, o.with.Snapshot, x.Spec.ID)
	switch {
	case o.method == dropping:
		return there, nil
	case o.method == snapshotting:
		return !there || (o.with.Root && !snapshot.Whole), nil
	case o.method == rebuilding && !there && o.with.Snapshot != "":
		return false, missing
	case o.method == restoring && (!there || !snapshot.Whole):
		return false, missing
	}
	return true, nil
}

// up tells whether the desktop's screen should answer.
func (x desktop) up() bool { return x.Running && x.Whole && !x.Doing.disturbs() }

// awake tells whether the desktop takes up one of the places of Config.Capacity: it
// runs, or is about to.
func (x desktop) awake() bool {
	return x.Running || x.Doing.starts() || (x.Doing == capturing && x.Ran)
}

const unanswered = "its screen does not answer"

// machine is the desktop in the contract's words.
func (x desktop) machine() compute.Machine {
	m := compute.Machine{
		ID: x.Spec.ID, Running: x.Running, Whole: x.Whole, Reach: x.Spec.Reach,
		Answers: x.up() && !x.Broken, Detail: x.Detail,
	}
	switch {
	case x.Doing.disturbs():
		m.Detail = fmt.Sprintf("%s until %s", x.Doing, x.Until.Format(time.RFC3339))
	case x.Broken && x.Running:
		m.Detail = unanswered
	}
	return m
}

// check returns an error wrapping ErrInvalid for a desktop that no engine can make.
func check(spec compute.Desktop) error {
	var problem string
	switch {
	case spec.ID == "":
		problem = "a desktop needs an id"
	case min(spec.CPUs, spec.MemoryMiB, spec.RootGiB, spec.UserGiB) <= 0:
		problem = "a desktop needs processors, memory and volumes"
	case !spec.Subnet.Prefix.Contains(spec.Address) || spec.Address == spec.Subnet.Gateway:
		problem = fmt.Sprintf("address %v is not one for desktops in %v", spec.Address, spec.Subnet.Prefix)
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", compute.ErrInvalid, problem)
}
