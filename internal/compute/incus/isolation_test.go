package incus_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

// TestIsolation looks at the network from inside desktops: two in one subnet, one in
// another, and one on a network of the administrator's, which stands for the world.
func TestIsolation(t *testing.T) {
	t.Parallel()
	e := open(t)
	other, world := e.newSubnet(), e.newSubnet()
	world.Network = "t" + run + "w"
	neighbour, foreign, stranger := e.desktop(12, e.subnet), e.desktop(11, other), e.desktop(11, world)
	e.makeGivenNetwork(t, world.Network, netip.PrefixFrom(world.Gateway, 24), stranger.ID)
	for _, desktop := range []*compute.Desktop{&neighbour, &foreign, &stranger} {
		if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, *desktop) }); err != nil {
			t.Fatal(err)
		}
	}
	// The last, when all networks are there.
	id := e.create(t, 11)
	port := serve(t)
	at := func(a netip.Addr, port uint16) string { return netip.AddrPortFrom(a, port).String() }

	for what, address := range map[string]string{
		"itself":    at(e.desktop(11, e.subnet).Address, 5900),
		"the world": at(stranger.Address, 5900),
	} {
		if err := e.probe(t, id, "connect", "tcp", address); err != nil {
			t.Errorf("a desktop does not reach %s: %v", what, err)
		}
	}
	closed := map[string]string{
		"a desktop of its own subnet":             at(neighbour.Address, 5900),
		"a desktop of another subnet":             at(foreign.Address, 5900),
		"the host by its own gateway":             at(e.subnet.Gateway, port),
		"the host by another subnet's gateway":    at(other.Gateway, port),
		"the host by the administrator's network": at(world.Gateway, port),
	}
	for n, address := range hostAddresses(t) {
		closed[fmt.Sprintf("the host by its address %d", n)] = at(address, port)
	}
	for what, address := range closed {
		if err := e.probe(t, id, "connect", "tcp", address); err == nil {
			t.Errorf("a desktop reaches %s (%s)", what, address)
		}
	}
	nameServer := at(e.subnet.Gateway, 53)
	if err := e.probe(t, id, "resolve", nameServer); err != nil {
		t.Errorf("a desktop has no name service: %v", err)
	}
	e.spoof(t, id, nameServer)
}

// spoof sees that a desktop that takes another address, or another card's, is cut off
// until it takes its own again.
func (e *engine) spoof(t *testing.T, id, nameServer string) {
	t.Helper()
	for _, lie := range []struct{ kind, false, true string }{
		{"ip", e.desktop(99, e.subnet).Address.String(), e.desktop(11, e.subnet).Address.String()},
		{"mac", "02:ca:00:00:00:63", incus.HardwareAddress(e.desktop(11, e.subnet).Address)},
	} {
		for _, step := range []struct {
			value   string
			answers bool
		}{{lie.false, false}, {lie.true, true}} {
			if err := e.probe(t, id, "spoof", lie.kind, step.value); err != nil {
				t.Fatal(err)
			}
			if err := e.probe(t, id, "resolve", nameServer); (err == nil) != step.answers {
				t.Errorf("with %s %s: %v, want an answer: %v", lie.kind, step.value, err, step.answers)
			}
		}
	}
}

// makeGivenNetwork makes a network as an administrator would, without Carrel's tags,
// for one desktop.
func (e *engine) makeGivenNetwork(t *testing.T, name string, gateway netip.Prefix, desktop string) {
	t.Helper()
	err := e.Change(t.Context(), http.MethodPost, "/networks", api.NetworksPost{
		Name: name, Type: "bridge",
		NetworkPut: api.NetworkPut{Config: map[string]string{"ipv4.address": gateway.String(), "ipv4.nat": "true", "ipv6.address": "none"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := e.Delete(ctx, desktop); err != nil { // it holds the network
			t.Errorf("delete %s: %v", desktop, err)
		}
		if err := e.Change(ctx, http.MethodDelete, "/networks/"+name, nil); err != nil {
			t.Errorf("remove the administrator's network: %v", err)
		}
	})
}

// serve listens on all of the host's addresses and returns the port. It fails the test
// unless the host itself reaches it, so that a desktop that does not proves something.
func serve(t *testing.T) uint16 {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	bound, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range hostAddresses(t) {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", netip.AddrPortFrom(address, bound.Port()).String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	return bound.Port()
}

// hostAddresses returns the host's IPv4 addresses, but for those of test networks.
func hostAddresses(t *testing.T) []netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var addresses []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			t.Fatal(err)
		}
		address := prefix.Addr()
		if test := testNetwork(address); address.Is4() && !address.IsLoopback() && !test {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// testNetwork tells whether an address of the host is one on a network that tests make.
func testNetwork(address netip.Addr) bool {
	return address.Is4() && address.As4()[0] == 10 && address.As4()[1] >= 200 || netip.MustParsePrefix("198.18.0.0/15").Contains(address)
}

func ip(t *testing.T, arguments ...string) {
	t.Helper()
	if output, err := exec.CommandContext(context.Background(), "ip", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", arguments, err, output)
	}
}

// TestLeftBridge finds the bridge of a network that Incus stopped making and forgot.
func TestLeftBridge(t *testing.T) {
	t.Parallel()
	e := open(t)
	ip(t, "link", "add", incus.NetworkName(e.config.Installation, e.subnet.ID), "type", "bridge")
	e.create(t, 10)
}

// TestUnmanagedBridge puts a desktop on a bridge that Incus knows nothing of.
func TestUnmanagedBridge(t *testing.T) {
	t.Parallel()
	e := open(t)
	subnet := e.newSubnet()
	subnet.Network = "t" + run + "u"
	ip(t, "link", "add", subnet.Network, "type", "bridge")
	t.Cleanup(func() { ip(t, "link", "del", subnet.Network) })
	ip(t, "address", "add", netip.PrefixFrom(subnet.Gateway, subnet.Prefix.Bits()).String(), "dev", subnet.Network)
	ip(t, "link", "set", subnet.Network, "up")
	port := serve(t)

	desktop := e.desktop(10, subnet)
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, desktop) }); err != nil {
		t.Fatal(err)
	}
	// Nothing closes the host here: it shows that the desktop has its address and way.
	if err := e.probe(t, desktop.ID, "connect", "tcp", netip.AddrPortFrom(subnet.Gateway, port).String()); err != nil {
		t.Errorf("a desktop on a bridge of the administrator's reaches nothing: %v", err)
	}
}
