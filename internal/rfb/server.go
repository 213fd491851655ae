package rfb

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"slices"
	"sync"
)

// Server shows a screen to clients and hands on what they type, point at and copy.
// It sends pixels raw, in the true-colour format that the client asks for, and wants
// no password. Functions that are nil are not called; they are called by one
// connection at a time, by several connections at once.
type Server struct {
	Name string // of the desktop, for the client's title bar
	// Screen returns what to show. It is called once a client has shaken hands: a
	// look at the greeting costs no picture.
	Screen func() *Screen

	Key     func(KeyEvent)
	Pointer func(PointerEvent)
	Cut     func(text []byte) // the client's clipboard, in Latin-1
	// Resize is asked to give the screen another size, and tells whether it did.
	Resize func(size image.Point) bool
}

// Serve serves one client until either side closes the connection, which is closed
// when it returns. A client that left between two messages is no error.
func (s *Server) Serve(conn net.Conn) error {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if err := shakeHands(r, conn); err != nil {
		return err
	}
	c := session{server: s, screen: s.Screen(), r: r, wake: make(chan struct{}, 1)}
	first, _ := c.screen.Picture()
	c.asked.format = rgba()
	init := ServerInit{Size: first.Rect.Size(), Format: c.asked.format, Name: s.Name}
	if _, err := conn.Write(init.append(nil)); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}

	// Reading never waits for writing, or two sides that both write first would
	// wait for each other for ever.
	p := painter{w: bufio.NewWriterSize(conn, 32<<10), size: init.Size}
	done := make(chan struct{})
	var painting sync.WaitGroup
	painting.Go(func() {
		defer conn.Close()
		c.paint(&p, done)
	})
	err := c.listen()
	close(done)
	_ = conn.Close() // before waiting: it ends a write that is under way
	painting.Wait()
	return err
}

// shakeHands agrees with a client on version 3.8 and no password.
func shakeHands(r *bufio.Reader, w io.Writer) error {
	if _, err := io.WriteString(w, version); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	got, err := readVersion(r)
	switch {
	case err != nil:
		return err
	case got != 3008:
		return fmt.Errorf("%w: the client speaks version %d.%d", ErrProtocol, got/1000, got%1000)
	}
	if _, err := w.Write([]byte{1, securityNone}); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	f := fields{r: r}
	if method := f.uint8(); f.err == nil && method != securityNone {
		return fmt.Errorf("%w: the client chose security type %d", ErrProtocol, method)
	}
	if f.err == nil {
		_, f.err = w.Write([]byte{0, 0, 0, 0}) // the result: fine
	}
	f.flag() // whether to share the screen, which all do here
	if f.err != nil {
		return fmt.Errorf("rfb: shake hands: %w", f.err)
	}
	return nil
}

// session is one client's connection once hands are shaken.
type session struct {
	server *Server
	screen *Screen
	r      *bufio.Reader
	wake   chan struct{} // tells the painter that asked has changed

	mu    sync.Mutex
	asked asked
}

// asked is what the client wants and has not got yet.
type asked struct {
	format    PixelFormat
	resizable bool // it understands EncodingDesktopSize
	layouts   bool // it understands EncodingExtendedDesktopSize
	layout    bool // it is owed one of those…
	by        int  // …for this reason: 0 the server's, 1 its own wish
	status    int  // …with this result: 0 done, 1 forbidden

	pending     bool // it waits for an update…
	incremental bool // …with only what has changed
	area        image.Rectangle
}

// listen reads what the client sends until it leaves.
func (c *session) listen() error {
	for {
		if _, err := c.r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("rfb: read a message: %w", err)
		}
		m, err := ReadClientMessage(c.r)
		if err != nil {
			return err
		}
		if err := c.take(m); err != nil {
			return err
		}
	}
}

func (c *session) take(m ClientMessage) error {
	s := c.server
	switch m := m.(type) {
	case SetPixelFormat:
		c.ask(func(a *asked) { a.format = m.Format })
		return m.Format.check()
	case SetEncodings:
		c.ask(func(a *asked) {
			a.resizable = slices.Contains(m.Encodings, EncodingDesktopSize)
			a.layouts = slices.Contains(m.Encodings, EncodingExtendedDesktopSize)
			a.layout = a.layouts
		})
	case UpdateRequest:
		c.ask(func(a *asked) { a.request(m) })
	case KeyEvent:
		if s.Key != nil {
			s.Key(m)
		}
	case ExtendedKeyEvent:
		if s.Key != nil {
			s.Key(KeyEvent{Down: m.Down, Key: m.Key})
		}
	case PointerEvent:
		if s.Pointer != nil {
			s.Pointer(m)
		}
	case CutText:
		if s.Cut != nil && !m.Extended {
			s.Cut(m.Text)
		}
	case SetDesktopSize:
		refused := checkSize(m.Size) != nil || s.Resize == nil || !s.Resize(m.Size)
		c.ask(func(a *asked) { a.layout, a.by, a.status = a.layouts, 1, int(bit(refused)) })
	case ContinuousUpdates, Fence:
		// Never announced by this server, so nothing that it has to keep to.
	}
	return nil
}

// request adds a request to one that may be pending.
func (a *asked) request(m UpdateRequest) {
	if !a.pending {
		a.pending, a.incremental, a.area = true, m.Incremental, m.Area
		return
	}
	a.incremental = a.incremental && m.Incremental
	a.area = a.area.Union(m.Area)
}

func (c *session) ask(change func(a *asked)) {
	c.mu.Lock()
	change(&c.asked)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // the painter has yet to hear of the one before
	}
}
