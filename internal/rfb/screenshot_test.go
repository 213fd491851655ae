package rfb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/rfb"
)

// What a server says up to the end of the handshake, for a screen of a size.
const welcome = "RFB 003.008\n" + "\x02\x10\x01" + "\x00\x00\x00\x00"

func announce(width, height int) []byte {
	b := []byte{byte(width >> 8), byte(width), byte(height >> 8), byte(height)}
	b = append(b, make([]byte, 16)...) // whatever its own format is
	b = binary.BigEndian.AppendUint32(b, 4)
	return append(b, "name"...)
}

// raw is an update of one rectangle, in one shade.
func raw(area image.Rectangle, shade byte) []byte {
	b := rfb.Update{Rectangles: 1}.AppendServer(nil)
	b = rfb.RectangleHeader{Area: area}.Append(b)
	return append(b, bytes.Repeat([]byte{shade}, 4*area.Dx()*area.Dy())...)
}

func resized(width, height int) []byte {
	b := rfb.Update{Rectangles: 1}.AppendServer(nil)
	return rfb.RectangleHeader{Area: image.Rect(0, 0, width, height), Encoding: rfb.EncodingDesktopSize}.Append(b)
}

func TestScreenshotOfServer(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {17, 3}, {1024, 768}} {
		want := gradient(size)
		client, server := net.Pipe()
		var serving sync.WaitGroup
		serving.Go(func() {
			s := rfb.Server{Screen: func() *rfb.Screen { return rfb.NewScreen(want) }}
			if err := s.Serve(server); err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
		got, err := rfb.Screenshot(t.Context(), client)
		client.Close()
		serving.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if rgba, ok := got.(*image.RGBA); !ok || rgba.Rect != want.Rect || !bytes.Equal(rgba.Pix, want.Pix) {
			t.Errorf("the picture of %v is not the server's", size)
		}
	}
}

// TestScreenshotBetweenOtherThings hides the picture among all that a server may say.
func TestScreenshotBetweenOtherThings(t *testing.T) {
	t.Parallel()
	var other []byte
	for _, m := range serverMessages()[1:] {
		other = m.AppendServer(other)
	}
	layout := rfb.RectangleHeader{Area: image.Rect(0, 0, 4, 2), Encoding: rfb.EncodingExtendedDesktopSize}.
		Append(rfb.Update{Rectangles: 1}.AppendServer(nil))
	layout = append(append(layout, 2, 0, 0, 0), make([]byte, 32)...)
	got, err := rfb.Screenshot(t.Context(), newScript(join(
		[]byte(welcome), announce(10, 10), other, raw(image.Rect(0, 0, 10, 5), 1),
		resized(2, 2), other, layout, rfb.Update{}.AppendServer(nil),
		raw(image.Rect(0, 0, 2, 2), 7), other, raw(image.Rect(2, 0, 4, 2), 9),
	)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != image.Rect(0, 0, 4, 2) {
		t.Fatalf("the picture has %v", got.Bounds())
	}
	left, _, _, _ := got.At(1, 1).RGBA()
	right, _, _, alpha := got.At(2, 0).RGBA()
	if left>>8 != 7 || right>>8 != 9 || alpha>>8 != 255 {
		t.Errorf("its shades are %d and %d, its alpha %d", left>>8, right>>8, alpha>>8)
	}
}

func TestScreenshotRefuses(t *testing.T) {
	t.Parallel()
	start := join([]byte(welcome), announce(4, 4))
	odd := rfb.RectangleHeader{Area: image.Rect(0, 0, 1, 1), Encoding: 16}.Append(rfb.Update{Rectangles: 1}.AppendServer(nil))
	var restless []byte
	for n := range 10 {
		restless = append(restless, resized(n+10, 10)...)
	}
	for name, stream := range map[string][]byte{
		"no greeting":    []byte("HTTP/1.1 400"),
		"old":            []byte("RFB 003.003\n"),
		"refusal":        []byte("RFB 003.008\n\x00\x00\x00\x00\x04busy"),
		"long refusal":   join([]byte("RFB 003.008\n\x00\xff\xff\xff\xff"), make([]byte, 5000)),
		"password":       []byte("RFB 003.008\n\x01\x02"),
		"failure":        []byte("RFB 003.008\n\x01\x01\x00\x00\x00\x01\x00\x00\x00\x02no"),
		"empty":          join([]byte(welcome), announce(0, 4)),
		"wide":           join([]byte(welcome), announce(16385, 1)),
		"large":          join([]byte(welcome), announce(16384, 4097)),
		"long name":      join([]byte(welcome), announce(4, 4)[:20], []byte{255, 255, 255, 255}),
		"outside":        join(start, raw(image.Rect(3, 3, 5, 4), 0)),
		"wrong encoding": join(start, odd),
		"large later":    join(start, resized(16384, 16384)),
		"restless":       join(start, restless),
		"never done":     join(start, bytes.Repeat(raw(image.Rect(0, 0, 1, 0), 0), 100)),
		"unknown":        join(start, []byte{99}),
		"clipboard":      join(start, []byte{3, 0, 0, 0, 127, 255, 255, 255}),
	} {
		if got, err := rfb.Screenshot(t.Context(), newScript(stream)); !errors.Is(err, rfb.ErrProtocol) || got != nil {
			t.Errorf("%s: Screenshot = %v, %v, want ErrProtocol", name, got, err)
		}
	}
}

// TestScreenshotCutShort ends the stream everywhere.
func TestScreenshotCutShort(t *testing.T) {
	t.Parallel()
	whole := join([]byte(welcome), announce(3, 2), rfb.Bell{}.AppendServer(nil), raw(image.Rect(0, 0, 3, 2), 5))
	if _, err := rfb.Screenshot(t.Context(), newScript(whole)); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := rfb.Screenshot(t.Context(), newScript(whole[:n])); err == nil {
			t.Errorf("a stream of %d bytes gives a picture", n)
		}
	}
}

// TestHostileSizesCostNothing checks that a few bytes do not make us allocate much.
func TestHostileSizesCostNothing(t *testing.T) { //nolint:paralleltest // it measures what the process allocates
	start := join([]byte(welcome), announce(8192, 8192))
	for name, stream := range map[string][]byte{
		"size":      start,
		"name":      join([]byte(welcome), announce(4, 4)[:20], []byte{0, 1, 0, 0}),
		"clipboard": join(start, []byte{3, 0, 0, 0, 0, 15, 255, 255}),
		"colours":   join(start, []byte{1, 0, 0, 0, 255, 255}),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := rfb.Screenshot(t.Context(), newScript(stream)); err == nil {
			t.Errorf("%s: a picture came of nothing", name)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

func TestScreenshotKeepsToItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			defer server.Close()
			go func() { _, _ = server.Write(join([]byte(welcome), announce(4, 4))) }()
			for {
				if _, err := server.Read(make([]byte, 64)); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := rfb.Screenshot(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Screenshot of a server that shows nothing: %v", err)
		}
		client.Close()
		synctest.Wait()
	})
}
