package operation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/directory"
	"carrel/internal/moto"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateWorkspaces makes 1 to 25 WorkSpaces. An item that cannot be made stands in
// FailedRequests with its reason and takes nothing from the others. A volume pair that the
// service does not have, a bad timeout and an exceeded quota fail the whole call.
//
// Effect: desktop, network. A machine with its limits, a root volume and a user volume of its own,
// an address in a subnet of the directory, and the user's account.
func (s WorkSpaces) CreateWorkspaces(ctx context.Context, in *wsapi.CreateWorkspacesRequest) (*wsapi.CreateWorkspacesResult, error) {
	batch := &createBatch{WorkSpaces: s, scope: Scope(ctx), items: make([]createItem, len(in.Workspaces))}
	for i := range in.Workspaces {
		item := &batch.items[i]
		item.order, item.seed = orderOf(&in.Workspaces[i]), workspaces.NewSeed(Chance(ctx))
		if err := batch.check(ctx, item); err != nil {
			return nil, err
		}
	}
	err := s.Store.Update(ctx, func(tx *store.Tx) error { return batch.insert(ctx, tx) })
	if err != nil {
		return nil, err
	}
	out := &wsapi.CreateWorkspacesResult{FailedRequests: []wsapi.FailedCreateWorkspaceRequest{}, PendingRequests: []wsapi.Workspace{}}
	for i, item := range batch.items {
		if item.refusal != nil {
			out.FailedRequests = append(out.FailedRequests, wsapi.FailedCreateWorkspaceRequest{
				WorkspaceRequest: &in.Workspaces[i], ErrorCode: &item.refusal.Code, ErrorMessage: &item.refusal.Message,
			})
			continue
		}
		w := item.made
		out.PendingRequests = append(out.PendingRequests, s.describePending(w))
		Started(ctx, workspaces.KindWorkSpace, w.Ref())
	}
	return out, nil
}

// describePending is a WorkSpace in the reply to its creation, which shows less of it than DescribeWorkspaces does.
func (s WorkSpaces) describePending(w *workspaces.WorkSpace) wsapi.Workspace {
	if s.Ways.Follow(moto.WholeReplies) {
		return describeWorkSpace(w)
	}
	return wsapi.Workspace{
		WorkspaceId: &w.ID, DirectoryId: &w.DirectoryID, UserName: &w.UserName, State: (*string)(&w.State), BundleId: &w.BundleID,
		WorkspaceName: some(w.Name),
	}
}

// createBatch is one call of CreateWorkspaces.
type createBatch struct {
	WorkSpaces
	scope workspaces.Scope
	items []createItem
}

// createItem is one item: checked in two rounds, first by itself, then in the transaction.
type createItem struct {
	order      workspaces.Order
	bundle     workspaces.Bundle
	properties workspaces.Properties
	noUser     bool // the directory does not know the user, or has disabled them
	refusal    *workspaces.Refusal
	refusedNow *workspaces.Refusal // by the last try of the transaction
	second     bool                // its user has one in the directory already
	made       *workspaces.WorkSpace
	seed       workspaces.Seed // what is left to chance, whatever becomes of other items
}

// check looks at an item by itself. Its error fails the whole call.
func (b *createBatch) check(ctx context.Context, item *createItem) error {
	if err := workspaces.CheckTags(item.order.Tags); err != nil {
		return err
	}
	item.order.SmallRoot = b.Ways.Follow(moto.SmallRootVolumes)
	var found bool
	err := b.Store.View(func(tx *store.Tx) (err error) {
		item.bundle, found, err = b.Bundle(ctx, tx, item.order.BundleID)
		return err
	})
	if err != nil {
		return err
	}
	if !found {
		item.refusal = noBundle(item.order.BundleID)
		return nil
	}
	if item.properties, err = item.order.Fill(item.bundle); err != nil {
		if refusal, ok := errors.AsType[*workspaces.Refusal](err); ok {
			item.refusal = refusal
			return nil
		}
		return err
	}
	if (item.order.RootEncrypted || item.order.UserEncrypted) && !b.Encryption {
		item.refusal = noEncryption()
		return nil
	}
	return b.checkUser(ctx, item)
}

