package stream_test

import (
	"context"
	"image"
	"io"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway/stream"
	"carrel/internal/rfb"
)

// TestNonsense lets either side break the protocol in the ways that end the stream, and
// nothing else.
func TestNonsense(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desktop func(conn net.Conn)
		tab     func(x *tab)
		code    websocket.StatusCode
		says    string
	}{
		"the tab sends no RFB": {tab: func(x *tab) { x.write([]byte{99}) }, code: 1008, says: "does not speak"},
		"the tab sends text": {tab: func(x *tab) {
			_ = x.ws.Write(context.Background(), websocket.MessageText, []byte("hello"))
		}, code: 1008, says: "does not speak"},
		"the tab sends a message without end": {tab: func(x *tab) {
			w, err := x.ws.Writer(context.Background(), websocket.MessageBinary)
			for err == nil {
				_, err = w.Write(make([]byte, 32<<10)) // a pixel format, again and again
			}
		}, code: 1008, says: "does not speak"},
		"the desktop sends no RFB": {desktop: func(conn net.Conn) { _, _ = conn.Write([]byte{99}); swallow(conn) }, code: 1013, says: "does not speak"},
		"the desktop leaves":       {desktop: func(net.Conn) {}, code: 1013, says: "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h *house
			if c.desktop != nil {
				h = open(t, speaks(nil, c.desktop))
			} else {
				h = open(t)
			}
			x := h.listen("")
			if c.tab != nil {
				c.tab(x)
			}
			x.ends(c.code, c.says)
			h.await("the end", func() bool { return len(h.Visits()) == 0 })
		})
	}
}

// A desktop's own handshake is not the tab's: what it wants of a user, nobody hears.
func TestDesktopsThatDoNotShakeHands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says string
		want string
	}{
		"a web server":     {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak"},
		"a password":       {"RFB 003.008\n\x01\x02", "does not speak"},
		"a plain password": {"RFB 003.008\n\x01\x13", "does not speak"},
		"a refusal":        {"RFB 003.008\n\x00\x00\x00\x00\x02no", "does not speak"},
		"an endless name":  {"RFB 003.008\n\x01\x01\x00\x00\x00\x00" + string(make([]byte, 20)) + "\xff\xff\xff\xff", "does not speak"},
		"silence":          {"", "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(config *stream.Config) {
				config.Driver = scripted{config.Driver, func(conn net.Conn) {
					go swallow(conn)
					_, _ = io.WriteString(conn, c.says)
					if c.says == "" {
						conn.Close()
					}
				}}
			})
			h.refuses("", 1013, c.want)
		})
	}
}

// TestDeadLine has tabs that go without a word: one that neither says nor answers anything,
// and one that takes nothing.
func TestDeadLine(t *testing.T) {
	t.Parallel()
	quick := func(c *stream.Config) { c.KeepAlive = 50 * time.Millisecond }
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		h := open(t, quick)
		h.dial("") // reads nothing, so answers no ping
		h.await("it is carried", func() bool { return h.saw(stream.Succeeded) == 1 })
		h.await("it is given up", func() bool { return len(h.Visits()) == 0 })
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		flood := rfb.Update{Rectangles: 1}.AppendServer(nil)
		flood = rfb.RectangleHeader{Area: image.Rect(0, 0, 10_000, 10_000)}.Append(flood)
		h := open(t, quick, speaks(flood, func(conn net.Conn) {
			go swallow(conn)
			_, _ = io.Copy(conn, zeros{})
		}))
		ws := h.dial("")
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte("RFB 003.008\n\x01\x01")); err != nil {
			t.Fatal(err)
		}
		h.await("it is carried", func() bool { return h.saw(stream.Succeeded) == 1 })
		h.await("it is given up", func() bool { return len(h.Visits()) == 0 })
		h.await("the note", func() bool { return !h.connection().Connected })
	})
	t.Run("well", func(t *testing.T) {
		t.Parallel()
		h := open(t, func(c *stream.Config) { c.KeepAlive = 500 * time.Millisecond })
		x := h.visit("")
		h.await("it has answered", func() bool { return h.saw(stream.Answered) > 3 })
		h.alive(x)
	})
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestDesktopThatTakesNothing is one that has stopped reading.
func TestDesktopThatTakesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *stream.Config) { c.KeepAlive = 300 * time.Millisecond }, speaks(nil, func(net.Conn) { <-t.Context().Done() }))
	x := h.listen("")
	x.say(rfb.KeyEvent{Key: 'x'})
	x.ends(1013, "does not answer")
}
