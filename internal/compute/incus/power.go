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
		err = d.startAdjusted(ctx, instance)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("start %s: %w", id, err)
	}
	return d.answer(ctx, id)
}

// startAdjusted starts an instance that stands still, with what the desktop is to have.
func (d *Driver) startAdjusted(ctx context.Context, instance *api.Instance) error {
	home, err := d.home(ctx, instance.Name)
	if err != nil {
		return err
	}
	if home != nil {
		if err := d.adjust(ctx, instance, home, api.InstancePut{Config: map[string]string{tagCaptured: ""}}); err != nil {
			return err
		}
	}
	return d.start(ctx, instance.Name)
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
	if err := d.halt(ctx, id); err != nil {
		return time.Time{}, err
	}
	return time.Time{}, d.untag(ctx, id, tagCaptured)
}

// untag removes a tag from an instance that has it.
func (d *Driver) untag(ctx context.Context, id, tag string) error {
	instance, err := d.instance(ctx, id)
	if err != nil || instance.Config[tag] == "" {
		return err
	}
	return d.patchInstance(ctx, id, api.InstancePut{Config: map[string]string{tag: ""}})
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
	instance, err := d.instance(ctx, id)
	if err == nil {
		err = d.startAdjusted(ctx, instance)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reboot %s: %w", id, err)
	}
	return d.answer(ctx, id)
}

// settled returns the desktop's instance once nothing is under way on it.
func (d *Driver) settled(ctx context.Context, id string) (*api.Instance, error) {
	if err := d.client.settle(ctx, about(id)); err != nil {
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
