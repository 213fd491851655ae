package stream

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// moment is a point in real time that goroutines share; zero until there was one.
type moment struct{ nanos atomic.Int64 }

func realTime() time.Time { return time.Now() } //nolint:forbidigo // how long bytes and silences last is no affair of the service's time

// now notes that the moment is now.
func (m *moment) now() { m.nanos.Store(realTime().UnixNano()) }

func (m *moment) never() { m.nanos.Store(0) }

// at returns the moment; false: there was none.
func (m *moment) at() (time.Time, bool) {
	n := m.nanos.Load()
	return time.Unix(0, n).UTC(), n != 0
}

// past reports whether there was the moment, longer ago than d.
func (m *moment) past(d time.Duration) bool {
	at, was := m.at()
	return was && realTime().Sub(at) > d
}

// tabSide reads what a tab sends as one stream of bytes, and sends each write as a message.
// Its calls have no context: the WebSocket is closed to end them, which costs a message
// nothing.
type tabSide struct {
	st      *stream
	message io.Reader // nil between two messages
}

// Read reads from the message that comes, or the next.
func (t *tabSide) Read(p []byte) (int, error) {
	for {
		if t.message == nil {
			kind, message, err := t.st.ws.Reader(context.Background())
			if err != nil {
				return 0, err //nolint:wrapcheck // the relay wraps it
			}
			if kind != websocket.MessageBinary {
				return 0, errText
			}
			t.message = message
		}
		n, err := t.message.Read(p)
		if errors.Is(err, io.EOF) {
			t.message, err = nil, nil
		}
		if n > 0 {
			t.st.tab.now()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends a message.
func (t *tabSide) Write(p []byte) (int, error) {
	t.st.writing.now()
	err := t.st.ws.Write(context.Background(), websocket.MessageBinary, p)
	t.st.writing.never()
	return len(p), err
}

// desktopSide is the connection to a desktop.
type desktopSide struct {
	st       *stream
	patience time.Duration // for a write
}

// Read reads what the desktop says.
func (d *desktopSide) Read(p []byte) (int, error) {
	n, err := d.st.desktop.Read(p)
	d.st.screen.now()
	return n, err //nolint:wrapcheck // the relay wraps it
}

// Write sends to the desktop.
func (d *desktopSide) Write(p []byte) (int, error) {
	if err := d.st.conn.SetWriteDeadline(realTime().Add(d.patience)); err != nil {
		return 0, err //nolint:wrapcheck // the relay wraps it
	}
	return d.st.conn.Write(p) //nolint:wrapcheck // the relay wraps it
}

// keepAlive ends the stream of a tab that has gone without a word: that neither answers nor
// says anything, or does not take what it is sent, for three times KeepAlive.
func (s *Streams) keepAlive(ctx context.Context, st *stream) {
	st.tab.now()
	for s.Real.Sleep(ctx, s.KeepAlive) == nil {
		began := s.Real.Now()
		answer, cancel := context.WithTimeout(ctx, 2*s.KeepAlive)
		err := st.ws.Ping(answer)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			st.tab.now()
			s.observe(st, Answered, s.Real.Now().Sub(began))
		case st.tab.past(2 * s.KeepAlive):
			st.end(lost(err))
			return
		}
		if st.writing.past(3 * s.KeepAlive) {
			st.end(lost(context.DeadlineExceeded))
			return
		}
	}
}

// pageMessage is a message of text for the page: one of the two.
type pageMessage struct {
	Viewers int    `json:"viewers,omitempty"` // how many tabs show the desktop, this one among them
	Warning string `json:"warning,omitempty"` // what its user has to know now, a sentence
}

// tellPage tells the page when another tab comes to share the desktop, or leaves, and what is to be warned of.
func (st *stream) tellPage(ctx context.Context) {
	for {
		var m pageMessage
		select {
		case <-ctx.Done():
			return
		case m.Viewers = <-st.viewers:
		case m.Warning = <-st.warnings:
		}
		text, _ := json.Marshal(m)                                                 // texts and numbers cannot fail
		if st.ws.Write(context.Background(), websocket.MessageText, text) != nil { //nolint:contextcheck // ends with the WebSocket
			return
		}
	}
}

// tell has the page told, instead of what it was to be told before.
func (st *stream) tell(tabs int) {
	select {
	case <-st.viewers:
	default:
	}
	st.viewers <- tabs // only the watch sends
}
