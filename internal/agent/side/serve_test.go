package side_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carrel/internal/agent/side"
	"carrel/internal/sidechannel"
)

// served is a side program at work.
type served struct {
	sidechannel.Client
	home, runtime string
	user          leaving
	ended         chan error
}

// leaving is a user who signs out when it is closed.
type leaving chan struct{}

func (l leaving) AwaitSignOut(ctx context.Context) error {
	select {
	case <-l:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func serve(ctx context.Context, t *testing.T, idle time.Duration) *served {
	t.Helper()
	path, h := home(t)
	s := &served{home: path, runtime: t.TempDir(), user: make(leaving), ended: make(chan error, 1)}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(s.runtime, "s"))
	if err != nil {
		t.Fatal(err)
	}
	s.Dial = func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", listener.Addr().String())
	}
	go func() { s.ended <- side.Serve(ctx, listener, h, side.OpenSound(s.runtime), s.user, idle) }()
	return s
}

// play writes to the pipe what the sound server would.
func (s *served) play(t *testing.T, pcm []byte) {
	t.Helper()
	pipe, err := os.OpenFile(filepath.Join(s.runtime, "pulse/carrel-sound"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := pipe.Write(pcm); err != nil {
		t.Fatal(err)
	}
}

func (s *served) listen(t *testing.T) io.ReadCloser {
	t.Helper()
	heard, err := s.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = heard.Close() })
	return heard
}

func expect(t *testing.T, heard io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(heard, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("heard %d bytes from %v, %v; want %v", len(got), got[:4], err, want[:4])
	}
}

func tone(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func TestSoundReachesAllWhoListen(t *testing.T) {
	t.Parallel()
	s := serve(t.Context(), t, time.Minute)
	first := s.listen(t)
	s.play(t, tone(1, 4096))
	expect(t, first, tone(1, 4096))
	second := s.listen(t)
	s.play(t, tone(2, 8192))
	expect(t, first, tone(2, 8192))
	expect(t, second, tone(2, 8192))
	first.Close()
	s.play(t, tone(3, 4096))
	expect(t, second, tone(3, 4096))
}

// TestOnlySilenceIsKeptBack plays a long silence, of which the beginning comes through, and no more.
func TestOnlySilenceIsKeptBack(t *testing.T) {
	t.Parallel()
	s := serve(t.Context(), t, time.Minute)
	heard := s.listen(t)
	s.play(t, make([]byte, 4096))                     // of the silence before it nothing comes through
	rest := sidechannel.SecondBytes / 2 / 4096 * 4096 // what is passed on, in whole blocks
	s.play(t, tone(1, 4096))
	expect(t, heard, tone(1, 4096))
	for sent := 0; sent < sidechannel.SecondBytes; sent += 4096 {
		s.play(t, make([]byte, 4096))
		if sent < rest {
			expect(t, heard, make([]byte, 4096))
		}
	}
	s.play(t, tone(2, 4096))
	expect(t, heard, tone(2, 4096))
}

// TestOldSoundIsForgotten plays something while nobody listens.
func TestOldSoundIsForgotten(t *testing.T) {
	t.Parallel()
	s := &served{runtime: t.TempDir()}
	sound := side.OpenSound(s.runtime)
	defer sound.Close()
	heard, err := sound.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(filepath.Join(s.runtime, "pulse/carrel-sound"), os.O_RDWR, 0) // as the server holds it
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	heard.Close()
	if _, err := pipe.Write(tone(1, 4096)); err != nil {
		t.Fatal(err)
	}
	if heard, err = sound.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.play(t, tone(2, 4096))
	expect(t, heard, tone(2, 4096))
}

func TestLeavesWhenNobodyComes(t *testing.T) {
	t.Parallel()
	if err := <-serve(t.Context(), t, time.Millisecond).ended; err != nil {
		t.Error(err)
	}
}

func TestEndsAtOnceWhenAsked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(ctx, t, time.Minute)
	heard := s.listen(t)
	reader, writer := io.Pipe()
	half := make(chan error, 1)
	go func() {
		_, err := s.Put(t.Context(), sidechannel.Desktop, "half", reader, 100)
		half <- err
	}()
	if _, err := writer.Write([]byte("half of it")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, heard); err == nil {
		t.Error("the sound ended as if it were whole")
	}
	writer.Close()
	if err := <-half; err == nil {
		t.Error("half a file was taken")
	}
	if entries, _ := os.ReadDir(filepath.Join(s.home, "Desktop")); len(entries) > 0 {
		t.Errorf("left are %v", entries)
	}
}

// TestASignOutIsTold waits for one, breaks off, and finds it again.
func TestASignOutIsTold(t *testing.T) {
	t.Parallel()
	s := serve(t.Context(), t, time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan error, 2)
	go func() { told <- s.AwaitSignOut(ctx) }()
	go func() { told <- s.AwaitSignOut(t.Context()) }()
	stop()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(s.user)
	for range 2 {
		if err := <-told; err != nil {
			t.Error(err)
		}
		told <- s.AwaitSignOut(t.Context())
	}
}
