package incus

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lxc/incus/v6/shared/api"
)

// politeSeconds is how long a desktop may take to stop by itself.
const politeSeconds = 5

// Start starts the desktop and waits for its screen.
func (d *Driver) Start(ctx context.Context, id string) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()
	instance, err := d.settled(ctx, id)
	if err == nil && !active(instance) {
		err = d.start(ctx, id)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("start %s: %w", id, err)
	}
	return d.answer(ctx, id)
}

// Stop stops the desktop, by force where it does not stop by itself within five seconds.
func (d *Driver) Stop(ctx context.Context, id string) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.ending)
	if release == nil {
		return again, err
	}
	defer release()
	return time.Time{}, d.halt(ctx, id)
}

// Reboot stops and starts the desktop and waits for its screen.
func (d *Driver) Reboot(ctx context.Context, id string) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()
	if err := d.halt(ctx, id); err != nil {
		return time.Time{}, err
	}
	if err := d.start(ctx, id); err != nil {
		return time.Time{}, fmt.Errorf("reboot %s: %w", id, err)
	}
	return d.answer(ctx, id)
}

// settled returns the desktop's instance once nothing is under way on it.
func (d *Driver) settled(ctx context.Context, id string) (*api.Instance, error) {
	if err := d.client.settle(ctx, id); err != nil {
		return nil, err
	}
	return d.instance(ctx, id)
}

func (d *Driver) halt(ctx context.Context, id string) error {
	instance, err := d.settled(ctx, id)
	if err == nil && active(instance) {
		if err = d.stop(ctx, id, politely()); err != nil && !missing(err) {
			err = d.stop(ctx, id, forcibly())
		}
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", id, err)
	}
	return nil
}

// start starts an instance; one that runs already is left alone.
func (d *Driver) start(ctx context.Context, id string) error {
	err := d.setState(ctx, id, api.InstanceStatePut{Action: "start", Timeout: -1})
	if mentions(err, "already running") {
		return nil
	}
	return err
}

// stop stops an instance; one that stands still is left alone.
func (d *Driver) stop(ctx context.Context, id string, how api.InstanceStatePut) error {
	err := d.setState(ctx, id, how)
	if mentions(err, "already stopped") {
		return nil
	}
	return err
}

// politely asks the first process to stop, and fails if it does not.
func politely() api.InstanceStatePut {
	return api.InstanceStatePut{Action: "stop", Timeout: politeSeconds}
}

// forcibly kills all processes.
func forcibly() api.InstanceStatePut {
	return api.InstanceStatePut{Action: "stop", Timeout: -1, Force: true}
}

func (d *Driver) setState(ctx context.Context, id string, state api.InstanceStatePut) error {
	return d.persist(ctx, func() error {
		return d.client.change(ctx, http.MethodPut, "/instances/"+id+"/state", state)
	})
}
