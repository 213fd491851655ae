package rfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"carrel/internal/rfb"
)

func TestServerGreetsByItsName(t *testing.T) {
	t.Parallel()
	screen := rfb.NewScreen(gradient(image.Pt(30, 20)))
	v := view(t, &rfb.Server{Name: "a desktop", Screen: func() *rfb.Screen { return screen }})
	if v.init.Size != image.Pt(30, 20) || v.init.Name != "a desktop" {
		t.Errorf("ServerInit = %+v", v.init)
	}
}

func TestServerPixelFormats(t *testing.T) {
	t.Parallel()
	screen := rfb.NewScreen(gradient(image.Pt(5, 1)))
	v := view(t, &rfb.Server{Screen: func() *rfb.Screen { return screen }})
	rgb565 := rfb.PixelFormat{
		BitsPerPixel: 16, Depth: 16, TrueColour: true,
		RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5,
	}
	bgr233 := rfb.PixelFormat{
		BitsPerPixel: 8, Depth: 8, TrueColour: true,
		RedMax: 7, GreenMax: 7, BlueMax: 3, GreenShift: 3, BlueShift: 6,
	}
	xrgb := rfb.PixelFormat{
		BitsPerPixel: 32, Depth: 24, BigEndian: true, TrueColour: true,
		RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8,
	}
	all := rfb.UpdateRequest{Area: image.Rect(0, 0, 5, 1)}
	for _, test := range []struct {
		format rfb.PixelFormat
		pixel  []byte // the third: its red is 6, its green 249, its blue 3
	}{
		{xrgb, []byte{0, 6, 249, 3}},
		{rgb565, binary.LittleEndian.AppendUint16(nil, 1<<11|62<<5)},
		{bgr233, []byte{7 << 3}},
	} {
		v.say(rfb.SetPixelFormat{Format: test.format}, all)
		_, pixels := v.update(len(test.pixel))
		if got := pixels[2*len(test.pixel):][:len(test.pixel)]; !bytes.Equal(got, test.pixel) {
			t.Errorf("in %d bits: % x, want % x", test.format.BitsPerPixel, got, test.pixel)
		}
	}
}

// TestServerSendsWhatChanged follows a screen by incremental requests.
func TestServerSendsWhatChanged(t *testing.T) {
	t.Parallel()
	size := image.Pt(40, 30)
	screen := rfb.NewScreen(uniform(size, 0))
	v := view(t, &rfb.Server{Screen: func() *rfb.Screen { return screen }})
	whole := image.Rectangle{Max: size}
	next := rfb.UpdateRequest{Incremental: true, Area: whole}

	v.say(next)
	if h, _ := v.update(4); h.Area != whole {
		t.Errorf("at first %v is sent, want all of %v", h.Area, whole)
	}
	spot := image.Rect(7, 9, 12, 11)
	v.say(next)
	screen.Show(painted(size, func(x, y int) byte {
		if image.Pt(x, y).In(spot) {
			return 200
		}
		return 0
	}))
	if h, pixels := v.update(4); h.Area != spot || !bytes.Equal(pixels, bytes.Repeat([]byte{200, 55, 100, 255}, 10)) {
		t.Errorf("after a change in %v, %v is sent: % x", spot, h.Area, pixels)
	}

	// What has changed while nobody asked is kept, also where only a part is asked for.
	screen.Show(uniform(size, 9))
	left, right := image.Rect(0, 0, 20, 30), image.Rect(20, 0, 40, 30)
	for _, half := range []image.Rectangle{left, right} {
		v.say(rfb.UpdateRequest{Incremental: true, Area: half})
		if h, _ := v.update(4); h.Area != half {
			t.Errorf("of %v, %v is sent", half, h.Area)
		}
	}
	// And a full request is answered at once, as much as there is of it.
	v.say(rfb.UpdateRequest{Area: image.Rect(30, 20, 4000, 4000)})
	if h, _ := v.update(4); h.Area != image.Rect(30, 20, 40, 30) {
		t.Errorf("of a corner, %v is sent", h.Area)
	}
	v.say(rfb.UpdateRequest{Area: image.Rect(3000, 3000, 4000, 4000)})
	if h, _ := v.update(4); !h.Area.Empty() {
		t.Errorf("of nothing, %v is sent", h.Area)
	}
}

