package computetest

import (
	"context"
	"fmt"
	"time"

	"carrel/internal/compute"
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
		d.Reach = s.bounds()
		s.interrupt(at, s.create(d))
		s.reopen()
		if n%2 == 0 {
			s.must(fmt.Sprintf("Create after one %v", at), s.create(d))
			s.answers(d.ID)
			s.held(d.ID, d.Reach)
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

// interruptedVolumes interrupts what is done to volumes, and has a restarted Carrel
// finish it.
func (s *suite) interruptedVolumes() {
	d := s.desktop()
	s.must("Create", s.create(d))
	larger := d
	for n, at := range append(earlyOrLate(), interruption{99, 400 * time.Millisecond}) {
		home, root, snapshot := fmt.Sprint("home ", n), fmt.Sprint("root ", n), fmt.Sprint("s-", n)
		larger.UserGiB++
		s.write(d.ID, home, root)
		for _, step := range []struct {
			what string
			call call
			want func()
		}{
			{"Snapshot", s.snapshot(d.ID, snapshot, true), func() { s.holds(d.ID, home, root); s.write(d.ID, "changed", "changed") }},
			{"Restore", s.restore(d.ID, snapshot), func() { s.holds(d.ID, home, root) }},
			{"Resize", s.resizes(larger), func() { s.holds(d.ID, home, root); s.write(d.ID, "changed", "changed") }},
			{"Rebuild", s.rebuilds(larger, snapshot), func() { s.holds(d.ID, home, "") }},
			{"DropSnapshot", s.drop(d.ID, snapshot), func() { s.refuses("Restore", s.restore(d.ID, snapshot), compute.ErrSnapshot) }},
		} {
			s.interrupt(at, step.call)
			s.reopen()
			s.must(fmt.Sprintf("%s after one %v", step.what, at), step.call)
			step.want()
		}
	}
	// A caller may also think better of it.
	s.write(d.ID, "home", "root")
	s.must("Snapshot", s.snapshot(d.ID, "last", true))
	s.interrupt(interruption{1, time.Minute}, s.restore(d.ID, "last"))
	s.must("Rebuild after an abandoned Restore", s.rebuilds(larger, ""))
	s.holds(d.ID, "home", "")
	s.interrupt(interruption{99, 50 * time.Millisecond}, s.rebuilds(larger, ""))
	s.must("Rebuild after an abandoned one", s.rebuilds(larger, "last"))
	s.holds(d.ID, "home", "")
	s.interrupt(interruption{99, 50 * time.Millisecond}, s.rebuilds(larger, ""))
	s.must("Delete after an abandoned Rebuild", s.destroy(d.ID))
	s.gone(d.ID)
}

// interruptedImages interrupts what makes images and removes them, and has a restarted
// Carrel finish it.
func (s *suite) interruptedImages() {
	d := s.desktop()
	s.must("Create", s.create(d))
	s.write(d.ID, "home", "root")
	for n, at := range append(earlyOrLate(), interruption{99, 700 * time.Millisecond}) {
		captured, made := s.image(), s.image()
		s.interrupt(at, s.captures(d.ID, captured))
		s.reopen()
		s.must(fmt.Sprintf("Capture after one %v", at), s.captures(d.ID, captured))
		s.holds(d.ID, "home", "root")

		source := []compute.ImageSource{{Image: captured}, {RootFS: s.RootFS}, {Image: captured, Update: true}}[n%3]
		s.interrupt(at, s.makeImage(made, source))
		s.reopen()
		s.must(fmt.Sprintf("MakeImage after one %v", at), s.makeImage(made, source))
		s.knows(made)
		for _, image := range []string{captured, made} {
			s.interrupt(at, s.deleteImage(image))
			s.reopen()
			s.must(fmt.Sprintf("DeleteImage after one %v", at), s.deleteImage(image))
			s.forgot(image)
		}
		s.interrupt(at, s.makeImage(made, source))
		s.must("DeleteImage after an abandoned MakeImage", s.deleteImage(made))
		s.forgot(made)
	}
	image := s.image()
	s.interrupt(interruption{1, time.Minute}, s.captures(d.ID, image))
	s.must("Stop after an abandoned Capture", s.stop(d.ID))
	s.stopped(d.ID)
	s.must("Capture of what was stopped", s.captures(d.ID, image))
	s.must("Start after Capture", s.start(d.ID))
	s.holds(d.ID, "home", "root")
	s.interrupt(interruption{99, 100 * time.Millisecond}, s.captures(d.ID, s.image()))
	s.must("Delete after an abandoned Capture", s.destroy(d.ID))
	s.gone(d.ID)
}
