package stream_test

import (
	"bytes"
	"context"
	"image"
	"testing"

	"github.com/coder/websocket"

	"carrel/internal/rfb"
)

// FuzzTab lets a tab send anything, in messages of any size: the stream goes on or ends, and
// in the end it is gone.
func FuzzTab(f *testing.F) {
	hello := []byte("RFB 003.008\n\x01\x01")
	f.Add(hello, uint8(1))
	f.Add([]byte("RFB 003.003\n\x01"), uint8(5))
	for i, m := range []rfb.ClientMessage{
		rfb.SetPixelFormat{Format: trueColour()},
		rfb.SetEncodings{Encodings: []int32{rfb.EncodingRaw, rfb.EncodingExtendedDesktopSize, rfb.EncodingExtendedClipboard}},
		rfb.UpdateRequest{Area: image.Rect(0, 0, 9, 9)},
		rfb.KeyEvent{Key: 'x', Down: true},
		rfb.PointerEvent{Buttons: 0xff},
		rfb.CutText{Text: []byte("copied")},
		rfb.CutText{Extended: true, Text: []byte{1, 0, 0, 1, 0, 0, 0, 9}},
		rfb.ContinuousUpdates{On: true},
		rfb.Fence{Payload: []byte("abc")},
		rfb.SetDesktopSize{Size: image.Pt(99, 99)},
		rfb.ExtendedKeyEvent{Key: 'x'},
	} {
		f.Add(m.AppendClient(bytes.Clone(hello)), uint8(i))
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, said []byte, size uint8) {
		h.t = t
		ws := h.dial("share=1")
		go func() {
			for {
				if _, _, err := ws.Read(context.Background()); err != nil {
					return
				}
			}
		}()
		for len(said) > 0 {
			n := min(int(size)+1, len(said))
			kind := websocket.MessageBinary
			if said[0] == 0xfe && size%5 == 0 {
				kind = websocket.MessageText
			}
			if ws.Write(t.Context(), kind, said[:n]) != nil {
				break
			}
			said = said[n:]
		}
		_ = ws.CloseNow()
		h.await("the end", func() bool { return len(h.Visits()) == 0 })
	})
}
