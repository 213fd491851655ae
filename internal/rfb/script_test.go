package rfb_test

import (
	"bufio"
	"bytes"
	"image"
	"image/color"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"carrel/internal/rfb"
)

// script is a connection to somebody who sends the same bytes whatever they are
// told, and then hangs up.
type script struct {
	net.Conn // nil: whatever is not below is not called

	lines *bytes.Reader
}

func newScript(b []byte) script { return script{lines: bytes.NewReader(b)} }

func (s script) Read(b []byte) (int, error) { return s.lines.Read(b) }
func (script) Write(b []byte) (int, error)  { return len(b), nil }
func (script) Close() error                 { return nil }
func (script) SetDeadline(time.Time) error  { return nil }
func (s script) left() int                  { return s.lines.Len() }
func join(parts ...[]byte) []byte           { return bytes.Join(parts, nil) }
func uniform(size image.Point, c byte) *image.RGBA {
	return painted(size, func(int, int) byte { return c })
}

// painted returns a picture whose colours follow from a number for each pixel.
func painted(size image.Point, at func(x, y int) byte) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			c := at(x, y)
			img.SetRGBA(x, y, color.RGBA{c, 255 - c, c / 2, 255})
		}
	}
	return img
}

func gradient(size image.Point) *image.RGBA {
	return painted(size, func(x, y int) byte { return byte(3*x + 7*y) })
}

// viewer is the hand-driven client of a server under test.
type viewer struct {
	*testing.T

	conn net.Conn
	r    *bufio.Reader
	init rfb.ServerInit
}

// view has the server serve a viewer, who has shaken hands.
func view(t *testing.T, s *rfb.Server) *viewer {
	t.Helper()
	client, server := net.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(server) })
	t.Cleanup(func() { client.Close(); serving.Wait() })
	v := &viewer{T: t, conn: client, r: bufio.NewReader(client)}
	v.expect("RFB 003.008\n")
	v.write([]byte("RFB 003.008\n"))
	v.expect("\x01\x01")
	v.write([]byte{1})
	v.expect("\x00\x00\x00\x00")
	v.write([]byte{1})
	head := v.read(24)
	v.init = rfb.ServerInit{Size: image.Pt(int(head[0])<<8|int(head[1]), int(head[2])<<8|int(head[3]))}
	v.init.Name = string(v.read(int(head[23])))
	return v
}

func (v *viewer) write(b []byte) {
	v.Helper()
	if _, err := v.conn.Write(b); err != nil {
		v.Fatal(err)
	}
}

func (v *viewer) say(messages ...rfb.ClientMessage) {
	v.Helper()
	var b []byte
	for _, m := range messages {
		b = m.AppendClient(b)
	}
	v.write(b)
}

func (v *viewer) read(n int) []byte {
	v.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(v.r, b); err != nil {
		v.Fatal(err)
	}
	return b
}

func (v *viewer) expect(want string) {
	v.Helper()
	if got := v.read(len(want)); string(got) != want {
		v.Fatalf("the server sends %q, want %q", got, want)
	}
}

// update reads an update of at most one rectangle, with its bytes.
func (v *viewer) update(bytesPerPixel int) (rfb.RectangleHeader, []byte) {
	v.Helper()
	m, err := rfb.ReadServerMessage(v.r)
	if err != nil {
		v.Fatal(err)
	}
	u, ok := m.(rfb.Update)
	if !ok || u.Rectangles > 1 {
		v.Fatalf("the server sends %#v, want an update of one rectangle", m)
	}
	if u.Rectangles == 0 {
		return rfb.RectangleHeader{}, nil
	}
	h, err := rfb.ReadRectangleHeader(v.r)
	if err != nil {
		v.Fatal(err)
	}
	switch h.Encoding {
	case rfb.EncodingRaw:
		return h, v.read(h.Area.Dx() * h.Area.Dy() * bytesPerPixel)
	case rfb.EncodingExtendedDesktopSize:
		return h, v.read(4 + 16)
	}
	return h, nil
}
