package incus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/clock"
)

// What the tests look at from outside.
var (
	NetworkName     = networkName
	ACLName         = aclName
	HardwareAddress = hardwareAddress
	Printable       = printable
	Check           = check
	Classify        = classify
	Conflicts       = conflicts
	Busy            = busy
	InGroup         = inGroup
	First           = first
	SizesEnforced   = sizesEnforced
	DialSocket      = dialSocket
	Respell         = respell
	BytesOf         = bytesOf
	HomeVolume      = homeVolume
	RunProgram      = runProgram
	ReachName       = reachName
	Within          = within
)

// Others returns the addresses of a network beside those held.
func Others(prefix netip.Prefix, addresses []string) []string {
	held := map[string]holding{}
	for i, a := range addresses {
		held[fmt.Sprint(i)] = holding{address: netip.MustParseAddr(a)}
	}
	return others(prefix, held)
}

// Get reads from Incus as the driver does.
func (d *Driver) Get(ctx context.Context, path string, out any) error {
	return d.client.get(ctx, path, out)
}

// Change changes something in Incus as the driver does, but of anybody's.
func (d *Driver) Change(ctx context.Context, method, path string, body any) error {
	return d.persist(ctx, func() error { return d.client.change(ctx, method, path, body) })
}

// Sweep removes leftovers from before then.
func (d *Driver) Sweep(ctx context.Context, before time.Time) error { return d.sweep(ctx, before) }

// Soon is the time to ask again of a driver with that clock.
func Soon(ctx context.Context, c *clock.Clock, pause time.Duration) time.Time {
	return (&Driver{clock: c, real: clock.New()}).soon(ctx, pause)
}

// HideGroups leaves the driver on a machine whose control groups are nowhere to be seen.
func (d *Driver) HideGroups() { d.cgroups = nil }

// FilterBy leaves the driver with an Incus that filters with something else.
func (d *Driver) FilterBy(firewall string) { d.firewall = firewall }

// Exec runs a command in a desktop and returns its exit status and what it said.
func (d *Driver) Exec(ctx context.Context, id string, command ...string) (status int, said string, err error) {
	body, err := json.Marshal(api.InstanceExecPost{Command: command, RecordOutput: true})
	if err != nil {
		return 0, "", err
	}
	operation, err := d.client.operate(ctx, http.MethodPost, "/instances/"+id+"/exec", nil, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	code, _ := operation.Metadata["return"].(float64)
	output, _ := operation.Metadata["output"].(map[string]any)
	log, _ := output["2"].(string)
	said, err = d.client.text(ctx, strings.TrimPrefix(log, "/1.0"))
	return int(code), strings.TrimSpace(said), err
}

// Bare makes and starts an instance of the image with nothing that Carrel adds, waits
// for its screen, and removes it: what benchmarks are compared with.
func (d *Driver) Bare(ctx context.Context, name, image, network string) error {
	fingerprint, err := d.image(ctx, image)
	if err != nil {
		return err
	}
	err = d.client.change(ctx, http.MethodPost, "/instances", api.InstancesPost{
		Name:   name,
		Type:   api.InstanceTypeContainer,
		Source: api.InstanceSource{Type: "image", Fingerprint: fingerprint},
		Start:  true,
		InstancePut: api.InstancePut{
			Config: map[string]string{tagInstallation: d.installation, tagDesktop: name, "environment.CARREL_USER": "bare"},
			Devices: map[string]map[string]string{
				"root": {"type": "disk", "path": "/", "pool": d.pool},
				"eth0": {"type": "nic", "name": "eth0", "network": network},
			},
		},
	})
	if err != nil {
		return err
	}
	_, err = d.answer(ctx, name)
	return err
}
