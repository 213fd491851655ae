package incus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// Rebuild makes the instance anew, in four steps, all of which a later call takes again
// unless the last one is all that is left:
//
//  1. the instance is removed, with the snapshots of its root volume
//  2. the user volume as the snapshot has it
//  3. the steps of Create
//  4. the screen's greeting
//
// What would make it fail is looked for first, so that the old root volume is still there.
// Incus's own rebuild is not used: it refuses instances with snapshots, keeps the old
// configuration, and is no faster.
func (d *Driver) Rebuild(ctx context.Context, desktop compute.Desktop, user string) (again time.Time, err error) {
	desktop.Home = nil
	if err := d.check(desktop); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()
	instance, err := d.settled(ctx, desktop.ID)
	if missing(err) {
		instance, err = nil, nil
	}
	begun := "rebuild " + digest(desktop, user)
	if err == nil && (instance == nil || !d.starting(instance, begun)) {
		err = d.rebuild(ctx, desktop, instance, user, begun)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("rebuild %s: %w", desktop.ID, err)
	}
	return d.answered(ctx, desktop.ID)
}

func (d *Driver) rebuild(ctx context.Context, desktop compute.Desktop, instance *api.Instance, user, begun string) error {
	home, err := d.home(ctx, desktop.ID)
	switch {
	case err != nil:
		return err
	case home == nil && instance == nil:
		return compute.ErrNotFound
	case user != "":
		if home, err = d.keptHome(ctx, desktop.ID, user); err != nil {
			return err
		}
	}
	if _, err := d.image(ctx, desktop.Image); err != nil {
		return err
	}
	if _, err := d.card(ctx, desktop); err != nil {
		return err
	}
	if user == "" && instance != nil { // programs may save what they have: the volume stays
		if err := d.halt(ctx, desktop.ID); err != nil {
			return err
		}
	}
	if err := d.removeInstance(ctx, desktop.ID); err != nil {
		return err
	}
	if user != "" {
		if err := d.restoreHome(ctx, home, user); err != nil {
			return err
		}
	}
	return d.build(ctx, desktop, map[string]string{tagBegun: begun})
}

// digest tells what is asked for apart from anything else.
func digest(desktop compute.Desktop, user string) string {
	asked, err := json.Marshal(struct {
		Desktop compute.Desktop
		User    string
	}{desktop, user})
	if err != nil {
		return "" // it has nothing that JSON cannot say
	}
	sum := sha256.Sum256(asked)
	return hex.EncodeToString(sum[:8])
}

// Resize notes on the user volume what the desktop is to have, enlarges that volume, and
// gives the instance what can be given to it now. The rest it gets when it is started.
func (d *Driver) Resize(ctx context.Context, desktop compute.Desktop) (again time.Time, err error) {
	desktop.Home = nil
	if err := d.check(desktop); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	if err := d.resize(ctx, desktop); err != nil {
		return time.Time{}, fmt.Errorf("resize %s: %w", desktop.ID, err)
	}
	return time.Time{}, nil
}

func (d *Driver) resize(ctx context.Context, desktop compute.Desktop) error {
	instance, err := d.settled(ctx, desktop.ID)
	if err != nil {
		return err
	}
	home, err := d.home(ctx, desktop.ID)
	if err != nil {
		return err
	}
	if home == nil {
		return fmt.Errorf("%w: the user volume is missing", compute.ErrFailed)
	}
	if err := d.fit(ctx, home, desktop); err != nil {
		return err
	}
	if home, err = d.home(ctx, desktop.ID); err != nil {
		return err
	}
	err = d.adjust(ctx, instance, home, api.InstancePut{})
	if err != nil && active(instance) && !errors.Is(err, compute.ErrUnavailable) && !missing(err) {
		d.log.InfoContext(ctx, "a desktop gets its new limits when it is started next", "desktop", desktop.ID, "because", err)
		return nil
	}
	return err
}

// adjust patches an instance, also with the limits that are noted on its user volume, and
// enlarges the root volume to what is noted there.
func (d *Driver) adjust(ctx context.Context, instance *api.Instance, home *userVolume, patch api.InstancePut) error {
	config := map[string]string{}
	for tag, key := range map[string]string{tagCPU: "limits.cpu", tagMemory: "limits.memory"} {
		if limit := home.Config[tag]; limit != "" {
			config[key] = limit
		}
	}
	maps.Copy(config, patch.Config)
	root := patch.Devices["root"]
	if root == nil {
		root = rootDisk(instance)
	}
	root["size"] = larger(root["size"], home.Config[tagRoot])
	if !changes(instance.Devices["root"], root) && !changes(instance.Config, config) {
		return nil
	}
	patch.Config, patch.Devices = config, map[string]map[string]string{"root": root}
	return d.patchInstance(ctx, instance.Name, patch)
}

// rootDisk returns the instance's root disk, to be changed.
func rootDisk(instance *api.Instance) map[string]string {
	root := map[string]string{}
	maps.Copy(root, instance.Devices["root"])
	return root
}
