package incus_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"
	"golang.org/x/sync/errgroup"

	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

// reachWorld is two networks of the administrator's, one with private addresses and one that
// stands for the Internet, each with a desktop that listens on port 5900.
type reachWorld struct {
	*engine
	inside, outside compute.Desktop
}

// groups are what desktops of the test can have.
const (
	groupScreens = "sg-00000001" // to port 5900 inside
	groupOther   = "sg-00000002" // to other ports inside
	groupOpen    = "sg-00000003" // to everybody, and from inside to port 5900
	groupNone    = "sg-00000004"
)

func openWorld(t *testing.T) *reachWorld {
	t.Helper()
	w := &reachWorld{}
	var inside, outside compute.Subnet
	w.engine = openWith(t, func(c *incus.Config) {
		inside, outside = w.newSubnet(), w.newSubnet()
		c.Groups = groupsFor(inside.Prefix, 5900)
	})
	n := outside.Prefix.Addr().As4()[2]
	outside.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18 + run[len(run)-1]%2, n, 0}), 24)
	outside.Gateway = outside.Prefix.Addr().Next()
	for _, place := range []struct {
		subnet compute.Subnet
		name   string
		there  *compute.Desktop
	}{{inside, "i", &w.inside}, {outside, "o", &w.outside}} {
		place.subnet.Network = fmt.Sprintf("t%s%s%d", run, place.name, n)
		*place.there = w.desktop(11, place.subnet)
		w.makeGivenNetwork(t, place.subnet.Network, netip.PrefixFrom(place.subnet.Gateway, 24), place.there.ID)
		w.make(t, *place.there)
	}
	return w
}

// groupsFor are the groups, with what is open inside.
func groupsFor(inside netip.Prefix, port uint16) []compute.SecurityGroup {
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	return []compute.SecurityGroup{
		{ID: groupScreens, Egress: []compute.Rule{{Protocol: compute.TCP, First: port, Last: port, Peer: inside}}},
		{ID: groupOther, Egress: []compute.Rule{
			{Protocol: compute.TCP, First: 1, Last: 5899, Peer: inside}, {Protocol: compute.UDP, Peer: everywhere}, {Protocol: compute.ICMP, Peer: inside},
		}},
		{
			ID: groupOpen, Egress: []compute.Rule{{Peer: everywhere}, {Peer: everywhere}},
			Ingress: []compute.Rule{{Protocol: compute.TCP, First: 5900, Last: 5901, Peer: inside}},
		},
		{ID: groupNone},
	}
}

// make makes a desktop.
func (e *engine) make(t *testing.T, d compute.Desktop) {
	t.Helper()
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, d) }); err != nil {
		t.Fatal(err)
	}
}

// reaches reports whether a program in one desktop can open a connection to port 5900 of another.
func (w *reachWorld) reaches(t *testing.T, id string, other compute.Desktop) bool {
	t.Helper()
	return w.probe(t, id, "connect", "tcp", netip.AddrPortFrom(other.Address, 5900).String()) == nil
}

// TestReach opens connections from desktops that are held to all kinds of things, and to them.
func TestReach(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	type sees struct{ inside, outside, seen bool }
	n := byte(20)
	for _, test := range []struct {
		what  string
		reach compute.Reach
		want  sees
	}{
		{"nothing is withheld", compute.Reach{}, sees{inside: true, outside: true}},
		{"a group without rules", compute.Reach{Groups: [2]string{groupNone}}, sees{}},
		{"a group for a port", compute.Reach{Groups: [2]string{groupScreens}}, sees{inside: true}},
		{"a group for other ports", compute.Reach{Groups: [2]string{groupOther}}, sees{}},
		{"two groups", compute.Reach{Groups: [2]string{groupOther, groupScreens}}, sees{inside: true}},
		{"an open group", compute.Reach{Groups: [2]string{"", groupOpen}}, sees{inside: true, outside: true, seen: true}},
		{"no Internet", compute.Reach{Offline: true}, sees{}},
		{"no Internet and an open group", compute.Reach{Groups: [2]string{groupOpen}, Offline: true}, sees{inside: true, seen: true}},
	} {
		d := w.desktop(n, w.subnet)
		d.Reach = test.reach
		w.make(t, d)
		n++
		got := sees{inside: w.reaches(t, d.ID, w.inside), outside: w.reaches(t, d.ID, w.outside), seen: w.reaches(t, w.inside.ID, d)}
		if got != test.want {
			t.Errorf("with %s: %+v, want %+v", test.what, got, test.want)
		}
		if err := w.probe(t, d.ID, "resolve", netip.AddrPortFrom(w.subnet.Gateway, 53).String()); err != nil {
			t.Errorf("with %s there is no name service: %v", test.what, err)
		}
		if w.reaches(t, d.ID, w.desktop(20, w.subnet)) && n > 21 {
			t.Errorf("with %s a desktop reaches another of its subnet", test.what)
		}
	}
}

