package simulated

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"carrel/internal/sidechannel"
)

// DialSide implements [compute.Driver]. The connection is a pipe to a server in this
// process; it ends as those of Dial do.
func (d *Driver) DialSide(ctx context.Context, id string) (net.Conn, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, err := d.running(id); err != nil {
		return nil, err
	}
	client, server := net.Pipe()
	if d.sides[id] == nil {
		d.sides[id] = make(map[net.Conn]struct{})
	}
	d.sides[id][server] = struct{}{}
	d.serving.Go(func() {
		defer d.hangUp(id, server)
		serveOne(server, sidechannel.Handler(sideFiles{d, id}, chime{}, userSession{d, id}))
	})
	return client, nil
}

// SignOut has a running desktop's user sign out inside it. As in a real one that ends what serves the side
// channel, and its session begins anew. Errors: those of Dial.
func (d *Driver) SignOut(ctx context.Context, id string) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := d.running(id); err != nil {
		return err
	}
	d.left[id] = true
	for conn := range d.sides[id] {
		_ = conn.Close()
	}
	return nil
}

// userSession is the session of a simulated desktop's user.
type userSession struct {
	driver *Driver
	id     string
}

// AwaitSignOut implements [sidechannel.Session]. It looks once: SignOut ends the connection.
func (u userSession) AwaitSignOut(ctx context.Context) error {
	u.driver.mu.Lock()
	left := u.driver.left[u.id]
	u.driver.mu.Unlock()
	if left {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (d *Driver) hangUp(id string, conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sides[id], conn)
	if len(d.sides[id]) == 0 {
		delete(d.sides, id)
	}
}

// serveOne answers on one connection until it ends.
func serveOne(conn net.Conn, handler http.Handler) {
	only := &onlyConn{conn: conn, ended: make(chan struct{})}
	server := http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(only.ended)
		}
	}
	_ = server.Serve(only) // which ends with the connection
}

// onlyConn is a listener that has one connection.
type onlyConn struct {
	once  sync.Once
	conn  net.Conn
	ended chan struct{}
}

func (o *onlyConn) Accept() (conn net.Conn, err error) {
	o.once.Do(func() { conn = o.conn })
	if conn == nil {
		<-o.ended
		return nil, io.EOF
	}
	return conn, nil
}

func (*onlyConn) Close() error { return nil }

func (o *onlyConn) Addr() net.Addr { return o.conn.LocalAddr() }
