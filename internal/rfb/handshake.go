package rfb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
)

const securityNone = 1

// Join shakes hands with the server behind a fresh connection as a client that shares the
// screen with others. The server must speak version 3.8 and want no password. What the
// server says next is to be read from the reader, the first reader of the connection.
// Errors are the context's, ErrProtocol, or the connection's.
func Join(ctx context.Context, conn net.Conn, r *bufio.Reader) (ServerInit, error) {
	release := bind(ctx, conn)
	init, err := join(r, conn)
	return init, release(err)
}

func join(r *bufio.Reader, w io.Writer) (init ServerInit, err error) {
	got, err := readVersion(r)
	switch {
	case err != nil:
		return init, err
	case got < 3008:
		return init, fmt.Errorf("%w: the server speaks version %d.%d only", ErrProtocol, got/1000, got%1000)
	}
	if err := write(w, []byte(version)); err != nil {
		return init, err
	}
	f := fields{r: r}
	methods := f.bytes(int(f.uint8()))
	switch {
	case f.err != nil:
		return init, fmt.Errorf("rfb: read the security types: %w", f.err)
	case len(methods) == 0:
		return init, refusal(r)
	case !slices.Contains(methods, securityNone):
		return init, fmt.Errorf("%w: the server wants a password", ErrProtocol)
	}
	if err := write(w, []byte{securityNone}); err != nil {
		return init, err
	}
	if result := f.uint32(); f.err != nil {
		return init, fmt.Errorf("rfb: read the security result: %w", f.err)
	} else if result != 0 {
		return init, refusal(r)
	}
	if err := write(w, []byte{1}); err != nil { // shared: whoever looks already stays
		return init, err
	}
	return readServerInit(r)
}

// refusal reads why the server refuses, and returns it as an error.
func refusal(r *bufio.Reader) error {
	f := fields{r: r}
	length := f.uint32()
	reason := f.bytes(int(min(length, maxReason)))
	if f.err != nil {
		return fmt.Errorf("rfb: read the server's reason: %w", f.err)
	}
	return fmt.Errorf("%w: the server refuses: %q", ErrProtocol, reason)
}

// Welcome shakes hands with a client as a server that wants no password, and shows it a
// screen. It says all that a server has to say at once: a client far away need not be
// waited for three times. The greeting is a write of its own, since noVNC does not look
// further in the message that brings it. Whether the client wants to share the screen is
// not asked.
func Welcome(r io.Reader, w io.Writer, init ServerInit) error {
	if err := write(w, []byte(version)); err != nil {
		return err
	}
	if err := write(w, init.append([]byte{1, securityNone, 0, 0, 0, 0})); err != nil {
		return err
	}
	got, err := readVersion(r)
	switch {
	case err != nil:
		return err
	case got != 3008:
		return fmt.Errorf("%w: the client speaks version %d.%d", ErrProtocol, got/1000, got%1000)
	}
	var b [2]byte // the security type, and whether to share
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return fmt.Errorf("rfb: shake hands: %w", err)
	}
	if b[0] != securityNone {
		return fmt.Errorf("%w: the client chose security type %d", ErrProtocol, b[0])
	}
	return nil
}

func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	return nil
}
