package incus_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/incus"
)

func TestConformance(t *testing.T) {
	computetest.Run(t, func(t *testing.T) computetest.Harness {
		e := open(t)
		return computetest.Harness{
			Driver:  e.Driver,
			Clock:   e.config.Clock,
			Desktop: e.desktop(10, e.subnet),
			Reopen: func(t *testing.T) compute.Driver {
				reopened, err := incus.Open(t.Context(), e.config)
				if err != nil {
					t.Fatal(err)
				}
				return reopened
			},
			Address: e.address,
			KillScreen: func(t *testing.T, id string) {
				if err := e.probe(t, id, "link", "/nowhere"); err != nil {
					t.Fatal(err)
				}
			},
			WriteHome: func(t *testing.T, id string, bytes int64) error {
				return e.probe(t, id, "fill", "/home", strconv.FormatInt(bytes, 10))
			},
		}
	})
}

// address returns the address that the desktop's kernel says it has.
func (e *engine) address(t *testing.T, id string) netip.Addr {
	t.Helper()
	var state api.InstanceState
	if err := e.Get(t.Context(), "/instances/"+id+"/state", &state); err != nil {
		t.Fatal(err)
	}
	for _, address := range state.Network["eth0"].Addresses {
		if address.Family == "inet" {
			return netip.MustParseAddr(address.Address)
		}
	}
	t.Fatal(fmt.Sprintf("%s has no address: %v", id, state.Network))
	return netip.Addr{}
}
