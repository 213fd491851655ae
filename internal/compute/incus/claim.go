package incus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/lxc/incus/v6/shared/api"
)

// Claim makes addresses this installation's own among those on the same Incus, and reports whether they are: another
// that has claimed some of them, or has a network with them, keeps them. A claim lasts until Remove. It is an access
// list that nothing uses: of everything that Incus gives a name to, which only one can have, it costs least.
// Errors: ErrUnavailable, ErrFailed.
func (d *Driver) Claim(ctx context.Context, addresses netip.Prefix) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	const attempts = 2
	for range attempts {
		own, taken, err := d.claims(ctx, addresses)
		if err != nil || own || taken {
			return own && !taken, err
		}
		err = d.client.change(ctx, http.MethodPost, "/network-acls", api.NetworkACLsPost{
			NetworkACLPost: api.NetworkACLPost{Name: claimName(addresses)},
			NetworkACLPut: api.NetworkACLPut{
				Description: "Carrel's claim of " + addresses.String(),
				Config:      map[string]string{tagInstallation: d.installation, tagPrefix: addresses.String()},
			},
		})
		if !conflicts(err) {
			return err == nil, err
		}
		// Somebody was faster: the next look says who.
	}
	return false, nil
}

// claims reports whether this installation has claimed the addresses, and whether another has some of them.
func (d *Driver) claims(ctx context.Context, addresses netip.Prefix) (own, taken bool, err error) {
	var lists []api.NetworkACL
	if err := d.client.get(ctx, "/network-acls?recursion=1", &lists); err != nil {
		return false, false, fmt.Errorf("claim %s: %w", addresses, err)
	}
	for _, list := range lists {
		prefix, err := netip.ParsePrefix(list.Config[tagPrefix])
		switch {
		case err != nil || !prefix.Overlaps(addresses):
		case !d.ours(list.Config):
			taken = true
		case list.Name == claimName(addresses):
			own = true
		}
	}
	return own, taken, nil
}

// claimName is the same in all installations.
func claimName(addresses netip.Prefix) string {
	sum := sha256.Sum256([]byte(addresses.String()))
	return "carrel-claim-" + hex.EncodeToString(sum[:8])
}
