package incus

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// How desktops are held to what they may reach, on the networks that the driver makes:
//
//   - each network has an access list of its own, beside the installation's. By their
//     addresses it lets out all but the desktops that something is withheld from; those may
//     exchange what the rules of their security groups say. The rest is refused
//   - the installation's list comes first, whatever a group says: Incus takes what drops of
//     all lists before what allows. So a group opens nothing that is closed to all desktops
//   - the filters on each card keep a desktop from taking another's address
//   - who is held to what stands in the configuration of the list that does it, so that one
//     change is both. Incus refuses one of what has changed since it was read, but looks and
//     writes without a lock between: of changes by two processes in the same few milliseconds
//     one can be lost. So it is looked at again when the desktop is there, and by Tighten
//
// It is there before the desktop is made; what is left of one that is gone goes when
// somebody gets its address, or with Tighten.

// holding is what a desktop is held to, and the address by which that is done.
type holding struct {
	address netip.Addr
	reach   compute.Reach
}

// offlineMark says in the text of a holding that the desktop is offline.
const offlineMark = "offline"

// String is the holding as the access list keeps it: the address, and words.
func (h holding) String() string {
	words := []string{h.address.String()}
	if h.reach.Offline {
		words = append(words, offlineMark)
	}
	for _, group := range h.reach.Groups {
		if group != "" {
			words = append(words, group)
		}
	}
	return strings.Join(words, " ")
}

// parseHolding reads what String wrote.
func parseHolding(text string) (h holding, err error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return h, fmt.Errorf("no address")
	}
	if h.address, err = netip.ParseAddr(words[0]); err != nil {
		return h, err
	}
	groups := 0
	for _, word := range words[1:] {
		switch {
		case word == offlineMark:
			h.reach.Offline = true
		case groups == len(h.reach.Groups):
			return h, fmt.Errorf("more than %d groups", groups)
		default:
			h.reach.Groups[groups] = word
			groups++
		}
	}
	return h, nil
}

// holdings returns, by the desktops' ids, what a list has written down. What nobody can read
// is left out, and is closed: its address is not among those that are let out.
func holdings(list *api.NetworkACL) map[string]holding {
	held := map[string]holding{}
	for key, text := range list.Config {
		if id, is := strings.CutPrefix(key, tagReach); is {
			if h, err := parseHolding(text); err == nil {
				held[id] = h
			}
		}
	}
	return held
}

// checkReach refuses what this engine could not hold a desktop to.
func (d *Driver) checkReach(desktop compute.Desktop) error {
	if !desktop.Reach.Restricted() {
		return nil
	}
	if err := desktop.Reach.CheckGroups(d.groups); err != nil {
		return err
	}
	switch {
	case desktop.Subnet.Network != "":
		return fmt.Errorf("%w: subnet %s is on the network %q, which Carrel did not make: neither security groups nor who may leave it can be enforced there",
			compute.ErrInvalid, desktop.Subnet.ID, desktop.Subnet.Network)
	case d.firewall != nftables:
		return fmt.Errorf("%w: security groups and subnets that not everybody may leave need Incus to use nftables, and it uses %s", compute.ErrInvalid, d.firewall)
	}
	return nil
}

// hold has the desktop's network hold it to its reach from its first packet on, or, where nothing
// is withheld from it, not to what whoever had its address before was held to.
func (d *Driver) hold(ctx context.Context, desktop compute.Desktop) error {
	if desktop.Subnet.Network != "" {
		return nil
	}
	d.networks.Lock()
	defer d.networks.Unlock()
	return unlucky(d.changeReach(ctx, networkName(d.installation, desktop.Subnet.ID), func(held map[string]holding) error {
		maps.DeleteFunc(held, func(id string, h holding) bool { return id == desktop.ID || h.address == desktop.Address })
		if desktop.Reach.Restricted() {
			held[desktop.ID] = holding{desktop.Address, desktop.Reach}
		}
		return nil
	}))
}

// changeReach changes who is held to what on a network, and brings its access list up to date with
// the groups as they are. The driver's networks are locked.
func (d *Driver) changeReach(ctx context.Context, network string, change func(map[string]holding) error) error {
	const attempts = 10
	path := "/network-acls/" + reachName(network)
	for attempt := 1; ; attempt++ {
		var list api.NetworkACL
		etag, err := d.client.getTagged(ctx, path, &list)
		if err != nil {
			return err
		}
		prefix, err := netip.ParsePrefix(list.Config[tagPrefix])
		if err != nil || !d.ours(list.Config) {
			return fmt.Errorf("%w: the access list %s was changed by somebody else: %s is %q", compute.ErrFailed, list.Name, tagPrefix, list.Config[tagPrefix])
		}
		held := holdings(&list)
		if err := change(held); err != nil {
			return err
		}
		wanted := d.reachList(network, prefix, held)
		if maps.Equal(list.Config, wanted.Config) && slices.Equal(list.Egress, wanted.Egress) && slices.Equal(list.Ingress, wanted.Ingress) {
			return nil
		}
		err = d.persist(ctx, func() error { return d.client.replace(ctx, path, etag, wanted) })
		if !conflicts(err) || attempt == attempts {
			return err
		}
	}
}

// makeReach makes the access list of a network of these addresses, where it is missing.
func (d *Driver) makeReach(ctx context.Context, network string, prefix netip.Prefix) error {
	err := d.client.get(ctx, "/network-acls/"+reachName(network), nil)
	if !missing(err) {
		return err
	}
	err = d.client.change(ctx, http.MethodPost, "/network-acls", api.NetworkACLsPost{
		NetworkACLPost: api.NetworkACLPost{Name: reachName(network)},
		NetworkACLPut:  d.reachList(network, prefix, nil),
	})
	if conflicts(err) {
		return nil // another Carrel process was faster
	}
	return err
}

