package side

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"carrel/internal/sidechannel"
)

// headLimit is how long a caller may take to say what it wants.
const headLimit = 10 * time.Second

// Serve answers on a listener until the context ends, or until nobody has been connected for idle. What is under way when
// the context ends is cut off; a file that was on its way leaves nothing behind.
func Serve(ctx context.Context, listener net.Listener, home *Home, sound *Sound, session sidechannel.Session, idle time.Duration) error {
	defer sound.Close()
	server := &http.Server{Handler: sidechannel.Handler(home, sound, session), ReadHeaderTimeout: headLimit}
	alone := &attendance{idle: idle, leave: func() { _ = server.Shutdown(context.WithoutCancel(ctx)) }}
	alone.begin()
	server.ConnState = alone.note
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// attendance calls leave once nobody has been there for a while.
type attendance struct {
	idle  time.Duration
	leave func()

	mu    sync.Mutex
	there int
	timer *time.Timer
}

func (a *attendance) begin() { a.timer = time.AfterFunc(a.idle, a.leave) }

func (a *attendance) note(_ net.Conn, state http.ConnState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch state {
	case http.StateNew:
		a.there++
		a.timer.Stop()
	case http.StateClosed, http.StateHijacked:
		if a.there--; a.there == 0 {
			a.timer.Reset(a.idle)
		}
	case http.StateActive, http.StateIdle:
	}
}

// Inherited returns the listener that the agent hands over as descriptor 3. The agent keeps the socket, so that who
// connects while nobody serves waits for the next process.
func Inherited() (net.Listener, error) {
	file := os.NewFile(3, "side.sock")
	listener, err := net.FileListener(file)
	return listener, errors.Join(err, file.Close())
}
