package incus

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// greetLimit is how long a screen that accepts a connection may take to greet. A user
// who is root in a desktop can put anything in its place.
const greetLimit = time.Second

// Dial connects to the screen of a running desktop on this machine. In a cluster,
// desktops of other members give ErrUnavailable.
func (d *Driver) Dial(ctx context.Context, id string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	instance, err := d.running(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", id, err)
	}
	return d.dial(ctx, instance)
}

// dial connects to the screen of an instance whose state was just read.
func (d *Driver) dial(ctx context.Context, instance *api.InstanceFull) (net.Conn, error) {
	if instance.State == nil || instance.State.Pid <= 0 {
		return nil, fmt.Errorf("dial %s: %w", instance.Name, compute.ErrNotRunning)
	}
	if d.member != "" && instance.Location != d.member {
		return nil, fmt.Errorf("dial %s: %w: it runs on cluster member %s, and only streams of this machine's (%s) can be opened",
			instance.Name, compute.ErrUnavailable, instance.Location, d.member)
	}
	conn, err := dialScreen(ctx, instance.State.Pid, d.payload(instance.Name))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", instance.Name, err)
	}
	return conn, nil
}

// payload is the control group that LXC puts the processes of an instance into.
func (d *Driver) payload(name string) string {
	if d.project == api.ProjectDefaultName {
		return "lxc.payload." + name
	}
	return "lxc.payload." + d.project + "_" + name
}

// greet tells whether the instance's screen answers: nil if so, else why not.
func (d *Driver) greet(ctx context.Context, instance *api.InstanceFull) error {
	ctx, cancel := context.WithTimeout(ctx, greetLimit)
	defer cancel()
	conn, err := d.dial(ctx, instance)
	if err != nil {
		return err
	}
	defer conn.Close()
	return rfb.Greeting(ctx, conn)
}
