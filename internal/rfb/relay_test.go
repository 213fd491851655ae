package rfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"carrel/internal/rfb"
)

// everything is a clipboard that crosses freely.
func everything() rfb.Clipboard { return rfb.Clipboard{In: 1 << 20, Out: 1 << 20} }

// trueColour is the pixel format that noVNC asks for.
func trueColour() rfb.PixelFormat {
	return rfb.PixelFormat{
		BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, GreenShift: 8, BlueShift: 16,
	}
}

func newRelay(c rfb.Clipboard) *rfb.Relay {
	r := rfb.NewRelay(rfb.ServerInit{Format: trueColour()})
	r.Clipboard = func() rfb.Clipboard { return c }
	return r
}

// pieces gives bytes in pieces whose sizes a source of numbers decides.
type pieces struct {
	rest []byte
	size func() int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(max(p.size(), 0), len(b), len(p.rest))
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

func whole() int { return 1 << 30 }

// toClient relays what a server says to a client that has asked for an update. The error is
// nil where the relay ends with the server.
func toClient(r *rfb.Relay, said []byte, size func() int) ([]byte, error) {
	var out bytes.Buffer
	ask(r)
	err := r.ServerToClient(&out, &pieces{said, size})
	return out.Bytes(), ended(err)
}

// ask asks for an update.
func ask(r *rfb.Relay) {
	_ = r.ClientToServer(io.Discard, bytes.NewReader(rfb.UpdateRequest{}.AppendClient(nil))) // ends with the bytes
}

func toServer(r *rfb.Relay, said []byte, size func() int) ([]byte, error) {
	var out bytes.Buffer
	err := r.ClientToServer(&out, &pieces{said, size})
	return out.Bytes(), ended(err)
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func u32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// rect is an update of one rectangle.
func rect(encoding int32, w, h int, payload ...[]byte) []byte {
	b := rfb.Update{Rectangles: 1}.AppendServer(nil)
	b = rfb.RectangleHeader{Area: image.Rect(0, 0, w, h), Encoding: encoding}.Append(b)
	return join(b, join(payload...))
}

func zeros(n int) []byte { return make([]byte, n) }

// updates are updates in every encoding, by what is peculiar in them. Where a length is
// misjudged, what follows is no message.
func updates() map[string][]byte {
	return map[string][]byte{
		"none":                 rfb.Update{}.AppendServer(nil),
		"raw":                  rect(rfb.EncodingRaw, 3, 2, zeros(24)),
		"raw, empty":           rect(rfb.EncodingRaw, 0, 9),
		"raw, large":           rect(rfb.EncodingRaw, 200, 200, zeros(160_000)),
		"copy":                 rect(rfb.EncodingCopyRect, 3, 2, zeros(4)),
		"rre":                  rect(rfb.EncodingRRE, 3, 2, u32(2), zeros(4+2*12)),
		"zlib":                 rect(rfb.EncodingZlib, 3, 2, u32(5), zeros(5)),
		"zrle":                 rect(rfb.EncodingZRLE, 3, 2, u32(0)),
		"h264":                 rect(rfb.EncodingH264, 3, 2, u32(5), u32(1), zeros(5)),
		"hextile":              rect(rfb.EncodingHextile, 17, 17, []byte{1}, zeros(16*16*4), []byte{0}, []byte{2}, zeros(4), []byte{1}, zeros(4)),
		"hextile, rectangles":  rect(rfb.EncodingHextile, 9, 9, []byte{2 | 4 | 8}, zeros(8), []byte{3}, zeros(6)),
		"hextile, coloured":    rect(rfb.EncodingHextile, 9, 9, []byte{8 | 16}, []byte{3}, zeros(18)),
		"tight, fill":          rect(rfb.EncodingTight, 300, 200, []byte{0x80}, zeros(3)),
		"tight, jpeg":          rect(rfb.EncodingTight, 300, 200, []byte{0x90}, []byte{0x85, 0x02}, zeros(0x105)),
		"tight, three bytes":   rect(rfb.EncodingTight, 300, 200, []byte{0x90}, []byte{0x80, 0x80, 0x01}, zeros(1<<14)),
		"tight, copy, plain":   rect(rfb.EncodingTight, 1, 3, []byte{0x00}, zeros(9)),
		"tight, copy":          rect(rfb.EncodingTight, 2, 2, []byte{0x0f}, []byte{7}, zeros(7)),
		"tight, gradient":      rect(rfb.EncodingTight, 2, 2, []byte{0x40, 2}, []byte{7}, zeros(7)),
		"tight, mono":          rect(rfb.EncodingTight, 9, 5, []byte{0x40, 1}, []byte{1}, zeros(6), zeros(10)),
		"tight, mono, longer":  rect(rfb.EncodingTight, 9, 6, []byte{0x40, 1}, []byte{1}, zeros(6), []byte{7}, zeros(7)),
		"tight, palette":       rect(rfb.EncodingTight, 4, 3, []byte{0x40, 1}, []byte{2}, zeros(9), []byte{7}, zeros(7)),
		"tight, whole palette": rect(rfb.EncodingTight, 11, 1, []byte{0x40, 1}, []byte{255}, zeros(768), zeros(11)),
		"tight png":            rect(rfb.EncodingTightPNG, 4, 3, []byte{0xa0}, []byte{7}, zeros(7)),
		"tight png, fill":      rect(rfb.EncodingTightPNG, 4, 3, []byte{0x80}, zeros(3)),
		"size":                 rect(rfb.EncodingDesktopSize, 4, 3),
		"monitors":             rect(rfb.EncodingExtendedDesktopSize, 4, 3, []byte{2, 0, 0, 0}, zeros(32)),
		"name":                 rect(rfb.EncodingDesktopName, 0, 0, u32(3), []byte("abc")),
		"pointer":              rect(rfb.EncodingCursor, 9, 2, zeros(9*2*4), zeros(4)),
		"no pointer":           rect(rfb.EncodingCursor, 0, 0),
		"vmware pointer":       rect(rfb.EncodingVMwareCursor, 9, 2, []byte{0, 0}, zeros(2*9*2*4)),
		"vmware alpha pointer": rect(rfb.EncodingVMwareCursor, 9, 2, []byte{1, 0}, zeros(9*2*4)),
		"lamps":                rect(rfb.EncodingLEDs, 0, 0, []byte{2}),
		"keys":                 rect(rfb.EncodingExtendedKeyEvent, 0, 0),
		"buttons":              rect(rfb.EncodingExtendedButtons, 0, 0),
		"last": join(rfb.Update{Rectangles: 0xffff}.AppendServer(nil),
			rfb.RectangleHeader{Area: image.Rect(0, 0, 1, 1), Encoding: rfb.EncodingRaw}.Append(nil), zeros(4),
			rfb.RectangleHeader{Encoding: rfb.EncodingLastRectangle}.Append(nil)),
	}
}

// After each update come a bell and what only an update can be, so that a length that is
// misjudged shows.
func TestRelayFollowsEveryEncoding(t *testing.T) {
	t.Parallel()
	for name, update := range updates() {
		said := join(update, []byte{2}, update, []byte{150})
		for split, size := range map[string]func() int{"whole": whole, "in bytes": func() int { return 1 }} {
			got, err := toClient(newRelay(everything()), said, size)
			if err != nil || !bytes.Equal(got, said) {
				t.Errorf("%s, %s: %d of %d bytes, %v", name, split, len(got), len(said), err)
			}
		}
		// What is missing is not made up for, and what is there comes through.
		got, err := toClient(newRelay(everything()), update[:len(update)-1], whole)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(update, got) {
			t.Errorf("%s, less a byte: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestRelayRefusesServers(t *testing.T) {
	t.Parallel()
	const huge = 41 << 20
	for name, said := range map[string][]byte{
		"a message that nobody knows":  {77},
		"colours":                      rfb.SetColourMap{}.AppendServer(nil),
		"JPEG":                         rect(21, 4, 4),
		"an encoding of nobody's":      rect(99, 4, 4),
		"a wide rectangle":             rect(rfb.EncodingRaw, 20_000, 1),
		"a wide screen":                rect(rfb.EncodingDesktopSize, 20_000, 1),
		"a screen of nothing":          rect(rfb.EncodingExtendedDesktopSize, 0, 0),
		"a long name":                  rect(rfb.EncodingDesktopName, 0, 0, u32(1<<20)),
		"a large pointer":              rect(rfb.EncodingCursor, 2000, 2000),
		"an odd pointer":               rect(rfb.EncodingVMwareCursor, 1, 1, []byte{2, 0}),
		"more rectangles than pixels":  rect(rfb.EncodingRRE, 2, 2, u32(5)),
		"an empty rectangle":           rect(rfb.EncodingZlib, 0, 5),
		"an odd tile":                  rect(rfb.EncodingHextile, 5, 5, []byte{31}),
		"much zlib":                    rect(rfb.EncodingZRLE, 5, 5, u32(huge)),
		"much film":                    rect(rfb.EncodingH264, 5, 5, u32(huge), u32(0)),
		"a PNG in Tight":               rect(rfb.EncodingTight, 5, 5, []byte{0xa0}),
		"pixels in TightPNG":           rect(rfb.EncodingTightPNG, 5, 5, []byte{0x00}),
		"an odd kind of Tight":         rect(rfb.EncodingTight, 5, 5, []byte{0xb0}),
		"an odd filter":                rect(rfb.EncodingTight, 5, 5, []byte{0x40, 3}),
		"a long fence":                 {248, 0, 0, 0, 0, 0, 0, 0, 65},
		"a short clipboard":            extended(zeros(3)),
		"a clipboard of two minds":     clip(3<<27, nil),
		"a clipboard of none":          clip(1, nil),
		"a notice with something more": clip(notify|text, zeros(1)),
		"sizes of too few formats":     clip(capabilities|3, u32(1)),
		"what is no zlib":              clip(provide|text, zeros(9)),
		"less than was promised":       clip(provide|text, deflated(u32(9), []byte("abc"))),
	} {
		if got, err := toClient(newRelay(everything()), said, whole); !errors.Is(err, rfb.ErrProtocol) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestRelayRefusesClients(t *testing.T) {
	t.Parallel()
	format := rfb.SetPixelFormat{Format: trueColour()}.AppendClient(nil)
	other := rfb.SetPixelFormat{Format: rfb.PixelFormat{BitsPerPixel: 8, TrueColour: true}}.AppendClient(nil)
	asks := rfb.UpdateRequest{Area: image.Rect(0, 0, 9, 9)}.AppendClient(nil)
	for name, said := range map[string][]byte{
		"a message that nobody knows": {77},
		"a wish to shut down":         {250, 0, 1, 2},
		"sound":                       {255, 1, 0, 0},
		"colours by number":           rfb.SetPixelFormat{Format: rfb.PixelFormat{BitsPerPixel: 8}}.AppendClient(nil),
		"another format under way":    join(format, asks, other),
		"a format too late":           join(asks, format),
		"a thousand encodings":        rfb.SetEncodings{Encodings: make([]int32, 1000)}.AppendClient(nil),
	} {
		if got, err := toServer(newRelay(everything()), said, whole); !errors.Is(err, rfb.ErrProtocol) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := toServer(newRelay(everything()), join(other, format, asks, format, asks), whole); err != nil {
		t.Errorf("the same format again: %v", err)
	}
}

// TestRelayKeepsUpdatesThatNobodyAskedFor has a server speak before the client has said how it
// reads pixels: what the relay takes for pixels the client could take for a clipboard.
func TestRelayKeepsUpdatesThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	r := newRelay(rfb.Clipboard{})
	said := join([]byte{2}, rect(rfb.EncodingRaw, 3, 2, zeros(24)))
	var out bytes.Buffer
	if err := r.ServerToClient(&out, bytes.NewReader(said)); !errors.Is(err, rfb.ErrProtocol) || out.Len() > 1 {
		t.Errorf("% x, %v", out.Bytes(), err)
	}
	if got, err := toClient(r, said, whole); err != nil || !bytes.Equal(got, said) {
		t.Errorf("one that was asked for: %d of %d bytes, %v", len(got), len(said), err)
	}
}

// TestRelayFollowsThePixelFormat has a client choose pixels of fewer bytes.
func TestRelayFollowsThePixelFormat(t *testing.T) {
	t.Parallel()
	r := newRelay(everything())
	small := rfb.PixelFormat{BitsPerPixel: 16, Depth: 16, TrueColour: true, RedMax: 31, GreenMax: 63, BlueMax: 31}
	if _, err := toServer(r, rfb.SetPixelFormat{Format: small}.AppendClient(nil), whole); err != nil {
		t.Fatal(err)
	}
	said := join(rect(rfb.EncodingRaw, 3, 3, zeros(18)), rect(rfb.EncodingTight, 3, 3, []byte{0x80}, zeros(2)), []byte{2})
	if got, err := toClient(r, said, whole); err != nil || !bytes.Equal(got, said) {
		t.Errorf("%d of %d bytes, %v", len(got), len(said), err)
	}
}

func TestRelayLeavesOutEncodings(t *testing.T) {
	t.Parallel()
	asked := []int32{rfb.EncodingCopyRect, 21, rfb.EncodingTight, -309, rfb.EncodingExtendedClipboard, -26, -250, 4711, rfb.EncodingRaw}
	want := []int32{rfb.EncodingCopyRect, rfb.EncodingTight, rfb.EncodingExtendedClipboard, -26, -250, rfb.EncodingRaw}
	key := rfb.KeyEvent{Key: 'x'}.AppendClient(nil)
	got, err := toServer(newRelay(everything()), join(key, rfb.SetEncodings{Encodings: asked}.AppendClient(nil), key), whole)
	if err != nil || !bytes.Equal(got, join(key, rfb.SetEncodings{Encodings: want}.AppendClient(nil), key)) {
		t.Errorf("% x, %v", got, err)
	}
}

// TestRelayKnowsInput tells what the user does from what the client says by itself.
func TestRelayKnowsInput(t *testing.T) {
	t.Parallel()
	move := func(x int, buttons uint8) []byte {
		return rfb.PointerEvent{Buttons: buttons, At: image.Pt(x, 5)}.AppendClient(nil)
	}
	r := newRelay(everything())
	inputs := 0
	r.Input = func() { inputs++ }
	expect := func(what string, want int, said ...[]byte) {
		t.Helper()
		inputs = 0
		got, err := toServer(r, join(said...), whole)
		if err != nil || inputs != want || !bytes.Equal(got, join(said...)) {
			t.Errorf("%s: input %d times, want %d; %v", what, inputs, want, err)
		}
	}
	fence := rfb.Fence{Flags: 1, Payload: []byte("abc")}.AppendClient(nil)
	expect("silence", 0, rfb.UpdateRequest{}.AppendClient(nil), fence, rfb.ContinuousUpdates{On: true}.AppendClient(nil),
		rfb.SetDesktopSize{Size: image.Pt(9, 9), Screens: make([]rfb.ScreenLayout, 1)}.AppendClient(nil),
		clientClip(capabilities|text|provide, u32(0)), clientClip(request|text, nil))
	expect("keys", 2, rfb.KeyEvent{Down: true, Key: 'x'}.AppendClient(nil), rfb.ExtendedKeyEvent{Key: 'x', Code: 1}.AppendClient(nil))
	expect("a pointer that moves and clicks", 3, move(1, 0), move(1, 0), move(2, 0), move(2, 0), move(2, 1))
	expect("a clipboard", 2, clientClip(notify|text, nil), rfb.CutText{Text: []byte("abc")}.AppendClient(nil))

	// Without the server's word a pointer event has six bytes whatever is in them.
	many := func(buttons, more byte) []byte { return []byte{5, 0x80 | buttons, 0, 9, 0, 9, more} }
	expect("the eighth button", 1, move(9, 0x80))
	if _, err := toClient(r, rect(rfb.EncodingExtendedButtons, 0, 0), whole); err != nil {
		t.Fatal(err)
	}
	expect("more buttons", 2, many(0, 1), many(0, 1), many(0, 2), many(0, 2))
}

// Whatever the pieces in which a stream comes, what is handed on is the same.
func TestRelayIsIndifferentToPieces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		rules := rfb.Clipboard{In: rapid.IntRange(0, 5).Draw(r, "in"), Out: rapid.IntRange(0, 5).Draw(r, "out")}
		size := func() int { return rapid.IntRange(0, 40).Draw(r, "piece") }
		said := speech(r, serverSpeech())
		want, err := toClient(newRelay(rules), said, whole)
		if err != nil {
			r.Fatal(err)
		}
		if got, err := toClient(newRelay(rules), said, size); err != nil || !bytes.Equal(got, want) {
			r.Fatalf("from the server: %v\ngot  % x\nwant % x", err, got, want)
		}
		said = speech(r, clientSpeech())
		if want, err = toServer(newRelay(rules), said, whole); err != nil {
			r.Fatal(err)
		}
		if got, err := toServer(newRelay(rules), said, size); err != nil || !bytes.Equal(got, want) {
			r.Fatalf("from the client: %v\ngot  % x\nwant % x", err, got, want)
		}
	})
}

func speech(r *rapid.T, words [][]byte) []byte {
	return join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 8).Draw(r, "speech")...)
}

// serverSpeech are messages of a server, of moderate length.
func serverSpeech() [][]byte {
	words := [][]byte{{2}, {150}, rfb.Fence{Flags: 1 << 31, Payload: []byte("abc")}.AppendServer(nil)}
	for _, name := range slices.Sorted(keysOf(updates())) {
		if u := updates()[name]; len(u) < 2000 {
			words = append(words, u)
		}
	}
	for _, c := range clips() {
		words = append(words, join([]byte{3}, c[1:]))
	}
	return words
}

func keysOf(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// clientSpeech are messages of a client.
func clientSpeech() [][]byte {
	var words [][]byte
	for _, m := range clientMessages() {
		if _, late := m.(rfb.SetPixelFormat); !late {
			words = append(words, m.AppendClient(nil))
		}
	}
	return append(words, clips()...)
}

// TestRelayWaitsForNothing checks that each byte goes on as soon as it is known what it is.
func TestRelayWaitsForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, in := net.Pipe()
		out := make(chan []byte, 9)
		ended := make(chan error, 1)
		relay := newRelay(everything())
		ask(relay)
		go func() { ended <- relay.ServerToClient(sink(out), in) }()
		say := func(b []byte, want []byte) {
			t.Helper()
			if _, err := server.Write(b); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			var got []byte
			for len(out) > 0 {
				got = append(got, <-out...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("after % x: % x, want % x", b, got, want)
			}
		}
		say([]byte{2}, []byte{2})
		update := rect(rfb.EncodingRaw, 2, 1, []byte("12345678"))
		say(update[:3], nil)
		say(update[3:4], update[:4])
		say(update[4:20], update[4:20])
		say(update[20:], update[20:])
		server.Close()
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// sink collects writes.
type sink chan []byte

func (s sink) Write(b []byte) (int, error) {
	s <- bytes.Clone(b)
	return len(b), nil
}

// A side that does not take what it is sent is told from one that sends nonsense.
func TestRelayTellsWhoFailed(t *testing.T) {
	t.Parallel()
	err := newRelay(everything()).ServerToClient(failing{}, bytes.NewReader([]byte{2}))
	if !rfb.IsWriteError(err) || !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if _, err := toClient(newRelay(everything()), []byte{77}, whole); rfb.IsWriteError(err) {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// FuzzRelayServer lets a server say anything. However it is cut to pieces it comes to the
// same, and what was handed on once is handed on as it is.
func FuzzRelayServer(f *testing.F) {
	for i, word := range serverSpeech() {
		f.Add(word, uint64(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, said []byte, seed uint64, rules uint8) {
		fuzzRelay(t, toClient, said, seed, rules)
	})
}

// FuzzRelayClient lets a client say anything.
func FuzzRelayClient(f *testing.F) {
	for i, word := range clientSpeech() {
		f.Add(word, uint64(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, said []byte, seed uint64, rules uint8) {
		fuzzRelay(t, toServer, said, seed, rules)
	})
}

func fuzzRelay(t *testing.T, relay func(*rfb.Relay, []byte, func() int) ([]byte, error), said []byte, seed uint64, rules uint8) {
	t.Helper()
	c := rfb.Clipboard{In: int(rules) % 4, Out: int(rules>>2) % 4}
	want, first := relay(newRelay(c), said, whole)
	random := rand.New(rand.NewPCG(seed, 0))
	got, second := relay(newRelay(c), said, func() int { return random.IntN(30) })
	// One that ends with an error may have handed on more or less before it.
	same := bytes.Equal(got, want) || first != nil && (bytes.HasPrefix(got, want) || bytes.HasPrefix(want, got))
	if (first == nil) != (second == nil) || !same {
		t.Fatalf("in pieces: %v, %v\ngot  % x\nwant % x", first, second, got, want)
	}
	if first != nil {
		return
	}
	if again, err := relay(newRelay(c), want, whole); err != nil || !bytes.Equal(again, want) {
		t.Fatalf("again: %v\ngot  % x\nwant % x", err, again, want)
	}
}
