package simulated

import (
	"fmt"
	"time"

	"carrel/internal/compute"
)

// desktop is one desktop as the engine has it, and as the journal keeps it. It is a
// value: methods return the desktop that comes of it, and Driver.commit makes it so.
type desktop struct {
	Spec    compute.Desktop `json:"spec"`
	Gone    bool            `json:"gone,omitzero"` // it does not exist
	Whole   bool            `json:"whole,omitzero"`
	Running bool            `json:"running,omitzero"`
	Broken  bool            `json:"broken,omitzero"` // its screen does not answer
	Detail  string          `json:"detail,omitzero"` // what the engine last failed to do
	Doing   method          `json:"doing,omitzero"`  // what it is going through…
	Until   time.Time       `json:"until,omitzero"`  // …and when that is over
	Runs    int             `json:"runs,omitzero"`   // how many runs of methods it has begun
}

// begin is the desktop from the moment that it goes through a method.
func (x desktop) begin(m method, until time.Time) desktop {
	x.Doing, x.Until = m, until
	x.Runs++
	switch m {
	case creating:
		x = desktop{Spec: x.Spec, Doing: m, Until: until, Runs: x.Runs}
	case deleting:
		x.Whole, x.Running = false, false
	case idle, starting, stopping, rebooting:
		// It is what it was until the method is through.
	}
	return x
}

// end is the desktop after what it went through, which may have failed.
func (x desktop) end(failed error) desktop {
	m := x.Doing
	x.Doing, x.Until = idle, time.Time{}
	if failed != nil {
		x.Detail = string(m) + " failed"
		x.Running = x.Running && m != rebooting
		return x
	}
	x.Detail = ""
	switch m {
	case creating, starting, rebooting:
		x.Whole, x.Running, x.Broken = true, true, false
	case stopping:
		x.Running = false
	case deleting:
		x.Gone = true
	case idle:
	}
	return x
}

// needs tells whether a method has anything to do on an idle desktop, or why it
// cannot: errors wrap ErrNotFound or ErrFailed.
func (x desktop) needs(m method) (bool, error) {
	switch {
	case x.Gone && m == deleting:
		return false, nil
	case x.Gone && m != creating:
		return false, fmt.Errorf("%w: %s", compute.ErrNotFound, x.Spec.ID)
	case m == stopping:
		return x.Running, nil
	case m == creating, m == deleting:
		return true, nil
	case !x.Whole:
		return false, fmt.Errorf("%w: %s is half-made or half-removed", compute.ErrFailed, x.Spec.ID)
	case m == starting && x.Running && x.Broken:
		return false, fmt.Errorf("%w: %s", compute.ErrFailed, unanswered)
	}
	return m == rebooting || !x.Running, nil
}

// up tells whether the desktop's screen should answer.
func (x desktop) up() bool { return x.Running && x.Whole && x.Doing == idle }

// awake tells whether the desktop takes up one of the places of Config.Capacity: it
// runs, or is about to.
func (x desktop) awake() bool {
	return x.Running || x.Doing == creating || x.Doing == starting || x.Doing == rebooting
}

const unanswered = "its screen does not answer"

// machine is the desktop in the contract's words.
func (x desktop) machine() compute.Machine {
	m := compute.Machine{
		ID: x.Spec.ID, Running: x.Running, Whole: x.Whole,
		Answers: x.up() && !x.Broken, Detail: x.Detail,
	}
	switch {
	case x.Doing != idle:
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
