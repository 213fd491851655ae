package incus

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

const (
	// updateLimit is how long a distribution may take to bring an image up to date.
	updateLimit = time.Hour
	updatePause = 2 * time.Second
	// updateScript is where the program lies in an instance that brings it up to date. It
	// removes itself when all went well.
	updateScript = "/carrel-update"
	updateSubnet = "update"
)

//go:embed update.sh
var updateProgram string

// update makes an image that is another one brought up to date, in these steps, each of
// which is skipped where it is done:
//
//  1. an instance of the image, whose first process is update.sh
//  2. it is started, and stops when the program is through
//  3. Incus makes an image of it
//  4. the instance is removed
//
// Nothing but the instance remembers how far that is.
func (d *Driver) update(ctx context.Context, image, fingerprint string) (updated string, again time.Time, err error) {
	name := updateName(image)
	if err := d.client.settle(ctx, about(name)); err != nil {
		return "", time.Time{}, err
	}
	if updated, err = d.published(ctx, image); err != nil {
		return "", time.Time{}, err
	}
	if updated == "" {
		instance, err := d.updating(ctx, name, fingerprint)
		if err != nil {
			return "", time.Time{}, err
		}
		if active(instance) {
			return "", d.soon(ctx, updatePause), nil
		}
		updated, again, err = d.publish(ctx, instance, image, func(context.Context) error { return nil })
		if err != nil || !again.IsZero() {
			return "", again, err
		}
	}
	return updated, time.Time{}, d.removeTemporary(ctx, name)
}

// updateName is the name of the instance that brings an image up to date.
func updateName(image string) string {
	sum := sha256.Sum256([]byte(image))
	return "update-" + hex.EncodeToString(sum[:6])
}

// updating returns the instance in which an image is brought up to date, or has been.
func (d *Driver) updating(ctx context.Context, name, fingerprint string) (*api.Instance, error) {
	instance, err := d.instance(ctx, name)
	if missing(err) || err == nil && !active(instance) && !ran(instance) {
		// There is none, or a process has died that was making it.
		if err := d.removeTemporary(ctx, name); err != nil {
			return nil, err
		}
		if err := d.beginUpdate(ctx, name, fingerprint); err != nil {
			return nil, err
		}
		instance, err = d.instance(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	var problem string
	if active(instance) {
		if d.real.Now().Sub(instance.LastUsedAt) < updateLimit {
			return instance, nil
		}
		problem = fmt.Sprintf("the distribution's update is not through after %v", updateLimit)
	} else {
		err := d.client.get(ctx, "/instances/"+name+"/files?path="+updateScript, nil)
		if missing(err) {
			return instance, nil
		}
		problem = "the distribution's update failed"
	}
	failed := d.failed(ctx, name, problem)
	if err := d.removeTemporary(ctx, name); err != nil {
		return nil, err
	}
	return nil, failed
}

// beginUpdate makes and starts the instance.
func (d *Driver) beginUpdate(ctx context.Context, name, fingerprint string) error {
	subnet, err := d.updateNetwork(ctx)
	if err != nil {
		return err
	}
	// A desktop in all but its first process, and without a user volume.
	desktop := compute.Desktop{
		ID: name, CPUs: 2, MemoryMiB: 2048, RootGiB: 20, Subnet: subnet, Address: addressFor(name, subnet),
		ComputerName: name, User: compute.User{Name: "update"},
	}
	card, err := d.card(ctx, desktop)
	if err != nil {
		return err
	}
	request := d.instanceRequest(desktop, fingerprint, card, "")
	request.Start = false
	delete(request.Devices, "home")
	delete(request.Config, tagDesktop)
	request.Config["raw.lxc"] += "lxc.init.cmd=" + updateScript + "\n"
	if err := d.client.change(ctx, http.MethodPost, "/instances", request); err != nil {
		d.forgetNetwork(subnet)
		return unlucky(err)
	}
	header := http.Header{"X-Incus-Type": {"file"}, "X-Incus-Mode": {"0755"}, "X-Incus-Uid": {"0"}, "X-Incus-Gid": {"0"}}
	_, err = d.client.operate(ctx, http.MethodPost, "/instances/"+name+"/files?path="+updateScript, header, strings.NewReader(updateProgram))
	if err != nil {
		return err
	}
	return d.start(ctx, name)
}

// addressFor picks an address that no other update has, most likely: two at a time are rare.
func addressFor(name string, subnet compute.Subnet) netip.Addr {
	sum := sha256.Sum256([]byte(name))
	address := subnet.Gateway.As4()
	address[3] = 10 + sum[0]%200
	return netip.AddrFrom4(address)
}

// updateNetwork returns the subnet of instances that bring images up to date: the one that
// their network has, or else one that no interface and no network of the machine has.
func (d *Driver) updateNetwork(ctx context.Context) (compute.Subnet, error) {
	var networks []api.Network
	if err := d.client.get(ctx, "/networks?recursion=1", &networks); err != nil {
		return compute.Subnet{}, err
	}
	own := networkName(d.installation, updateSubnet)
	var taken []netip.Prefix
	for _, network := range networks {
		prefix, err := netip.ParsePrefix(network.Config["ipv4.address"])
		if err != nil {
			continue
		}
		if network.Name == own {
			return compute.Subnet{ID: updateSubnet, Prefix: prefix.Masked(), Gateway: prefix.Addr()}, nil
		}
		taken = append(taken, prefix)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return compute.Subnet{}, fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			taken = append(taken, prefix)
		}
	}
	sum := sha256.Sum256([]byte(d.installation))
	for third := range 256 {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, sum[0], sum[1] + byte(third), 0}), 24)
		if !slices.ContainsFunc(taken, prefix.Overlaps) {
			return compute.Subnet{ID: updateSubnet, Prefix: prefix, Gateway: prefix.Addr().Next()}, nil
		}
	}
	return compute.Subnet{}, fmt.Errorf("%w: the machine has no network free for updates of images", compute.ErrCapacity)
}

// removeTemporary removes an instance that is no desktop, and the network of updates if
// nothing else is on it: an administrator may want its addresses.
func (d *Driver) removeTemporary(ctx context.Context, name string) error {
	if err := d.removeInstance(ctx, name); err != nil {
		return err
	}
	if err := d.removeUpdateNetwork(ctx); err != nil {
		d.log.InfoContext(ctx, "the network for updates of images stays for now", "because", err)
	}
	return nil
}

func (d *Driver) removeUpdateNetwork(ctx context.Context) error {
	d.networks.Lock()
	defer d.networks.Unlock()
	path := "/networks/" + networkName(d.installation, updateSubnet)
	var network api.Network
	err := d.client.get(ctx, path, &network)
	if err == nil && len(network.UsedBy) > 0 {
		return nil
	}
	if err != nil && !missing(err) {
		return err
	}
	delete(d.networkSeen, updateSubnet)
	return d.removeNetwork(ctx, networkName(d.installation, updateSubnet))
}