// refreshReach has a network's list say what the groups say now and hold whom the instances say, and forgets
// desktops that are gone. The driver's networks are locked.
func (d *Driver) refreshReach(ctx context.Context, network string) error {
	return d.changeReach(ctx, network, func(held map[string]holding) error {
		// A desktop has its user volume before it is held, and loses it last.
		homes, err := d.homes(ctx)
		if err != nil {
			return err
		}
		maps.DeleteFunc(held, func(id string, _ holding) bool { return !homes[id] })
		var instances []api.Instance
		if err := d.client.get(ctx, "/instances?recursion=1", &instances); err != nil {
			return err
		}
		for _, instance := range instances {
			if !d.ours(instance.Config) || instance.Devices["eth0"]["network"] != network {
				continue
			}
			delete(held, instance.Name)
			if h, err := parseHolding(instance.Config[tagHeld]); err == nil {
				held[instance.Name] = h
			}
		}
		for id, h := range held {
			if err := h.reach.CheckGroups(d.groups); err != nil {
				d.log.WarnContext(ctx, "a desktop has a security group that is not declared any more, and is let through nothing by it", "desktop", id, "problem", err)
			}
		}
		return nil
	})
}

// reaches returns, by their ids, what desktops are held to.
func (d *Driver) reaches(ctx context.Context) (map[string]compute.Reach, error) {
	var lists []api.NetworkACL
	if err := d.client.get(ctx, "/network-acls?recursion=1", &lists); err != nil {
		return nil, err
	}
	all := map[string]compute.Reach{}
	for _, list := range lists {
		if d.ours(list.Config) {
			for id, h := range holdings(&list) {
				all[id] = h.reach
			}
		}
	}
	return all, nil
}

// reachList is the access list of a network with these addresses and those held.
func (d *Driver) reachList(network string, prefix netip.Prefix, held map[string]holding) api.NetworkACLPut {
	list := api.NetworkACLPut{
		Description: "Whom Carrel's desktops on " + network + " may reach",
		Config:      map[string]string{tagInstallation: d.installation, tagPrefix: prefix.String()},
		Ingress:     []api.NetworkACLRule{},
		Egress:      []api.NetworkACLRule{{Action: "allow", State: "enabled", Source: strings.Join(others(prefix, held), ",")}},
	}
	for id, h := range held {
		list.Config[tagReach+id] = h.String()
	}
	for _, group := range d.groups {
		online, offline := membersOf(group.ID, held)
		everybody := strings.Join(slices.Sorted(slices.Values(slices.Concat(online, offline))), ",")
		for _, r := range group.Egress {
			list.Egress = allow(list.Egress, r, strings.Join(online, ","), r.Peer.String())
			list.Egress = allow(list.Egress, r, strings.Join(offline, ","), strings.Join(within(r.Peer), ","))
		}
		for _, r := range group.Ingress {
			list.Ingress = allow(list.Ingress, r, r.Peer.String(), everybody)
		}
	}
	return list
}

// allow adds what lets the rule's packets through, unless there are none; Incus refuses the same twice.
func allow(rules []api.NetworkACLRule, r compute.Rule, source, destination string) []api.NetworkACLRule {
	if source == "" || destination == "" {
		return rules
	}
	added := api.NetworkACLRule{Action: "allow", State: "enabled", Source: source, Destination: destination, Protocol: r.Protocol}
	if r.Protocol == compute.ICMP {
		added.Protocol = "icmp4"
	}
	switch r.First {
	case 0: // all
	case r.Last:
		added.DestinationPort = fmt.Sprint(r.First)
	default:
		added.DestinationPort = fmt.Sprintf("%d-%d", r.First, r.Last)
	}
	if slices.Contains(rules, added) {
		return rules
	}
	return append(rules, added)
}

// membersOf returns the addresses of the desktops that have a group, sorted.
func membersOf(group string, held map[string]holding) (online, offline []string) {
	for _, h := range held {
		switch {
		case !slices.Contains(h.reach.Groups[:], group):
		case h.reach.Offline:
			offline = append(offline, h.address.String())
		default:
			online = append(online, h.address.String())
		}
	}
	slices.Sort(online)
	slices.Sort(offline)
	return online, offline
}

// within returns the part of a network that offline desktops may reach.
func within(peer netip.Prefix) []string {
	var parts []string
	for _, inside := range compute.Inside() {
		switch {
		case !inside.Overlaps(peer):
		case inside.Bits() > peer.Bits():
			parts = append(parts, inside.String())
		default:
			parts = append(parts, peer.String())
		}
	}
	return parts
}

// others returns the addresses of a network that nobody is held by, as ranges.
func others(prefix netip.Prefix, held map[string]holding) []string {
	var ranges []string
	add := func(first, last netip.Addr) {
		switch first.Compare(last) {
		case -1:
			ranges = append(ranges, first.String()+"-"+last.String())
		case 0:
			ranges = append(ranges, first.String())
		}
	}
	taken := slices.SortedFunc(maps.Values(held), func(a, b holding) int { return a.address.Compare(b.address) })
	free := prefix.Masked().Addr()
	for _, h := range taken {
		if prefix.Contains(h.address) && free.Compare(h.address) <= 0 {
			add(free, h.address.Prev())
			free = h.address.Next()
		}
	}
	add(free, last(prefix))
	return ranges
}

// last returns the last address of an IPv4 network.
func last(prefix netip.Prefix) netip.Addr {
	a := prefix.Masked().Addr().As4()
	for bit := prefix.Bits(); bit < prefix.Addr().BitLen(); bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}
