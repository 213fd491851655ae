package incus

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// How desktops are kept apart, on the networks that the driver makes:
//
//   - from desktops of the same subnet by port isolation of the bridge, and on the way
//     round over the host's routing by the access list, which drops what desktops send
//     to any subnet of this installation
//   - from desktops of other subnets by the same list, and by what the other network
//     lets in: nothing that a desktop did not ask for
//   - from the host by the list, which names every address that the host has. Incus
//     lets name service (port 53) and DHCP through before the list is looked at; the
//     bridge's own name server is what desktops use
//   - from posing as another by filters on each card, for MAC, ARP and IPv4; IPv6 is
//     dropped altogether
//
// The rest of the world is open, the organisation's own network included, but to desktops
// that are held to less: reach.go. Access lists of single cards would be simpler, but need
// a kernel with NF_CONNTRACK_BRIDGE.
//
// On a network that the administrator named, filters and port isolation hold as well;
// what desktops may reach is up to its owner.

// card returns the desktop's network card, on a network that is made if need be.
func (d *Driver) card(ctx context.Context, desktop compute.Desktop) (map[string]string, error) {
	if err := d.checkReach(desktop); err != nil {
		return nil, err
	}
	card := map[string]string{
		"type":                    "nic",
		"name":                    "eth0",
		"hwaddr":                  hardwareAddress(desktop.Address),
		"ipv4.address":            desktop.Address.String(),
		"ipv6.address":            "none",
		"security.port_isolation": "true",
		"security.mac_filtering":  "true",
		"security.ipv4_filtering": "true",
		"security.ipv6_filtering": "true",
	}
	given := desktop.Subnet.Network
	if given == "" {
		card["network"] = networkName(d.installation, desktop.Subnet.ID)
		return card, d.makeNetwork(ctx, desktop.Subnet)
	}
	var network api.Network
	err := d.client.get(ctx, "/networks/"+given, &network)
	switch {
	case missing(err):
		return nil, fmt.Errorf("%w: subnet %s: there is no network %q", compute.ErrInvalid, desktop.Subnet.ID, given)
	case err != nil:
		return nil, err
	case network.Type != "bridge":
		return nil, fmt.Errorf("%w: subnet %s: network %q is no bridge", compute.ErrInvalid, desktop.Subnet.ID, given)
	case network.Managed:
		card["network"] = given
	default:
		card["nictype"], card["parent"] = "bridged", given
	}
	return card, nil
}

// networkFresh is for how long a network that was there and closed is not looked at
// again: a look takes Incus 80 ms, a quarter of what a small desktop takes.
const networkFresh = 30 * time.Second

// makeNetwork sees that the subnet's network exists and is closed as it should be.
func (d *Driver) makeNetwork(ctx context.Context, subnet compute.Subnet) error {
	d.networks.Lock()
	defer d.networks.Unlock()
	if d.real.Now().Sub(d.networkSeen[subnet.ID]) < networkFresh {
		return nil
	}
	if err := d.makeNetworkLocked(ctx, subnet); err != nil {
		return err
	}
	d.networkSeen[subnet.ID] = d.real.Now()
	return nil
}

// forgetNetwork has the next Create look at the subnet's network again.
func (d *Driver) forgetNetwork(subnet compute.Subnet) {
	d.networks.Lock()
	defer d.networks.Unlock()
	delete(d.networkSeen, subnet.ID)
}

func (d *Driver) makeNetworkLocked(ctx context.Context, subnet compute.Subnet) error {
	networks, err := d.wholeNetworks(ctx)
	if err != nil {
		return err
	}
	// The list first: a network must not be open even for a moment.
	if err := d.closeNetworks(ctx, networks, subnet.Prefix.Masked()); err != nil {
		return err
	}
	name := networkName(d.installation, subnet.ID)
	if i := slices.IndexFunc(networks, func(n api.Network) bool { return n.Name == name }); i >= 0 {
		if networks[i].Managed {
			return d.filterNetwork(ctx, networks[i])
		}
		if err := d.removeBridge(ctx, name); err != nil {
			return err
		}
	}
	if err := d.makeReach(ctx, name, subnet.Prefix.Masked()); err != nil {
		return err
	}
	config := map[string]string{
		"ipv4.address": netip.PrefixFrom(subnet.Gateway, subnet.Prefix.Bits()).String(),
		"ipv4.nat":     "true",
		// Every desktop is told its address at its start. With DHCP off, the
		// name server alone remains.
		"ipv4.dhcp":     "false",
		"ipv6.address":  "none",
		"dns.mode":      "managed",
		tagInstallation: d.installation,
		tagSubnet:       printable(subnet.ID),
	}
	maps.Copy(config, d.filters(name))
	err = d.client.change(ctx, http.MethodPost, "/networks", api.NetworksPost{
		Name: name, Type: "bridge",
		NetworkPut: api.NetworkPut{Description: "Carrel: " + printable(subnet.ID), Config: config},
	})
	if conflicts(err) {
		return nil // another Carrel process was faster
	}
	return err
}

