package incus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// lxcfsProbe is there while lxcfs serves the view that desktops have of their own
// processors and memory.
const lxcfsProbe = "/var/lib/lxcfs/proc/meminfo"

// nftables is what Incus calls the firewall that the filters of networks are tested with.
const nftables = "nftables"

// About describes Incus, and what an administrator should know of it.
func (d *Driver) About(ctx context.Context) (compute.About, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	about, err := d.about(ctx)
	if err != nil {
		return compute.About{}, fmt.Errorf("about incus: %w", err)
	}
	return about, nil
}

func (d *Driver) about(ctx context.Context) (compute.About, error) {
	var (
		server    api.Server
		instances []api.Instance
	)
	err := errors.Join(
		d.client.get(ctx, "", &server),
		d.client.get(ctx, "/instances?recursion=1", &instances),
	)
	if err != nil {
		return compute.About{}, err
	}
	about := compute.About{Name: "incus", Version: server.Environment.ServerVersion}
	for _, instance := range instances {
		if d.ours(instance.Config) && instance.Config[tagDesktop] != "" && active(&instance) {
			about.DesktopsRunning++
		}
	}
	if about.Images, err = d.Images(ctx); err != nil {
		return compute.About{}, err
	}
	about.Problems = d.problems(server, about.Images)
	about.ReachEnforced = server.Environment.Firewall == nftables
	about.SizesEnforced = true
	for _, name := range d.pools() {
		var pool api.StoragePool
		if err := d.client.get(ctx, "/storage-pools/"+name, &pool); err != nil {
			return compute.About{}, err
		}
		enforced, problem := sizesEnforced(os.DirFS("/"), pool.Driver, name)
		about.SizesEnforced = about.SizesEnforced && enforced
		if problem != "" {
			about.Problems = append(about.Problems, problem)
		}
	}
	return about, nil
}

// problems returns what is wrong with the engine, but for its storage.
func (d *Driver) problems(server api.Server, images []compute.Image) []string {
	var problems []string
	if len(images) == 0 {
		problems = append(problems, "there is no desktop image: carrel image build makes one")
	}
	if firewall := server.Environment.Firewall; firewall != nftables {
		problems = append(problems, fmt.Sprintf("Incus uses %s: that desktops are kept apart is tested with nftables only, and none is made that "+
			"has a security group or may not leave its subnet; install nftables, remove the xtables rules that made Incus choose it, and restart Incus", firewall))
	}
	if _, err := os.Stat(lxcfsProbe); errors.Is(err, fs.ErrNotExist) && d.member == "" {
		problems = append(problems, "lxcfs does not run: programs in desktops see the memory and processors of the whole machine; "+
			"start lxcfs (scripts/incus-up.sh does), then reboot the desktops")
	}
	return problems
}

// Images returns the desktop images, that is those with an alias that begins with
// "carrel/", but for those of other installations, sorted by name. Errors: ErrUnavailable.
func (d *Driver) Images(ctx context.Context) ([]compute.Image, error) {
	var known []api.Image
	if err := d.client.get(ctx, "/images?recursion=1", &known); err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	var images []compute.Image
	for _, image := range known {
		for _, alias := range image.Aliases {
			tag, tagged := strings.CutPrefix(alias.Description, aliasTag)
			if strings.HasPrefix(alias.Name, compute.ImagePrefix) && (!tagged || tag == d.installation) {
				images = append(images, compute.Image{
					Name:    alias.Name,
					Serial:  cmp.Or(image.Properties["serial"], image.Fingerprint[:12]),
					Bytes:   image.Size,
					BuiltAt: image.CreatedAt,
				})
			}
		}
	}
	slices.SortFunc(images, func(a, b compute.Image) int { return strings.Compare(a.Name, b.Name) })
	return images, nil
}
