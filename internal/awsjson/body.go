package awsjson

import (
	"bytes"
	"errors"
	"net/http"
	"sync"

	"carrel/internal/api"
)

// MaxBody is the size in bytes up to which a request's body is read. The largest input of the models, branding images,
// stays below 6 MiB.
const MaxBody = 8 << 20

// maxPooled keeps a rare large body from staying in memory for the life of the process.
const maxPooled = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }} //nolint:gochecknoglobals // a pool is shared by nature

func newBuffer() *bytes.Buffer {
	buffer, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	return buffer
}

func freeBuffer(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxPooled {
		buffer.Reset()
		buffers.Put(buffer)
	}
}

// readBody reads a request's body, which is valid until release is called. One that is too large is refused with
// RequestEntityTooLargeException and status 413: the models have no name for it, and that is what AWS gateways answer.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), exception *api.Exception) {
	tooLarge := &api.Exception{
		Name:    "RequestEntityTooLargeException",
		Message: "The request is larger than 8 MiB.",
		Status:  http.StatusRequestEntityTooLarge,
	}
	if r.ContentLength > MaxBody {
		return nil, func() {}, tooLarge
	}
	buffer := newBuffer()
	release = func() { freeBuffer(buffer) }
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	switch _, limit := errors.AsType[*http.MaxBytesError](err); {
	case limit:
		return nil, release, tooLarge
	case err != nil:
		return nil, release, refuse(api.SerializationException, "The request could not be read to its end.")
	}
	return buffer.Bytes(), release, nil
}
