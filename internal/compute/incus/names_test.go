package incus_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"carrel/internal/compute"
	"carrel/internal/compute/incus"
)

func TestNetworkName(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, installation := range []string{"a", "b"} {
		for _, subnet := range []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1", ""} {
			name := incus.NetworkName(installation, subnet)
			if len(name) > 15 || !strings.HasPrefix(name, "carrel") || name != strings.ToLower(name) {
				t.Errorf("%q is no name for a bridge of Carrel's", name)
			}
			if seen[name] {
				t.Errorf("two networks are called %q", name)
			}
			seen[name] = true
		}
	}
	// A name that changes with a new version of Carrel would leave the old network behind.
	if got := incus.NetworkName("a", "subnet-1"); got != "carrel28t2he1sh" {
		t.Errorf("the network of a's subnet-1 is called %q", got)
	}
	if incus.ACLName("a") == incus.ACLName("b") {
		t.Error("two installations share an access list")
	}
}

func TestHardwareAddress(t *testing.T) {
	t.Parallel()
	got := incus.HardwareAddress(netip.MustParseAddr("10.78.0.31"))
	if got != "02:ca:0a:4e:00:1f" {
		t.Errorf("MAC of 10.78.0.31 is %s", got)
	}
	mac, err := net.ParseMAC(got)
	if err != nil || mac[0]&1 != 0 || mac[0]&2 == 0 {
		t.Errorf("%s is not a locally administered address of one card (%v)", got, err)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Jürgen Müller, 3rd":   "Jürgen Müller, 3rd",
		"a\nlxc.hook.start=/x": "a lxc.hook.start=/x",
		"a\x00b\tc\u0085d":     "a b c d",
		"a\xffb":               "a\uFFFDb",
	} {
		if got := incus.Printable(given); got != want {
			t.Errorf("printable(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := compute.Desktop{
		ID: "ws-0123abcde", Image: "carrel/xfce", CPUs: 1, MemoryMiB: 512, RootGiB: 10, UserGiB: 10,
		Subnet: compute.Subnet{
			ID:      "subnet-1",
			Prefix:  netip.MustParsePrefix("10.78.0.0/24"),
			Gateway: netip.MustParseAddr("10.78.0.1"),
		},
		Address: netip.MustParseAddr("10.78.0.31"),
		User:    compute.User{Name: "jane"},
	}
	if err := incus.Check(good); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*compute.Desktop){
		"no id":                     func(d *compute.Desktop) { d.ID = "" },
		"a path for an id":          func(d *compute.Desktop) { d.ID = "a/../b" },
		"a query for an id":         func(d *compute.Desktop) { d.ID = "a?b" },
		"a long id":                 func(d *compute.Desktop) { d.ID = strings.Repeat("a", 51) },
		"no processor":              func(d *compute.Desktop) { d.CPUs = 0 },
		"no memory":                 func(d *compute.Desktop) { d.MemoryMiB = 0 },
		"no root volume":            func(d *compute.Desktop) { d.RootGiB = 0 },
		"no user volume":            func(d *compute.Desktop) { d.UserGiB = -1 },
		"no user":                   func(d *compute.Desktop) { d.User.Name = "" },
		"no subnet":                 func(d *compute.Desktop) { d.Subnet = compute.Subnet{} },
		"an IPv6 subnet":            func(d *compute.Desktop) { d.Subnet.Prefix = netip.MustParsePrefix("fd00::/64") },
		"no gateway":                func(d *compute.Desktop) { d.Subnet.Gateway = netip.Addr{} },
		"no address":                func(d *compute.Desktop) { d.Address = netip.Addr{} },
		"the gateway's address":     func(d *compute.Desktop) { d.Address = d.Subnet.Gateway },
		"an address of another net": func(d *compute.Desktop) { d.Address = netip.MustParseAddr("10.78.1.31") },
	} {
		bad := good
		spoil(&bad)
		if err := incus.Check(bad); !errors.Is(err, compute.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
	}
}
