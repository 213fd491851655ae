package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"carrel/internal/cli"
)

// screen is a terminal with somebody in front of it.
type screen struct {
	inner *os.File // what a program is given
	outer *os.File // the person's side
	mu    sync.Mutex
	shown bytes.Buffer
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	must(t, err)
	descriptor := int(outer.Fd())
	must(t, unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(descriptor, unix.TIOCGPTN)
	must(t, err)
	inner, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	must(t, unix.IoctlSetWinsize(descriptor, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}))
	s := &screen{inner: inner, outer: outer}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := outer.Read(buffer)
			if err != nil {
				return // the terminal is gone
			}
			s.mu.Lock()
			s.shown.Write(buffer[:n])
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		must(t, inner.Close())
		<-read
		must(t, outer.Close())
	})
	return s
}

// sees returns when the text is on the screen.
func (s *screen) sees(t *testing.T, text string) {
	t.Helper()
	for range 3000 {
		if strings.Contains(s.all(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the screen does not show %q: %q", text, s.all())
}

// asks returns when a question is on the screen and its answer would not be shown.
func (s *screen) asks(t *testing.T, question string) {
	t.Helper()
	s.sees(t, question)
	for range 3000 {
		state, err := unix.IoctlGetTermios(int(s.inner.Fd()), unix.TCGETS)
		must(t, err)
		if state.Lflag&unix.ECHO == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the terminal shows the answer to %q", question)
}

func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *screen) types(t *testing.T, keys string) {
	t.Helper()
	_, err := s.outer.WriteString(keys)
	must(t, err)
}

// at runs a command at the screen, while somebody does something there, and fails the test
// unless the terminal is as it was before.
func (s *screen) at(t *testing.T, somebody func(), args ...string) (code int) {
	t.Helper()
	before, err := term.GetState(int(s.inner.Fd()))
	must(t, err)
	ended := make(chan int)
	go func() {
		parts := cli.Parts{Env: []string{"TERM=xterm-256color"}, In: s.inner, Out: s.inner, Err: s.inner}
		ended <- cli.Run(context.WithoutCancel(t.Context()), parts, args)
	}()
	somebody()
	code = <-ended
	after, err := term.GetState(int(s.inner.Fd()))
	must(t, err)
	if *before != *after {
		t.Errorf("the terminal is left as %+v, was %+v", *after, *before)
	}
	return code
}

func TestWatchIsALiveTableThatQEnds(t *testing.T) {
	t.Parallel()
	s := startSlowServer(t, time.Second)
	id := s.create(t, s.quickstart(t)["directory_id"], "jane")
	screen := newScreen(t)
	code := screen.at(t, func() {
		screen.sees(t, "WorkSpaces at "+s.http.URL+": 1")
		screen.sees(t, "0 of 1 done")
		screen.sees(t, id)
		screen.sees(t, "AVAILABLE   0:0")
		screen.types(t, "q")
	}, "watch", "--data", s.folder.Path)
	if code != cli.ExitOK {
		t.Errorf("got exit code %d", code)
	}
	screen.sees(t, "\x1b[?1049l") // back from the alternate screen
}

func TestCtrlCEndsWatchToo(t *testing.T) {
	t.Parallel()
	s, screen := startServer(t), newScreen(t)
	code := screen.at(t, func() {
		screen.sees(t, ": 0 ")
		screen.types(t, "\x03")
	}, "watch", "--data", s.folder.Path)
	if code != cli.ExitOK {
		t.Errorf("got exit code %d", code)
	}
}

func TestAPasswordIsAskedForTwiceAndNotShown(t *testing.T) {
	t.Parallel()
	s, screen := startServer(t), newScreen(t)
	id := s.quickstart(t)["directory_id"]
	code := screen.at(t, func() {
		screen.asks(t, "Password of jane: ")
		screen.types(t, "Typed-by-h4nd\r")
		screen.asks(t, "The same again: ")
		screen.types(t, "Typed-by-h4nd\r")
	}, "user", "passwd", "jane", "--password-stdin", "--data", s.folder.Path)
	if code != cli.ExitOK || !s.signsIn(t, id, "jane", "Typed-by-h4nd") {
		t.Errorf("got exit code %d and %q", code, screen.all())
	}
	if strings.Contains(screen.all(), "Typed-by-h4nd") {
		t.Error("the password was shown")
	}
}

func TestTwoPasswordsThatDifferChangeNothing(t *testing.T) {
	t.Parallel()
	s, screen := startServer(t), newScreen(t)
	s.quickstart(t)
	code := screen.at(t, func() {
		screen.asks(t, "Password of john: ")
		screen.types(t, "Typed-by-h4nd\r")
		screen.asks(t, "The same again: ")
		screen.types(t, "Typed-by-hand\r")
	}, "user", "add", "john", "--password-stdin", "--data", s.folder.Path)
	if code != cli.ExitFailure {
		t.Errorf("got exit code %d", code)
	}
	screen.sees(t, "the two passwords differ; nothing has been changed")
}

func TestATerminalShowsProgressAndNoPictures(t *testing.T) {
	t.Parallel()
	s, screen := startServer(t), newScreen(t)
	if code := screen.at(t, func() {}, "directory", "quickstart", "--data", s.folder.Path); code != cli.ExitOK {
		t.Errorf("got exit code %d", code)
	}
	screen.sees(t, "⠋ waiting for the directory carrel.internal  0:00")
	screen.sees(t, "\r\x1b[K") // and takes it away again
	if code := screen.at(t, func() {}, "screen", "ws-0", "-", "--data", s.folder.Path); code != cli.ExitUsage {
		t.Errorf("got exit code %d", code)
	}
}
