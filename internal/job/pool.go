package job

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Keeping a pool at its number of desktops. A pool's turn only writes rows; each desktop's own
// turns call the engine (see pool_desktop.go), and ask for a turn on the pool when they are done.
//
//	1  CREATING: STOPPED, or STARTING where it is ALWAYS_ON
//	2  STARTING, RUNNING, UPDATING: write rows for the desktops that are missing, have those removed
//	   that are too many and no session's; RUNNING once all are ready, or with Errors when the time is up
//	3  STOPPING, DELETING: end all sessions (see pool_session.go), have all other desktops removed; once
//	   none is left, STOPPED, or forget the row and its tags. When the time is up, the pool does not wait:
//	   the desktops' rows see to it that they are removed

func (r *Runner) pool(ctx context.Context, ref workspaces.Ref) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		p, found, err := tx.Pool(ctx, ref.Scope, ref.ID)
		if err != nil || !found || p.Generation != ref.Generation {
			return err
		}
		read := p.Generation
		if p.State == workspaces.PoolCreating {
			p.Created(r.Clock.Now())
		}
		gone, err := r.keepPool(ctx, tx, p)
		if err != nil {
			return err
		}
		if gone {
			_, err = tx.DeletePool(ctx, p, read, r.Clock.Now())
			return err
		}
		_, err = tx.SavePool(ctx, p, read)
		return err
	})
}

// keepPool takes steps 2 and 3, and reports whether the pool is to be forgotten.
func (r *Runner) keepPool(ctx context.Context, tx *store.Tx, p *workspaces.Pool) (gone bool, err error) {
	all, err := tx.PoolDesktops(ctx, p.Scope, p.ID)
	if err != nil {
		return false, err
	}
	byState := make(map[workspaces.PoolDesktopState][]*workspaces.PoolDesktop)
	for _, d := range all {
		byState[d.State] = append(byState[d.State], d)
	}
	inUse, ready := byState[workspaces.PoolDesktopInUse], byState[workspaces.PoolDesktopReady]
	// Where some are too many, those that are still being made go first, and a session's never.
	idle := slices.Concat(ready, byState[workspaces.PoolDesktopMaking])
	now := r.Clock.Now()
	if !p.KeepsDesktops() {
		return r.emptyPool(ctx, tx, p, idle, len(all) > 0)
	}
	wanted := max(p.Desired-len(inUse), 0)
	if len(idle) > wanted {
		if err := r.removeFromPool(ctx, tx, idle[wanted:]); err != nil {
			return false, err
		}
	}
	missing := wanted - len(idle)
	if p.State != workspaces.PoolRunning && (len(ready) >= wanted || p.Overdue(now)) {
		p.Arrive(now)
	}
	switch {
	case missing > 0 && p.Pauses(now):
		p.WakeAt = p.RetryAt
	case missing > 0:
		return false, r.addToPool(ctx, tx, p, missing)
	case p.State == workspaces.PoolRunning:
		p.WakeAt = time.Time{}
	default:
		p.WakeAt = now.Add(workspaces.Waits)
	}
	return false, nil
}

// emptyPool takes step 3; left: there are desktops. It reports whether the pool is to be forgotten.
func (r *Runner) emptyPool(
	ctx context.Context, tx *store.Tx, p *workspaces.Pool, idle []*workspaces.PoolDesktop, left bool, // a fact
) (gone bool, err error) {
	now := r.Clock.Now()
	if err := r.removeFromPool(ctx, tx, idle); err != nil {
		return false, err
	}
	page, err := tx.PoolSessions(ctx, store.PoolSessionFilter{Scope: p.Scope, PoolID: p.ID, Lasting: true})
	if err != nil {
		return false, err
	}
	for _, s := range page.Sessions {
		if err := tx.EndPoolSession(ctx, s, now); err != nil {
			return false, err
		}
	}
	switch {
	case left && !p.Overdue(now):
		p.WakeAt = now.Add(workspaces.Waits)
	case p.State == workspaces.PoolDeleting:
		return true, nil
	case p.State == workspaces.PoolStopping:
		p.Arrive(now)
	}
	return false, nil
}

