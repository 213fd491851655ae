package rfb

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
)

// The bounds on what a server may announce.
const (
	maxSide   = 16384    // of a screen, in pixels
	maxPixels = 64 << 20 // of a screen
	maxName   = 64 << 10 // of a desktop's name, in bytes
	maxReason = 4 << 10  // of the reason for a refusal, in bytes
)

// The types of the messages, as the first byte on the wire.
const (
	typeUpdate                 = 0
	typeSetColourMap           = 1
	typeBell                   = 2
	typeServerCutText          = 3
	typeEndOfContinuousUpdates = 150
)

// ServerMessage is one of the messages that a server sends once the handshake is
// over: Update, SetColourMap, Bell, CutText, EndOfContinuousUpdates or Fence.
type ServerMessage interface {
	// AppendServer appends the message's bytes as a server sends them.
	AppendServer(b []byte) []byte
}

type (
	// ServerInit ends the handshake: what the client will be shown.
	ServerInit struct {
		Size   image.Point
		Format PixelFormat
		Name   string // of the desktop
	}

	// Update announces so many rectangles of the screen, each of which follows as a
	// RectangleHeader and what its encoding says.
	Update struct{ Rectangles int }

	// RectangleHeader stands before each rectangle of an Update.
	RectangleHeader struct {
		Area     image.Rectangle
		Encoding int32
	}

	// SetColourMap gives the colours of a screen that is not in true colour.
	SetColourMap struct {
		First   uint16
		Colours [][3]uint16
	}

	// Bell asks for a beep.
	Bell struct{}

	// EndOfContinuousUpdates confirms that they are off, or that the server has them.
	EndOfContinuousUpdates struct{}
)

// ReadServerMessage reads one message of a server; after an Update its rectangles
// are still to be read. It returns an error wrapping ErrProtocol for one that it
// does not know, after which the stream is of no use.
func ReadServerMessage(r *bufio.Reader) (ServerMessage, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, fmt.Errorf("rfb: read a message: %w", err)
	}
	f := fields{r: r}
	var m ServerMessage
	switch kind {
	case typeUpdate:
		f.skip(1)
		m = Update{Rectangles: int(f.uint16())}
	case typeSetColourMap:
		m = readSetColourMap(&f)
	case typeBell:
		m = Bell{}
	case typeServerCutText:
		m = readCutText(&f)
	case typeEndOfContinuousUpdates:
		m = EndOfContinuousUpdates{}
	case typeFence:
		m = readFence(&f)
	default:
		return nil, fmt.Errorf("%w: a server's message of unknown type %d", ErrProtocol, kind)
	}
	if f.err != nil {
		return nil, fmt.Errorf("rfb: read a message of type %d: %w", kind, f.err)
	}
	return m, nil
}

func readSetColourMap(f *fields) SetColourMap {
	f.skip(1)
	m := SetColourMap{First: f.uint16()}
	for range f.uint16() {
		colour := [3]uint16{f.uint16(), f.uint16(), f.uint16()}
		if f.err != nil {
			break
		}
		m.Colours = append(m.Colours, colour)
	}
	return m
}

// ReadRectangleHeader reads the header of one of an Update's rectangles.
func ReadRectangleHeader(r *bufio.Reader) (RectangleHeader, error) {
	f := fields{r: r}
	h := RectangleHeader{Area: f.area(), Encoding: int32(f.uint32())} //nolint:gosec // pseudo-encodings are negative by design
	if f.err != nil {
		return h, fmt.Errorf("rfb: read a rectangle: %w", f.err)
	}
	return h, nil
}

// readServerInit reads what ends the handshake, within the bounds.
func readServerInit(r *bufio.Reader) (ServerInit, error) {
	f := fields{r: r}
	init := ServerInit{Size: f.point(), Format: parsePixelFormat(f.next(pixelFormatBytes))}
	length := f.uint32()
	switch {
	case f.err != nil:
	case length > maxName:
		f.fail(fmt.Errorf("%w: a name of %d bytes", ErrProtocol, length))
	default:
		init.Name = string(f.bytes(int(length)))
	}
	f.fail(checkSize(init.Size))
	if f.err != nil {
		return init, fmt.Errorf("rfb: read what the server shows: %w", f.err)
	}
	return init, nil
}

// checkSize returns an error wrapping ErrProtocol for a screen out of bounds.
func checkSize(size image.Point) error {
	if size.X < 1 || size.Y < 1 || max(size.X, size.Y) > maxSide || size.X*size.Y > maxPixels {
		return fmt.Errorf("%w: a screen of %d×%d pixels", ErrProtocol, size.X, size.Y)
	}
	return nil
}

func (m ServerInit) append(b []byte) []byte {
	b = m.Format.append(appendPoint(b, m.Size))
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Name))) //nolint:gosec // a name has no 4 GiB
	return append(b, m.Name...)
}

// AppendServer implements [ServerMessage]. The rectangles are the caller's.
func (m Update) AppendServer(b []byte) []byte {
	return appendUint16(append(b, typeUpdate, 0), m.Rectangles)
}

// Append appends the header's bytes.
func (h RectangleHeader) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(appendArea(b, h.Area), uint32(h.Encoding)) //nolint:gosec // pseudo-encodings are negative by design
}

// AppendServer implements [ServerMessage].
func (m SetColourMap) AppendServer(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, typeSetColourMap, 0), m.First)
	b = appendUint16(b, len(m.Colours))
	for _, colour := range m.Colours {
		for _, part := range colour {
			b = binary.BigEndian.AppendUint16(b, part)
		}
	}
	return b
}

// AppendServer implements [ServerMessage].
func (Bell) AppendServer(b []byte) []byte { return append(b, typeBell) }

// AppendServer implements [ServerMessage].
func (m CutText) AppendServer(b []byte) []byte { return m.append(append(b, typeServerCutText)) }

// AppendServer implements [ServerMessage].
func (EndOfContinuousUpdates) AppendServer(b []byte) []byte {
	return append(b, typeEndOfContinuousUpdates)
}

// AppendServer implements [ServerMessage].
func (m Fence) AppendServer(b []byte) []byte { return m.AppendClient(b) }