// TestReachChanges gives a group other rules while a desktop has it, takes the group away, and the desktop.
func TestReachChanges(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	d := w.desktop(20, w.subnet)
	d.Reach = compute.Reach{Groups: [2]string{groupScreens}}
	w.make(t, d)
	for _, step := range []struct {
		what   string
		groups []compute.SecurityGroup
		want   bool
	}{
		{"as it was", w.config.Groups, true},
		{"another port", groupsFor(w.inside.Subnet.Prefix, 5901), false},
		{"the port again", w.config.Groups, true},
		{"no such group", nil, false},
	} {
		w.restart(t, step.groups)
		if got := w.reaches(t, d.ID, w.inside); got != step.want {
			t.Errorf("%s: it gets through: %v, want %v", step.what, got, step.want)
		}
	}
	if err := w.finish(func(ctx context.Context) (time.Time, error) { return w.Delete(ctx, d.ID) }); err != nil {
		t.Fatal(err)
	}
	w.restart(t, nil)
	var list api.NetworkACL
	if err := w.Get(t.Context(), "/network-acls/"+incus.ReachName(incus.NetworkName(w.config.Installation, w.subnet.ID)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Config) != 2 || len(list.Egress) != 1 {
		t.Errorf("of a desktop that is gone there is left: %v, %v", list.Config, list.Egress)
	}
}

// restart has the engine opened anew with these groups, as a server that starts does.
func (w *reachWorld) restart(t *testing.T, groups []compute.SecurityGroup) {
	t.Helper()
	config := w.config
	config.Groups = groups
	again, err := incus.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Tighten(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestReachOfTwoProcesses has two Carrels of one installation make desktops on one network at once, and then has
// all that they wrote down lost.
func TestReachOfTwoProcesses(t *testing.T) {
	t.Parallel()
	e := open(t)
	other, err := incus.Open(t.Context(), e.config)
	if err != nil {
		t.Fatal(err)
	}
	e.create(t, 10)
	bounds := compute.Reach{Groups: [2]string{e.config.Groups[0].ID}}
	const each = 4
	var together errgroup.Group
	for n := range byte(each) {
		for i, driver := range []*incus.Driver{e.Driver, other} {
			d := e.desktop(20+2*n+byte(i), e.subnet)
			d.Reach = bounds
			together.Go(func() error {
				return e.finish(func(ctx context.Context) (time.Time, error) { return driver.Create(ctx, d) })
			})
		}
	}
	if err := together.Wait(); err != nil {
		t.Fatal(err)
	}
	e.wantHeld(t, bounds, 2*each)
	path := "/network-acls/" + incus.ReachName(incus.NetworkName(e.config.Installation, e.subnet.ID))
	var list api.NetworkACL
	if err := e.Get(t.Context(), path, &list); err != nil {
		t.Fatal(err)
	}
	list.Config = map[string]string{"user.carrel.installation": e.config.Installation, "user.carrel.prefix": e.subnet.Prefix.String()}
	if err := e.Change(t.Context(), "PUT", path, list.Writable()); err != nil {
		t.Fatal(err)
	}
	e.wantHeld(t, bounds, 0)
	if err := e.Tighten(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wantHeld(t, bounds, 2*each)
}

// wantHeld fails the test unless so many desktops are held to this, and the others to nothing.
func (e *engine) wantHeld(t *testing.T, bounds compute.Reach, want int) {
	t.Helper()
	machines, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, m := range machines {
		switch m.Reach {
		case bounds:
			got++
		case compute.Reach{}:
		default:
			t.Errorf("%s is held to %+v", m.ID, m.Reach)
		}
	}
	if got != want {
		t.Errorf("%d desktops are held, want %d", got, want)
	}
}

// TestReachOfAnEarlierNetwork finds a network as Carrel made it before desktops could be held to anything.
func TestReachOfAnEarlierNetwork(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	free, held := w.desktop(20, w.subnet), w.desktop(21, w.subnet)
	w.make(t, free)
	name := incus.NetworkName(w.config.Installation, w.subnet.ID)
	earlier := api.NetworkPut{Config: map[string]string{
		"security.acls": incus.ACLName(w.config.Installation), "security.acls.default.egress.action": "allow",
	}}
	if err := w.Change(t.Context(), "PATCH", "/networks/"+name, earlier); err != nil {
		t.Fatal(err)
	}
	if err := w.Change(t.Context(), "DELETE", "/network-acls/"+incus.ReachName(name), nil); err != nil {
		t.Fatal(err)
	}
	w.restart(t, w.config.Groups)
	held.Reach = compute.Reach{Offline: true}
	w.make(t, held)
	if !w.reaches(t, free.ID, w.outside) || w.reaches(t, held.ID, w.outside) {
		t.Error("on an earlier network, desktops do not reach what they are held to")
	}
}

// TestReachNeedsANetworkOfOurs refuses what a network of the administrator's cannot hold anybody to, nor an
// Incus without nftables.
func TestReachNeedsANetworkOfOurs(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	d := w.desktop(12, w.inside.Subnet)
	d.Reach = compute.Reach{Offline: true}
	err := w.finish(func(ctx context.Context) (time.Time, error) { return w.Create(ctx, d) })
	if err == nil || !strings.Contains(err.Error(), "which Carrel did not make") {
		t.Errorf("got %v", err)
	}
	if _, err := w.Delete(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	d.Subnet = w.subnet
	d.Address = w.desktop(12, w.subnet).Address
	w.FilterBy("xtables")
	if err := w.finish(func(ctx context.Context) (time.Time, error) { return w.Create(ctx, d) }); err == nil || !strings.Contains(err.Error(), "and it uses xtables") {
		t.Errorf("got %v", err)
	}
}

// TestReachRanges looks at which addresses are let out beside those that are held.
func TestReachRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		prefix, want string
		held         []string
	}{
		{"10.1.0.0/16", "10.1.0.0-10.1.255.255", nil},
		{"10.1.2.0/28", "10.1.2.0-10.1.2.4,10.1.2.6-10.1.2.15", []string{"10.1.2.5"}},
		{"10.1.2.0/28", "10.1.2.0-10.1.2.3,10.1.2.7-10.1.2.14", []string{"10.1.2.5", "10.1.2.6", "10.1.2.4", "10.1.2.15"}},
		{"10.1.2.0/28", "10.1.2.1,10.1.2.3-10.1.2.15", []string{"10.1.2.2", "10.1.2.0", "10.1.2.2", "10.9.9.9", "10.0.0.1"}},
		{"10.1.2.16/30", "10.1.2.19", []string{"10.1.2.16", "10.1.2.17", "10.1.2.18"}},
	} {
		if got := strings.Join(incus.Others(netip.MustParsePrefix(test.prefix), test.held), ","); got != test.want {
			t.Errorf("%s without %v: %s, want %s", test.prefix, test.held, got, test.want)
		}
	}
	for peer, want := range map[string][]string{
		"0.0.0.0/0":      {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"},
		"10.3.0.0/16":    {"10.3.0.0/16"},
		"192.0.0.0/8":    {"192.168.0.0/16"},
		"203.0.113.0/24": nil,
	} {
		if got := incus.Within(netip.MustParsePrefix(peer)); !slices.Equal(got, want) {
			t.Errorf("within %s: %v, want %v", peer, got, want)
		}
	}
}
