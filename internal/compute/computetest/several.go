package computetest

import (
	"fmt"
	"sync"

	"carrel/internal/compute"
)

// several makes five desktops at once, and checks that calls for one leave the
// others alone and that List tells the truth about all.
func (s *suite) several() {
	desktops := make([]compute.Desktop, 5)
	for i := range desktops {
		desktops[i] = s.desktop()
	}
	s.together(desktops, "Create", func(d compute.Desktop) error { return s.finish(s.create(d)) })
	for _, d := range desktops {
		s.answers(d.ID)
		if s.Address == nil {
			continue
		}
		if got := s.Address(s.T, d.ID); got != d.Address {
			s.Errorf("%s has address %v, want %v", d.ID, got, d.Address)
		}
	}
	s.together(desktops, "screen", func(d compute.Desktop) error { return s.greets(d.ID) })
	s.runs(desktops)

	off, on := desktops[:2], desktops[2:]
	s.together(off, "Stop", func(d compute.Desktop) error { return s.finish(s.stop(d.ID)) })
	s.reopen()
	for _, d := range off {
		s.stopped(d.ID)
	}
	s.runs(on)
	s.together(on, "screen of one not stopped", func(d compute.Desktop) error { return s.greets(d.ID) })

	s.together(desktops[1:], "Delete", func(d compute.Desktop) error { return s.finish(s.destroy(d.ID)) })
	if got := s.list(); len(got) != 1 || got[0].ID != desktops[0].ID {
		s.Errorf("List = %v, want %s alone", got, desktops[0].ID)
	}
}

// runs fails the test unless exactly these desktops run.
func (s *suite) runs(desktops []compute.Desktop) {
	s.Helper()
	want := make(map[string]bool)
	for _, d := range desktops {
		want[d.ID] = true
	}
	for _, m := range s.list() {
		if m.Running != want[m.ID] {
			s.Errorf("List says %+v, want running %v", m, want[m.ID])
		}
		delete(want, m.ID)
	}
	if len(want) > 0 {
		s.Errorf("List is without %v", want)
	}
	about, err := s.Driver.About(s.Context())
	if err != nil || about.DesktopsRunning != len(desktops) {
		s.Errorf("About says %d desktops running (%v), want %d", about.DesktopsRunning, err, len(desktops))
	}
}

// together does something with all desktops at once and reports every failure.
func (s *suite) together(desktops []compute.Desktop, what string, do func(compute.Desktop) error) {
	s.Helper()
	errs := make([]error, len(desktops))
	var all sync.WaitGroup
	for i, d := range desktops {
		all.Go(func() {
			if err := do(d); err != nil {
				errs[i] = fmt.Errorf("%s of %s, with others: %w", what, d.ID, err)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			s.Error(err)
		}
	}
	if s.Failed() {
		s.FailNow()
	}
}
