package simulated

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"carrel/internal/compute"
)

// method is what a desktop may be going through. The journal keeps the words.
type method string

const (
	idle      method = ""
	creating  method = "create"
	starting  method = "start"
	stopping  method = "stop"
	rebooting method = "reboot"
	deleting  method = "delete"
)

// fate is what becomes of one run of a method on one desktop.
type fate struct {
	takes time.Duration
	err   error // wraps compute.ErrFailed; nil: it succeeds
}

// fate decides about one run, counted from 1, of a method on a desktop. It is
// the only place that does, and depends on nothing else: neither on the order in
// which desktops are worked on, nor on the time, nor on a restart in between.
func (d *Driver) fate(id string, m method, run int) fate {
	b := d.behaviour(m)
	f := fate{takes: b.Min}
	if b.Max > b.Min {
		f.takes += time.Duration(chance(d.cfg.Seed, id, m, 0) * float64(b.Max-b.Min))
	}
	if b.Fail > 0 && chance(d.cfg.Seed, id, m, run) < b.Fail {
		f.err = fmt.Errorf("%w: simulated failure of %s", compute.ErrFailed, m)
	}
	return f
}

func (d *Driver) behaviour(m method) Behaviour {
	switch m {
	case idle:
	case creating:
		return d.cfg.Create
	case starting:
		return d.cfg.Start
	case stopping:
		return d.cfg.Stop
	case rebooting:
		return d.cfg.Reboot
	case deleting:
		return d.cfg.Delete
	}
	return Behaviour{}
}

// chance returns a number from 0 up to 1 that is always the same for the same arguments.
func chance(seed uint64, id string, m method, run int) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d", id, m, run)
	return rand.New(rand.NewPCG(seed, h.Sum64())).Float64() //nolint:gosec // chance that has to repeat itself
}
