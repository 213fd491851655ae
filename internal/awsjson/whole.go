package awsjson

import (
	"bytes"
	"context"
	"net"
	"net/http"
)

// net/http writes a reply of more than 4 KB in two parts, and a page of WorkSpaces has 11: one system call more on each
// side, and a client that is woken for a part. Connections that can hold a reply back until it is whole spare the server
// one seventh of what a page costs it.

// Whole returns a listener whose TCP connections can hold replies back. Its server needs ConnContext too.
func Whole(l net.Listener) net.Listener { return wholeListener{l} }

// ConnContext hands a connection of Whole to the requests that come on it; it is an http.Server's ConnContext.
// Under TLS there are records, which are written as net/http does.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*wholeConn); ok {
		return context.WithValue(ctx, wholeKey{}, c)
	}
	return ctx
}

type (
	wholeKey      struct{}
	wholeListener struct{ net.Listener }
	// wholeConn is used by one request at a time, as HTTP/1.1 connections are.
	wholeConn struct {
		*net.TCPConn
		held *bytes.Buffer // what is held back; nil while nothing is
	}
)

// Accept waits for the next connection.
func (l wholeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &wholeConn{TCPConn: tcp}, nil
	}
	return c, err
}

// Write writes, or holds back.
func (c *wholeConn) Write(p []byte) (int, error) {
	if c.held != nil {
		return c.held.Write(p)
	}
	return c.TCPConn.Write(p)
}

// writeWhole writes a reply's body, and its head with it. Writing fails when the client is gone, and then there is no one
// to tell.
func writeWhole(w http.ResponseWriter, r *http.Request, body []byte) {
	c, ok := r.Context().Value(wholeKey{}).(*wholeConn)
	if !ok {
		_, _ = w.Write(body)
		return
	}
	held := newBuffer()
	defer freeBuffer(held)
	c.held = held
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush() // the end may lie with net/http still
	c.held = nil
	_, _ = c.TCPConn.Write(held.Bytes())
}
