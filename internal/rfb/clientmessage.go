package rfb

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
)

// maxCutText is the longest clipboard text that is read, in bytes.
const maxCutText = 1 << 20

// maxFence is the longest payload of a fence, in bytes.
const maxFence = 64

// ClientMessage is one of the messages that a client sends once the handshake is
// over: SetPixelFormat, SetEncodings, UpdateRequest, KeyEvent, PointerEvent,
// CutText, ContinuousUpdates, Fence, SetDesktopSize or ExtendedKeyEvent.
type ClientMessage interface {
	// AppendClient appends the message's bytes as a client sends them.
	AppendClient(b []byte) []byte
}

// The types of the messages, as the first byte on the wire.
const (
	typeSetPixelFormat    = 0
	typeSetEncodings      = 2
	typeUpdateRequest     = 3
	typeKeyEvent          = 4
	typePointerEvent      = 5
	typeClientCutText     = 6
	typeContinuousUpdates = 150
	typeFence             = 248
	typeSetDesktopSize    = 251
	typeQEMU              = 255
)

type (
	// SetPixelFormat tells in which format the client wants its pixels.
	SetPixelFormat struct{ Format PixelFormat }

	// SetEncodings lists the encodings that the client understands, best first.
	SetEncodings struct{ Encodings []int32 }

	// UpdateRequest asks for a part of the screen: for what changed in it when
	// Incremental, for all of it otherwise.
	UpdateRequest struct {
		Incremental bool
		Area        image.Rectangle
	}

	// KeyEvent is a key that went down or up, as an X11 keysym.
	KeyEvent struct {
		Down bool
		Key  uint32
	}

	// ExtendedKeyEvent is a KeyEvent with the key's XT scan code (QEMU's extension).
	ExtendedKeyEvent struct {
		Down      bool
		Key, Code uint32
	}

	// PointerEvent is where the pointer is and which of its buttons are down.
	PointerEvent struct {
		Buttons uint8 // bit 0 is the left one
		At      image.Point
	}

	// CutText is the sender's new clipboard, at most 1 MiB. Both sides send it.
	CutText struct {
		Text     []byte // Latin-1, or, when Extended, flags and payload of the clipboard extension
		Extended bool
	}

	// ContinuousUpdates switches updates without requests on or off for an area.
	ContinuousUpdates struct {
		On   bool
		Area image.Rectangle
	}

	// Fence asks the other side for an echo, or is one. Both sides send it.
	Fence struct {
		Flags   uint32
		Payload []byte // at most 64 bytes
	}

	// SetDesktopSize asks the server for another screen size.
	SetDesktopSize struct {
		Size    image.Point
		Screens []ScreenLayout
	}

	// ScreenLayout is one of the monitors that make up a screen.
	ScreenLayout struct {
		ID    uint32
		Area  image.Rectangle
		Flags uint32
	}
)

// ReadClientMessage reads one message of a client. It returns an error wrapping
// ErrProtocol for one that it does not know, whose length nobody can tell: the
// stream is of no use after it.
func ReadClientMessage(r *bufio.Reader) (ClientMessage, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, fmt.Errorf("rfb: read a message: %w", err)
	}
	f := fields{r: r}
	var m ClientMessage
	switch kind {
	case typeSetPixelFormat:
		f.skip(3)
		m = SetPixelFormat{Format: parsePixelFormat(f.next(pixelFormatBytes))}
	case typeSetEncodings:
		m = readSetEncodings(&f)
	case typeUpdateRequest:
		m = UpdateRequest{Incremental: f.flag(), Area: f.area()}
	case typeKeyEvent:
		down := f.flag()
		f.skip(2)
		m = KeyEvent{Down: down, Key: f.uint32()}
	case typePointerEvent:
		m = PointerEvent{Buttons: f.uint8(), At: f.point()}
	case typeClientCutText:
		m = readCutText(&f)
	case typeContinuousUpdates:
		m = ContinuousUpdates{On: f.flag(), Area: f.area()}
	case typeFence:
		m = readFence(&f)
	case typeSetDesktopSize:
		m = readSetDesktopSize(&f)
	case typeQEMU:
		m = readExtendedKeyEvent(&f)
	default:
		return nil, fmt.Errorf("%w: a client's message of unknown type %d", ErrProtocol, kind)
	}
	if f.err != nil {
		return nil, fmt.Errorf("rfb: read a message of type %d: %w", kind, f.err)
	}
	return m, nil
}

