package computetest

import (
	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// note is the file that the suite writes into volumes.
const note = "note.txt"

// write makes both volumes of a running desktop hold a text.
func (s *suite) write(id, home, root string) {
	s.Helper()
	s.Write(s.T, id, Home, note, home)
	s.Write(s.T, id, Root, note, root)
}

// holds fails the test unless the volumes of a desktop, which has to answer, hold the texts.
func (s *suite) holds(id, home, root string) {
	s.Helper()
	s.answers(id)
	if got := s.Read(s.T, id, Home, note); got != home {
		s.Errorf("the user volume holds %q, want %q", got, home)
	}
	if got := s.Read(s.T, id, Root, note); got != root {
		s.Errorf("the root volume holds %q, want %q", got, root)
	}
}

// snapshots keeps both volumes or one, and goes back to what was kept.
func (s *suite) snapshots() {
	d := s.desktop()
	s.must("Create", s.create(d))
	s.write(d.ID, "home 1", "root 1")
	held := s.dial(d.ID)
	s.mustTwice("Snapshot of both", s.snapshot(d.ID, "both", true))
	s.write(d.ID, "home 2", "root 2")
	s.mustTwice("Snapshot of the user volume", s.snapshot(d.ID, "user", false))
	if err := rfb.Greeting(s.Context(), held); err != nil {
		s.Errorf("a stream that was open during Snapshot: %v", err)
	}
	s.write(d.ID, "home 3", "root 3")
	s.must("Snapshot of a name that is there", s.snapshot(d.ID, "both", true))
	s.reopen()

	s.refuses("Restore of no snapshot", s.restore(d.ID, "none"), compute.ErrSnapshot)
	s.refuses("Restore of the user volume alone", s.restore(d.ID, "user"), compute.ErrSnapshot)
	s.refuses("Snapshot without a name", s.snapshot(d.ID, "", true), compute.ErrInvalid)
	s.refuses("Snapshot with a bad name", s.snapshot(d.ID, "../x", true), compute.ErrInvalid)
	s.holds(d.ID, "home 3", "root 3")

	s.must("Restore", s.restore(d.ID, "both"))
	s.ends(held)
	s.holds(d.ID, "home 1", "root 1")
	s.reopen()
	s.holds(d.ID, "home 1", "root 1")
	s.home(d) // the sizes hold as before
	s.write(d.ID, "home 4", "root 4")
	s.must("Restore, called twice", s.restore(d.ID, "both"))
	s.holds(d.ID, "home 1", "root 1")

	s.write(d.ID, "home 5", "root 5")
	s.must("Stop", s.stop(d.ID))
	s.must("Snapshot of a stopped desktop", s.snapshot(d.ID, "stopped", true))
	s.stopped(d.ID)
	s.must("Restore of a stopped desktop", s.restore(d.ID, "both"))
	s.holds(d.ID, "home 1", "root 1")
	s.must("Restore of what was kept later", s.restore(d.ID, "stopped"))
	s.holds(d.ID, "home 5", "root 5")

	s.must("Snapshot of both under the name of one", s.snapshot(d.ID, "user", true))
	s.must("Restore of both", s.restore(d.ID, "user"))
	s.holds(d.ID, "home 5", "root 5")
	s.mustTwice("DropSnapshot", s.drop(d.ID, "both"))
	s.reopen()
	s.refuses("Restore of a dropped snapshot", s.restore(d.ID, "both"), compute.ErrSnapshot)

	s.must("Delete of a desktop with snapshots", s.destroy(d.ID))
	s.gone(d.ID)
	s.must("Create after Delete", s.create(d))
	s.holds(d.ID, "", "")
	s.refuses("Restore of a snapshot before Delete", s.restore(d.ID, "stopped"), compute.ErrSnapshot)
}

// rebuild gives a desktop a new root volume, and takes its user volume back or leaves it.
func (s *suite) rebuild() {
	d, other := s.desktop(), s.desktop()
	s.must("Create", s.create(d))
	s.write(d.ID, "home 1", "root 1")
	s.must("Snapshot", s.snapshot(d.ID, "s-1", true))
	s.write(d.ID, "home 2", "root 2")

	unknown, outside := d, d
	unknown.Image = "carrel/no-such-image"
	outside.Address = s.Desktop.Subnet.Gateway
	s.refuses("Rebuild of no snapshot", s.rebuilds(d, "none"), compute.ErrSnapshot)
	s.refuses("Rebuild with an unknown image", s.rebuilds(unknown, ""), compute.ErrImage)
	s.refuses("Rebuild with the gateway's address", s.rebuilds(outside, ""), compute.ErrInvalid)
	s.holds(d.ID, "home 2", "root 2")

	moved := d
	moved.Address, moved.User = other.Address, other.User
	held := s.dial(d.ID)
	s.must("Rebuild", s.rebuilds(moved, "s-1"))
	s.ends(held)
	s.holds(d.ID, "home 1", "")
	if s.Address != nil {
		if got := s.Address(s.T, d.ID); got != moved.Address {
			s.Errorf("rebuilt with address %v, it has %v", moved.Address, got)
		}
	}
	s.home(d)
	s.refuses("Restore of a snapshot before Rebuild", s.restore(d.ID, "s-1"), compute.ErrSnapshot)
	s.reopen()
	s.write(d.ID, "home 3", "root 3")
	s.must("Rebuild with the user volume as it is", s.rebuilds(moved, ""))
	s.holds(d.ID, "home 3", "")
	s.must("Stop", s.stop(d.ID))
	s.must("Rebuild of a stopped desktop", s.rebuilds(d, "s-1"))
	s.holds(d.ID, "home 1", "")
	s.must("Rebuild, called twice", s.rebuilds(d, "s-1"))
	s.holds(d.ID, "home 1", "")

	s.write(d.ID, "home 4", "root 4")
	s.must("Snapshot after Rebuild", s.snapshot(d.ID, "s-2", true))
	s.write(d.ID, "home 5", "root 5")
	s.must("Restore after Rebuild", s.restore(d.ID, "s-2"))
	s.holds(d.ID, "home 4", "root 4")
	// The address that it had meanwhile is free again.
	s.must("Create with an address that Rebuild gave up", s.create(other))
}

// carriedHome makes a desktop whose user volume is made from another's.
func (s *suite) carriedHome() {
	from, to := s.desktop(), s.desktop()
	s.must("Create", s.create(from))
	s.write(from.ID, "carried", "left")
	s.must("Snapshot", s.snapshot(from.ID, "s-1", false))
	s.write(from.ID, "later", "left")

	to.UserGiB++
	for _, home := range []compute.Home{{Desktop: from.ID, Snapshot: "none"}, {Desktop: "ws-000000none", Snapshot: "s-1"}} {
		to.Home = &home
		s.refuses("Create with no such home", s.create(to), compute.ErrSnapshot)
	}
	to.Home = &compute.Home{Desktop: from.ID, Snapshot: "s-1"}
	s.must("Create with a home", s.create(to))
	s.holds(to.ID, "carried", "")
	s.must("Delete of where the home is from", s.destroy(from.ID))
	s.must("Create with a home, called twice", s.create(to))
	s.reopen()
	s.holds(to.ID, "carried", "")
	s.home(to)

	small := s.desktop()
	s.must("Snapshot of a carried home", s.snapshot(to.ID, "s-2", false))
	small.Home = &compute.Home{Desktop: to.ID, Snapshot: "s-2"}
	for n, at := range earlyOrLate() {
		s.interrupt(at, s.create(small))
		s.reopen()
		if n%2 > 0 {
			s.must("Delete of one with a home", s.destroy(small.ID))
			s.gone(small.ID)
		}
		s.must("Create with a home, interrupted", s.create(small))
		s.holds(small.ID, "carried", "")
		s.must("Delete of one with a home", s.destroy(small.ID))
	}
}

// resize gives a desktop more of everything.
func (s *suite) resize() {
	d := s.desktop()
	s.must("Create", s.create(d))
	s.write(d.ID, "home 1", "root 1")
	s.must("Snapshot", s.snapshot(d.ID, "s-1", true))
	larger := d
	larger.CPUs, larger.MemoryMiB = d.CPUs+1, 2*d.MemoryMiB
	larger.RootGiB, larger.UserGiB = d.RootGiB+1, d.UserGiB+1
	held := s.dial(d.ID)
	s.mustTwice("Resize", s.resizes(larger))
	if err := rfb.Greeting(s.Context(), held); err != nil {
		s.Errorf("a stream that was open during Resize: %v", err)
	}
	s.holds(d.ID, "home 1", "root 1")
	s.must("Resize with smaller volumes", s.resizes(d))
	s.must("Resize", s.resizes(larger))
	s.must("Stop", s.stop(d.ID))
	s.must("Resize of a stopped desktop", s.resizes(larger))
	s.stopped(d.ID)
	s.must("Start", s.start(d.ID))
	s.has(larger)
	s.must("Restore of what was smaller", s.restore(d.ID, "s-1"))
	s.holds(d.ID, "home 1", "root 1")
	s.has(larger)
	s.home(larger)
	s.must("Rebuild", s.rebuilds(larger, "s-1"))
	s.has(larger)
}

// has fails the test unless a running desktop has its processors.
func (s *suite) has(d compute.Desktop) {
	s.Helper()
	if s.CPUs == nil {
		return
	}
	if got := s.CPUs(s.T, d.ID); got != d.CPUs {
		s.Errorf("the desktop has %d processors, want %d", got, d.CPUs)
	}
}

// received makes desktops hold what others were kept with.
func (s *suite) received() {
	from, to := s.desktop(), s.desktop()
	to.UserGiB++
	for _, d := range []compute.Desktop{from, to} {
		s.must("Create", s.create(d))
	}
	s.write(from.ID, "sent", "left")
	s.must("Snapshot", s.snapshot(from.ID, "s-1", false))
	s.write(from.ID, "later", "left")
	s.write(to.ID, "old", "stays")
	s.must("Snapshot of what receives", s.snapshot(to.ID, "s-1", true))

	for _, home := range []compute.Home{{Desktop: from.ID, Snapshot: "none"}, {Desktop: "ws-000000none", Snapshot: "s-1"}} {
		s.refuses("Receive of no snapshot", s.receive(to.ID, home), compute.ErrSnapshot)
	}
	sent := compute.Home{Desktop: from.ID, Snapshot: "s-1"}
	s.refuses("Receive by no desktop", s.receive("ws-000000none", sent), compute.ErrNotFound)
	s.holds(to.ID, "old", "stays")

	held := s.dial(to.ID)
	s.must("Receive", s.receive(to.ID, sent))
	s.ends(held)
	s.stopped(to.ID)
	s.reopen()
	s.must("Start", s.start(to.ID))
	s.holds(to.ID, "sent", "stays")
	s.home(to)
	s.refuses("Restore of a snapshot before Receive", s.restore(to.ID, "s-1"), compute.ErrSnapshot)
	s.holds(from.ID, "later", "left")

	s.write(to.ID, "changed", "stays")
	s.must("Stop", s.stop(to.ID))
	s.mustTwice("Receive by a stopped desktop", s.receive(to.ID, sent))
	s.must("Start", s.start(to.ID))
	s.holds(to.ID, "sent", "stays")
	s.must("Snapshot of what was received", s.snapshot(to.ID, "s-2", true))
	s.write(to.ID, "changed", "stays")
	s.must("Restore of it", s.restore(to.ID, "s-2"))
	s.holds(to.ID, "sent", "stays")

	for n, at := range earlyOrLate() {
		s.write(to.ID, "changed", "stays")
		s.interrupt(at, s.receive(to.ID, sent))
		s.reopen()
		if n == 0 {
			s.must("Delete after a Receive that was interrupted", s.destroy(to.ID))
			s.gone(to.ID)
			s.must("Create", s.create(to))
			s.write(to.ID, "new", "stays")
		}
		s.must("Receive, interrupted", s.receive(to.ID, sent))
		s.must("Start", s.start(to.ID))
		s.holds(to.ID, "sent", "stays")
	}
	s.must("Delete of where it came from", s.destroy(from.ID))
	s.holds(to.ID, "sent", "stays")
}
