package rfb_test

import (
	"bufio"
	"bytes"
	"image"
	"reflect"
	"testing"

	"carrel/internal/rfb"
)

// FuzzScreenshot lets a hostile server talk to the client.
func FuzzScreenshot(f *testing.F) {
	start := join([]byte(welcome), announce(4, 4))
	f.Add(join(start, raw(image.Rect(0, 0, 4, 4), 9)))
	f.Add(join(start, resized(2, 2), raw(image.Rect(0, 0, 2, 2), 9)))
	f.Add([]byte("RFB 003.008\n\x00\x00\x00\x00\x04busy"))
	var other []byte
	for _, m := range serverMessages() {
		other = m.AppendServer(other)
	}
	f.Add(join(start, other))
	f.Fuzz(func(t *testing.T, stream []byte) {
		picture, err := rfb.Screenshot(t.Context(), newScript(stream))
		if (picture == nil) != (err != nil) {
			t.Fatalf("Screenshot = %v, %v", picture, err)
		}
		if err == nil && 4*picture.Bounds().Dx()*picture.Bounds().Dy() > len(stream) {
			t.Fatalf("%d bytes became a picture of %v", len(stream), picture.Bounds())
		}
	})
}

// FuzzServer lets a hostile client talk to the server.
func FuzzServer(f *testing.F) {
	hello := []byte("RFB 003.008\n\x01\x01")
	stream := hello
	for _, m := range clientMessages() {
		f.Add(m.AppendClient(bytes.Clone(hello)))
		stream = m.AppendClient(bytes.Clone(stream))
	}
	f.Add(stream)
	f.Fuzz(func(_ *testing.T, stream []byte) {
		screen := rfb.NewScreen(gradient(image.Pt(32, 32)))
		s := rfb.Server{
			Screen: func() *rfb.Screen { return screen },
			Key:    func(k rfb.KeyEvent) { screen.Show(uniform(image.Pt(32, 32), byte(k.Key))) },
			Resize: func(size image.Point) bool {
				fits := max(size.X, size.Y) <= 64
				if fits {
					screen.Show(gradient(size))
				}
				return fits
			},
		}
		_ = s.Serve(newScript(stream)) // it has to end, that is all
	})
}

// FuzzMessages checks that what was read is written so that it reads the same.
func FuzzMessages(f *testing.F) {
	for _, m := range clientMessages() {
		f.Add(m.AppendClient(nil), true)
	}
	for _, m := range serverMessages() {
		f.Add(m.AppendServer(nil), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, client bool) {
		r := bufio.NewReader(bytes.NewReader(b))
		var got, again any
		var err error
		if client {
			var m rfb.ClientMessage
			if m, err = rfb.ReadClientMessage(r); err != nil {
				return
			}
			r.Reset(bytes.NewReader(m.AppendClient(nil)))
			got = m
			again, err = rfb.ReadClientMessage(r)
		} else {
			var m rfb.ServerMessage
			if m, err = rfb.ReadServerMessage(r); err != nil {
				return
			}
			r.Reset(bytes.NewReader(m.AppendServer(nil)))
			got = m
			again, err = rfb.ReadServerMessage(r)
		}
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%#v reads as %#v, %v", got, again, err)
		}
	})
}
