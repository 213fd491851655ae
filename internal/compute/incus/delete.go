package incus

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Delete removes the instance, then the user volume, each where it is there and ours, with
// its snapshots.
func (d *Driver) Delete(ctx context.Context, id string) (again time.Time, err error) {
	if !desktopID.MatchString(id) {
		return time.Time{}, nil // there is none, and its volume would have an odd path
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.ending)
	if release == nil {
		return again, err
	}
	defer release()
	if err := d.remove(ctx, id); err != nil {
		return time.Time{}, fmt.Errorf("delete %s: %w", id, err)
	}
	return time.Time{}, nil
}

func (d *Driver) remove(ctx context.Context, id string) error {
	// Incus does not say of which volume it is making a copy.
	if err := d.client.settle(ctx, about(id), described(copyingVolume)); err != nil {
		return err
	}
	if err := d.removeInstance(ctx, id); err != nil {
		return err
	}
	for _, name := range []string{nextVolume(id), homeVolume(id)} { // the last is what List finds
		volume, err := d.volume(ctx, name)
		if err != nil {
			return err
		}
		if volume == nil {
			continue
		}
		if err := d.removeObject(ctx, volume.path()); err != nil {
			return err
		}
	}
	return nil
}

// removeInstance stops and removes the desktop's instance. Its root disk goes with it.
func (d *Driver) removeInstance(ctx context.Context, id string) error {
	instance, err := d.instance(ctx, id)
	switch {
	case missing(err):
		return nil
	case err != nil:
		return err
	}
	if active(instance) {
		if err := d.stop(ctx, id, forcibly()); err != nil && !missing(err) {
			return err
		}
	}
	return d.removeObject(ctx, "/instances/"+id)
}

// removeObject removes whatever the API shows at the path, patiently; nothing there is fine.
func (d *Driver) removeObject(ctx context.Context, path string) error {
	err := d.persist(ctx, func() error { return d.client.change(ctx, http.MethodDelete, path, nil) })
	if missing(err) {
		return nil
	}
	return err
}
