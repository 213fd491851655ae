package incus

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"
	"golang.org/x/sync/errgroup"

	"carrel/internal/compute"
)

// Snapshot takes snapshots of the user volume and, where asked for, of the instance, both
// at once. Where a call that died has left one of two, both are taken anew.
func (d *Driver) Snapshot(ctx context.Context, id string, s compute.Snapshot) (again time.Time, err error) {
	if err := compute.CheckSnapshot(s.Name); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.ending)
	if release == nil {
		return again, err
	}
	defer release()
	if err := d.snapshot(ctx, id, s); err != nil {
		return time.Time{}, fmt.Errorf("snapshot %s of %s: %w", s.Name, id, err)
	}
	return time.Time{}, nil
}

func (d *Driver) snapshot(ctx context.Context, id string, s compute.Snapshot) error {
	instance, err := d.settled(ctx, id)
	if err != nil {
		return err
	}
	home, err := d.home(ctx, id)
	if err != nil {
		return err
	}
	if home == nil {
		return fmt.Errorf("%w: the user volume is missing", compute.ErrFailed)
	}
	paths := []string{home.path() + "/snapshots"}
	if s.Root {
		paths = append(paths, "/instances/"+instance.Name+"/snapshots")
	}
	var there []string
	for _, path := range paths {
		err := d.client.get(ctx, path+"/"+s.Name, nil)
		if err != nil && !missing(err) {
			return err
		}
		if err == nil {
			there = append(there, path)
		}
	}
	if len(there) == len(paths) {
		return nil
	}
	for _, path := range there {
		if err := d.removeObject(ctx, path+"/"+s.Name); err != nil {
			return err
		}
	}
	both, ctx := errgroup.WithContext(ctx)
	for _, path := range paths {
		both.Go(func() error {
			return d.persist(ctx, func() error {
				return d.client.change(ctx, http.MethodPost, path, api.InstanceSnapshotsPost{Name: s.Name})
			})
		})
	}
	return both.Wait()
}

// DropSnapshot removes the snapshots of the name, each where it is there.
func (d *Driver) DropSnapshot(ctx context.Context, id, name string) (again time.Time, err error) {
	if !desktopID.MatchString(id) || compute.CheckSnapshot(name) != nil {
		return time.Time{}, nil // there is none, and it would have an odd path
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.ending)
	if release == nil {
		return again, err
	}
	defer release()
	if err := d.dropSnapshot(ctx, id, name); err != nil {
		return time.Time{}, fmt.Errorf("drop snapshot %s of %s: %w", name, id, err)
	}
	return time.Time{}, nil
}

func (d *Driver) dropSnapshot(ctx context.Context, id, name string) error {
	instance, err := d.settled(ctx, id)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil {
		if err := d.removeObject(ctx, "/instances/"+instance.Name+"/snapshots/"+name); err != nil {
			return err
		}
	}
	home, err := d.home(ctx, id)
	if err != nil || home == nil {
		return err
	}
	return d.removeObject(ctx, home.path()+"/snapshots/"+name)
}

// Restore goes back in five steps, all of which a later call takes again unless the last
// one is all that is left:
//
//  1. a stop
//  2. both volumes as the snapshots have them
//  3. the limits, which Incus takes back or drops with what it restores
//  4. a start
//  5. the screen's greeting
func (d *Driver) Restore(ctx context.Context, id, name string) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()
	instance, err := d.settled(ctx, id)
	if err == nil && !d.starting(instance, "restore "+name) {
		err = d.restore(ctx, instance, name)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("restore %s of %s: %w", name, id, err)
	}
	return d.answered(ctx, id)
}

func (d *Driver) restore(ctx context.Context, instance *api.Instance, name string) error {
	home, err := d.keptHome(ctx, instance.Name, name)
	if err != nil {
		return err
	}
	err = d.client.get(ctx, "/instances/"+instance.Name+"/snapshots/"+name, nil)
	if missing(err) {
		return fmt.Errorf("%w: %q of the root volume", compute.ErrSnapshot, name)
	}
	if err != nil {
		return err
	}
	if err := d.halt(ctx, instance.Name); err != nil {
		return err
	}
	err = d.persist(ctx, func() error {
		return d.client.change(ctx, http.MethodPut, "/instances/"+instance.Name, api.InstancePut{Restore: name})
	})
	if err != nil {
		return err
	}
	if err := d.restoreHome(ctx, home, name); err != nil {
		return err
	}
	if instance, err = d.instance(ctx, instance.Name); err != nil {
		return err
	}
	root := rootDisk(instance)
	root["size"] = respell(root["size"])
	err = d.adjust(ctx, instance, home, api.InstancePut{
		Config:  map[string]string{tagBegun: "restore " + name, tagCaptured: ""},
		Devices: map[string]map[string]string{"root": root},
	})
	if err != nil {
		return err
	}
	return d.start(ctx, instance.Name)
}

// restoreHome takes the user volume of a desktop that does not run back to a snapshot.
func (d *Driver) restoreHome(ctx context.Context, home *userVolume, name string) error {
	err := d.persist(ctx, func() error {
		return d.client.change(ctx, http.MethodPut, home.path(), api.StorageVolumePut{Restore: name})
	})
	if err != nil {
		return err
	}
	size := map[string]string{"size": respell(home.Config["size"])}
	if err := d.patchVolume(ctx, home, size); err != nil {
		return err
	}
	home.Config["size"] = size["size"]
	return nil
}

// starting tells whether the desktop was started by an unfinished call of what is begun,
// and may still answer.
func (d *Driver) starting(instance *api.Instance, begun string) bool {
	return active(instance) && instance.Config[tagBegun] == begun && d.real.Now().Sub(instance.LastUsedAt) < answerLimit
}

// answered is answer for what is tagged as begun. Once the desktop has answered, the same
// call will begin anew.
func (d *Driver) answered(ctx context.Context, id string) (again time.Time, err error) {
	if again, err = d.answer(ctx, id); err != nil || !again.IsZero() {
		return again, err
	}
	return time.Time{}, d.patchInstance(ctx, id, api.InstancePut{Config: map[string]string{tagBegun: ""}})
}

// patchInstance changes the given parts of an instance; "" removes a key.
func (d *Driver) patchInstance(ctx context.Context, id string, patch api.InstancePut) error {
	if strings.Contains(id, "/") {
		return fmt.Errorf("%w: %q", compute.ErrNotFound, id)
	}
	return d.persist(ctx, func() error { return d.client.change(ctx, http.MethodPatch, "/instances/"+id, patch) })
}
