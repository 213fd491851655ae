package rfb

import (
	"io"
	"sync/atomic"
)

// Relay stands between a server and a client, with both of which somebody has shaken hands
// (Join and Welcome), and hands on what they say: ClientToServer and ServerToClient, each in
// a goroutine of its own. It looks at every message, in order to know real input from
// silence and to keep the clipboard to its rules, and keeps none: pixels go on while they
// come. Whoever breaks the protocol, or says what the other could not be expected to
// understand, ends the stream with an error that wraps ErrProtocol; memory is a fixed
// buffer, and for a clipboard that has to be rewritten at most its bound.
//
// The client may choose the pixel format until it first asks for an update, and of the
// encodings those in Relayed. Between servers and clients that keep to the protocol nothing
// else changes.
type Relay struct {
	// Clipboard says what may cross; it is asked for every message.
	Clipboard func() Clipboard
	// Input is called when the user does something: a key, a pointer that moves or clicks, a clipboard.
	Input func()

	format  atomic.Uint32 // bytes of a pixel, and of one in Tight: see pixelBytes
	settled atomic.Bool   // an update has been asked for
	buttons atomic.Bool   // the server takes pointer events with more buttons
}

// Clipboard says what of a clipboard may cross, as the longest text in characters, which
// longer ones are cut to; 0: nothing. Only text ever crosses, and none that is longer than
// 1 MiB on the wire or 4 MiB when it is inflated.
type Clipboard struct {
	In, Out int // into the desktop; out of it
}

// NewRelay returns a relay for the screen that a server showed when hands were shaken.
func NewRelay(init ServerInit) *Relay {
	r := &Relay{Clipboard: func() Clipboard { return Clipboard{} }, Input: func() {}}
	r.format.Store(pixelBytes(init.Format))
	return r
}

// The sizes of a Relay's buffers: a client says little at a time, a server much.
const (
	clientBuffer = 8 << 10
	serverBuffer = 64 << 10
)

// ClientToServer hands on what a client says until it ends, with io.EOF, or something fails.
func (r *Relay) ClientToServer(server io.Writer, client io.Reader) error {
	c := clientFlow{flow: flow{r: client, w: server, buf: make([]byte, clientBuffer), cutType: typeClientCutText}, relay: r}
	for {
		if err := c.message(); err != nil {
			return err
		}
	}
}

// ServerToClient hands on what a server says until it ends, with io.EOF, or something fails.
func (r *Relay) ServerToClient(client io.Writer, server io.Reader) error {
	s := serverFlow{flow: flow{r: server, w: client, buf: make([]byte, serverBuffer), cutType: typeServerCutText}, relay: r}
	for {
		if err := s.message(); err != nil {
			return err
		}
	}
}

// pixelBytes returns how many bytes a pixel has, and in its upper half how many it has in
// the encoding Tight, which leaves out the fourth where it is of no use.
func pixelBytes(f PixelFormat) uint32 {
	n := uint32(f.BitsPerPixel) / 8
	tight := n
	if f.BitsPerPixel == 32 && f.Depth == 24 && f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 {
		tight = 3
	}
	return tight<<16 | n
}
