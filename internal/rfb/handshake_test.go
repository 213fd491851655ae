package rfb_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"net"
	"testing"

	"carrel/internal/rfb"
)

// TestJoin shakes hands with the project's own server, and goes on.
func TestJoin(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	s := &rfb.Server{Name: "a desktop", Screen: func() *rfb.Screen { return rfb.NewScreen(gradient(image.Pt(40, 30))) }}
	done := make(chan error, 1)
	go func() { done <- s.Serve(server) }()
	r := bufio.NewReader(client)
	init, err := rfb.Join(t.Context(), client, r)
	if err != nil || init.Name != "a desktop" || init.Size != image.Pt(40, 30) {
		t.Fatalf("%+v, %v", init, err)
	}
	if _, err := client.Write(rfb.UpdateRequest{Area: image.Rect(0, 0, 1, 1)}.AppendClient(nil)); err != nil {
		t.Fatal(err)
	}
	if m, err := rfb.ReadServerMessage(r); err != nil || m != (rfb.Update{Rectangles: 1}) {
		t.Errorf("%#v, %v", m, err)
	}
	client.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestJoinEnds(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rfb.Join(ctx, client, bufio.NewReader(client)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestWelcome gives a client all of the handshake in two writes, whatever it says meanwhile.
func TestWelcome(t *testing.T) {
	t.Parallel()
	init := rfb.ServerInit{Size: image.Pt(4, 3), Format: trueColour(), Name: "a desktop"}
	hello := "RFB 003.008\n\x01\x01"
	for name, c := range map[string]struct {
		says string
		want error
	}{
		"noVNC":       {hello, nil},
		"alone":       {"RFB 003.008\n\x01\x00", nil},
		"old":         {"RFB 003.003\n\x01", rfb.ErrProtocol},
		"a password":  {"RFB 003.008\n\x02\x01", rfb.ErrProtocol},
		"not RFB":     {"GET / HTTP/1.1", rfb.ErrProtocol},
		"leaves":      {hello[:12], errAny},
		"leaves soon": {"", errAny},
	} {
		out := make(sink, 9)
		err := rfb.Welcome(bytes.NewReader([]byte(c.says)), out, init)
		if (c.want == nil) != (err == nil) || c.want != nil && !errors.Is(c.want, errAny) && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		first, second := <-out, <-out
		if string(first) != "RFB 003.008\n" || string(second[:6]) != "\x01\x01\x00\x00\x00\x00" || !bytes.HasSuffix(second, []byte("\x00\x00\x00\x09a desktop")) {
			t.Errorf("%s is told %q, %q", name, first, second)
		}
	}
}

// errAny stands for any error.
var errAny = errors.New("any error")
