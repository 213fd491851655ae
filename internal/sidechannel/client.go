package sidechannel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// What the client takes from a desktop, which may answer anything.
const (
	maxReply   = 1 << 20 // bytes of JSON
	maxHeaders = 8 << 10 // bytes of a reply's head
	// stall is how long a desktop may leave a connection without taking or giving a byte, before it counts as dead.
	stall = 30 * time.Second
)

// ErrReply is what errors wrap when a desktop answers what it should not, or stops in the middle of it.
var ErrReply = errors.New("the desktop gave no proper answer")

// Client is Carrel's end of the side channel of one desktop. Each call is one connection.
type Client struct {
	// Dial opens a connection to the desktop. Its errors are those of all methods too.
	Dial func(ctx context.Context) (net.Conn, error)
}

// List returns what there is to take. Errors: ErrReply.
func (c Client) List(ctx context.Context) (Listing, error) {
	reply, err := c.ask(ctx, http.MethodGet, "/files", nil, 0)
	if err != nil {
		return Listing{}, err
	}
	defer reply.Body.Close()
	var listing Listing
	if err := read(reply.Body, &listing); err != nil {
		return Listing{}, err
	}
	kept := listing.Files[:0]
	for _, f := range listing.Files {
		if f.valid() && Listed(f.Name) && len(kept) < MaxListed {
			kept = append(kept, f)
		}
	}
	listing.Files = kept
	return listing, nil
}

// Get opens a file and returns its content, of which exactly size bytes can be read before EOF. Errors: ErrNoFile,
// ErrName, ErrDenied, ErrReply; reading gives ErrReply too where the desktop breaks off.
func (c Client) Get(ctx context.Context, folder Folder, name string) (content io.ReadCloser, size int64, err error) {
	target, err := address(folder, name)
	if err != nil {
		return nil, 0, err
	}
	reply, err := c.ask(ctx, http.MethodGet, target, nil, 0)
	if err != nil {
		return nil, 0, err
	}
	if reply.ContentLength < 0 {
		return nil, 0, errors.Join(fmt.Errorf("%w: a file without a length", ErrReply), reply.Body.Close())
	}
	return body{reply.Body}, reply.ContentLength, nil
}

// Put makes a file of the content, of size bytes where that is known, -1 where not, and returns where it is now; its
// name may have got a number. Errors: ErrName, ErrNoFile for an unknown folder, ErrDenied, ErrTooLarge, ErrNoRoom,
// ErrTaken, ErrReply, and the content's own.
func (c Client) Put(ctx context.Context, folder Folder, name string, content io.Reader, size int64) (File, error) {
	target, err := address(folder, name)
	if err != nil {
		return File{}, err
	}
	source := &noting{Reader: content}
	content = source
	if size == 0 {
		content = http.NoBody // with another body a length of 0 would mean that it is unknown
	}
	reply, err := c.ask(ctx, http.MethodPut, target, content, size)
	if err != nil {
		return File{}, cmp.Or(source.failure(), err) // what the content failed with is not the desktop's fault
	}
	defer reply.Body.Close()
	var file File
	if err := read(reply.Body, &file); err != nil {
		return File{}, err
	}
	if !file.valid() {
		return File{}, fmt.Errorf("%w: it says that the file is %q", ErrReply, file.Name)
	}
	return file, nil
}

// Listen returns the desktop's sound, until the context ends or the caller closes it.
func (c Client) Listen(ctx context.Context) (io.ReadCloser, error) {
	reply, err := c.ask(ctx, http.MethodGet, "/sound", nil, 0) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, err
	}
	return body{reply.Body}, nil
}

// AwaitSignOut returns nil once the desktop's user has signed out since it was started, be it before the call. It may break
// off before, and is to be called again then. Errors: ErrNoFile where the desktop is too old to say so, ErrReply.
func (c Client) AwaitSignOut(ctx context.Context) error {
	reply, err := c.ask(ctx, http.MethodGet, "/session", nil, 0)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	said := make([]byte, len(signedOut))
	if _, err := io.ReadFull(reply.Body, said); err != nil || string(said) != signedOut {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.Join(fmt.Errorf("%w: %q of its session", ErrReply, said), err)
	}
	return nil
}

// ask makes one request. A nil error means that the desktop did it; the caller closes the body, and with it the connection.
func (c Client) ask(ctx context.Context, method, target string, content io.Reader, size int64) (*http.Response, error) {
	conn, err := c.Dial(ctx)
	if err != nil {
		return nil, err
	}
	watched := watch(conn)
	transport := &http.Transport{
		DialContext:            func(context.Context, string, string) (net.Conn, error) { return watched, nil },
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
		ExpectContinueTimeout:  stall,
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://desktop"+target, content)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrName, err), watched.Close())
	}
	if content != nil {
		request.ContentLength = size
		// What is refused is refused before the content is on its way.
		request.Header.Set("Expect", "100-continue")
	}
	reply, err := transport.RoundTrip(request)
	if err != nil {
		_ = watched.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrReply, err)
	}
	switch {
	case reply.StatusCode == http.StatusOK, reply.StatusCode == http.StatusCreated:
		if target == "/sound" || target == "/session" {
			watched.relax()
		}
		return reply, nil
	case errorOf(reply.StatusCode) != nil:
		err = errorOf(reply.StatusCode)
	default:
		err = fmt.Errorf("%w: status %d", ErrReply, reply.StatusCode)
	}
	_ = reply.Body.Close()
	return nil, err
}

// address returns the path of a file. Errors: those of a folder or a name that cannot be.
func address(folder Folder, name string) (string, error) {
	if err := check(folder, name); err != nil {
		return "", err
	}
	return "/files/" + url.PathEscape(string(folder)) + "/" + url.PathEscape(name), nil
}

func (f File) valid() bool { return f.Folder.Valid() && ValidName(f.Name) && f.Size >= 0 }

func read(from io.Reader, value any) error {
	if err := json.NewDecoder(io.LimitReader(from, maxReply)).Decode(value); err != nil {
		return fmt.Errorf("%w: %w", ErrReply, err)
	}
	return nil
}

// body gives the errors of reading a reply the protocol's name.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrReply, err)
	}
	return n, err
}

// noting notes the error of a content, which the transport wraps beyond recognition. The transport may read on while the
// reply is there already.
type noting struct {
	io.Reader
	mu  sync.Mutex
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	count, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.err = err
	}
	return count, err
}

func (n *noting) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}
