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

// Where a desktop listens, seen from its root.
const (
	screenSocket = "run/carrel/rfb.sock"
	sideSocket   = "run/carrel/side.sock"
)

// Dial connects to the screen of a running desktop on this machine. In a cluster,
// desktops of other members give ErrUnavailable.
func (d *Driver) Dial(ctx context.Context, id string) (net.Conn, error) {
	return d.dialID(ctx, id, screenSocket)
}

// DialSide connects to the side channel of a desktop as Dial does to its screen. A
// desktop of an image from before there were side channels gives ErrUnavailable.
func (d *Driver) DialSide(ctx context.Context, id string) (net.Conn, error) {
	return d.dialID(ctx, id, sideSocket)
}

func (d *Driver) dialID(ctx context.Context, id, socket string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	instance, err := d.instance(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", id, err)
	}
	return d.dial(ctx, instance, socket)
}

// dial connects to a socket of an instance that was just read.
func (d *Driver) dial(ctx context.Context, instance *api.Instance, socket string) (net.Conn, error) {
	if !active(instance) {
		return nil, fmt.Errorf("dial %s: %w", instance.Name, compute.ErrNotRunning)
	}
	if d.member != "" && instance.Location != d.member {
		return nil, fmt.Errorf("dial %s: %w: it runs on cluster member %s, and only streams of this machine's (%s) can be opened",
			instance.Name, compute.ErrUnavailable, instance.Location, d.member)
	}
	pid, err := d.firstProcess(ctx, instance.Name)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", instance.Name, err)
	}
	conn, err := dialSocket(ctx, pid, d.payload(instance.Name), socket)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", instance.Name, err)
	}
	return conn, nil
}

// firstProcess returns the number of the desktop's first process. Incus knows it as
// part of an instance's state, but finds that out in 10 ms on a machine at rest, and
// has taken a minute for 25 desktops on one that was busy writing: it counts the
// blocks of each disk. The kernel tells at once, where its control groups are as usual.
func (d *Driver) firstProcess(ctx context.Context, name string) (int64, error) {
	if pid := firstProcess(d.cgroups, d.payload(name)); pid != 0 {
		return pid, nil
	}
	var state api.InstanceState
	if err := d.client.get(ctx, "/instances/"+name+"/state", &state); err != nil {
		return 0, err
	}
	if state.Pid <= 0 {
		return 0, compute.ErrNotRunning
	}
	return state.Pid, nil
}

// payload is the control group that LXC puts the processes of an instance into.
func (d *Driver) payload(name string) string {
	if d.project == api.ProjectDefaultName {
		return "lxc.payload." + name
	}
	return "lxc.payload." + d.project + "_" + name
}

// greet tells whether the instance's screen answers: nil if so, else why not.
func (d *Driver) greet(ctx context.Context, instance *api.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, greetLimit)
	defer cancel()
	conn, err := d.dial(ctx, instance, screenSocket)
	if err != nil {
		return err
	}
	defer conn.Close()
	return rfb.Greeting(ctx, conn)
}
