package computetest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// suite is one part of the suite at work on one harness.
type suite struct {
	*testing.T
	Harness

	made  []compute.Desktop // all that this part has named, made or not
	named int               // how many names of images it has given
}

func newSuite(t *testing.T, h Harness) *suite {
	t.Helper()
	s := &suite{T: t, Harness: h}
	if got := s.list(); len(got) > 0 {
		t.Fatalf("the engine to test on has desktops: %v", got)
	}
	return s
}

// desktop describes a desktop that the part has not used yet.
func (s *suite) desktop() compute.Desktop {
	n := len(s.made)
	d := s.Desktop
	// The same part always uses the same ids, and each part its own: what an engine
	// draws by id is drawn alike in every run.
	sum := crc32.ChecksumIEEE([]byte(s.Name()))
	d.ID = fmt.Sprintf("ws-%06x%03d", sum&0xffffff, n)
	d.ComputerName = fmt.Sprintf("A-1%08x%04d", sum, n)
	d.Address = d.Subnet.Prefix.Masked().Addr()
	for range 10 + n {
		d.Address = d.Address.Next()
	}
	d.User = compute.User{Name: fmt.Sprintf("user%d", n), FullName: fmt.Sprintf("User Number %d", n)}
	s.made = append(s.made, d)
	return d
}

// image returns the name of an image that the part has not used yet.
func (s *suite) image() string {
	s.named++
	return s.imageName(s.named)
}

func (s *suite) imageName(n int) string {
	// Engines share images: the subnet tells runs apart.
	sum := crc32.ChecksumIEEE([]byte(s.Name() + s.Desktop.Subnet.ID))
	return fmt.Sprintf("carrel/suite-%08x-%d", sum, n)
}

// sweep removes the part's desktops and images, whatever state a failure left them in,
// and sees that nothing is left.
func (s *suite) sweep() {
	for _, d := range s.made {
		if err := s.finish(s.destroy(d.ID)); err != nil {
			s.Errorf("Delete(%s) at the end: %v", d.ID, err)
		}
	}
	for n := range s.named {
		if err := s.finish(s.deleteImage(s.imageName(n + 1))); err != nil {
			s.Errorf("DeleteImage(%s) at the end: %v", s.imageName(n+1), err)
		}
	}
	left, err := s.Driver.List(s.Context())
	if err != nil || len(left) > 0 {
		s.Errorf("at the end List = %v, %v; want no desktops", left, err)
	}
}

// call is one of a driver's methods with its arguments bound.
type call func(context.Context) (time.Time, error)

func on(id string, method func(context.Context, string) (time.Time, error)) call {
	return func(ctx context.Context) (time.Time, error) { return method(ctx, id) }
}

func (s *suite) create(d compute.Desktop) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Create(ctx, d) }
}

func (s *suite) start(id string) call   { return on(id, s.Driver.Start) }
func (s *suite) stop(id string) call    { return on(id, s.Driver.Stop) }
func (s *suite) reboot(id string) call  { return on(id, s.Driver.Reboot) }
func (s *suite) destroy(id string) call { return on(id, s.Driver.Delete) }

func (s *suite) snapshot(id, name string, root bool) call {
	return func(ctx context.Context) (time.Time, error) {
		return s.Driver.Snapshot(ctx, id, compute.Snapshot{Name: name, Root: root})
	}
}

func (s *suite) drop(id, name string) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.DropSnapshot(ctx, id, name) }
}

func (s *suite) rebuilds(d compute.Desktop, user string) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Rebuild(ctx, d, user) }
}

func (s *suite) receive(id string, from compute.Home) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Receive(ctx, id, from) }
}

func (s *suite) restore(id, name string) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Restore(ctx, id, name) }
}

func (s *suite) resizes(d compute.Desktop) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Resize(ctx, d) }
}

func (s *suite) captures(id, image string) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.Capture(ctx, id, image) }
}

func (s *suite) makeImage(name string, from compute.ImageSource) call {
	return func(ctx context.Context) (time.Time, error) { return s.Driver.MakeImage(ctx, name, from) }
}

func (s *suite) deleteImage(name string) call { return on(name, s.Driver.DeleteImage) }

func (s *suite) reopen() {
	s.Helper()
	s.Driver = s.Reopen(s.T)
}

// finish sees a call through to its end. It may be called from any goroutine.
func (s *suite) finish(f call) error {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	return Wait(ctx, s.Clock, f)
}

func (s *suite) must(what string, f call) {
	s.Helper()
	if err := s.finish(f); err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// mustTwice sees the call through, and once more, which has to succeed as well.
func (s *suite) mustTwice(what string, f call) {
	s.Helper()
	s.must(what, f)
	s.must(what+", called twice", f)
}

// refuses sees the call through to an error of the kind.
func (s *suite) refuses(what string, f call, want error) {
	s.Helper()
	if err := s.finish(f); !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (s *suite) list() []compute.Machine {
	s.Helper()
	machines, err := s.Driver.List(s.Context())
	if err != nil {
		s.Fatalf("List: %v", err)
	}
	return machines
}

// machine returns what List says of a desktop, which must be there once.
func (s *suite) machine(id string) compute.Machine {
	s.Helper()
	machines := slices.DeleteFunc(s.list(), func(m compute.Machine) bool { return m.ID != id })
	if len(machines) != 1 {
		s.Fatalf("List has %s %d times, want once", id, len(machines))
	}
	return machines[0]
}

// answers fails the test unless the desktop runs, is whole and greets.
func (s *suite) answers(id string) {
	s.Helper()
	if m := s.machine(id); !m.Running || !m.Whole || !m.Answers {
		s.Fatalf("List says %+v, want it running, whole and answering", m)
	}
	if err := s.greets(id); err != nil {
		s.Fatalf("screen of %s: %v", id, err)
	}
}

// greets dials the desktop and reads the greeting. It may be called from any goroutine.
func (s *suite) greets(id string) error {
	ctx, cancel := context.WithTimeout(s.Context(), noticeable)
	defer cancel()
	conn, err := s.Driver.Dial(ctx, id)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	return rfb.Greeting(ctx, conn)
}

// dial opens the stream of a desktop that must be running; the test's end closes it.
func (s *suite) dial(id string) net.Conn {
	s.Helper()
	conn, err := s.Driver.Dial(s.Context(), id)
	if err != nil {
		s.Fatalf("Dial(%s): %v", id, err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}
