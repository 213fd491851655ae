package job

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"carrel/internal/compute"
	"carrel/internal/directory"
	"carrel/internal/workspaces"
)

// Creating a WorkSpace. Its row, with its address, was written by the operation. One that another is
// migrated to has its user volume from there: see migrate_workspace.go.
//
//	1  look up its subnet, its user and its directory's settings     undo: nothing to undo
//	2  make the desktop and its volumes, start it, hear it answer    undo: terminate_workspace.go
//	3  AVAILABLE
//
// A desktop that cannot be made is left as far as it came, for the administrator to see,
// until the WorkSpace is terminated.

var (
	errNoSubnet = errors.New("the subnet of the WorkSpace does not exist any more")
	// errNotKnown is no failure of the engine's: the store or the directory may answer later.
	errNotKnown = errors.New("it is not known what to make")
)

func (r *Runner) createWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (time.Time, error) {
	desktop, err := r.desktop(ctx, w)
	if err != nil {
		return time.Time{}, err
	}
	if w.Migrating != "" {
		home, again, err := r.homeOf(ctx, w)
		if err != nil || !again.IsZero() {
			return again, err
		}
		desktop.Home = home
	}
	return r.Driver.Create(ctx, desktop)
}

// desktop says what the engine has to make for a WorkSpace.
func (r *Runner) desktop(ctx context.Context, w *workspaces.WorkSpace) (compute.Desktop, error) {
	site, err := r.siteOf(ctx, w.Scope, w.DirectoryID, w.SubnetID)
	if err != nil {
		return compute.Desktop{}, err
	}
	address, err := netip.ParseAddr(w.IPAddress)
	if err != nil {
		return compute.Desktop{}, fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	}
	user, err := r.userOf(ctx, w)
	if err != nil {
		return compute.Desktop{}, fmt.Errorf("%w: %w", errNotKnown, err)
	}
	user.LocalAdministrator = site.administers
	size := workspaces.ComputeOf(w.Properties.ComputeType)
	return compute.Desktop{
		ID: w.ID, Image: w.Image, CPUs: size.CPUs, MemoryMiB: size.MemoryMiB,
		RootGiB: w.Properties.RootGiB, UserGiB: w.Properties.UserGiB,
		Subnet: site.subnet, Address: address, Reach: site.reach, ComputerName: w.ComputerName, User: user, RootEncrypted: w.RootEncrypted, UserEncrypted: w.UserEncrypted,
	}, nil
}

// userOf returns whose desktop it is. A user who has left the directory since is known by name only.
func (r *Runner) userOf(ctx context.Context, w *workspaces.WorkSpace) (compute.User, error) {
	if w.UserName == workspaces.Undefined {
		return compute.User{Name: w.Name}, nil
	}
	u, err := r.Directories.Of(w.Scope, w.DirectoryID).Lookup(ctx, w.UserName)
	if errors.Is(err, directory.ErrNoUser) {
		return compute.User{Name: w.UserName}, nil
	}
	if err != nil {
		return compute.User{}, err
	}
	return compute.User{Name: u.Name, FullName: u.FullName()}, nil
}
