package computetest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// about checks that an engine introduces itself and has the image to test with.
func (s *suite) about() {
	about, err := s.Driver.About(s.Context())
	if err != nil {
		s.Fatalf("About: %v", err)
	}
	if about.Name == "" || about.Version == "" || about.DesktopsRunning != 0 {
		s.Errorf("About = %+v, want a name, a version and no desktops running", about)
	}
	for _, image := range about.Images {
		if image.Name == s.Desktop.Image {
			return
		}
	}
	s.Errorf("About lists images %v, without %s", about.Images, s.Desktop.Image)
}

// missing checks what happens to a desktop that was never made.
func (s *suite) missing() {
	id := s.desktop().ID
	for what, f := range map[string]call{
		"Start": s.start(id), "Stop": s.stop(id), "Reboot": s.reboot(id),
		"Snapshot": s.snapshot(id, "s-1", true), "Restore": s.restore(id, "s-1"),
		"Rebuild": s.rebuilds(s.made[0], ""), "Resize": s.resizes(s.made[0]), "Capture": s.captures(id, s.image()),
	} {
		s.refuses(what+" of a missing desktop", f, compute.ErrNotFound)
	}
	s.dialRefuses(id, compute.ErrNotFound)
	s.mustTwice("Delete of a missing desktop", s.destroy(id))
	s.mustTwice("DropSnapshot of a missing desktop", s.drop(id, "s-1"))
	s.mustTwice("DeleteImage of a missing image", s.deleteImage(s.image()))
	if got := s.list(); len(got) > 0 {
		s.Errorf("what was asked of a missing desktop left %v", got)
	}
}

// refused checks that what cannot be made is refused, and that Delete removes
// whatever the attempt left.
func (s *suite) refused() {
	unknown, outside, nameless := s.desktop(), s.desktop(), s.desktop()
	unknown.Image = "carrel/no-such-image"
	outside.Address = netip.MustParseAddr("192.0.2.1")
	nameless.ID = ""
	for _, refusal := range []struct {
		what    string
		desktop compute.Desktop
		want    error
	}{
		{"an unknown image", unknown, compute.ErrImage},
		{"an address outside of the subnet", outside, compute.ErrInvalid},
		{"no id", nameless, compute.ErrInvalid},
	} {
		for range 2 {
			s.refuses("Create with "+refusal.what, s.create(refusal.desktop), refusal.want)
		}
	}
	s.must("Delete after a refused Create", s.destroy(unknown.ID))
	s.must("Delete after a refused Create", s.destroy(outside.ID))
	if got := s.list(); len(got) > 0 {
		s.Errorf("refused desktops left %v", got)
	}
}

// life walks one desktop through its whole life, with everything done twice and
// Carrel restarted on the way.
func (s *suite) life() {
	d := s.desktop()
	s.must("Create", s.create(d))
	s.answers(d.ID)
	if s.Address != nil {
		if got := s.Address(s.T, d.ID); got != d.Address {
			s.Errorf("the desktop has address %v, want %v", got, d.Address)
		}
	}
	s.home(d)

	// A call that has nothing to do must not disturb who is looking at the screen.
	held := s.dial(d.ID)
	s.must("Create, called twice", s.create(d))
	s.must("Start of a running desktop", s.start(d.ID))
	if err := rfb.Greeting(s.Context(), held); err != nil {
		s.Errorf("a stream that was open during Create and Start: %v", err)
	}

	s.mustTwice("Stop", s.stop(d.ID))
	s.stopped(d.ID)
	s.ends(held)
	s.reopen()
	s.stopped(d.ID)

	s.mustTwice("Start", s.start(d.ID))
	s.answers(d.ID)
	s.reopen()
	s.answers(d.ID)

	held = s.dial(d.ID)
	s.must("Reboot", s.reboot(d.ID))
	s.ends(held)
	s.answers(d.ID)
	s.must("Reboot, called twice", s.reboot(d.ID))
	s.answers(d.ID)

	held = s.dial(d.ID)
	s.mustTwice("Delete", s.destroy(d.ID))
	s.ends(held)
	s.gone(d.ID)
	s.reopen()
	s.gone(d.ID)

	s.must("Create after Delete", s.create(d))
	s.answers(d.ID)
	s.must("Stop", s.stop(d.ID))
	s.must("Delete of a stopped desktop", s.destroy(d.ID))
	s.gone(d.ID)
}

