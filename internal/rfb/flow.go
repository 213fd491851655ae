package rfb

import (
	"errors"
	"fmt"
	"io"
)

// flow moves what one side says to the other through one buffer. What has been looked at
// is passed, dropped or replaced, and what is passed goes on from where it was read to: it
// is handed on when there is nothing more to look at, before the next read waits.
type flow struct {
	r   io.Reader
	w   io.Writer
	buf []byte

	kept int // buf[kept:next] is to be handed on
	next int // buf[next:end] has been read and is to be looked at
	end  int

	cutType byte // the type of this side's CutText
}

// peek returns the next n bytes, at most what the buffer holds, until the next call. The
// error is io.EOF where the side has ended before the first of them.
func (f *flow) peek(n int) ([]byte, error) {
	for f.end-f.next < n {
		if err := f.fill(); err != nil {
			if errors.Is(err, io.EOF) && f.end > f.next {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return f.buf[f.next : f.next+n], nil
}

// emptyReads is how often in a row a reader may give nothing and no error.
const emptyReads = 100

// fill hands on what has been passed and reads more, at least a byte.
func (f *flow) fill() error {
	if err := f.flush(); err != nil {
		return err
	}
	f.end = copy(f.buf, f.buf[f.next:f.end])
	f.kept, f.next = 0, 0
	for range emptyReads {
		n, err := f.r.Read(f.buf[f.end:])
		f.end += n
		switch {
		case n > 0:
			return nil // an error comes again
		case err != nil:
			return err //nolint:wrapcheck // the reader's own
		}
	}
	return io.ErrNoProgress
}

// flush hands on what has been passed.
func (f *flow) flush() error {
	if f.kept == f.next {
		return nil
	}
	b := f.buf[f.kept:f.next]
	f.kept = f.next
	return f.write(b)
}

func (f *flow) write(b []byte) error {
	if _, err := f.w.Write(b); err != nil {
		return &writeError{err}
	}
	return nil
}

// pass hands on the next n bytes, as they come.
func (f *flow) pass(n int64) error {
	return f.skip(n, func(m int) { f.next += m })
}

// drop leaves out the next n bytes.
func (f *flow) drop(n int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.skip(n, func(m int) {
		f.next += m
		f.kept = f.next
	})
}

// skip goes over the next n bytes in pieces that have been read.
func (f *flow) skip(n int64, over func(m int)) error {
	for n > 0 {
		if f.next == f.end {
			if err := f.fill(); err != nil {
				return unexpected(err)
			}
		}
		m := int(min(n, int64(f.end-f.next)))
		over(m)
		n -= int64(m)
	}
	return nil
}

// emit hands on bytes that were not read.
func (f *flow) emit(b []byte) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.write(b)
}

// take returns the next n bytes, and leaves them out.
func (f *flow) take(n int) ([]byte, error) {
	if err := f.flush(); err != nil {
		return nil, err
	}
	var out []byte // grows with what really comes
	err := f.skip(int64(n), func(m int) {
		out = append(out, f.buf[f.next:f.next+m]...)
		f.next += m
		f.kept = f.next
	})
	return out, err
}

// unexpected is an error within a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeError is an error of the side that is written to, to tell it from the other's.
type writeError struct{ err error }

// Error returns what went wrong.
func (e *writeError) Error() string { return fmt.Sprintf("rfb: hand on: %v", e.err) }

// Unwrap returns the writer's own error.
func (e *writeError) Unwrap() error { return e.err }

// IsWriteError reports whether a Relay failed at the side that it wrote to, and not at the
// one that it read.
func IsWriteError(err error) bool {
	_, is := errors.AsType[*writeError](err)
	return is
}
