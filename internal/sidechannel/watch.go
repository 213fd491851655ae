package sidechannel

import (
	"net"
	"sync/atomic"
	"time"
)

// watched is a connection that is closed once no byte has gone either way for a while: a desktop that takes a
// connection and then does nothing must not keep whoever asked.
type watched struct {
	net.Conn
	relaxed atomic.Bool
	timer   *time.Timer
}

func watch(conn net.Conn) *watched {
	w := &watched{Conn: conn}
	w.timer = time.AfterFunc(stall, func() {
		if !w.relaxed.Load() {
			_ = conn.Close()
		}
	})
	return w
}

// relax lets the connection be silent from now on.
func (w *watched) relax() {
	w.relaxed.Store(true)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.moved(n)
	return n, err
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.moved(n)
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	return w.Conn.Close()
}

func (w *watched) moved(bytes int) {
	if bytes > 0 && !w.relaxed.Load() {
		w.timer.Reset(stall)
	}
}