// filters are the settings by which a network of ours is closed. What leaves it is refused, so that
// programs fail at once; what comes is dropped, so that nobody learns who is there.
func (d *Driver) filters(network string) map[string]string {
	return map[string]string{
		"security.acls":                        aclName(d.installation) + "," + reachName(network),
		"security.acls.default.ingress.action": "drop",
		"security.acls.default.egress.action":  "reject",
	}
}

// filterNetwork gives a network of ours that an earlier Carrel made the filters that it would have now.
func (d *Driver) filterNetwork(ctx context.Context, network api.Network) error {
	filters := d.filters(network.Name)
	if !changes(network.Config, filters) {
		return nil
	}
	own, err := netip.ParsePrefix(network.Config["ipv4.address"])
	if err != nil {
		return fmt.Errorf("%w: network %s: %w", compute.ErrFailed, network.Name, err)
	}
	// The list first: without it nobody would be let out.
	if err := d.makeReach(ctx, network.Name, own.Masked()); err != nil {
		return err
	}
	d.log.InfoContext(ctx, "a network gets the filters that it would be made with now", "network", network.Name)
	return d.persist(ctx, func() error {
		return d.client.change(ctx, http.MethodPatch, "/networks/"+network.Name, api.NetworkPut{Config: filters})
	})
}

// removeBridge removes an interface that Incus left when it stopped making the network of the
// name: it has forgotten the network, and makes no other while the interface is there.
func (d *Driver) removeBridge(ctx context.Context, name string) error {
	d.log.WarnContext(ctx, "removing a bridge that belongs to no network", "bridge", name)
	said, err := exec.CommandContext(ctx, "ip", "link", "delete", "dev", name).CombinedOutput() //nolint:gosec // the name is a hash
	if err != nil {
		return fmt.Errorf("%w: a bridge %s is left of a network that was not made; run: ip link delete %s (%w: %s)",
			compute.ErrFailed, name, name, err, strings.TrimSpace(string(said)))
	}
	return nil
}

// wholeNetworks returns the networks of the machine, and removes those of ours that are
// half-made: Incus stops making a network when whoever asked for it dies, and keeps what
// there is of it. Desktops could not start on it, and no change of the access list succeeds
// while it is there.
func (d *Driver) wholeNetworks(ctx context.Context) ([]api.Network, error) {
	var networks, whole []api.Network
	if err := d.client.get(ctx, "/networks?recursion=1", &networks); err != nil {
		return nil, err
	}
	for _, network := range networks {
		if d.ours(network.Config) && network.Status != api.NetworkStatusCreated {
			made, err := d.settleNetwork(ctx, network.Name)
			if err != nil {
				return nil, err
			}
			if !made {
				continue
			}
		}
		whole = append(whole, network)
	}
	return whole, nil
}

// settleNetwork waits until the network is made, since another Carrel process may be at it,
// and removes it where nobody is.
func (d *Driver) settleNetwork(ctx context.Context, name string) (made bool, err error) {
	const attempts = 20
	for range attempts {
		var network api.Network
		err := d.client.get(ctx, "/networks/"+name, &network)
		switch {
		case missing(err):
			return false, nil
		case err != nil:
			return false, err
		case network.Status == api.NetworkStatusCreated:
			return true, nil
		}
		if err := d.real.Sleep(ctx, 100*time.Millisecond); err != nil {
			return false, unavailable(err)
		}
	}
	d.log.WarnContext(ctx, "making a half-made network anew", "network", name)
	return false, d.removeObject(ctx, "/networks/"+name)
}

