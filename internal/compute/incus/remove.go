package incus

import (
	"context"
	"fmt"
	"time"

	"github.com/lxc/incus/v6/shared/api"
	"golang.org/x/sync/errgroup"
)

// Remove removes everything that this installation has made in Incus: desktops with
// their volumes, captured and made images, networks with their access list, and the
// project if nothing of anybody else is in it. Imported images stay; they are shared, and
// take long to build. The
// driver must not be used meanwhile; afterwards it can only be opened anew. Called
// again after an error it continues. Errors: ErrUnavailable, ErrFailed.
func (d *Driver) Remove(ctx context.Context) error {
	err := d.client.get(ctx, "/projects/"+d.project, nil)
	if missing(err) {
		return nil // it goes last
	}
	if err := d.removeDesktops(ctx); err != nil {
		return fmt.Errorf("remove desktops: %w", err)
	}
	if err := d.removeImages(ctx); err != nil {
		return fmt.Errorf("remove images: %w", err)
	}
	if err := d.removeNetworks(ctx); err != nil {
		return fmt.Errorf("remove networks: %w", err)
	}
	if err := d.removeProject(ctx); err != nil {
		return fmt.Errorf("remove project: %w", err)
	}
	return nil
}

// removeDesktops removes all that Delete would, and instances that are no desktops.
func (d *Driver) removeDesktops(ctx context.Context) error {
	ids, err := d.homes(ctx)
	if err != nil {
		return err
	}
	var instances []api.Instance
	if err := d.client.get(ctx, "/instances?recursion=1", &instances); err != nil {
		return err
	}
	for _, instance := range instances {
		if d.ours(instance.Config) {
			ids[instance.Name] = true
		}
	}
	var removals errgroup.Group
	removals.SetLimit(cap(d.ending))
	for id := range ids {
		removals.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, changeLimit)
			defer cancel()
			return d.remove(ctx, id)
		})
	}
	return removals.Wait()
}

// removeNetworks removes the networks, then the access lists that they referred to.
func (d *Driver) removeNetworks(ctx context.Context) error {
	d.networks.Lock()
	defer d.networks.Unlock()
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	var networks []api.Network
	if err := d.client.get(ctx, "/networks?recursion=1", &networks); err != nil {
		return err
	}
	for _, network := range networks {
		if d.ours(network.Config) {
			if err := d.removeNetwork(ctx, network.Name); err != nil {
				return err
			}
		}
	}
	var lists []api.NetworkACL
	if err := d.client.get(ctx, "/network-acls?recursion=1", &lists); err != nil {
		return err
	}
	for _, list := range lists {
		if d.ours(list.Config) {
			if err := d.removeObject(ctx, "/network-acls/"+list.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeNetwork removes a network of ours, then the access list that it alone has.
func (d *Driver) removeNetwork(ctx context.Context, name string) error {
	if err := d.removeObject(ctx, "/networks/"+name); err != nil {
		return err
	}
	return d.removeObject(ctx, "/network-acls/"+reachName(name))
}

// removeProject removes the project if we made it and only its default profile is left.
func (d *Driver) removeProject(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	var project api.Project
	err := d.client.get(ctx, "/projects/"+d.project, &project)
	if missing(err) || err == nil && !d.ours(project.Config) {
		return nil
	}
	if err != nil || len(project.UsedBy) > 1 {
		return err
	}
	return d.removeObject(ctx, "/projects/"+d.project)
}

// leftoverAge is how old a leftover is at least. Nothing that is still worked on is older.
const leftoverAge = 2 * updateLimit

// sweep removes what calls have left that nobody called again: instances that are no
// desktops, and images that never got their name, of before then; and the network of updates.
func (d *Driver) sweep(ctx context.Context, before time.Time) error {
	var instances []api.Instance
	if err := d.client.get(ctx, "/instances?recursion=1", &instances); err != nil {
		return err
	}
	for _, instance := range instances {
		if d.ours(instance.Config) && instance.Config[tagDesktop] == "" && instance.CreatedAt.Before(before) {
			d.log.InfoContext(ctx, "removing a leftover", "instance", instance.Name)
			if err := d.removeTemporary(ctx, instance.Name); err != nil {
				return err
			}
		}
	}
	if err := d.removeUpdateNetwork(ctx); err != nil {
		return err
	}
	return d.sweepImages(ctx, func(i api.Image) bool { return i.UploadedAt.Before(before) })
}
