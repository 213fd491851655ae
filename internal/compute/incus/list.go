package incus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lxc/incus/v6/shared/api"
	"golang.org/x/sync/errgroup"

	"carrel/internal/compute"
)

// greetersAtOnce bounds how many screens List tries at the same time.
const greetersAtOnce = 16

// List returns this installation's desktops, sorted by id: every instance, and every
// user volume without one.
func (d *Driver) List(ctx context.Context) ([]compute.Machine, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	// The volumes first: an instance that appears between the two questions is then
	// reported as lacking its volume, which a second look clears up. The other way
	// round, a new desktop's volume would look like what is left of an old one.
	homes, err := d.homes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	reaches, err := d.reaches(ctx)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	var instances []api.Instance
	if err := d.client.get(ctx, "/instances?recursion=1", &instances); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	instances = slices.DeleteFunc(instances, func(i api.Instance) bool {
		return !d.ours(i.Config) || i.Config[tagDesktop] == ""
	})
	machines := make([]compute.Machine, len(instances), len(instances)+len(homes))
	var greeters errgroup.Group
	greeters.SetLimit(greetersAtOnce)
	for i := range instances {
		greeters.Go(func() error {
			machines[i] = d.machine(ctx, &instances[i], homes)
			return nil
		})
	}
	_ = greeters.Wait() // none of them fails
	for _, machine := range machines {
		delete(homes, machine.ID)
	}
	for id := range homes {
		machines = append(machines, compute.Machine{ID: id, Detail: "there is a user volume but no desktop"})
	}
	for i, machine := range machines {
		machines[i].Reach = reaches[machine.ID]
	}
	slices.SortFunc(machines, func(a, b compute.Machine) int { return strings.Compare(a.ID, b.ID) })
	return machines, nil
}

// machine describes one instance. homes has the ids whose user volume is there.
func (d *Driver) machine(ctx context.Context, instance *api.Instance, homes map[string]bool) compute.Machine {
	home := homes[instance.Name]
	m := compute.Machine{ID: instance.Name, Running: active(instance)}
	_, attached := instance.Devices["home"]
	m.Whole = home && attached && ran(instance)
	switch {
	case !home || !attached:
		m.Detail = "the user volume is missing"
	case !m.Whole:
		m.Detail = "it was made but never started"
	case instance.StatusCode != api.Running && instance.StatusCode != api.Stopped:
		m.Detail = "Incus says " + instance.Status
	}
	if !m.Running {
		return m
	}
	if err := d.greet(ctx, instance); err != nil {
		m.Detail = err.Error()
		return m
	}
	m.Answers = true
	return m
}

// homes returns the ids of the desktops that have a user volume.
func (d *Driver) homes(ctx context.Context) (map[string]bool, error) {
	homes := make(map[string]bool)
	for _, pool := range d.pools() {
		var found []api.StorageVolume
		if err := d.client.get(ctx, volumes(pool)+"?recursion=1", &found); err != nil {
			return nil, err
		}
		for _, volume := range found {
			id := volume.Config[tagDesktop]
			if d.ours(volume.Config) && volume.Name == homeVolume(id) {
				homes[id] = true
			}
		}
	}
	return homes, nil
}
