package agent

import (
	"context"
	"log/slog"
	"syscall"
	"time"

	"carrel/internal/clock"
)

const (
	// displayDeadline is how long an X server may take to answer before it counts as dead.
	displayDeadline = 30 * time.Second
	// clearDeadline is how long the programs of an ended session may take to leave before they are killed.
	clearDeadline = 3 * time.Second
	pollInterval  = 20 * time.Millisecond
	// soonest is how soon a user can have signed out. A session that is over before has something wrong with it.
	soonest = 2 * time.Second
)

// desktop keeps one display running and, on it, one session after another. Signing out ends a session and begins the
// next; a display that dies takes the session with it, whose programs have lost their screen.
type desktop struct {
	clock *clock.Clock
	log   *slog.Logger
	board *statusBoard

	// startDisplay returns a channel that is closed once the display answers.
	startDisplay func() (display *process, ready <-chan struct{}, err error)
	startSession func() (*process, error)
	// prepared is closed when there is a user to run sessions for. The display does not wait for it.
	prepared <-chan struct{}
	// userPIDs lists the user's processes, except one.
	userPIDs func(except int) []int
	kill     func(pid int, signal syscall.Signal) error
}

// run returns when ctx ends, and leaves whatever runs then to the caller.
func (d *desktop) run(ctx context.Context) {
	var deaths backoff
	for ctx.Err() == nil {
		begun := d.clock.Now()
		d.runDisplay(ctx)
		if ctx.Err() != nil {
			return
		}
		d.clear(ctx, 0)
		_ = d.clock.Sleep(ctx, deaths.after(d.clock.Now().Sub(begun)))
	}
}

// runDisplay lives as long as one X server.
func (d *desktop) runDisplay(ctx context.Context) {
	display, ready, err := d.startDisplay()
	if err != nil {
		d.log.Error("display does not start", "error", err)
		d.board.update(func(s *Status) { s.Error = err.Error(); s.Display.exited(err.Error()) })
		return
	}
	d.board.update(func(s *Status) { s.Display.started(display.pid) })

	sessions, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if d.awaitDisplay(sessions, display, ready) {
			d.runSessions(sessions, display.pid)
		}
	}()
	defer func() { end(); <-ended }()

	select {
	case status := <-display.exited:
		how := describeExit(status)
		d.log.Warn("display ended", "how", how)
		d.board.update(func(s *Status) {
			s.Phase = PhaseStarting
			s.Error = "display: " + how
			s.Display.exited(how)
			s.Session.exited("lost its display")
		})
	case <-ctx.Done():
	}
}

// awaitDisplay reports whether the display came to answer. One that does not is killed, so that the next can try.
func (d *desktop) awaitDisplay(ctx context.Context, display *process, ready <-chan struct{}) bool {
	late, cancel := context.WithCancel(ctx)
	defer cancel()
	timeout := make(chan struct{})
	go func() {
		if d.clock.Sleep(late, displayDeadline) == nil {
			close(timeout)
		}
	}()
	select {
	case <-ready:
		d.board.update(func(s *Status) { s.Phase = PhaseReady })
		return true
	case <-timeout:
		d.log.Error("display does not answer", "deadline", displayDeadline)
		_ = d.kill(display.pid, syscall.SIGKILL)
	case <-ctx.Done():
	}
	return false
}

// runSessions runs one session after another until ctx ends.
func (d *desktop) runSessions(ctx context.Context, display int) {
	select {
	case <-d.prepared:
	case <-ctx.Done():
		return
	}
	var deaths backoff
	for ctx.Err() == nil {
		begun := d.clock.Now()
		d.runSession(ctx)
		if ctx.Err() != nil {
			return
		}
		d.clear(ctx, display)
		_ = d.clock.Sleep(ctx, deaths.after(d.clock.Now().Sub(begun)))
	}
}

func (d *desktop) runSession(ctx context.Context) {
	session, err := d.startSession()
	if err != nil {
		d.log.Error("session does not start", "error", err)
		d.board.update(func(s *Status) { s.Error = err.Error(); s.Session.exited(err.Error()) })
		return
	}
	begun := d.clock.Now()
	d.board.update(func(s *Status) { s.Session.started(session.pid) })
	select {
	case status := <-session.exited:
		how := describeExit(status)
		left := isSignOut(status, d.clock.Now().Sub(begun))
		d.log.Info("session ended", "how", how, "signed out", left)
		d.board.update(func(s *Status) {
			s.Session.exited(how)
			if left {
				s.SignOuts++
			}
		})
	case <-ctx.Done():
	}
}

// isSignOut reports whether a session ended because its user signed out. A session says so by its exit: one that
// has crashed, was killed or has lost its display exits with a signal or a code.
func isSignOut(status syscall.WaitStatus, lasted time.Duration) bool {
	return status.Exited() && status.ExitStatus() == 0 && lasted >= soonest
}

// clear ends all of the user's processes except one: what an ended session leaves would show up in the next.
func (d *desktop) clear(ctx context.Context, except int) {
	deadline := d.clock.Now().Add(clearDeadline)
	signal := syscall.SIGTERM
	for pids := d.userPIDs(except); len(pids) > 0 && ctx.Err() == nil; pids = d.userPIDs(except) {
		if d.clock.Now().After(deadline) {
			signal = syscall.SIGKILL
		}
		for _, pid := range pids {
			_ = d.kill(pid, signal)
		}
		_ = d.clock.Sleep(ctx, pollInterval)
	}
}