func TestServerResizes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		encodings []int32
		want      int32
	}{
		"extended": {[]int32{rfb.EncodingRaw, rfb.EncodingExtendedDesktopSize}, rfb.EncodingExtendedDesktopSize},
		"plain":    {[]int32{rfb.EncodingDesktopSize}, rfb.EncodingDesktopSize},
		"unaware":  {nil, rfb.EncodingRaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := rfb.NewScreen(uniform(image.Pt(20, 20), 1))
			v := view(t, &rfb.Server{Screen: func() *rfb.Screen { return screen }})
			next := rfb.UpdateRequest{Incremental: true, Area: image.Rect(0, 0, 20, 20)}
			v.say(rfb.SetEncodings{Encodings: test.encodings}, next)
			if h, _ := v.update(4); h.Encoding == rfb.EncodingExtendedDesktopSize {
				v.say(next) // the layout that it is told at first
				v.update(4)
			}
			screen.Show(uniform(image.Pt(30, 10), 2))
			v.say(next)
			h, _ := v.update(4)
			if h.Encoding != test.want {
				t.Fatalf("the server sends encoding %d, want %d", h.Encoding, test.want)
			}
			if want := image.Pt(30, 10); test.want != rfb.EncodingRaw && h.Area.Size() != want {
				t.Errorf("the screen has %v, want %v", h.Area.Size(), want)
			}
			if test.want == rfb.EncodingRaw {
				if want := image.Rect(0, 0, 20, 10); h.Area != want {
					t.Errorf("%v is sent, want what there still is: %v", h.Area, want)
				}
				return
			}
			v.say(rfb.UpdateRequest{Incremental: true, Area: image.Rect(0, 0, 30, 10)})
			if h, _ := v.update(4); h.Area != image.Rect(0, 0, 30, 10) {
				t.Errorf("afterwards %v is sent, want all", h.Area)
			}
		})
	}
}

func TestClientResizes(t *testing.T) {
	t.Parallel()
	screen := rfb.NewScreen(uniform(image.Pt(20, 20), 1))
	v := view(t, &rfb.Server{
		Screen: func() *rfb.Screen { return screen },
		Resize: func(size image.Point) bool {
			if size.X > 100 {
				return false
			}
			screen.Show(uniform(size, 2))
			return true
		},
	})
	next := rfb.UpdateRequest{Incremental: true, Area: image.Rect(0, 0, 200, 200)}
	v.say(rfb.SetEncodings{Encodings: []int32{rfb.EncodingExtendedDesktopSize}}, next)
	v.update(4)
	for _, test := range []struct {
		ask    image.Point
		status int
		want   image.Point
	}{
		{image.Pt(50, 60), 0, image.Pt(50, 60)},
		{image.Pt(101, 60), 1, image.Pt(50, 60)},
		{image.Pt(0, 60), 1, image.Pt(50, 60)},
	} {
		v.say(rfb.SetDesktopSize{Size: test.ask}, next)
		h, _ := v.update(4)
		if h.Encoding == rfb.EncodingRaw { // drawn before the wish was heard
			v.say(next)
			h, _ = v.update(4)
		}
		if h.Encoding != rfb.EncodingExtendedDesktopSize || h.Area.Min != image.Pt(1, test.status) || h.Area.Size() != test.want {
			t.Errorf("asked for %v: %+v, want status %d and %v", test.ask, h, test.status, test.want)
		}
	}
}

