package incus

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// userVolume is a desktop's user volume as Incus has it.
type userVolume struct {
	api.StorageVolume

	pool string
}

// path is the API's path of the volume.
func (v *userVolume) path() string { return volumes(v.pool) + "/" + v.Name }

// volumes is the API's path of a pool's custom volumes.
func volumes(pool string) string { return "/storage-pools/" + pool + "/volumes/custom" }

// pools returns the pools that volumes may lie in.
func (d *Driver) pools() []string {
	if d.encryptedPool == "" {
		return []string{d.pool}
	}
	return []string{d.pool, d.encryptedPool}
}

// rootPool returns the pool of a new root volume.
func (d *Driver) rootPool(desktop compute.Desktop) string {
	if desktop.RootEncrypted {
		return d.encryptedPool
	}
	return d.pool
}

// homePool returns the pool of a new user volume.
func (d *Driver) homePool(desktop compute.Desktop) string {
	if desktop.UserEncrypted {
		return d.encryptedPool
	}
	return d.pool
}

// home returns the desktop's user volume, nil if there is none of ours.
func (d *Driver) home(ctx context.Context, id string) (*userVolume, error) {
	return d.volume(ctx, homeVolume(id))
}

// volume returns the volume of the name, nil if there is none of ours.
func (d *Driver) volume(ctx context.Context, name string) (*userVolume, error) {
	for _, pool := range d.pools() {
		volume := &userVolume{pool: pool}
		err := d.client.get(ctx, volumes(pool)+"/"+name, &volume.StorageVolume)
		switch {
		case missing(err):
		case err != nil:
			return nil, err
		case d.ours(volume.Config):
			return volume, nil
		}
	}
	return nil, nil
}

// makeHome makes the user volume, which every later root disk finds again, or brings the
// one that is there to the desktop's sizes.
func (d *Driver) makeHome(ctx context.Context, desktop compute.Desktop) (*userVolume, error) {
	if desktop.Home != nil {
		return d.copyHome(ctx, desktop)
	}
	volume := d.newHome(desktop)
	err := d.client.change(ctx, http.MethodPost, volumes(volume.pool), volume.post())
	if !conflicts(err) {
		return volume, err
	}
	name := volume.Name
	volume, err = d.home(ctx, desktop.ID)
	if err == nil && volume == nil {
		return nil, fmt.Errorf("%w: volume %s of project %s is not this installation's", compute.ErrInvalid, name, d.project)
	}
	if err != nil {
		return nil, err
	}
	return volume, d.fit(ctx, volume, desktop)
}

// newHome describes the user volume of a new desktop.
func (d *Driver) newHome(desktop compute.Desktop) *userVolume {
	volume := &userVolume{pool: d.homePool(desktop)}
	volume.Name = homeVolume(desktop.ID)
	volume.Config = wants(desktop)
	volume.Config["size"] = gibibytes(desktop.UserGiB)
	// Without it, Incus changes the owner of every file when the volume goes to an
	// instance with other ids.
	volume.Config["security.shifted"] = "true"
	volume.Config[tagInstallation] = d.installation
	volume.Config[tagDesktop] = desktop.ID
	return volume
}

func (v *userVolume) post() api.StorageVolumesPost {
	return api.StorageVolumesPost{Name: v.Name, Type: "custom", ContentType: "filesystem", StorageVolumePut: v.Writable()}
}

