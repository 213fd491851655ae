package computetest

import (
	"context"
	"fmt"
	"time"
)

// interruption is a moment at which a caller dies.
type interruption struct {
	calls int           // it makes at most so many calls
	after time.Duration // and dies in the middle of one after so long; negative: before the first
}

func (i interruption) String() string {
	switch {
	case i.after < 0:
		return "interrupted before the call"
	case i.after < time.Minute:
		return fmt.Sprintf("interrupted after %v", i.after)
	}
	return fmt.Sprintf("abandoned after %d calls", i.calls)
}

// The two lists reach into each second of a real engine's work, and between the
// calls of one that returns times.
func earlyAndLate() []interruption {
	return []interruption{
		{1, -1},
		{1, time.Minute},
		{2, time.Minute},
		{99, time.Millisecond},
		{99, 20 * time.Millisecond},
		{99, 100 * time.Millisecond},
		{99, 300 * time.Millisecond},
		{99, 700 * time.Millisecond},
	}
}

func earlyOrLate() []interruption {
	return []interruption{{1, -1}, {1, time.Minute}, {99, 10 * time.Millisecond}, {99, 150 * time.Millisecond}}
}

// interrupt makes a call as a job does that dies at that moment. What the call
// returned dies with it.
func (s *suite) interrupt(at interruption, f call) {
	ctx, cancel := context.WithTimeout(s.Context(), at.after)
	defer cancel()
	calls := 0
	// The error is the interruption, or the call's that a dead caller never saw.
	_ = Wait(ctx, s.Clock, func(ctx context.Context) (time.Time, error) {
		again, err := f(ctx)
		if calls++; calls >= at.calls {
			cancel()
		}
		return again, err
	})
}

// interruptedCreate interrupts Create everywhere. Then a restarted Carrel either
// completes the desktop or removes it.
func (s *suite) interruptedCreate() {
	for n, at := range earlyAndLate() {
		d := s.desktop()
		s.interrupt(at, s.create(d))
		s.reopen()
		if n%2 == 0 {
			s.must(fmt.Sprintf("Create after one %v", at), s.create(d))
			s.answers(d.ID)
			s.mustTwice("Stop", s.stop(d.ID))
			s.mustTwice("Start", s.start(d.ID))
			s.answers(d.ID)
		}
		s.must(fmt.Sprintf("Delete after a Create %v", at), s.destroy(d.ID))
		s.gone(d.ID)
	}
}

// interruptedLife interrupts everything else that can happen to a desktop, and has
// a restarted Carrel finish it.
func (s *suite) interruptedLife() {
	d := s.desktop()
	for _, at := range earlyOrLate() {
		s.must("Create", s.create(d))
		for _, step := range []struct {
			what string
			call func(string) call
			want func(string)
		}{
			{"Stop", s.stop, s.stopped},
			{"Start", s.start, s.answers},
			{"Reboot", s.reboot, s.answers},
			{"Delete", s.destroy, s.gone},
		} {
			s.interrupt(at, step.call(d.ID))
			s.reopen()
			s.must(fmt.Sprintf("%s after one %v", step.what, at), step.call(d.ID))
			step.want(d.ID)
		}
	}
	// A caller may also think better of it while the engine is still at work.
	s.must("Create", s.create(d))
	s.interrupt(interruption{1, time.Minute}, s.stop(d.ID))
	s.must("Start after an abandoned Stop", s.start(d.ID))
	s.answers(d.ID)
	s.interrupt(interruption{1, time.Minute}, s.reboot(d.ID))
	s.must("Stop after an abandoned Reboot", s.stop(d.ID))
	s.stopped(d.ID)
	s.interrupt(interruption{1, time.Minute}, s.start(d.ID))
	s.must("Delete after an abandoned Start", s.destroy(d.ID))
	s.gone(d.ID)
	s.interrupt(interruption{1, time.Minute}, s.create(d))
	s.interrupt(interruption{1, time.Minute}, s.destroy(d.ID))
	s.must("Create after an abandoned Delete", s.create(d))
	s.answers(d.ID)
}
