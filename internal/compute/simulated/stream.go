package simulated

import (
	"context"
	"fmt"
	"net"

	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// Dial implements [compute.Driver]. The stream is a pipe to an RFB server in this
// process; it ends when the desktop stops running, breaks or is deleted.
func (d *Driver) Dial(ctx context.Context, id string) (net.Conn, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	x, err := d.running(id)
	if err != nil {
		return nil, err
	}
	if x.Broken {
		return nil, fmt.Errorf("%w: %s of %s", compute.ErrUnavailable, unanswered, id)
	}
	shown := d.displays[id]
	if shown == nil {
		shown = d.newDisplay(x)
		d.displays[id] = shown
	}
	client, server := net.Pipe()
	shown.streams[server] = struct{}{}
	d.serving.Go(func() {
		defer d.detach(shown, server)
		_ = shown.server().Serve(server) // whatever the client did wrong ended its stream
	})
	return client, nil
}

// detach forgets a stream that has ended, and with the last one the display.
func (d *Driver) detach(shown *display, stream net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(shown.streams, stream)
	if id := shown.spec.ID; len(shown.streams) == 0 && d.displays[id] == shown {
		delete(d.displays, id)
	}
}

// darken ends all streams of a desktop, and the connections to its side channel. It is
// called with the lock held.
func (d *Driver) darken(id string) {
	delete(d.left, id)
	for conn := range d.sides[id] {
		_ = conn.Close()
	}
	if shown := d.displays[id]; shown != nil {
		for stream := range shown.streams {
			_ = stream.Close()
		}
		delete(d.displays, id)
	}
}

// server returns the RFB server for one more stream to the display.
func (p *display) server() *rfb.Server {
	return &rfb.Server{
		Name:   fmt.Sprintf("%s (%s)", p.spec.ComputerName, p.spec.User.Name),
		Screen: p.open,
		Key:    p.key,
		Cut:    p.paste,
		Resize: p.resize,
	}
}
