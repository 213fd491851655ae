package rfb

import (
	"fmt"
	"image"
)

// What the upper half of the first byte of a rectangle in Tight says.
const (
	tightFill     = 8
	tightJPEG     = 9
	tightPNG      = 10
	tightFiltered = 4 // a bit: a filter is named
)

const (
	tightCopy     = 0
	tightPalette  = 1
	tightGradient = 2
	// tightPlain is how many bytes are so few that they are not compressed, and have no length.
	tightPlain = 12
)

// tightly hands on a rectangle in Tight, or in TightPNG, which has pictures in place of
// what is compressed.
func (s *serverFlow) tightly(encoding int32, size image.Point) error {
	b, err := s.peek(1)
	if err != nil {
		return err
	}
	control := b[0] >> 4
	switch {
	case control == tightFill:
		return s.pass(1 + s.tight)
	case control == tightJPEG, control == tightPNG && encoding == EncodingTightPNG:
		return s.compact(1)
	case control < tightFill && encoding == EncodingTight:
		return s.filtered(control, size)
	default:
		return fmt.Errorf("%w: a rectangle of unknown kind %d in encoding %d", ErrProtocol, control, encoding)
	}
}

// filtered hands on pixels that are compressed by zlib, after a filter.
func (s *serverFlow) filtered(control byte, size image.Point) error {
	head, filter := 1, byte(tightCopy)
	if control&tightFiltered != 0 {
		b, err := s.peek(2)
		if err != nil {
			return err
		}
		head, filter = 2, b[1]
	}
	bytes := int64(size.X) * int64(size.Y) * s.tight
	switch filter {
	case tightCopy, tightGradient:
	case tightPalette:
		b, err := s.peek(head + 1)
		if err != nil {
			return err
		}
		colours := int(b[head]) + 1
		bits := 8
		if colours <= 2 {
			bits = 1
		}
		head += 1 + colours*int(s.tight)
		bytes = int64(size.X*bits+7) / 8 * int64(size.Y)
	default:
		return fmt.Errorf("%w: an unknown filter %d in Tight", ErrProtocol, filter)
	}
	if bytes < tightPlain {
		return s.pass(int64(head) + bytes)
	}
	return s.compact(head)
}

// compact hands on a head, a length of one to three bytes and so many bytes.
func (s *serverFlow) compact(head int) error {
	if err := s.pass(int64(head)); err != nil {
		return err
	}
	n := 0
	for i := 0; ; i++ {
		b, err := s.peek(i + 1)
		if err != nil {
			return err
		}
		if i == 2 {
			n |= int(b[i]) << 14
			return s.pass(int64(3 + n))
		}
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return s.pass(int64(i + 1 + n))
		}
	}
}