// removeFromPool has desktops removed.
func (r *Runner) removeFromPool(ctx context.Context, tx *store.Tx, desktops []*workspaces.PoolDesktop) error {
	var refs []workspaces.Ref
	for _, d := range desktops {
		read := d.Generation
		d.Remove(r.Clock.Now())
		if _, err := tx.SavePoolDesktop(ctx, d, read); err != nil {
			return err
		}
		refs = append(refs, d.Ref())
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPoolDesktop, Refs: refs})
}

// addToPool writes rows for n more desktops, and has them made. Where the directory's subnets
// have too few addresses, it writes fewer, and why.
func (r *Runner) addToPool(ctx context.Context, tx *store.Tx, p *workspaces.Pool, n int) error {
	now := r.Clock.Now()
	registration, found, err := tx.WorkspaceDirectory(ctx, p.Scope, p.DirectoryID)
	if err != nil {
		return err
	}
	if !found || len(registration.SubnetIDs) == 0 {
		p.Failed(now, "DIRECTORY_NOT_FOUND", "The directory "+p.DirectoryID+" is not registered.")
		p.WakeAt = p.RetryAt
		return nil
	}
	var subnets []workspaces.Subnet
	for _, id := range registration.SubnetIDs {
		subnet, found, err := tx.Subnet(ctx, id)
		if err != nil {
			return err
		}
		if found {
			subnets = append(subnets, subnet)
		}
	}
	var refs []workspaces.Ref
	for range n {
		d, chance := workspaces.NewPoolDesktop(p, now)
		placed, err := place(ctx, tx, d, subnets, chance)
		if err != nil {
			return err
		}
		if !placed {
			p.Numbered-- // it is not made
			break
		}
		if err := tx.InsertPoolDesktop(ctx, d); err != nil {
			return err
		}
		refs = append(refs, d.Ref())
	}
	p.WakeAt = now.Add(workspaces.Waits)
	if len(refs) < n {
		p.Failed(now, "SUBNET_HAS_INSUFFICIENT_IP_ADDRESSES", "The subnets of the directory "+p.DirectoryID+" have no free address left.")
		p.WakeAt = p.RetryAt
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindPoolDesktop, Refs: refs})
}

// place gives a desktop a free address of the subnets, wherever chance has the search begin: so it does not
// depend on what else asks for addresses now. It reports whether there is one.
func place(
	ctx context.Context, tx *store.Tx, d *workspaces.PoolDesktop, subnets []workspaces.Subnet, chance *workspaces.Chance,
) (placed bool, err error) {
	first, from := chance.IntN(max(len(subnets), 1)), chance.IntN(math.MaxInt32)
	for i := range subnets {
		subnet := subnets[(first+i)%len(subnets)]
		offset, found, err := tx.FreeAddress(ctx, subnet, int64(from))
		if err != nil {
			return false, err
		}
		if found {
			d.Place(subnet, offset)
			return true, nil
		}
	}
	return false, nil
}

// poolDesktopSpec says what the engine has to make for a desktop of a pool. Nobody's yet, it has a neutral account.
func (r *Runner) poolDesktopSpec(ctx context.Context, d *workspaces.PoolDesktop) (compute.Desktop, error) {
	site, err := r.siteOf(ctx, d.Scope, d.DirectoryID, d.SubnetID)
	if err != nil {
		return compute.Desktop{}, err
	}
	address, err := netip.ParseAddr(d.Address)
	if err != nil {
		return compute.Desktop{}, fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	}
	size := workspaces.ComputeOf(d.Design.ComputeType)
	return compute.Desktop{
		ID: d.ID, Image: d.Design.Image, CPUs: size.CPUs, MemoryMiB: size.MemoryMiB, RootGiB: d.Design.RootGiB, UserGiB: d.Design.UserGiB,
		Subnet: site.subnet, Address: address, Reach: site.reach, ComputerName: d.ComputerName,
		User: compute.User{Name: "user", FullName: "WorkSpaces Pools", LocalAdministrator: site.administers},
	}, nil
}
