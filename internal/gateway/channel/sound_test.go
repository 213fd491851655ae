package channel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

func (d *desk) listen() *websocket.Conn {
	d.Helper()
	socket, _, err := websocket.Dial(d.Context(), d.server.URL+"/desktop/"+id+"/sound", nil)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = socket.CloseNow() })
	return socket
}

// hear reads messages until there are so many bytes, telling the server of them.
func (d *desk) hear(socket *websocket.Conn, most int) []byte {
	d.Helper()
	return d.read(socket, most, func(ctx context.Context, got int) error {
		return socket.Write(ctx, websocket.MessageText, []byte(strconv.Itoa(got)))
	})
}

// overhear reads messages as hear does, and tells nobody.
func (d *desk) overhear(socket *websocket.Conn, most int) []byte {
	d.Helper()
	return d.read(socket, most, func(context.Context, int) error { return nil })
}

func (d *desk) read(socket *websocket.Conn, most int, tell func(ctx context.Context, got int) error) []byte {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	var got []byte
	for len(got) < most {
		kind, message, err := socket.Read(ctx)
		if err != nil || kind != websocket.MessageBinary || len(message)%sidechannel.FrameBytes != 0 {
			d.Fatalf("after %d bytes: %v message of %d bytes, %v", len(got), kind, len(message), err)
		}
		got = append(got, message...)
		if err := tell(ctx, len(got)); err != nil {
			d.Fatal(err)
		}
	}
	return got
}

// closed returns what the socket is closed with.
func (d *desk) closed(socket *websocket.Conn) websocket.CloseError {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := socket.Read(ctx)
		if end, ok := errors.AsType[websocket.CloseError](err); ok {
			return end
		}
		if err != nil {
			d.Fatal(err)
		}
	}
}

func TestSoundIsHeardUntilTheDesktopStops(t *testing.T) {
	t.Parallel()
	d, driver := simulate(t)
	socket := d.listen()
	if heard := d.hear(socket, sidechannel.SecondBytes/5); len(bytes.Trim(heard, "\x00")) == 0 {
		t.Error("there is nothing but silence")
	}
	if _, err := driver.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if end := d.closed(socket); end.Code != websocket.StatusTryAgainLater {
		t.Errorf("closed with %v", end)
	}
	if end := d.closed(d.listen()); end.Code != gateway.CutDesktop || end.Reason == "" {
		t.Errorf("that of a stopped desktop is closed with %v", end)
	}
}

// playing has channels to a desktop that plays whatever is written.
func playing(t *testing.T) (*desk, *io.PipeWriter) {
	t.Helper()
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	return open(t, func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			_, _ = theirs.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\n\r\n")
			_, _ = io.Copy(theirs, reader)
		}()
		return ours, nil
	}), writer
}

// TestWhatIsLateIsLeftOut plays to a browser that says nothing, and then that it has heard all.
func TestWhatIsLateIsLeftOut(t *testing.T) {
	t.Parallel()
	const most = sidechannel.SecondBytes * 3 / 10
	d, desktop := playing(t)
	socket := d.listen()
	write := func(b byte, n int) { _, _ = desktop.Write(bytes.Repeat([]byte{b}, n)) } // fails at the test's end
	write(1, sidechannel.SecondBytes)                                                 // all of it is taken, and not all of it sent
	write(1, 4)
	write(1, 4)
	heard := d.overhear(socket, most)
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(strconv.Itoa(1<<30))); err != nil {
		t.Fatal(err)
	}
	// The receipt counts from some moment on; then all is heard again.
	go func() {
		for range 1000 {
			write(2, 480)
		}
	}()
	for last := heard; last[len(last)-1] != 2; {
		last = d.overhear(socket, 4)
		heard = append(heard, last...)
	}
	if late := len(bytes.Trim(heard, "\x02")); late > most+16<<10 {
		t.Errorf("%d bytes were under way, want at most %d and a packet", late, most)
	}
}

// TestFramesStayWhole plays in pieces that are no frames.
func TestFramesStayWhole(t *testing.T) {
	t.Parallel()
	d, desktop := playing(t)
	socket := d.listen()
	want := make([]byte, 9000)
	for i := range want {
		want[i] = byte(i)
	}
	go func() {
		for rest := want; len(rest) > 0; {
			n := min(7, len(rest))
			_, _ = desktop.Write(rest[:n])
			rest = rest[n:]
		}
	}()
	if got := d.hear(socket, len(want)); !bytes.Equal(got, want) {
		t.Error("the frames have got mixed up")
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	d, desktop := playing(t)
	socket := d.listen()
	_, _ = desktop.Write([]byte{1, 2, 3, 4})
	d.hear(socket, 4)
	visits := d.channels.Visits()
	if len(visits) != 1 || visits[0].User != "jane" {
		t.Fatalf("visits %+v", visits)
	}
	d.channels.Cut("another", "no")
	d.channels.Cut(visits[0].ID, "Not from here.")
	if end := d.closed(socket); end.Code != gateway.CutAccess || end.Reason != "Not from here." {
		t.Errorf("closed with %v", end)
	}
}

// TestNonsenseEndsTheSound has browsers answer what is no receipt.
func TestNonsenseEndsTheSound(t *testing.T) {
	t.Parallel()
	for _, nonsense := range []string{"x", "-1", "99999999999999999999", "", "1.5", "123456789012345678901234567890"} {
		d, _ := playing(t)
		socket := d.listen()
		if err := socket.Write(t.Context(), websocket.MessageText, []byte(nonsense)); err != nil {
			t.Fatal(err)
		}
		if end := d.closed(socket); end.Code == websocket.StatusNormalClosure {
			t.Errorf("%q: closed with %v", nonsense, end)
		}
	}
}

func TestSoundNeedsAWebSocket(t *testing.T) {
	t.Parallel()
	d := open(t, refusing(compute.ErrNotRunning))
	reply, err := http.Get(d.server.URL + "/desktop/" + id + "/sound") //nolint:noctx // of a test
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("status %d", reply.StatusCode)
	}
}
