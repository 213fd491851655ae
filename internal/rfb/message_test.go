package rfb_test

import (
	"bufio"
	"bytes"
	"errors"
	"image"
	"io"
	"reflect"
	"strings"
	"testing"

	"carrel/internal/rfb"
)

func clientMessages() []rfb.ClientMessage {
	return []rfb.ClientMessage{
		rfb.SetPixelFormat{Format: rfb.PixelFormat{
			BitsPerPixel: 16, Depth: 16, BigEndian: true, TrueColour: true,
			RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5,
		}},
		rfb.SetEncodings{Encodings: []int32{rfb.EncodingRaw, 16, rfb.EncodingExtendedDesktopSize}},
		rfb.UpdateRequest{Incremental: true, Area: image.Rect(1, 2, 1024, 768)},
		rfb.KeyEvent{Down: true, Key: 0xff0d},
		rfb.ExtendedKeyEvent{Down: true, Key: 'a', Code: 30},
		rfb.PointerEvent{Buttons: 1, At: image.Pt(640, 480)},
		rfb.CutText{Text: []byte("caf\xe9")},
		rfb.CutText{Text: []byte{1, 0, 0, 0}, Extended: true},
		rfb.ContinuousUpdates{On: true, Area: image.Rect(0, 0, 10, 20)},
		rfb.Fence{Flags: 1 << 31, Payload: []byte("mark")},
		rfb.SetDesktopSize{Size: image.Pt(1280, 720), Screens: []rfb.ScreenLayout{{ID: 7, Area: image.Rect(0, 0, 1280, 720), Flags: 3}}},
	}
}

func serverMessages() []rfb.ServerMessage {
	return []rfb.ServerMessage{
		rfb.Update{Rectangles: 3},
		rfb.SetColourMap{First: 4, Colours: [][3]uint16{{1, 2, 3}, {65535, 0, 7}}},
		rfb.Bell{},
		rfb.CutText{Text: []byte("text")},
		rfb.CutText{Text: []byte{1, 0, 0, 0}, Extended: true},
		rfb.EndOfContinuousUpdates{},
		rfb.Fence{Flags: 3, Payload: []byte("mark")},
	}
}

// TestMessagesComeBack appends all messages to one stream and reads them again.
func TestMessagesComeBack(t *testing.T) {
	t.Parallel()
	var fromClient, fromServer []byte
	for _, m := range clientMessages() {
		fromClient = m.AppendClient(fromClient)
	}
	for _, m := range serverMessages() {
		fromServer = m.AppendServer(fromServer)
	}
	r := bufio.NewReader(bytes.NewReader(fromClient))
	for _, want := range clientMessages() {
		if got, err := rfb.ReadClientMessage(r); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ReadClientMessage = %#v, %v, want %#v", got, err, want)
		}
	}
	if _, err := rfb.ReadClientMessage(r); !errors.Is(err, io.EOF) {
		t.Errorf("ReadClientMessage at the end: %v", err)
	}
	r.Reset(bytes.NewReader(fromServer))
	for _, want := range serverMessages() {
		if got, err := rfb.ReadServerMessage(r); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ReadServerMessage = %#v, %v, want %#v", got, err, want)
		}
	}
	if _, err := rfb.ReadServerMessage(r); !errors.Is(err, io.EOF) {
		t.Errorf("ReadServerMessage at the end: %v", err)
	}
}

// TestTruncatedMessages cuts each message short everywhere.
func TestTruncatedMessages(t *testing.T) {
	t.Parallel()
	for _, m := range clientMessages() {
		b := m.AppendClient(nil)
		for n := 1; n < len(b); n++ {
			_, err := rfb.ReadClientMessage(bufio.NewReader(bytes.NewReader(b[:n])))
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("%T cut to %d bytes: %v", m, n, err)
			}
		}
	}
	for _, m := range serverMessages() {
		b := m.AppendServer(nil)
		for n := 1; n < len(b); n++ {
			_, err := rfb.ReadServerMessage(bufio.NewReader(bytes.NewReader(b[:n])))
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("%T cut to %d bytes: %v", m, n, err)
			}
		}
	}
}

func TestRefusedMessages(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]string{
		"unknown":          "\x63",
		"clipboard":        "\x06\x00\x00\x00\x00\x20\x00\x00",
		"clipboard, least": "\x06\x00\x00\x00\x80\x00\x00\x00",
		"fence":            "\xf8\x00\x00\x00\x00\x00\x00\x00\x41" + strings.Repeat("x", 65),
		"QEMU":             "\xff\x01\x00\x00",
	} {
		if m, err := rfb.ReadClientMessage(bufio.NewReader(strings.NewReader(b))); !errors.Is(err, rfb.ErrProtocol) {
			t.Errorf("%s: ReadClientMessage = %#v, %v, want ErrProtocol", name, m, err)
		}
	}
	if m, err := rfb.ReadServerMessage(bufio.NewReader(strings.NewReader("\x63"))); !errors.Is(err, rfb.ErrProtocol) {
		t.Errorf("ReadServerMessage = %#v, %v, want ErrProtocol", m, err)
	}
}
