package rfb

import (
	"encoding/binary"
	"fmt"
	"image"
)

// serverFlow is what a server says.
type serverFlow struct {
	flow
	relay *Relay
	pixel int64 // bytes of a pixel, for the update that is being handed on
	tight int64 // bytes of a pixel in Tight
}

// message looks at one message and hands it on. The error is io.EOF where there is none any more.
func (s *serverFlow) message() error {
	kind, err := s.peek(1)
	if err != nil {
		return err
	}
	switch kind[0] {
	case typeUpdate:
		err = s.update()
	case typeBell, typeEndOfContinuousUpdates:
		err = s.pass(1)
	case typeServerCutText:
		err = s.cutText(s.relay.Clipboard().outOf())
	case typeFence:
		err = s.fence()
	default:
		err = fmt.Errorf("%w: a server's message of unknown type %d", ErrProtocol, kind[0])
	}
	return unexpected(err)
}

func (s *serverFlow) update() error {
	b, err := s.peek(4)
	if err != nil {
		return err
	}
	if !s.relay.settled.Load() {
		// The client reads it in the format that it is about to choose, which is not known yet.
		return fmt.Errorf("%w: an update that nobody has asked for", ErrProtocol)
	}
	format := s.relay.format.Load()
	s.pixel, s.tight = int64(format&0xffff), int64(format>>16)
	n := binary.BigEndian.Uint16(b[2:])
	if err := s.pass(4); err != nil {
		return err
	}
	for range n {
		if last, err := s.rectangle(); err != nil || last {
			return err
		}
	}
	return nil
}

// rectangle hands on a rectangle, and reports whether the update ends with it whatever was announced.
func (s *serverFlow) rectangle() (last bool, err error) {
	b, err := s.peek(12)
	if err != nil {
		return false, err
	}
	size := image.Pt(int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:])))
	encoding := int32(binary.BigEndian.Uint32(b[8:])) //nolint:gosec // pseudo-encodings are negative by design
	if err := s.pass(12); err != nil {
		return false, err
	}
	switch encoding {
	case EncodingLastRectangle:
		return true, nil
	case EncodingExtendedKeyEvent:
		return false, nil
	case EncodingExtendedButtons:
		s.relay.buttons.Store(true)
		return false, nil
	case EncodingLEDs:
		return false, s.pass(1)
	case EncodingDesktopSize:
		return false, checkSize(size)
	case EncodingExtendedDesktopSize:
		return false, s.layout(size)
	case EncodingDesktopName:
		return false, s.long(maxName)
	case EncodingCursor, EncodingVMwareCursor:
		return false, s.cursor(encoding, size)
	default:
		return false, s.pixels(encoding, size)
	}
}

func (s *serverFlow) layout(size image.Point) error {
	if err := checkSize(size); err != nil {
		return err
	}
	b, err := s.peek(1)
	if err != nil {
		return err
	}
	return s.pass(4 + 16*int64(b[0]))
}

// maxCursor bounds a side of the pointer's picture, in pixels.
const maxCursor = 1024

func (s *serverFlow) cursor(encoding int32, size image.Point) error {
	if max(size.X, size.Y) > maxCursor {
		return fmt.Errorf("%w: a pointer of %d×%d pixels", ErrProtocol, size.X, size.Y)
	}
	pixels := s.pixel * int64(size.X) * int64(size.Y)
	if encoding == EncodingCursor {
		mask := int64(size.X+7) / 8 * int64(size.Y)
		return s.pass(pixels + mask)
	}
	b, err := s.peek(2)
	if err != nil {
		return err
	}
	switch b[0] {
	case 0: // two masks
		return s.pass(2 + 2*pixels)
	case 1: // colours with transparency
		return s.pass(2 + 4*int64(size.X)*int64(size.Y))
	default:
		return fmt.Errorf("%w: a pointer of unknown kind %d", ErrProtocol, b[0])
	}
}

// maxPayload bounds what a client has to hold before it can draw it, in bytes. It is noVNC's own limit.
const maxPayload = 40 << 20

// pixels hands on what follows the header of a rectangle with pixels.
func (s *serverFlow) pixels(encoding int32, size image.Point) error {
	if max(size.X, size.Y) > maxSide {
		return fmt.Errorf("%w: a rectangle of %d×%d pixels", ErrProtocol, size.X, size.Y)
	}
	area := int64(size.X) * int64(size.Y)
	if area == 0 && encoding != EncodingRaw && encoding != EncodingCopyRect {
		// Clients do not agree on what follows.
		return fmt.Errorf("%w: an empty rectangle in encoding %d", ErrProtocol, encoding)
	}
	switch encoding {
	case EncodingRaw:
		return s.pass(area * s.pixel)
	case EncodingCopyRect:
		return s.pass(4)
	case EncodingRRE:
		return s.rre(area)
	case EncodingHextile:
		return s.hextile(size)
	case EncodingZlib, EncodingZRLE:
		return s.long(maxPayload)
	case EncodingH264:
		return s.h264()
	case EncodingTight, EncodingTightPNG:
		return s.tightly(encoding, size)
	default:
		return fmt.Errorf("%w: encoding %d is not one that a client may ask for here", ErrProtocol, encoding)
	}
}

// long hands on a length of 32 bits and so many bytes.
func (s *serverFlow) long(limit uint32) error {
	b, err := s.peek(4)
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(b)
	if n > limit {
		return fmt.Errorf("%w: %d bytes where there may be %d", ErrProtocol, n, limit)
	}
	return s.pass(4 + int64(n))
}

func (s *serverFlow) h264() error {
	b, err := s.peek(8)
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(b)
	if n > maxPayload {
		return fmt.Errorf("%w: %d bytes of film", ErrProtocol, n)
	}
	return s.pass(8 + int64(n))
}

// rre hands on a colour and rectangles in other colours.
func (s *serverFlow) rre(area int64) error {
	b, err := s.peek(4)
	if err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n > area {
		return fmt.Errorf("%w: %d rectangles in one of %d pixels", ErrProtocol, n, area)
	}
	return s.pass(4 + s.pixel + n*(s.pixel+8))
}

const (
	hextileRaw        = 1
	hextileBackground = 2
	hextileForeground = 4
	hextileRectangles = 8
	hextileColoured   = 16
)

// hextile hands on tiles of 16×16 pixels.
func (s *serverFlow) hextile(size image.Point) error {
	for y := 0; y < size.Y; y += 16 {
		for x := 0; x < size.X; x += 16 {
			if err := s.tile(int64(min(16, size.X-x) * min(16, size.Y-y))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *serverFlow) tile(area int64) error {
	b, err := s.peek(1)
	if err != nil {
		return err
	}
	kind := b[0]
	if kind >= 2*hextileColoured-1 {
		return fmt.Errorf("%w: a tile of unknown kind %d", ErrProtocol, kind)
	}
	if kind&hextileRaw != 0 {
		return s.pass(1 + area*s.pixel)
	}
	n := int64(1)
	if kind&hextileBackground != 0 {
		n += s.pixel
	}
	if kind&hextileForeground != 0 {
		n += s.pixel
	}
	if kind&hextileRectangles == 0 {
		return s.pass(n)
	}
	if b, err = s.peek(int(n) + 1); err != nil {
		return err
	}
	each := int64(2)
	if kind&hextileColoured != 0 {
		each += s.pixel
	}
	return s.pass(n + 1 + int64(b[n])*each)
}
