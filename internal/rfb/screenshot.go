package rfb

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"net"
)

const (
	// maxUpdates is how many updates may come before the screen is complete.
	maxUpdates = 64
	// maxResizes is how often the screen may change its size meanwhile.
	maxResizes = 8
)

// Screenshot asks the RFB server behind a fresh connection for one picture of its
// screen, in true colour, without disturbing its other clients. The server must
// speak version 3.8 and want no password. The connection is of no use afterwards,
// and stays the caller's to close.
//
// A picture is at most 16384 pixels on a side and 64 Mpx (256 MiB) in all; how long
// it may take is the context's affair. Errors are the context's, ErrProtocol, or
// the connection's.
func Screenshot(ctx context.Context, conn net.Conn) (image.Image, error) {
	return ScreenshotWithin(ctx, conn, maxPixels)
}

// ScreenshotWithin is Screenshot for a screen of at most so many pixels, of four bytes each.
func ScreenshotWithin(ctx context.Context, conn net.Conn, pixels int) (image.Image, error) {
	release := bind(ctx, conn)
	c := client{r: bufio.NewReaderSize(conn, 32<<10), w: conn, most: pixels}
	init, err := join(c.r, conn)
	if err == nil {
		err = c.show(init.Size)
	}
	if err == nil {
		err = c.picture()
	}
	if err := release(err); err != nil {
		return nil, err
	}
	return c.img, nil
}

// client is a screenshot on its way.
type client struct {
	r       *bufio.Reader
	w       io.Writer
	most    int // pixels
	size    image.Point
	img     *image.RGBA // of that size; nil until pixels come
	covered int         // pixels received for it
	resizes int
}

// picture asks for the whole screen until it has come.
func (c *client) picture() error {
	b := SetPixelFormat{Format: rgba()}.AppendClient(nil)
	b = SetEncodings{[]int32{EncodingRaw, EncodingExtendedDesktopSize, EncodingDesktopSize}}.AppendClient(b)
	owed := false
	for range maxUpdates {
		b = UpdateRequest{Incremental: owed, Area: image.Rectangle{Max: c.size}}.AppendClient(b)
		if err := c.send(b); err != nil {
			return err
		}
		size, covered := c.size, c.covered
		if err := c.update(); err != nil {
			return err
		}
		if c.img != nil && c.covered >= c.size.X*c.size.Y {
			return nil
		}
		// Xvnc answers a request for everything with the layout alone, and owes the pixels to
		// the next request: asking for everything again would bring the layout again.
		owed = c.size == size && c.covered == covered
		b = b[:0]
	}
	return fmt.Errorf("%w: the screen does not become complete", ErrProtocol)
}

// update reads up to the end of the next update of the screen.
func (c *client) update() error {
	for {
		m, err := ReadServerMessage(c.r)
		if err != nil {
			return err
		}
		if m, ok := m.(Update); ok {
			return c.rectangles(m.Rectangles)
		}
	}
}

func (c *client) rectangles(n int) error {
	for range n {
		h, err := ReadRectangleHeader(c.r)
		if err != nil {
			return err
		}
		switch h.Encoding {
		case EncodingRaw:
			err = c.raw(h.Area)
		case EncodingDesktopSize:
			err = c.resize(h.Area.Size())
		case EncodingExtendedDesktopSize:
			err = c.layout(h.Area)
		default:
			err = fmt.Errorf("%w: encoding %d was not asked for", ErrProtocol, h.Encoding)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// raw reads the pixels of a rectangle into the picture, without a copy.
func (c *client) raw(area image.Rectangle) error {
	if !area.In(image.Rectangle{Max: c.size}) {
		return fmt.Errorf("%w: rectangle %v outside of a screen of %v", ErrProtocol, area, c.size)
	}
	if c.img == nil {
		c.img = image.NewRGBA(image.Rectangle{Max: c.size})
	}
	for y := area.Min.Y; y < area.Max.Y && area.Dx() > 0; y++ {
		row := c.img.Pix[c.img.PixOffset(area.Min.X, y):][:4*area.Dx()]
		if _, err := io.ReadFull(c.r, row); err != nil {
			return fmt.Errorf("rfb: read pixels: %w", err)
		}
		for i := 3; i < len(row); i += 4 {
			row[i] = 255 // padding on the wire
		}
	}
	c.covered += area.Dx() * area.Dy()
	return nil
}

// layout reads an ExtendedDesktopSize, whose rectangle has the reason and the
// status in place of its position.
func (c *client) layout(area image.Rectangle) error {
	f := fields{r: c.r}
	screens := int64(f.uint8())
	f.skip(3 + 16*screens)
	if f.err != nil {
		return fmt.Errorf("rfb: read the monitors: %w", f.err)
	}
	return c.resize(area.Size())
}

func (c *client) resize(size image.Point) error {
	if size == c.size {
		return nil
	}
	if c.resizes++; c.resizes > maxResizes {
		return fmt.Errorf("%w: the screen changes its size all the time", ErrProtocol)
	}
	return c.show(size)
}

// show begins anew with a screen of the size, within the bounds.
func (c *client) show(size image.Point) error {
	c.size, c.img, c.covered = size, nil, 0
	if err := checkSize(size); err != nil || size.X*size.Y <= c.most {
		return err
	}
	return fmt.Errorf("%w: a screen of %d×%d pixels", ErrProtocol, size.X, size.Y)
}

func (c *client) send(b []byte) error { return write(c.w, b) }