func TestServerHandsOnInput(t *testing.T) {
	t.Parallel()
	got := make(chan any, 8)
	screen := rfb.NewScreen(uniform(image.Pt(2, 2), 0))
	v := view(t, &rfb.Server{
		Screen:  func() *rfb.Screen { return screen },
		Key:     func(k rfb.KeyEvent) { got <- k },
		Pointer: func(p rfb.PointerEvent) { got <- p },
		Cut:     func(text []byte) { got <- string(text) },
	})
	v.say(
		rfb.KeyEvent{Down: true, Key: 'x'},
		rfb.Fence{Payload: []byte("ignored")}, rfb.ContinuousUpdates{}, rfb.CutText{Text: []byte("flag"), Extended: true},
		rfb.ExtendedKeyEvent{Key: 'y', Code: 21},
		rfb.PointerEvent{Buttons: 4, At: image.Pt(1, 1)},
		rfb.CutText{Text: []byte("copied")},
	)
	for _, want := range []any{
		rfb.KeyEvent{Down: true, Key: 'x'},
		rfb.KeyEvent{Key: 'y'},
		rfb.PointerEvent{Buttons: 4, At: image.Pt(1, 1)},
		"copied",
	} {
		if g := <-got; g != want {
			t.Errorf("handed on: %#v, want %#v", g, want)
		}
	}
}

// TestServerRefuses checks that a client which breaks the protocol ends its stream,
// and one that leaves ends it without an error.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	const hello = "RFB 003.008\n\x01\x01"
	colourMap := rfb.SetPixelFormat{Format: rfb.PixelFormat{BitsPerPixel: 8}}.AppendClient([]byte(hello))
	odd := rfb.SetPixelFormat{Format: rfb.PixelFormat{BitsPerPixel: 24, TrueColour: true}}.AppendClient([]byte(hello))
	shifted := rfb.SetPixelFormat{Format: rfb.PixelFormat{BitsPerPixel: 8, TrueColour: true, RedShift: 32}}.AppendClient([]byte(hello))
	for name, test := range map[string]struct {
		sent []byte
		want error
	}{
		"leaves":     {[]byte(hello), nil},
		"old":        {[]byte("RFB 003.003\n"), rfb.ErrProtocol},
		"password":   {[]byte("RFB 003.008\n\x02"), rfb.ErrProtocol},
		"unknown":    {[]byte(hello + "\x63"), rfb.ErrProtocol},
		"colour map": {colourMap, rfb.ErrProtocol},
		"24 bits":    {odd, rfb.ErrProtocol},
		"shift":      {shifted, rfb.ErrProtocol},
	} {
		s := rfb.Server{Screen: func() *rfb.Screen { return rfb.NewScreen(gradient(image.Pt(3, 3))) }}
		err := s.Serve(newScript(test.sent))
		if !errors.Is(err, test.want) || (test.want == nil && err != nil) {
			t.Errorf("%s: Serve = %v, want %v", name, err, test.want)
		}
	}
}

// TestServerEndsWithItsConnection closes the connection while the server waits for
// the client to take a picture, and looks for goroutines that stay behind.
func TestServerEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	for _, ends := range []string{"client", "server"} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			s := rfb.Server{Screen: func() *rfb.Screen { return rfb.NewScreen(gradient(image.Pt(200, 200))) }}
			served := make(chan error, 1)
			go func() { served <- s.Serve(server) }()
			go func() { _, _ = client.Read(make([]byte, 12+2+4+24)) }()
			for _, b := range [][]byte{
				[]byte("RFB 003.008\n"), {1}, {1}, rfb.UpdateRequest{Area: image.Rect(0, 0, 200, 200)}.AppendClient(nil),
			} {
				go func() { _, _ = client.Read(make([]byte, 64)) }()
				if _, err := client.Write(b); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			conns := map[string]net.Conn{"client": client, "server": server}
			conns[ends].Close()
			if err := <-served; err != nil {
				t.Errorf("the %s hangs up: %v", ends, err)
			}
			client.Close()
		})
	}
}

func TestManyViewers(t *testing.T) {
	t.Parallel()
	size := image.Pt(16, 16)
	screen := rfb.NewScreen(uniform(size, 1))
	s := &rfb.Server{Screen: func() *rfb.Screen { return screen }}
	viewers := make([]*viewer, 4)
	next := rfb.UpdateRequest{Incremental: true, Area: image.Rectangle{Max: size}}
	for i := range viewers {
		viewers[i] = view(t, s)
		viewers[i].say(next)
		viewers[i].update(4)
		viewers[i].say(next)
	}
	screen.Show(uniform(size, 77))
	for _, v := range slices.Backward(viewers) {
		if _, pixels := v.update(4); pixels[0] != 77 {
			t.Errorf("a viewer sees %d", pixels[0])
		}
	}
}
