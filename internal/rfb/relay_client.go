package rfb

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// clientFlow is what a client says.
type clientFlow struct {
	flow
	relay   *Relay
	pointer [6]byte // the last pointer event, less its type, plus its further buttons
	format  []byte  // the pixel format that was last chosen
}

// message looks at one message and hands it on. The error is io.EOF where there is none any more.
func (c *clientFlow) message() error {
	kind, err := c.peek(1)
	if err != nil {
		return err
	}
	switch kind[0] {
	case typeSetPixelFormat:
		err = c.setPixelFormat()
	case typeSetEncodings:
		err = c.setEncodings()
	case typeUpdateRequest, typeContinuousUpdates:
		c.relay.settled.Store(true)
		err = c.pass(10)
	case typeKeyEvent:
		c.relay.Input()
		err = c.pass(8)
	case typePointerEvent:
		err = c.pointerEvent()
	case typeClientCutText:
		err = c.cutText(c.relay.Clipboard().into(c.relay.Input))
	case typeFence:
		err = c.fence()
	case typeSetDesktopSize:
		err = c.setDesktopSize()
	case typeQEMU:
		err = c.qemu()
	default:
		err = fmt.Errorf("%w: a client's message of unknown type %d", ErrProtocol, kind[0])
	}
	return unexpected(err)
}

// setPixelFormat notes how many bytes a pixel has from now on. A server may be in the middle
// of an update when it hears of another format, and nobody can tell where it changes; so the
// client's format stays what it is once the client has asked for an update.
func (c *clientFlow) setPixelFormat() error {
	b, err := c.peek(4 + pixelFormatBytes)
	if err != nil {
		return err
	}
	format := parsePixelFormat(b[4:])
	if err := format.check(); err != nil {
		return err
	}
	if c.relay.settled.Load() && !slices.Equal(c.format, b[4:]) {
		return fmt.Errorf("%w: the client changes its pixel format under way", ErrProtocol)
	}
	c.format = slices.Clone(b[4:])
	c.relay.format.Store(pixelBytes(format))
	return c.pass(4 + pixelFormatBytes)
}

// maxEncodings is how many encodings a client may name.
const maxEncodings = 512

// setEncodings hands on those encodings that a Relay can follow.
func (c *clientFlow) setEncodings() error {
	b, err := c.peek(4)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n > maxEncodings {
		return fmt.Errorf("%w: a client that knows %d encodings", ErrProtocol, n)
	}
	if b, err = c.peek(4 + 4*n); err != nil {
		return err
	}
	var m SetEncodings
	for list := b[4:]; len(list) > 0; list = list[4:] {
		if encoding := int32(binary.BigEndian.Uint32(list)); Relayed(encoding) { //nolint:gosec // pseudo-encodings are negative by design
			m.Encodings = append(m.Encodings, encoding)
		}
	}
	if err := c.emit(m.AppendClient(nil)); err != nil {
		return err
	}
	return c.drop(int64(4 + 4*n))
}

// pointerEvent tells a pointer that moves or clicks from one that is only reported again.
func (c *clientFlow) pointerEvent() error {
	n := 6
	b, err := c.peek(n)
	if err != nil {
		return err
	}
	if b[1]&0x80 != 0 && c.relay.buttons.Load() {
		n++ // the mark of a further byte with buttons
		if b, err = c.peek(n); err != nil {
			return err
		}
	}
	var event [6]byte
	copy(event[:], b[1:])
	if event != c.pointer {
		c.relay.Input()
	}
	c.pointer = event
	return c.pass(int64(n))
}

func (c *clientFlow) setDesktopSize() error {
	b, err := c.peek(8)
	if err != nil {
		return err
	}
	return c.pass(8 + 16*int64(b[6]))
}

func (c *clientFlow) qemu() error {
	b, err := c.peek(2)
	if err != nil {
		return err
	}
	if b[1] != 0 {
		return fmt.Errorf("%w: a QEMU message of unknown type %d", ErrProtocol, b[1])
	}
	c.relay.Input()
	return c.pass(12)
}

// fence passes a fence, in either direction.
func (f *flow) fence() error {
	b, err := f.peek(9)
	if err != nil {
		return err
	}
	if b[8] > maxFence {
		return fmt.Errorf("%w: a fence of %d bytes", ErrProtocol, b[8])
	}
	return f.pass(9 + int64(b[8]))
}
