package job

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// site is where a desktop is, and what its directory makes of desktops at the time.
type site struct {
	subnet      compute.Subnet
	reach       compute.Reach
	administers bool // its user administers it
}

// siteOf looks up a site. Errors: errNoSubnet, errNotKnown.
func (r *Runner) siteOf(ctx context.Context, s workspaces.Scope, directoryID, subnetID string) (site, error) {
	var subnet workspaces.Subnet
	var group string
	var creation workspaces.CreationProperties // what a directory that is not registered any more makes
	err := r.Store.View(func(tx *store.Tx) (err error) {
		var found bool
		if subnet, found, err = tx.Subnet(ctx, subnetID); err == nil && !found {
			return errNoSubnet
		}
		if err != nil {
			return err
		}
		registration, found, err := tx.WorkspaceDirectory(ctx, s, directoryID)
		if found {
			group, creation = registration.SecurityGroupID, registration.Settings.Creation
		}
		return err
	})
	switch {
	case errors.Is(err, errNoSubnet):
		return site{}, err
	case err != nil:
		return site{}, fmt.Errorf("%w: %w", errNotKnown, err)
	}
	return site{
		subnet:      compute.Subnet{ID: subnet.ID, Prefix: subnet.Prefix, Gateway: subnet.Gateway, Network: subnet.EngineNetwork},
		reach:       compute.Reach{Groups: r.groups(creation.SecurityGroupID, group), Offline: !subnet.LetsOut(creation)},
		administers: creation.LocalAdministrator,
	}, nil
}

// groups are the security groups of a directory's desktops: the one that it names, and its own where somebody
// has declared that; as long as nobody has, its own is open, and says nothing.
func (r *Runner) groups(custom, own string) (groups [2]string) {
	groups[0] = custom
	if own != custom && slices.Contains(r.SecurityGroups, own) {
		groups[1] = own
	}
	return groups
}
