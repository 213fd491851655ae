package computetest

import "carrel/internal/compute"

// reach holds desktops to what they may reach, gives them other bounds, and forgets those that are gone.
func (s *suite) reach() {
	d, free, bad, next := s.desktop(), s.desktop(), s.desktop(), s.desktop()
	bounds := s.bounds()
	unknown := compute.Reach{Groups: [2]string{"", "sg-ffffffff"}}
	d.Reach, bad.Reach = bounds, unknown
	s.refuses("Create with a group that nobody declared", s.create(bad), compute.ErrInvalid)
	s.must("Delete after a refused Create", s.destroy(bad.ID))

	s.mustTwice("Create", s.create(d))
	s.must("Create of one that is free", s.create(free))
	s.held(d.ID, bounds)
	s.held(free.ID, compute.Reach{})
	s.reopen()
	s.must("Snapshot", s.snapshot(d.ID, "s-1", true))
	s.must("Stop", s.stop(d.ID))
	s.must("Start", s.start(d.ID))
	s.must("Resize", s.resizes(free)) // which says nothing of it
	s.must("Restore", s.restore(d.ID, "s-1"))
	s.held(d.ID, bounds)
	s.held(free.ID, compute.Reach{})

	moved := d
	moved.Address, moved.Reach = bad.Address, compute.Reach{Offline: true}
	s.must("Rebuild with another reach and address", s.rebuilds(moved, "s-1"))
	s.held(d.ID, moved.Reach)
	worse := moved
	worse.Reach = unknown
	s.refuses("Rebuild with a group that nobody declared", s.rebuilds(worse, ""), compute.ErrInvalid)
	s.answers(d.ID)
	s.held(d.ID, moved.Reach)
	lifted := moved
	lifted.Reach = compute.Reach{}
	s.must("Rebuild as one that is free", s.rebuilds(lifted, ""))
	s.held(d.ID, lifted.Reach)

	s.must("Rebuild as it was", s.rebuilds(d, ""))
	s.held(d.ID, bounds)
	s.must("Delete", s.destroy(d.ID))
	next.Address = d.Address
	s.must("Create of a free one with its address", s.create(next))
	s.held(next.ID, compute.Reach{})
	s.must("Create after Delete", s.create(lifted))
	s.held(d.ID, lifted.Reach)
}

// bounds are such as a desktop can have.
func (s *suite) bounds() compute.Reach {
	return compute.Reach{Groups: [2]string{s.Group}, Offline: true}
}

// held fails the test unless List says that the desktop is held to this.
func (s *suite) held(id string, want compute.Reach) {
	s.Helper()
	if got := s.machine(id).Reach; got != want {
		s.Errorf("%s is held to %+v, want %+v", id, got, want)
	}
}
