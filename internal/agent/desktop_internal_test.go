package agent

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/clock"
)

// stage plays the processes of a desktop. Time is the test's own (synctest), so that waits are exact and free.
type stage struct {
	t       *testing.T
	desktop *desktop
	stop    context.CancelFunc
	ended   chan struct{}

	// mu is held by the desktop's calls. The test touches what follows only while the desktop rests, see after.
	mu                 sync.Mutex
	displays, sessions []*actor
	mute               bool  // new displays do not answer
	refuse             error // programs do not start at all
	stubborn           bool  // only SIGKILL ends what a session leaves behind
	leftovers          []int
	signals            []syscall.Signal
}

type actor struct {
	pid    int
	exited chan syscall.WaitStatus
	at     time.Time
}

// exit ends the program, and lets everything happen that follows at once.
func (a *actor) exit() {
	a.exited <- 0
	synctest.Wait()
}

func newStage(t *testing.T) *stage {
	t.Helper()
	timekeeper := clock.New()
	s := &stage{t: t, ended: make(chan struct{})}
	prepared := make(chan struct{})
	close(prepared)
	s.desktop = &desktop{
		clock:    timekeeper,
		log:      slog.New(slog.DiscardHandler),
		board:    &statusBoard{path: filepath.Join(t.TempDir(), "status.json"), clock: timekeeper},
		prepared: prepared,
		startDisplay: func() (*process, <-chan struct{}, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			ready := make(chan struct{})
			if !s.mute {
				close(ready)
			}
			display, err := s.start(&s.displays, 100)
			return display, ready, err
		},
		startSession: func() (*process, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.start(&s.sessions, 200)
		},
		userPIDs: func(except int) []int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.DeleteFunc(slices.Clone(s.leftovers), func(pid int) bool { return pid == except })
		},
		kill: func(pid int, signal syscall.Signal) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.signals = append(s.signals, signal)
			if signal == syscall.SIGKILL || !s.stubborn {
				s.leftovers = slices.DeleteFunc(s.leftovers, func(left int) bool { return left == pid })
			}
			for _, display := range s.displays {
				if display.pid == pid && signal == syscall.SIGKILL {
					display.exited <- syscall.WaitStatus(syscall.SIGKILL)
				}
			}
			return nil
		},
	}
	return s
}

func (s *stage) start(list *[]*actor, base int) (*process, error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	a := &actor{pid: base + len(*list), exited: make(chan syscall.WaitStatus, 1), at: time.Now()}
	*list = append(*list, a)
	return &process{pid: a.pid, exited: a.exited}, nil
}

func (s *stage) run() {
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop = stop
	go func() {
		defer close(s.ended)
		s.desktop.run(ctx)
	}()
	synctest.Wait()
}

// after lets time pass, and everything happen that is due until then.
func (s *stage) after(d time.Duration) {
	s.mu.Lock()   // what the test did so far comes before what the desktop does next
	s.mu.Unlock() //nolint:staticcheck // an empty critical section, for its order alone
	time.Sleep(d)
	synctest.Wait()
}

func (s *stage) status() Status {
	synctest.Wait()
	return s.desktop.board.status
}

func (s *stage) end() {
	s.stop()
	<-s.ended
}

func TestDesktopRunsADisplayAndASession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		defer s.end()
		want := Status{Phase: PhaseReady, Since: time.Now().UTC(), Display: Program{PID: 100}, Session: Program{PID: 200}}
		if got := s.status(); got != want {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
}

func TestSigningOutBeginsTheNextSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		defer s.end()
		s.after(time.Hour)
		s.leftovers = []int{100, 300}
		s.sessions[0].exit()
		s.after(time.Second)
		if got := s.status(); got.Session != (Program{PID: 201, Restarts: 1, LastExit: "exited with code 0"}) {
			t.Errorf("session %+v", got.Session)
		}
		if !slices.Equal(s.leftovers, []int{100}) {
			t.Errorf("left are %v, want the display alone", s.leftovers)
		}
		if len(s.displays) != 1 {
			t.Error("the display was restarted")
		}
	})
}