func readSetEncodings(f *fields) SetEncodings {
	f.skip(1)
	n := int(f.uint16())
	m := SetEncodings{Encodings: make([]int32, 0, min(n, 64))}
	for range n {
		encoding := int32(f.uint32()) //nolint:gosec // pseudo-encodings are negative by design
		if f.err != nil {
			break
		}
		m.Encodings = append(m.Encodings, encoding)
	}
	return m
}

// readCutText reads what follows the type of a CutText, in either direction.
func readCutText(f *fields) CutText {
	f.skip(3)
	length := int64(int32(f.uint32())) //nolint:gosec // a negative length marks the extension
	m := CutText{Extended: length < 0}
	if m.Extended {
		length = -length
	}
	if length > maxCutText {
		f.fail(fmt.Errorf("%w: a clipboard of %d bytes", ErrProtocol, length))
		return m
	}
	m.Text = f.bytes(int(length))
	return m
}

func readFence(f *fields) Fence {
	f.skip(3)
	m := Fence{Flags: f.uint32()}
	length := int(f.uint8())
	if length > maxFence {
		f.fail(fmt.Errorf("%w: a fence of %d bytes", ErrProtocol, length))
		return m
	}
	m.Payload = f.bytes(length)
	return m
}

func readSetDesktopSize(f *fields) SetDesktopSize {
	f.skip(1)
	m := SetDesktopSize{Size: f.point()}
	n := f.uint8()
	f.skip(1)
	for range n {
		layout := ScreenLayout{ID: f.uint32(), Area: f.area(), Flags: f.uint32()}
		m.Screens = append(m.Screens, layout)
	}
	return m
}

func readExtendedKeyEvent(f *fields) ExtendedKeyEvent {
	if sub := f.uint8(); sub != 0 {
		f.fail(fmt.Errorf("%w: a QEMU message of unknown type %d", ErrProtocol, sub))
	}
	return ExtendedKeyEvent{Down: f.uint16() != 0, Key: f.uint32(), Code: f.uint32()}
}

// AppendClient implements [ClientMessage].
func (m SetPixelFormat) AppendClient(b []byte) []byte {
	return m.Format.append(append(b, typeSetPixelFormat, 0, 0, 0))
}

// AppendClient implements [ClientMessage].
func (m SetEncodings) AppendClient(b []byte) []byte {
	b = appendUint16(append(b, typeSetEncodings, 0), len(m.Encodings))
	for _, encoding := range m.Encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(encoding)) //nolint:gosec // pseudo-encodings are negative by design
	}
	return b
}

// AppendClient implements [ClientMessage].
func (m UpdateRequest) AppendClient(b []byte) []byte {
	return appendArea(append(b, typeUpdateRequest, bit(m.Incremental)), m.Area)
}

// AppendClient implements [ClientMessage].
func (m KeyEvent) AppendClient(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, typeKeyEvent, bit(m.Down), 0, 0), m.Key)
}

// AppendClient implements [ClientMessage].
func (m ExtendedKeyEvent) AppendClient(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, typeQEMU, 0, 0, bit(m.Down)), m.Key)
	return binary.BigEndian.AppendUint32(b, m.Code)
}

// AppendClient implements [ClientMessage].
func (m PointerEvent) AppendClient(b []byte) []byte {
	return appendPoint(append(b, typePointerEvent, m.Buttons), m.At)
}

// AppendClient implements [ClientMessage].
func (m CutText) AppendClient(b []byte) []byte { return m.append(append(b, typeClientCutText)) }

// AppendClient implements [ClientMessage].
func (m ContinuousUpdates) AppendClient(b []byte) []byte {
	return appendArea(append(b, typeContinuousUpdates, bit(m.On)), m.Area)
}

// AppendClient implements [ClientMessage].
func (m Fence) AppendClient(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, typeFence, 0, 0, 0), m.Flags)
	return append(append(b, byte(len(m.Payload)&0xff)), m.Payload...)
}

// AppendClient implements [ClientMessage].
func (m SetDesktopSize) AppendClient(b []byte) []byte {
	b = appendPoint(append(b, typeSetDesktopSize, 0), m.Size)
	b = append(b, byte(len(m.Screens)&0xff), 0)
	for _, screen := range m.Screens {
		b = screen.append(b)
	}
	return b
}

func (s ScreenLayout) append(b []byte) []byte {
	b = appendArea(binary.BigEndian.AppendUint32(b, s.ID), s.Area)
	return binary.BigEndian.AppendUint32(b, s.Flags)
}

func (m CutText) append(b []byte) []byte {
	length := uint32(len(m.Text)) //nolint:gosec // at most maxCutText
	if m.Extended {
		length = -length
	}
	return append(binary.BigEndian.AppendUint32(append(b, 0, 0, 0), length), m.Text...)
}