// screen checks that a desktop whose screen died is told from one that answers, and
// that Reboot mends it.
func (s *suite) screen() {
	if s.KillScreen == nil {
		s.Skip("the harness cannot kill a screen")
	}
	d := s.desktop()
	s.must("Create", s.create(d))
	s.KillScreen(s.T, d.ID)
	ctx, cancel := context.WithTimeout(s.Context(), noticeable)
	defer cancel()
	err := Wait(ctx, s.Clock, func(ctx context.Context) (again time.Time, err error) {
		machines, err := s.Driver.List(ctx)
		if slices.ContainsFunc(machines, func(m compute.Machine) bool { return m.Answers }) {
			again = s.Clock.Now().Add(50 * time.Millisecond)
		}
		return again, err
	})
	if err != nil {
		s.Fatalf("List says that a killed screen answers: %v", err)
	}
	if m := s.machine(d.ID); !m.Running || !m.Whole || m.Detail == "" {
		s.Errorf("List says %+v, want it running, whole and what is wrong with it", m)
	}
	s.must("Reboot", s.reboot(d.ID))
	s.answers(d.ID)
}

// home checks that the user volume takes what fits and refuses what does not.
func (s *suite) home(d compute.Desktop) {
	about, err := s.Driver.About(s.Context())
	if err != nil {
		s.Fatalf("About: %v", err)
	}
	if s.FillHome == nil || !about.SizesEnforced {
		return
	}
	size := int64(d.UserGiB) << 30
	if err := s.FillHome(s.T, d.ID, size/10); err != nil {
		s.Errorf("writing a tenth of the user volume: %v", err)
	}
	if err := s.FillHome(s.T, d.ID, size+size/2); err == nil {
		s.Errorf("a user volume of %d GiB took half as much again", d.UserGiB)
	}
	if err := s.FillHome(s.T, d.ID, 0); err != nil {
		s.Fatalf("emptying the user volume: %v", err)
	}
}

// stopped fails the test unless the desktop is there and does not run.
func (s *suite) stopped(id string) {
	s.Helper()
	if m := s.machine(id); m.Running || m.Answers || !m.Whole {
		s.Fatalf("List says %+v, want it whole and not running", m)
	}
	s.dialRefuses(id, compute.ErrNotRunning)
}

// gone fails the test unless nothing is left of the desktop.
func (s *suite) gone(id string) {
	s.Helper()
	for _, m := range s.list() {
		if m.ID == id {
			s.Fatalf("List still has %+v", m)
		}
	}
	s.dialRefuses(id, compute.ErrNotFound)
}

func (s *suite) dialRefuses(id string, want error) {
	s.Helper()
	for what, dial := range map[string]func(context.Context, string) (net.Conn, error){
		"Dial": s.Driver.Dial, "DialSide": s.Driver.DialSide,
	} {
		conn, err := dial(s.Context(), id)
		if err == nil {
			_ = conn.Close()
		}
		if !errors.Is(err, want) {
			s.Errorf("%s(%s): %v, want %v", what, id, err, want)
		}
	}
}

// ends fails the test unless the stream ends, after whatever is still in it.
func (s *suite) ends(stream net.Conn) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), noticeable)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })()
	buf := make([]byte, 512)
	for {
		if _, err := stream.Read(buf); err != nil {
			break
		}
	}
	if ctx.Err() != nil {
		s.Errorf("the stream of a desktop that does not run any more is still open")
	}
}