// Tighten closes addresses to desktops that the host has got since. Create does so too,
// but on a machine whose addresses change it should not be left to that: whoever
// reconciles is to call it every few minutes. It also removes leftovers. Errors:
// ErrUnavailable, ErrFailed.
func (d *Driver) Tighten(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	if err := d.sweep(ctx, d.real.Now().Add(-leftoverAge)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	d.networks.Lock()
	defer d.networks.Unlock()
	networks, err := d.wholeNetworks(ctx)
	if err != nil {
		return fmt.Errorf("tighten: %w", err)
	}
	if !slices.ContainsFunc(networks, func(n api.Network) bool { return d.ours(n.Config) }) {
		return nil
	}
	if err := d.closeNetworks(ctx, networks); err != nil {
		return fmt.Errorf("tighten: %w", err)
	}
	for _, network := range networks {
		if !d.ours(network.Config) || !network.Managed {
			continue
		}
		if err := d.filterNetwork(ctx, network); err != nil {
			return fmt.Errorf("tighten: %w", err)
		}
		if err := d.refreshReach(ctx, network.Name); err != nil {
			return fmt.Errorf("tighten %s: %w", network.Name, err)
		}
	}
	return nil
}

// closeNetworks makes the installation's access list, or brings it up to date. The
// prefixes are of subnets that have no network yet.
func (d *Driver) closeNetworks(ctx context.Context, networks []api.Network, prefixes ...netip.Prefix) error {
	closed, err := d.closedAddresses(ctx, networks, prefixes)
	if err != nil {
		return err
	}
	wanted := api.NetworkACLPut{
		Description: "What Carrel's desktops may not reach",
		Config:      map[string]string{tagInstallation: d.installation},
		Ingress:     []api.NetworkACLRule{},
		Egress: []api.NetworkACLRule{
			{Action: "drop", State: "enabled", Destination: "::/0"},
			{Action: "drop", State: "enabled", Destination: strings.Join(closed, ",")},
		},
	}
	name := aclName(d.installation)
	var list api.NetworkACL
	err = d.client.get(ctx, "/network-acls/"+name, &list)
	switch {
	case missing(err):
		err = d.client.change(ctx, http.MethodPost, "/network-acls", api.NetworkACLsPost{
			NetworkACLPost: api.NetworkACLPost{Name: name},
			NetworkACLPut:  wanted,
		})
		if conflicts(err) {
			return nil // another Carrel process was faster, and the next Create looks again
		}
		return err
	case err != nil:
		return err
	case slices.Equal(list.Egress, wanted.Egress) && len(list.Ingress) == 0:
		return nil
	}
	d.log.InfoContext(ctx, "what desktops may not reach has changed", "acl", name, "closed", closed)
	return d.client.change(ctx, http.MethodPut, "/network-acls/"+name, wanted)
}

// closedAddresses returns, sorted, what desktops may not send to: the subnets of this
// installation, every address of the host, the link-local network, in which clouds
// keep their machines' secrets, and everything that is not a single machine.
func (d *Driver) closedAddresses(ctx context.Context, networks []api.Network, prefixes []netip.Prefix) ([]string, error) {
	closed := []string{"169.254.0.0/16", "224.0.0.0/3"}
	for _, prefix := range prefixes {
		closed = append(closed, prefix.String())
	}
	for _, network := range networks {
		if d.ours(network.Config) {
			if own, err := netip.ParsePrefix(network.Config["ipv4.address"]); err == nil {
				closed = append(closed, own.Masked().String())
			}
			continue // its address on the host lies within
		}
		var state api.NetworkState
		err := d.client.get(ctx, "/networks/"+network.Name+"/state", &state)
		if missing(err) {
			continue // an interface that went away meanwhile
		}
		if err != nil {
			return nil, err
		}
		for _, a := range state.Addresses {
			address, err := netip.ParseAddr(a.Address)
			if err == nil && address.Is4() && !address.IsLoopback() && !address.IsLinkLocalUnicast() {
				closed = append(closed, address.String())
			}
		}
	}
	slices.Sort(closed)
	return slices.Compact(closed), nil
}
