package rfb

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"
)

// The extended clipboard: what the first four bytes of its messages say. Only one of the
// actions stands in a message, but for capabilities, which name all that are understood.
const (
	clipboardFormats = 0x0000ffff
	clipboardText    = 1 << 0

	clipboardActions      = 0xff000000
	clipboardCapabilities = 1 << 24 // followed by the largest size of each format
	clipboardRequest      = 1 << 25 // give me your clipboard
	clipboardPeek         = 1 << 26 // notify me of it
	clipboardNotify       = 1 << 27 // these are the formats of mine
	clipboardProvide      = 1 << 28 // this is mine: a zlib stream of sizes and contents
)

// maxPlainText is the longest text that a clipboard may become when it is inflated, in bytes.
const maxPlainText = 4 << 20

// crossing is what a clipboard's messages may do on their way in one direction.
type crossing struct {
	limit int    // of contents that go this way, in characters; 0: none may
	back  int    // of contents that go the other way
	heard func() // called for contents, or word of them
}

func (c Clipboard) into(heard func()) crossing {
	return crossing{limit: c.In, back: c.Out, heard: heard}
}

func (c Clipboard) outOf() crossing {
	return crossing{limit: c.Out, back: c.In, heard: func() {}}
}

// cutText hands on a CutText of either side as far as it may cross.
func (f *flow) cutText(c crossing) error {
	b, err := f.peek(8)
	if err != nil {
		return err
	}
	length := int64(int32(binary.BigEndian.Uint32(b[4:]))) //nolint:gosec // a negative length marks the extension
	if length < 0 {
		return f.extendedCutText(c, -length)
	}
	c.heard()
	switch {
	case c.limit == 0 || length > maxCutText:
		return f.drop(8 + length)
	case length > int64(c.limit): // Latin-1: a byte is a character
		head := bytes.Clone(b[:8])
		binary.BigEndian.PutUint32(head[4:], uint32(c.limit)) //nolint:gosec // below length
		if err := f.emit(head); err != nil {
			return err
		}
		if err := f.drop(8); err != nil {
			return err
		}
		if err := f.pass(int64(c.limit)); err != nil {
			return err
		}
		return f.drop(length - int64(c.limit))
	default:
		return f.pass(8 + length)
	}
}

// extendedCutText hands on a message of the extended clipboard. Of formats there is only
// text. Messages that a client could read to another end than this does are refused: noVNC
// leaves in the stream what it does not expect in them.
func (f *flow) extendedCutText(c crossing, length int64) error {
	if length < 4 {
		return fmt.Errorf("%w: a clipboard of %d bytes", ErrProtocol, length)
	}
	b, err := f.peek(12)
	if err != nil {
		return err
	}
	flags := binary.BigEndian.Uint32(b[8:])
	formats, action := flags&clipboardFormats, flags&clipboardActions
	if action&clipboardCapabilities != 0 {
		return f.capabilities(flags, length)
	}
	if action != clipboardProvide && length != 4 {
		return fmt.Errorf("%w: a clipboard message %08x of %d bytes", ErrProtocol, flags, length)
	}
	var may bool
	switch action {
	case clipboardProvide:
		c.heard()
		if c.limit == 0 || formats&clipboardText == 0 || length > maxCutText {
			return f.drop(8 + length)
		}
		return f.provide(c, int(length))
	case clipboardNotify:
		c.heard()
		may = c.limit > 0
	case clipboardRequest:
		may = c.back > 0 && formats&clipboardText != 0
	case clipboardPeek:
		may = c.back > 0
	default:
		return fmt.Errorf("%w: a clipboard message of unknown kind %08x", ErrProtocol, flags)
	}
	if err := f.drop(8 + length); err != nil || !may {
		return err
	}
	return f.emitClipboard(action|formats&clipboardText, nil)
}

// emitClipboard hands on a message of the extended clipboard.
func (f *flow) emitClipboard(flags uint32, payload []byte) error {
	text := append(binary.BigEndian.AppendUint32(nil, flags), payload...)
	return f.emit(CutText{Extended: true, Text: text}.append([]byte{f.cutType}))
}

// capabilities hands on what a side understands, of formats only text.
func (f *flow) capabilities(flags uint32, length int64) error {
	if formats := flags & clipboardFormats; length != 4+4*int64(bits.OnesCount32(formats)) {
		return fmt.Errorf("%w: clipboard capabilities %08x of %d bytes", ErrProtocol, flags, length)
	}
	b, err := f.take(8 + int(length)) // at most 76: there are 16 formats
	if err != nil {
		return err
	}
	var size []byte
	if flags&clipboardText != 0 {
		size = b[12:16] // the first format's is the first
	}
	return f.emitClipboard(flags&clipboardActions|flags&clipboardText, size)
}

// provide hands on a clipboard's text, within its limit. It is inflated in any case: a few
// bytes could become more than a client can hold.
func (f *flow) provide(c crossing, length int) error {
	b, err := f.take(8 + length)
	if err != nil {
		return err
	}
	flags := binary.BigEndian.Uint32(b[8:])
	text, err := inflateText(b[12:])
	if err != nil {
		return err
	}
	if text == nil {
		return nil // too long
	}
	cut, shorter := cutCharacters(text, c.limit)
	if flags&clipboardFormats == clipboardText && !shorter {
		return f.emit(b)
	}
	return f.emitClipboard(clipboardProvide|clipboardText, deflateText(cut))
}

// inflateText returns the text of a clipboard's contents, the first of its formats; nil
// where it is longer than maxPlainText.
func inflateText(deflated []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(deflated))
	if err != nil {
		return nil, fmt.Errorf("%w: a clipboard that is no zlib stream: %w", ErrProtocol, err)
	}
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, fmt.Errorf("%w: a clipboard without a size: %w", ErrProtocol, err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxPlainText {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil || len(text) < int(n) {
		return nil, fmt.Errorf("%w: a clipboard of %d bytes that ends after %d: %w", ErrProtocol, n, len(text), err)
	}
	return text, nil
}

// deflateText makes a clipboard's contents of a text, as they are sent by others: flushed,
// and without an end.
func deflateText(text []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) //nolint:gosec // at most maxPlainText
	_, _ = w.Write(text)
	_ = w.Flush() // a buffer takes everything
	return out.Bytes()
}

// cutCharacters cuts a text to so many characters, and reports whether it was longer. The zero byte at its end is none, and stays. A line's end is two bytes and one character.
func cutCharacters(text []byte, limit int) (cut []byte, shorter bool) {
	body, ended := bytes.CutSuffix(text, []byte{0})
	rest, n := body, 0
	for ; len(rest) > 0 && n < limit; n++ {
		size := 2
		if !bytes.HasPrefix(rest, []byte("\r\n")) {
			_, size = utf8.DecodeRune(rest)
		}
		rest = rest[size:]
	}
	if len(rest) == 0 {
		return text, false
	}
	cut = bytes.Clone(body[:len(body)-len(rest)])
	if ended {
		cut = append(cut, 0)
	}
	return cut, true
}