// checkUser asks the directory for the user. A directory may be a server elsewhere, so it
// is asked before the transaction.
func (b *createBatch) checkUser(ctx context.Context, item *createItem) error {
	if item.order.UserName == workspaces.Undefined {
		return nil
	}
	user, err := b.Directories.Of(b.scope, item.order.DirectoryID).Lookup(ctx, item.order.UserName)
	if errors.Is(err, directory.ErrNoUser) {
		item.noUser = true
		return nil
	}
	if err == nil {
		item.noUser = !user.Enabled
	}
	return err
}

// insert looks at the items among all that is there, and writes those that can be made
// together with their job.
func (b *createBatch) insert(ctx context.Context, tx *store.Tx) error {
	var accepted []*createItem
	directories := make(map[string]*workspaces.WorkspaceDirectory)
	taken := make(map[string]bool)
	for i := range b.items {
		item := &b.items[i]
		if item.refusal != nil && item.refusedNow == nil {
			continue // refused by itself
		}
		refusal, err := b.place(ctx, tx, item, directories, taken)
		if err != nil {
			return err
		}
		item.refusal, item.refusedNow = refusal, refusal
		if refusal == nil {
			accepted = append(accepted, item)
		}
	}
	if err := b.checkQuota(ctx, tx, accepted); err != nil {
		return err
	}
	return b.write(ctx, tx, accepted, directories)
}

// place checks an item's bundle, which may have gone or got another image since, its directory and its user.
func (b *createBatch) place(
	ctx context.Context, tx *store.Tx, item *createItem, directories map[string]*workspaces.WorkspaceDirectory, taken map[string]bool,
) (*workspaces.Refusal, error) {
	id, user := item.order.DirectoryID, item.order.UserName
	var found bool
	var err error
	if item.bundle, found, err = b.Bundle(ctx, tx, item.order.BundleID); err != nil {
		return nil, err
	}
	if !found {
		return noBundle(item.order.BundleID), nil
	}
	d, known := directories[id]
	if !known {
		if d, _, err = tx.WorkspaceDirectory(ctx, b.scope, id); err != nil {
			return nil, err
		}
		directories[id] = d
	}
	if d == nil || !d.TakesWorkSpaces() {
		return noDirectory(), nil
	}
	if user == workspaces.Undefined {
		return nil, nil
	}
	if item.noUser {
		return noUser(user, id), nil
	}
	key := id + "\x00" + workspaces.UserKey(user)
	has, err := b.userHas(ctx, tx, id, user)
	if err != nil {
		return nil, err
	}
	item.second = has || taken[key]
	if item.second && !b.Ways.Follow(moto.SecondWorkSpaces) {
		return userHasOne(), nil
	}
	taken[key] = true
	return nil, nil
}

// Why an item cannot be made.

func noBundle(id string) *workspaces.Refusal {
	return workspaces.Refusef("ResourceNotFound.Bundle", "The bundle %s does not exist.", id)
}

func noDirectory() *workspaces.Refusal {
	return workspaces.Refusef("ResourceNotFound.Directory", "The specified directory could not be found in the specified region.")
}

func noUser(name, directoryID string) *workspaces.Refusal {
	return workspaces.Refusef("ResourceNotFound.User", "The user %s was not found in the directory %s, or is disabled.", name, directoryID)
}

func userHasOne() *workspaces.Refusal {
	return workspaces.Refusef("ResourceExists.WorkSpace", "A WorkSpace already exists for the specified user.")
}

func noEncryption() *workspaces.Refusal {
	return workspaces.Refusef("OperationNotSupported.VolumeEncryption",
		"This installation has no encrypted storage pool, so it cannot make encrypted volumes.")
}

func noAddress(directoryID string) *workspaces.Refusal {
	return workspaces.Refusef("InsufficientFreeAddresses", "The subnets of the directory %s have no free address left.", directoryID)
}

