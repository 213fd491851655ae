package side

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"carrel/internal/sidechannel"
)

const (
	// blockBytes is what the sound server writes at once: a page, 21 ms.
	blockBytes = 4096
	// pause is how much silence is passed on before it counts as such, so that music does not break up at its rests.
	pause = sidechannel.SecondBytes / 2
	// backlog is how many blocks wait for a listener, about 0.2 s. One that is slower than sound loses some.
	backlog = 10
)

// Sound is what the desktop's sound server plays into a named pipe, in the protocol's format. The server writes while
// something plays, whether or not anybody reads, and need not run: programs start it when they have something to play.
type Sound struct {
	path string

	mu        sync.Mutex
	pipe      *os.File // nil while nobody listens
	listeners map[*listener]struct{}
}

// OpenSound returns the sound of the user whose XDG_RUNTIME_DIR is given. The pipe lies where PulseAudio looks for it.
func OpenSound(runtimeDir string) *Sound {
	return &Sound{path: filepath.Join(runtimeDir, "pulse", "carrel-sound"), listeners: make(map[*listener]struct{})}
}

// Listen implements [sidechannel.Sound].
func (s *Sound) Listen(ctx context.Context) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe == nil {
		pipe, err := openPipe(s.path)
		if err != nil {
			return nil, fmt.Errorf("sound: %w", err)
		}
		s.pipe = pipe
		go s.play(pipe)
	}
	l := &listener{sound: s, ended: ctx.Done(), blocks: make(chan []byte, backlog)}
	s.listeners[l] = struct{}{}
	return l, nil
}

// Close ends the sound for all.
func (s *Sound) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		s.leave(l)
	}
}

// leave is called with the lock held.
func (s *Sound) leave(l *listener) {
	if _, there := s.listeners[l]; !there {
		return
	}
	delete(s.listeners, l)
	close(l.blocks)
	if len(s.listeners) == 0 {
		_ = s.pipe.Close()
		s.pipe = nil
	}
}

// play hands the pipe's blocks to all listeners until the pipe is closed.
func (s *Sound) play(pipe *os.File) {
	silence := pause + 1 // until something is to be heard
	for {
		block := make([]byte, blockBytes)
		n, err := pipe.Read(block)
		if err != nil {
			return
		}
		block = block[:n]
		if silent(block) {
			silence += n
		} else {
			silence = 0
		}
		if silence <= pause {
			s.hand(pipe, block)
		}
	}
}

func (s *Sound) hand(pipe *os.File, block []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe != pipe {
		return // these listeners have not heard the last of it, but of another
	}
	for l := range s.listeners {
		select {
		case l.blocks <- block:
		default:
		}
	}
}

func silent(block []byte) bool {
	for _, b := range block {
		if b != 0 {
			return false
		}
	}
	return true
}

type listener struct {
	sound  *Sound
	ended  <-chan struct{}
	blocks chan []byte
	rest   []byte
}

// Read waits for something to be heard. The end of the context, or of the sound, is the end.
func (l *listener) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		select {
		case block, more := <-l.blocks:
			if !more {
				return 0, io.EOF
			}
			l.rest = block
		case <-l.ended:
			return 0, io.EOF
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *listener) Close() error {
	l.sound.mu.Lock()
	defer l.sound.mu.Unlock()
	l.sound.leave(l)
	return nil
}

// openPipe opens the named pipe, which it makes where it is missing, and throws away what was played while nobody
// listened. It opens the other end as well, so that a sound server that ends is no end of the sound.
func openPipe(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, &os.PathError{Op: "make pipe", Path: path, Err: err}
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	pipe := os.NewFile(uintptr(fd), path)
	info, err := pipe.Stat()
	if err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		return nil, errors.Join(fmt.Errorf("%s is not a named pipe", path), err, pipe.Close())
	}
	stale := make([]byte, 16*blockBytes)
	for n := 1; n > 0; {
		n, _ = unix.Read(fd, stale)
	}
	return pipe, nil
}