// copyHome makes the user volume from what a snapshot of another desktop's has. It is
// tagged until that is complete: Incus may die meanwhile.
func (d *Driver) copyHome(ctx context.Context, desktop compute.Desktop) (*userVolume, error) {
	// Incus does not say which volume a process that died has had it make.
	if err := d.client.settle(ctx, described(copyingVolume)); err != nil {
		return nil, err
	}
	made, err := d.home(ctx, desktop.ID)
	switch {
	case err != nil:
		return nil, err
	case made != nil && made.Config[tagCopying] == "":
		return made, d.fit(ctx, made, desktop)
	case made != nil:
		if err := d.removeObject(ctx, made.path()); err != nil {
			return nil, err
		}
	}
	source, err := d.keptHome(ctx, desktop.Home.Desktop, desktop.Home.Snapshot)
	if err != nil {
		return nil, err
	}
	volume := d.newHome(desktop)
	volume.Config["size"] = larger(gibibytes(desktop.UserGiB), source.Config["size"])
	volume.Config[tagCopying] = "true"
	if err := d.copyVolume(ctx, volume, source, source.Name+"/"+desktop.Home.Snapshot); err != nil {
		return nil, err
	}
	delete(volume.Config, tagCopying)
	return volume, d.patchVolume(ctx, volume, map[string]string{tagCopying: ""})
}

// keptHome returns the user volume that has the snapshot. Errors: ErrSnapshot.
func (d *Driver) keptHome(ctx context.Context, id, snapshot string) (*userVolume, error) {
	none := fmt.Errorf("%w: %q of %s", compute.ErrSnapshot, snapshot, id)
	if !desktopID.MatchString(id) || compute.CheckSnapshot(snapshot) != nil {
		return nil, none
	}
	volume, err := d.home(ctx, id)
	if err != nil {
		return nil, err
	}
	if volume == nil {
		return nil, none
	}
	err = d.client.get(ctx, volume.path()+"/snapshots/"+snapshot, nil)
	if missing(err) {
		return nil, none
	}
	return volume, err
}

// wants is the part of a user volume's configuration that says what the instance is to
// have. It is kept there because Incus takes an instance's own configuration back with
// its snapshots, and refuses some changes while it runs.
func wants(desktop compute.Desktop) map[string]string {
	return map[string]string{
		tagCPU:    cpuLimit(desktop),
		tagMemory: memoryLimit(desktop),
		tagRoot:   gibibytes(desktop.RootGiB),
	}
}

// fit notes on the user volume what the desktop is to have, and makes the volume as large
// as it is to be.
func (d *Driver) fit(ctx context.Context, volume *userVolume, desktop compute.Desktop) error {
	config := wants(desktop)
	config[tagRoot] = larger(volume.Config[tagRoot], config[tagRoot])
	config["size"] = larger(volume.Config["size"], gibibytes(desktop.UserGiB))
	return d.patchVolume(ctx, volume, config)
}

// patchVolume changes what is to be changed of the volume's configuration; "" removes a key.
func (d *Driver) patchVolume(ctx context.Context, volume *userVolume, config map[string]string) error {
	if !changes(volume.Config, config) {
		return nil
	}
	return d.persist(ctx, func() error {
		return d.client.change(ctx, http.MethodPatch, volume.path(), api.StorageVolumePut{Config: config})
	})
}

// changes tells whether a configuration is not yet as it is to be.
func changes(have, want map[string]string) bool {
	for key, value := range want {
		if have[key] != value {
			return true
		}
	}
	return false
}

// respell returns the same size in other words: Incus sets a limit on a volume only when
// the configuration changes, and btrfs loses it whenever a snapshot is restored.
func respell(size string) string {
	n := bytesOf(size)
	if plain := strconv.FormatInt(n, 10); size != plain {
		return plain
	}
	return size + "B"
}

// bytesOf is how many bytes a size has, as this driver and administrators write it, 0 for
// any other.
func bytesOf(size string) int64 {
	unit := int64(1)
	for power, suffix := range []string{"KiB", "MiB", "GiB", "TiB", "B"} {
		if number, found := strings.CutSuffix(size, suffix); found {
			size = number
			if suffix != "B" {
				unit = 1 << (10 * (power + 1))
			}
			break
		}
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return 0
	}
	return n * unit
}

// larger returns the larger one of two sizes, and the first of two that are alike.
func larger(a, b string) string {
	if bytesOf(b) > bytesOf(a) {
		return b
	}
	return a
}