// userHas reports whether a user has a WorkSpace in the directory. One that is TERMINATED,
// and only still seen, makes room: it is forgotten now rather than a little later.
func (b *createBatch) userHas(ctx context.Context, tx *store.Tx, directoryID, user string) (bool, error) {
	has, err := tx.UserHasWorkSpace(ctx, b.scope, directoryID, user)
	if err != nil || !has {
		return false, err
	}
	old, err := tx.WorkSpaces(ctx, store.WorkSpaceFilter{Scope: b.scope, DirectoryID: directoryID, UserName: user})
	if err != nil {
		return false, err
	}
	for _, w := range old.WorkSpaces {
		if !w.HasEnded() {
			return true, nil
		}
		if _, err := tx.DeleteWorkSpace(ctx, w.Ref()); err != nil {
			return false, err
		}
	}
	return false, nil
}

// checkQuota refuses the call where the account would have more than its quota. What is being
// terminated counts until it is TERMINATED.
func (b *createBatch) checkQuota(ctx context.Context, tx *store.Tx, accepted []*createItem) error {
	if len(accepted) == 0 {
		return nil
	}
	if b.Store.Alone() && b.room.take(b.scope, len(accepted)) {
		return b.checkComputeQuotas(ctx, tx, accepted)
	}
	n, err := tx.CountWorkSpaces(ctx, b.scope)
	if err == nil && n+len(accepted) > b.Limits.WorkSpaces {
		n, err = b.countOrdinary(ctx, tx) // the costlier count, where it matters
	}
	if err != nil {
		return err
	}
	if n+len(accepted) > b.Limits.WorkSpaces {
		return workspaces.Errorf(workspaces.CodeLimitExceeded,
			"The account %s can have %d WorkSpaces in %s and has %d.", b.scope.Account, b.Limits.WorkSpaces, b.scope.Region, n)
	}
	b.room.set(b.scope, b.Limits.WorkSpaces-n-len(accepted))
	return b.checkComputeQuotas(ctx, tx, accepted)
}

// countOrdinary counts the WorkSpaces that have not ended. Standby WorkSpaces have a quota of their own.
func (b *createBatch) countOrdinary(ctx context.Context, tx *store.Tx) (int, error) {
	n, err := tx.CountLivingWorkSpaces(ctx, b.scope, "")
	if err != nil {
		return 0, err
	}
	standbys, err := tx.CountStandbys(ctx, b.scope)
	return n - standbys, err
}

// checkComputeQuotas is checkQuota for the quotas on compute types.
func (b *createBatch) checkComputeQuotas(ctx context.Context, tx *store.Tx, accepted []*createItem) error {
	for _, computeType := range slices.Sorted(maps.Keys(b.Limits.ByComputeType)) {
		if err := b.checkComputeQuota(ctx, tx, accepted, computeType); err != nil {
			return err
		}
	}
	return nil
}

// checkComputeQuota is checkQuota for a quota on one compute type.
func (b *createBatch) checkComputeQuota(ctx context.Context, tx *store.Tx, accepted []*createItem, computeType string) error {
	wanted := 0
	for _, item := range accepted {
		if item.properties.ComputeType == computeType {
			wanted++
		}
	}
	if wanted == 0 {
		return nil
	}
	n, err := tx.CountLivingWorkSpaces(ctx, b.scope, computeType)
	if err != nil {
		return err
	}
	if quota := b.Limits.ByComputeType[computeType]; n+wanted > quota {
		return workspaces.Errorf(workspaces.CodeLimitExceeded,
			"The account %s can have %d WorkSpaces with the compute type %s in %s and has %d.", b.scope.Account, quota, computeType, b.scope.Region, n)
	}
	return nil
}

