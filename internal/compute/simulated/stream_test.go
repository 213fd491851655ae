package simulated_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"net"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/rfb"
)

// look takes a picture of a desktop's screen.
func look(t *testing.T, d *simulated.Driver, id string) *image.RGBA {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := d.Dial(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	picture, err := rfb.Screenshot(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	rgba, ok := picture.(*image.RGBA)
	if !ok {
		t.Fatalf("the picture is a %T", picture)
	}
	return rgba
}

// sit opens a desktop's stream and shakes hands, so that typing can follow.
func sit(t *testing.T, d *simulated.Driver, id string) net.Conn {
	t.Helper()
	conn, err := d.Dial(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := rfb.Greeting(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	// Each of the client's steps with what the server answers before the next.
	for _, step := range []struct {
		say    string
		answer int
	}{{"RFB 003.008\n", 2}, {"\x01", 4}, {"\x01", 24 + len("A-1000000000001 (user1)")}} {
		if _, err := io.WriteString(conn, step.say); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, step.answer)); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// say sends messages, and returns once the server has acted on them.
func say(t *testing.T, conn net.Conn, messages ...rfb.ClientMessage) {
	t.Helper()
	var b []byte
	for _, m := range messages {
		b = m.AppendClient(b)
	}
	// The server reads what is behind the messages, a key that types nothing, only
	// when it is through with them.
	for _, b := range [][]byte{b, rfb.KeyEvent{Key: 0xffff}.AppendClient(nil)} {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func typeKeys(t *testing.T, conn net.Conn, keys ...uint32) {
	t.Helper()
	messages := make([]rfb.ClientMessage, 0, 2*len(keys))
	for _, key := range keys {
		messages = append(messages, rfb.KeyEvent{Down: true, Key: key}, rfb.KeyEvent{Key: key})
	}
	say(t, conn, messages...)
}

func TestScreenShowsTheDesktop(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	for n := 1; n <= 2; n++ {
		if _, err := d.Create(t.Context(), spec(n)); err != nil {
			t.Fatal(err)
		}
	}
	one, two := look(t, d, spec(1).ID), look(t, d, spec(2).ID)
	if one.Rect.Size() != image.Pt(1024, 768) {
		t.Errorf("the screen has %v", one.Rect)
	}
	white := 0
	for y := range one.Rect.Dy() {
		for x := range one.Rect.Dx() {
			if one.RGBAAt(x, y) == (color.RGBA{255, 255, 255, 255}) {
				white++
			}
		}
	}
	if white < 5_000 {
		t.Errorf("only %d pixels of text", white)
	}
	if one.RGBAAt(0, 0) == two.RGBAAt(0, 0) {
		t.Error("two desktops have the same colour")
	}
	if again := look(t, d, spec(1).ID); !bytes.Equal(again.Pix, one.Pix) {
		t.Error("the same desktop looks different the second time")
	}
}

func TestTypingShows(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	id := spec(1).ID
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	conn := sit(t, d, id)
	blank := look(t, d, id)
	typeKeys(t, conn, 'H', 'i', 0xff0d, '!')
	typed := look(t, d, id)
	if bytes.Equal(typed.Pix, blank.Pix) {
		t.Fatal("typing does not show")
	}
	typeKeys(t, conn, 0xff08, 0xff08, 0xff08, 0xff08, 0xff08)
	if erased := look(t, d, id); !bytes.Equal(erased.Pix, blank.Pix) {
		t.Error("BackSpace does not take back what was typed")
	}
	say(t, conn, rfb.CutText{Text: []byte("pasted\ttext")})
	if pasted := look(t, d, id); bytes.Equal(pasted.Pix, blank.Pix) || bytes.Equal(pasted.Pix, typed.Pix) {
		t.Error("pasting does not show")
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	conn := sit(t, d, spec(1).ID)
	for _, step := range []struct{ ask, want image.Point }{
		{image.Pt(1281, 721), image.Pt(1281, 721)},
		{image.Pt(16000, 4000), image.Pt(1281, 721)},
		{image.Pt(8, 8), image.Pt(1281, 721)},
	} {
		say(t, conn, rfb.SetDesktopSize{Size: step.ask})
		if got := look(t, d, spec(1).ID).Rect.Size(); got != step.want {
			t.Errorf("asked for %v, the screen has %v, want %v", step.ask, got, step.want)
		}
	}
}

func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	type ending = func(*simulated.Driver, context.Context, string) error
	for name, end := range map[string]ending{
		"stop": func(d *simulated.Driver, ctx context.Context, id string) error {
			_, err := d.Stop(ctx, id)
			return err
		},
		"reboot": func(d *simulated.Driver, ctx context.Context, id string) error {
			_, err := d.Reboot(ctx, id)
			return err
		},
		"delete": func(d *simulated.Driver, ctx context.Context, id string) error {
			_, err := d.Delete(ctx, id)
			return err
		},
		"break": (*simulated.Driver).Break,
		"close": func(d *simulated.Driver, _ context.Context, _ string) error { return d.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, config())
			for n := 1; n <= 2; n++ {
				if _, err := d.Create(t.Context(), spec(n)); err != nil {
					t.Fatal(err)
				}
			}
			conn, other := sit(t, d, spec(1).ID), sit(t, d, spec(1).ID)
			if err := end(d, t.Context(), spec(1).ID); err != nil {
				t.Fatal(err)
			}
			for _, conn := range []net.Conn{conn, other} {
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
					t.Errorf("Read: %v, want the stream's end", err)
				}
			}
		})
	}
}

func TestDialNeedsAContext(t *testing.T) {
	t.Parallel()
	d := open(t, config())
	if _, err := d.Create(t.Context(), spec(1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := d.Dial(ctx, spec(1).ID)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel() // it bounds the dialing, not the stream
	if err := rfb.Greeting(t.Context(), conn); err != nil {
		t.Error(err)
	}
	_, err = d.Dial(ctx, spec(1).ID)
	if !errors.Is(err, compute.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("Dial, cancelled: %v, want ErrUnavailable and the context's", err)
	}
}