// TestWhatIsASignOut ends sessions in all ways.
func TestWhatIsASignOut(t *testing.T) {
	t.Parallel()
	const crashed, failed = syscall.WaitStatus(syscall.SIGSEGV), syscall.WaitStatus(1 << 8)
	for name, c := range map[string]struct {
		after  time.Duration
		how    syscall.WaitStatus
		screen bool // it is the display that ends
		want   int
	}{
		"signed out":          {after: time.Minute, want: 1},
		"crashed":             {after: time.Minute, how: crashed},
		"killed":              {after: time.Minute, how: syscall.WaitStatus(syscall.SIGKILL)},
		"failed":              {after: time.Minute, how: failed},
		"never begun":         {after: time.Second},
		"the display crashed": {after: time.Minute, how: crashed, screen: true},
		"the display ended":   {after: time.Minute, screen: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				s.run()
				defer s.end()
				s.after(c.after)
				who := s.sessions[0]
				if c.screen {
					who = s.displays[0]
				}
				who.exited <- c.how
				s.after(time.Minute)
				if got := s.status(); got.SignOuts != c.want || got.Session.PID == 0 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestSignOutsAreRead reads what the agent writes.
func TestSignOutsAreRead(t *testing.T) {
	t.Parallel()
	board := &statusBoard{path: filepath.Join(t.TempDir(), "status.json"), clock: clock.New()}
	who := signOuts{board.path}
	if err := who.AwaitSignOut(t.Context()); err == nil {
		t.Error("there is no status, and a sign-out")
	}
	board.update(func(s *Status) { s.Phase = PhaseReady })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := who.AwaitSignOut(over); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody has signed out: %v", err)
	}
	board.update(func(s *Status) { s.SignOuts++ })
	if err := who.AwaitSignOut(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIgnoresSIGTERMIsKilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		defer s.end()
		s.stubborn = true
		s.leftovers = []int{300}
		s.sessions[0].exit()
		s.after(clearDeadline + time.Second)
		if len(s.leftovers) != 0 || s.signals[0] != syscall.SIGTERM || s.signals[len(s.signals)-1] != syscall.SIGKILL {
			t.Errorf("left are %v after signals %v", s.leftovers, s.signals)
		}
		if len(s.sessions) != 2 {
			t.Errorf("%d sessions, want a second", len(s.sessions))
		}
	})
}

func TestADeadDisplayTakesItsSessionAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		defer s.end()
		s.after(time.Hour)
		s.leftovers = []int{200, 300}
		s.displays[0].exit()
		if got := s.status(); got.Phase != PhaseStarting || got.Display.PID != 0 || got.Session.PID != 0 {
			t.Errorf("right after its death: %+v", got)
		}
		s.after(time.Second)
		got := s.status()
		if got.Phase != PhaseReady || got.Display.PID != 101 || got.Session.PID != 201 || got.Session.Restarts != 1 {
			t.Errorf("a second later: %+v", got)
		}
		if len(s.leftovers) != 0 {
			t.Errorf("left are %v", s.leftovers)
		}
	})
}

func TestADisplayThatNeverAnswersIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.mute = true
		s.run()
		defer s.end()
		if got := s.status(); got.Phase == PhaseReady || len(s.sessions) != 0 {
			t.Errorf("a session on a mute display: %+v", got)
		}
		s.mute = false
		s.after(displayDeadline + time.Second)
		if got := s.status(); got.Phase != PhaseReady || got.Display.PID != 101 {
			t.Errorf("after the deadline: %+v", got)
		}
	})
}

func TestASessionThatKeepsDyingIsTriedEverMoreSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		defer s.end()
		for range 8 {
			s.sessions[len(s.sessions)-1].exit()
			s.after(longestWait + time.Second)
		}
		var waits []time.Duration
		for i := 1; i < len(s.sessions); i++ {
			// Each died when its predecessor had run for the whole of the test's pause.
			waits = append(waits, s.sessions[i].at.Sub(s.sessions[0].at)-time.Duration(i-1)*(longestWait+time.Second))
		}
		want := []time.Duration{
			200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond,
			3200 * time.Millisecond, 6400 * time.Millisecond, longestWait, longestWait,
		}
		if !slices.Equal(waits, want) {
			t.Errorf("waits %v, want %v", waits, want)
		}
	})
}

func TestAProgramThatDoesNotStartIsReportedAndTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.refuse = errors.New("no such program")
		s.run()
		defer s.end()
		if got := s.status(); got.Error != "no such program" || got.Display.PID != 0 {
			t.Errorf("status %+v", got)
		}
		s.refuse = nil
		s.after(time.Second)
		if got := s.status(); got.Phase != PhaseReady {
			t.Errorf("status %+v", got)
		}
	})
}

func TestNoSessionBeforeThereIsAUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		prepared := make(chan struct{})
		s.desktop.prepared = prepared
		s.run()
		defer s.end()
		s.after(time.Minute)
		if got := s.status(); got.Phase != PhaseReady || len(s.sessions) != 0 {
			t.Errorf("status %+v, %d sessions", got, len(s.sessions))
		}
		close(prepared)
		if got := s.status(); got.Session.PID != 200 {
			t.Errorf("session %+v", got.Session)
		}
	})
}

func TestADesktopThatIsStoppedStartsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.run()
		s.end()
		s.sessions[0].exit()
		s.displays[0].exit()
		s.after(time.Minute)
		if len(s.displays) != 1 || len(s.sessions) != 1 {
			t.Errorf("%d displays, %d sessions", len(s.displays), len(s.sessions))
		}
	})
}
