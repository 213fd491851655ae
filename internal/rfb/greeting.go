package rfb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// version is the only ProtocolVersion that this package sends.
const version = "RFB 003.008\n"

// ErrProtocol is what errors wrap when the other side breaks the protocol, asks for
// what this package does not speak, or exceeds one of its bounds.
var ErrProtocol = errors.New("rfb: protocol error")

// Greeting reads the 12 bytes with which an RFB server of any version greets its
// client, and nothing beyond them: a screen that greets is alive. It returns an
// error wrapping ErrProtocol when something else greets, the context's error when
// that ended first, and else the connection's. The connection stays open and, after
// a nil error, without a deadline.
func Greeting(ctx context.Context, conn net.Conn) error {
	_, err := greeting(ctx, conn)
	return err
}

// greeting returns the server's version as major*1000 + minor, e.g. 3008.
func greeting(ctx context.Context, conn net.Conn) (int, error) {
	release := bind(ctx, conn)
	got, err := readVersion(conn)
	return got, release(err)
}

func readVersion(r io.Reader) (int, error) {
	var b [len(version)]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("rfb: read the greeting: %w", err)
	}
	got := 0
	for i, c := range b {
		switch want := version[i]; {
		case want >= '0' && want <= '9' && c >= '0' && c <= '9':
			got = got*10 + int(c-'0')
		case c != want:
			return 0, fmt.Errorf("%w: %q is no greeting", ErrProtocol, b)
		}
	}
	return got, nil
}

// bind makes all reads and writes of the connection fail once the context ends.
// The returned function undoes that, or returns the context's error where it is too
// late: a nil error means that the connection has no deadline.
func bind(ctx context.Context, conn net.Conn) (release func(error) error) {
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })
	return func(err error) error {
		if !stop() {
			return fmt.Errorf("rfb: %w", context.Cause(ctx))
		}
		return err
	}
}
