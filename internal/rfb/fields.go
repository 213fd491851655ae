package rfb

import (
	"bufio"
	"encoding/binary"
	"image"
	"io"
)

// fields reads a message field by field and keeps the first error, after which
// every field is zero: a message is checked once, when it has been read.
type fields struct {
	r   *bufio.Reader
	err error
	buf [pixelFormatBytes]byte
}

// next returns the next n bytes, at most 16, until the next call.
func (f *fields) next(n int) []byte {
	b := f.buf[:n]
	if f.err == nil {
		_, f.err = io.ReadFull(f.r, b)
	}
	if f.err != nil {
		clear(b)
	}
	return b
}

// bytes returns n bytes of its own. They are read before much is allocated for them.
func (f *fields) bytes(n int) []byte {
	if f.err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f.r, int64(n)))
	if err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
	}
	f.fail(err)
	return b
}

func (f *fields) skip(n int64) {
	if f.err == nil {
		_, f.err = io.CopyN(io.Discard, f.r, n)
	}
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) uint8() uint8   { return f.next(1)[0] }
func (f *fields) uint16() uint16 { return binary.BigEndian.Uint16(f.next(2)) }
func (f *fields) uint32() uint32 { return binary.BigEndian.Uint32(f.next(4)) }
func (f *fields) flag() bool     { return f.uint8() != 0 }

func (f *fields) point() image.Point {
	x, y := f.uint16(), f.uint16()
	return image.Pt(int(x), int(y))
}

// area reads x, y, width and height.
func (f *fields) area() image.Rectangle {
	at, size := f.point(), f.point()
	return image.Rectangle{Min: at, Max: at.Add(size)}
}

// appendUint16 appends a number that the protocol keeps within 16 bits; what does
// not fit is cut off.
func appendUint16(b []byte, n int) []byte {
	return append(b, byte(n>>8&0xff), byte(n&0xff))
}

func appendPoint(b []byte, p image.Point) []byte {
	return appendUint16(appendUint16(b, p.X), p.Y)
}

func appendArea(b []byte, r image.Rectangle) []byte {
	return appendPoint(appendPoint(b, r.Min), r.Size())
}
