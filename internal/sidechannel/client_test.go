package sidechannel_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/sidechannel"
)

// saying is the client of a desktop that says the same to whatever it is asked, and nothing more.
func saying(t *testing.T, answer string) sidechannel.Client {
	t.Helper()
	return sidechannel.Client{Dial: func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
				return
			}
			_, _ = io.WriteString(theirs, answer)
		}()
		return ours, nil
	}}
}

// serving is the client of a desktop that answers by a handler.
func serving(t *testing.T, handler http.Handler) sidechannel.Client {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return sidechannel.Client{Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", listener.Addr().String())
	}}
}

// TestBadAnswers has desktops answer what they should not.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for what, answer := range map[string]string{
		"nothing":                "",
		"something else":         "RFB 003.008\n",
		"headers without end":    ok + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 100),
		"a redirection":          "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
		"a status of its own":    "HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n",
		"no JSON":                ok + "Content-Length: 5\r\n\r\nhello",
		"JSON that breaks off":   ok + "Content-Length: 500\r\n\r\n{\"files\":[",
		"JSON without an end":    ok + "\r\n{\"files\":[" + strings.Repeat(`{"folder":"Desktop","name":"x"},`, 50_000),
		"a file of another kind": "HTTP/1.1 201 Created\r\nContent-Length: 49\r\n\r\n" + `{"folder":"Desktop","name":"../../x","size":  12}`,
		"a folder of its own":    "HTTP/1.1 201 Created\r\nContent-Length: 44\r\n\r\n" + `{"folder":"/etc", "name":"hosts","size": 12}`,
	} {
		client := saying(t, answer)
		_, err := client.Put(t.Context(), sidechannel.Desktop, "x", strings.NewReader("x"), 1)
		if !errors.Is(err, sidechannel.ErrReply) {
			t.Errorf("%s to a Put: %v, want ErrReply", what, err)
		}
		if strings.HasPrefix(what, "a f") {
			continue // which is no bad answer to List
		}
		if _, err := client.List(t.Context()); !errors.Is(err, sidechannel.ErrReply) {
			t.Errorf("%s to a List: %v, want ErrReply", what, err)
		}
	}
}

// TestSessionAnswers has desktops answer what their user's session is asked for.
func TestSessionAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for what, c := range map[string]struct {
		answer string
		want   error
	}{
		"signed out":     {ok + "Content-Length: 11\r\n\r\nsigned out\n", nil},
		"and more":       {ok + "\r\nsigned out\n and more", nil},
		"not a word":     {ok + "\r\n", sidechannel.ErrReply},
		"half a word":    {ok + "\r\nsigned", sidechannel.ErrReply},
		"something else": {ok + "\r\nsigned in!\n", sidechannel.ErrReply},
		"it is too old":  {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", sidechannel.ErrNoFile},
		"nothing":        {"", sidechannel.ErrReply},
	} {
		if err := saying(t, c.answer).AwaitSignOut(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

// TestListTakesOver sees what is left of a listing that a desktop made up.
func TestListTakesOver(t *testing.T) {
	t.Parallel()
	listing, err := saying(t, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n"+`{"files":[{"folder":"Desktop","name":"a/b"},`+
		`{"folder":"/etc","name":"x"},{"folder":"Desktop","name":"x","size":-1},{"folder":"Documents","name":"good","size":7},`+
		`{"folder":"Documents","name":".hidden"}]}`).List(t.Context())
	if err != nil || len(listing.Files) != 1 || listing.Files[0].Name != "good" || listing.Files[0].Size != 7 {
		t.Errorf("List = %+v, %v", listing, err)
	}
}

// TestBrokenOff has a desktop announce more of a file than comes.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	content, size, err := saying(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").Get(t.Context(), sidechannel.Desktop, "x")
	if err != nil || size != 100 {
		t.Fatal(size, err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); !errors.Is(err, sidechannel.ErrReply) {
		t.Errorf("read %q, %v; want ErrReply", got, err)
	}
	if _, _, err := saying(t, "HTTP/1.1 200 OK\r\n\r\nof what length").Get(t.Context(), sidechannel.Desktop, "x"); !errors.Is(err, sidechannel.ErrReply) {
		t.Errorf("a file without a length: %v", err)
	}
}

// TestStalled has a desktop take a connection and do nothing, which is given up after a while; and one that is silent,
// which is not.
func TestStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mute := sidechannel.Client{Dial: func(context.Context) (net.Conn, error) {
			ours, _ := net.Pipe()
			return ours, nil
		}}
		begun := time.Now()
		for what, err := range map[string]error{
			"List": second(mute.List(t.Context())),
			"Put":  second(mute.Put(t.Context(), sidechannel.Desktop, "x", zeros{}, -1)),
		} {
			if !errors.Is(err, sidechannel.ErrReply) {
				t.Errorf("%s: %v, want ErrReply", what, err)
			}
		}
		if took := time.Since(begun); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}

		ours, theirs := net.Pipe()
		silent := sidechannel.Client{Dial: func(context.Context) (net.Conn, error) { return ours, nil }}
		go func() {
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
				_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\n\r\n")
			}
		}()
		heard, err := silent.Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer heard.Close()
		time.Sleep(24 * time.Hour)
		go func() { _, _ = theirs.Write([]byte{1, 2, 3, 4}) }()
		got := make([]byte, 4)
		if _, err := io.ReadFull(heard, got); err != nil || !bytes.Equal(got, []byte{1, 2, 3, 4}) {
			t.Errorf("after a day of silence: %v, %v", got, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// full is a home where it turns out after so many bytes that there is no room.
type full struct {
	sidechannel.Files
	after int64
}

func (f full) Put(_ context.Context, _ sidechannel.Folder, _ string, content io.Reader, _ int64) (sidechannel.File, error) {
	if _, err := io.CopyN(io.Discard, content, f.after); err != nil {
		return sidechannel.File{}, err
	}
	return sidechannel.File{}, sidechannel.ErrNoRoom
}

// TestRefused sees that a refusal reaches whoever has a great deal more to send, each time, before the content is on its
// way and in the middle of it.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, after := range []int64{0, 1 << 20} {
		client := serving(t, sidechannel.Handler(full{after: after}, nil, nil))
		for _, size := range []int64{1 << 40, -1} {
			for range 25 {
				if _, err := client.Put(t.Context(), sidechannel.Desktop, "huge", zeros{}, size); !errors.Is(err, sidechannel.ErrNoRoom) {
					t.Fatalf("Put of %d bytes, refused after %d: %v, want ErrNoRoom", size, after, err)
				}
			}
		}
	}
}

// TestGivenUp sees that a caller who gives up is let go.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	mute := sidechannel.Client{Dial: func(context.Context) (net.Conn, error) {
		ours, _ := net.Pipe()
		return ours, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := mute.List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("List: %v, want the context's error", err)
	}
}
