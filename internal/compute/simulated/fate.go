package simulated

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"carrel/internal/compute"
)

// method is what a desktop or an image may be going through. The journal keeps the words.
type method string

const (
	idle         method = ""
	creating     method = "create"
	starting     method = "start"
	stopping     method = "stop"
	rebooting    method = "reboot"
	deleting     method = "delete"
	snapshotting method = "snapshot"
	dropping     method = "drop snapshot"
	rebuilding   method = "rebuild"
	restoring    method = "restore"
	resizing     method = "resize"
	capturing    method = "capture"
	making       method = "make image"
	unmaking     method = "delete image"
	scripting    method = "run"
	receiving    method = "receive"
)

// disturbs tells whether nobody can use a desktop that goes through the method.
func (m method) disturbs() bool {
	return m != idle && m != snapshotting && m != dropping && m != resizing && m != scripting
}

// starts tells whether a desktop that goes through the method runs afterwards.
func (m method) starts() bool {
	return m == creating || m == starting || m == rebooting || m == rebuilding || m == restoring
}

// fate is what becomes of one run of a method on one desktop.
type fate struct {
	takes time.Duration
	err   error // wraps compute.ErrFailed; nil: it succeeds
}

// fate decides about one run, counted from 1, of a method on a desktop or an image. It is
// the only place that does, and depends on nothing else: neither on the order in
// which desktops are worked on, nor on the time, nor on a restart in between.
func (d *Driver) fate(id string, m method, run int) fate {
	b := d.cfg.behaviour(m)
	f := fate{takes: b.Min}
	if b.Max > b.Min {
		f.takes += time.Duration(chance(d.cfg.Seed, id, m, 0) * float64(b.Max-b.Min))
	}
	if b.Fail > 0 && chance(d.cfg.Seed, id, m, run) < b.Fail {
		f.err = fmt.Errorf("%w: simulated failure of %s", compute.ErrFailed, m)
	}
	return f
}

// chance returns a number from 0 up to 1 that is always the same for the same arguments.
func chance(seed uint64, id string, m method, run int) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d", id, m, run)
	return rand.New(rand.NewPCG(seed, h.Sum64())).Float64() //nolint:gosec // chance that has to repeat itself
}