// write gives each accepted item an address and writes it, and asks for the work on all.
func (b *createBatch) write(
	ctx context.Context, tx *store.Tx, accepted []*createItem, directories map[string]*workspaces.WorkspaceDirectory,
) error {
	now := b.Clock.Now()
	addresses := addressBook{core: b.Core, free: make(map[string][]int64), wanted: len(accepted)}
	var refs []workspaces.Ref
	for _, item := range accepted {
		chance := workspaces.NewChance(item.seed)
		w, err := workspaces.NewWorkSpace(chance, b.scope, item.order, item.bundle, item.properties, now)
		if err != nil {
			return err
		}
		w.StandIn = item.second
		d := directories[item.order.DirectoryID]
		found, err := addresses.assign(ctx, tx, d, w, chance)
		if err != nil {
			return err
		}
		if !found {
			item.refusedNow = noAddress(d.ID)
			item.refusal = item.refusedNow
			continue
		}
		if err := tx.InsertWorkSpace(ctx, w); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, b.scope, w.ID, item.order.Tags); err != nil {
			return err
		}
		if err := bringApplications(ctx, tx, w, item.bundle); err != nil {
			return err
		}
		if err := noteInUse(ctx, tx, d); err != nil {
			return err
		}
		item.made = w
		refs = append(refs, w.Ref())
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: refs})
}

// noteInUse ends the time for which a directory has had no WorkSpaces.
func noteInUse(ctx context.Context, tx *store.Tx, d *workspaces.WorkspaceDirectory) error {
	if d.EmptySince.IsZero() {
		return nil
	}
	d.EmptySince = time.Time{}
	_, err := tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
	return err
}

// addressBook hands out the free addresses of a directory's subnets, in turn.
type addressBook struct {
	core   *Core
	free   map[string][]int64 // by subnet, what was taken and not yet assigned
	wanted int
}

// assign gives a WorkSpace an address of one of the directory's subnets; found is false
// where none has any left.
func (a *addressBook) assign(
	ctx context.Context, tx *store.Tx, d *workspaces.WorkspaceDirectory, w *workspaces.WorkSpace, chance *workspaces.Chance,
) (found bool, err error) {
	start := chance.IntN(max(len(d.SubnetIDs), 1)) // spreads desktops
	for i := range d.SubnetIDs {
		subnet, err := a.core.Subnet(ctx, tx, d.SubnetIDs[(start+i)%len(d.SubnetIDs)])
		if err != nil {
			return false, err
		}
		free, asked := a.free[subnet.ID]
		if !asked {
			if free, err = tx.TakeAddresses(ctx, subnet, a.wanted); err != nil {
				return false, err
			}
		}
		if len(free) > 0 {
			w.SubnetID, w.AddressOffset, w.IPAddress = subnet.ID, free[0], subnet.Address(free[0]).String()
			a.free[subnet.ID] = free[1:]
			return true, nil
		}
		a.free[subnet.ID] = free
	}
	return false, nil
}

// orderOf reads one item of the request.
func orderOf(in *wsapi.WorkspaceRequest) workspaces.Order {
	o := workspaces.Order{
		DirectoryID: deref(in.DirectoryId), UserName: deref(in.UserName), BundleID: deref(in.BundleId), Name: deref(in.WorkspaceName),
		EncryptionKey: deref(in.VolumeEncryptionKey), RootEncrypted: deref(in.RootVolumeEncryptionEnabled),
		UserEncrypted: deref(in.UserVolumeEncryptionEnabled), IPv6Address: deref(in.Ipv6Address), Tags: tagsOf(in.Tags),
	}
	if p := in.WorkspaceProperties; p != nil {
		o.Properties = workspaces.Properties{
			ComputeType: deref(p.ComputeTypeName), RootGiB: int(deref(p.RootVolumeSizeGib)), UserGiB: int(deref(p.UserVolumeSizeGib)),
			RunningMode: deref(p.RunningMode), Protocols: p.Protocols,
		}
		if p.RunningModeAutoStopTimeoutInMinutes != nil {
			o.AutoStopMinutes = new(int(*p.RunningModeAutoStopTimeoutInMinutes))
		}
		if g := p.GlobalAccelerator; g != nil {
			o.Properties.Accelerator = workspaces.GlobalAccelerator{Mode: deref(g.Mode), PreferredProtocol: deref(g.PreferredProtocol)}
		}
	}
	return o
}
