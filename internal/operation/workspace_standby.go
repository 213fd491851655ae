package operation

import (
	"context"
	"slices"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// maxStandbys is how many items a call may have. The model sets no limit; it is that of CreateWorkspaces.
const maxStandbys = 25

// CreateStandbyWorkspaces makes standby WorkSpaces in the caller's region for primary WorkSpaces in another. An item
// that cannot be made stands in FailedStandbyRequests with its reason and takes nothing from the others; a bad region and
// an exceeded quota fail the whole call. What the service has for Windows and for some regions only is for all here.
//
// Effect: desktop, network. A machine like the primary's, in the caller's region. It gets the primary's files where
// DataReplication says so, and lets its user in while the primary's region is down.
func (s WorkSpaces) CreateStandbyWorkspaces(
	ctx context.Context, in *wsapi.CreateStandbyWorkspacesRequest,
) (*wsapi.CreateStandbyWorkspacesResult, error) {
	b := &standbyBatch{createBatch: createBatch{WorkSpaces: s, scope: Scope(ctx)}, primary: Scope(ctx)}
	b.primary.Region = deref(in.PrimaryRegion)
	for i := range in.StandbyWorkspaces {
		b.items = append(b.items, standbyItem{order: standbyOrderOf(&in.StandbyWorkspaces[i])})
	}
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	if err := s.Store.Update(ctx, func(tx *store.Tx) error { return b.insert(ctx, tx) }); err != nil {
		return nil, err
	}
	out := &wsapi.CreateStandbyWorkspacesResult{
		FailedStandbyRequests:  []wsapi.FailedCreateStandbyWorkspacesRequest{},
		PendingStandbyRequests: []wsapi.PendingCreateStandbyWorkspacesRequest{},
	}
	for i, item := range b.items {
		if item.refusal != nil {
			out.FailedStandbyRequests = append(out.FailedStandbyRequests, wsapi.FailedCreateStandbyWorkspacesRequest{
				StandbyWorkspaceRequest: &in.StandbyWorkspaces[i], ErrorCode: &item.refusal.Code, ErrorMessage: &item.refusal.Message,
			})
			continue
		}
		w := item.made
		out.PendingStandbyRequests = append(out.PendingStandbyRequests, wsapi.PendingCreateStandbyWorkspacesRequest{
			WorkspaceId: &w.ID, DirectoryId: &w.DirectoryID, UserName: &w.UserName, State: (*string)(&w.State),
		})
		Started(ctx, workspaces.KindWorkSpace, w.Ref())
	}
	return out, nil
}

func standbyOrderOf(in *wsapi.StandbyWorkspace) workspaces.StandbyOrder {
	return workspaces.StandbyOrder{
		PrimaryID: deref(in.PrimaryWorkspaceId), DirectoryID: deref(in.DirectoryId), EncryptionKey: deref(in.VolumeEncryptionKey),
		Replication: deref(in.DataReplication), Tags: tagsOf(in.Tags),
	}
}

// standbyBatch is one call of CreateStandbyWorkspaces.
type standbyBatch struct {
	createBatch

	primary workspaces.Scope // of the primary WorkSpaces
	items   []standbyItem
}

// standbyItem is one item: its user is looked up first, the rest in the transaction.
type standbyItem struct {
	order   workspaces.StandbyOrder
	user    createItem // whose directory was asked
	refusal *workspaces.Refusal
	made    *workspaces.WorkSpace
}

// check looks at the call as a whole, and asks the directories for the users.
func (b *standbyBatch) check(ctx context.Context) error {
	switch n := len(b.items); {
	case n == 0 || n > maxStandbys:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "StandbyWorkspaces has from 1 to %d items, not %d.", maxStandbys, n)
	case b.primary.Region == b.scope.Region:
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"PrimaryRegion is %s, in which the standby WorkSpaces would be; they belong in another Region.", b.primary.Region)
	}
	err := b.Store.View(func(tx *store.Tx) error {
		if err := b.checkRegions(ctx, tx); err != nil {
			return err
		}
		for i := range b.items {
			item := &b.items[i]
			item.user.seed = workspaces.NewSeed(Chance(ctx))
			w, found, err := tx.WorkSpace(ctx, b.primary, item.order.PrimaryID)
			if err != nil {
				return err
			}
			item.user.order = workspaces.Order{DirectoryID: item.order.DirectoryID, UserName: workspaces.Undefined}
			if found {
				item.user.order.UserName = w.UserName
			}
		}
		return nil
	})
	for i := range b.items {
		if err == nil {
			err = workspaces.CheckTags(b.items[i].order.Tags)
		}
		if err == nil {
			err = b.checkUser(ctx, &b.items[i].user)
		}
	}
	return err
}

// checkRegions wants the primary's region to be one of the installation's, and both to be up.
func (b *standbyBatch) checkRegions(ctx context.Context, tx *store.Tx) error {
	subnets, err := tx.Subnets(ctx)
	if err != nil {
		return err
	}
	if !b.AnySubnet && !slices.ContainsFunc(subnets, func(n workspaces.Subnet) bool { return n.Region == b.primary.Region }) {
		return workspaces.Errorf(workspaces.CodeNotFound, "This installation has no networks in the Region %s.", b.primary.Region).About(b.primary.Region)
	}
	for _, region := range []string{b.primary.Region, b.scope.Region} {
		down, err := tx.IsRegionDown(ctx, region)
		if err != nil {
			return err
		}
		if down {
			return workspaces.Errorf(workspaces.CodeNotSupported, "The Region %s is down.", region)
		}
	}
	return nil
}

// insert looks at the items among all that is there, and writes those that can be made together with their job.
func (b *standbyBatch) insert(ctx context.Context, tx *store.Tx) error {
	var refs []workspaces.Ref
	for i := range b.items {
		item := &b.items[i]
		refusal, err := b.add(ctx, tx, item)
		if err != nil {
			return err
		}
		if item.refusal = refusal; refusal == nil {
			refs = append(refs, item.made.Ref())
		}
	}
	n, err := tx.CountStandbys(ctx, b.scope)
	if err == nil && len(refs) > 0 && n > b.Limits.StandbyWorkSpaces {
		return workspaces.Errorf(workspaces.CodeLimitExceeded, "The account %s can have %d standby WorkSpaces in %s and has %d.",
			b.scope.Account, b.Limits.StandbyWorkSpaces, b.scope.Region, n-len(refs))
	}
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: refs})
}

// add writes the standby WorkSpace of an item, or says why it cannot be.
func (b *standbyBatch) add(ctx context.Context, tx *store.Tx, item *standbyItem) (*workspaces.Refusal, error) {
	primary, refusal, err := b.findPrimary(ctx, tx, item.order.PrimaryID)
	if err != nil || refusal != nil {
		return refusal, err
	}
	d, refusal, err := b.home(ctx, tx, item, primary.UserName)
	if err != nil || refusal != nil {
		return refusal, err
	}
	if (primary.RootEncrypted || primary.UserEncrypted) && !b.Encryption {
		return noEncryption(), nil
	}
	bundle, fresh, err := b.bundleOf(ctx, tx, primary)
	if err != nil {
		return nil, err
	}
	chance := workspaces.NewChance(item.user.seed)
	w, tie, err := primary.NewStandby(chance, b.scope.Region, item.order, bundle, b.Clock.Now())
	if err != nil {
		return nil, err
	}
	addresses := addressBook{core: b.Core, free: make(map[string][]int64), wanted: 1}
	if found, err := addresses.assign(ctx, tx, d, w, chance); err != nil || !found {
		return noAddress(d.ID), err
	}
	item.made = w
	if fresh {
		if err := tx.InsertBundle(ctx, b.scope, bundle); err != nil {
			return nil, err
		}
	}
	if err := tx.InsertWorkSpace(ctx, w); err != nil {
		return nil, err
	}
	if err := tx.InsertStandby(ctx, tie); err != nil {
		return nil, err
	}
	if err := tx.PutTags(ctx, w.Scope, w.ID, item.order.Tags); err != nil {
		return nil, err
	}
	return nil, noteInUse(ctx, tx, d)
}

// findPrimary returns the primary WorkSpace of an item, which has no standby WorkSpace yet. One of which is seen only
// that it was TERMINATED makes room: it is forgotten now rather than a little later.
func (b *standbyBatch) findPrimary(ctx context.Context, tx *store.Tx, id string) (*workspaces.WorkSpace, *workspaces.Refusal, error) {
	w, found, err := tx.WorkSpace(ctx, b.primary, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !found || w.IsEnding():
		return nil, workspaces.Refusef("ResourceNotFound.Workspace", "WorkSpace %s could not be found in the Region %s.", id, b.primary.Region), nil
	}
	if refusal := w.CanHaveStandby(); refusal != nil {
		return nil, refusal, nil
	}
	tie, found, err := tx.StandbyOf(ctx, b.primary, id)
	if err != nil || !found {
		return w, nil, err
	}
	standby, found, err := tx.WorkSpace(ctx, tie.Scope, tie.ID)
	if err != nil {
		return nil, nil, err
	}
	if found && standby.HasEnded() {
		_, err := tx.DeleteWorkSpace(ctx, standby.Ref())
		return w, nil, err
	}
	return nil, workspaces.Refusef("ResourceExists.WorkSpace", "The WorkSpace %s has the standby WorkSpace %s in %s already.", id, tie.ID, tie.Region), nil
}

// home returns the directory that an item's user is in, and has no WorkSpace in.
func (b *standbyBatch) home(ctx context.Context, tx *store.Tx, item *standbyItem, user string) (*workspaces.WorkspaceDirectory, *workspaces.Refusal, error) {
	id := item.order.DirectoryID
	d, found, err := tx.WorkspaceDirectory(ctx, b.scope, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !found || !d.TakesWorkSpaces():
		return nil, noDirectory(), nil
	case item.user.noUser || workspaces.UserKey(user) != workspaces.UserKey(item.user.order.UserName): // who was asked for is not who it is by now
		return nil, noUser(user, id), nil
	}
	has, err := b.userHas(ctx, tx, id, user)
	if err == nil && has {
		return nil, userHasOne(), nil
	}
	return d, nil, err
}

// bundleOf is the bundle of a standby WorkSpace, with the image that the primary's has now: the same where that is
// public, else one of the type STANDBY, which is fresh, and to be written, for the first. Where the primary's is gone, its
// id and the image of the primary itself are left.
func (b *standbyBatch) bundleOf(ctx context.Context, tx *store.Tx, primary *workspaces.WorkSpace) (of workspaces.Bundle, fresh bool, err error) {
	caller := api.CallerFrom(ctx)
	caller.Region = primary.Region
	bundle, found, err := b.Bundle(api.WithCaller(ctx, caller), tx, primary.BundleID)
	switch {
	case err != nil || !found:
		return workspaces.Bundle{ID: primary.BundleID, Image: primary.Image}, false, err
	case bundle.Owner == workspaces.Amazon:
		return bundle, false, nil
	}
	of, found, err = tx.BundleMirror(ctx, b.scope, primary.Region, bundle.ID)
	if err == nil && !found {
		return bundle.Mirror(Chance(ctx), primary.Region, b.Clock.Now()), true, nil
	}
	of.Image = bundle.Image // a public one has no row that would be read with the mirror
	return of, false, err
}

// setReplication says whether the standby WorkSpace of a primary follows it from now on.
func (WorkSpaces) setReplication(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace, to string) error {
	switch {
	case w.Standby:
		return workspaces.Errorf(workspaces.CodeUnsupportedWorkSpace,
			"The WorkSpace %s is a standby WorkSpace; its data replication is modified at its primary.", w.ID).About(w.ID)
	case w.IsEnding():
		return workspaces.Errorf(workspaces.CodeInvalidState, "The WorkSpace %s is in the state %s, in which it cannot be modified.", w.ID, w.State).About(w.ID)
	}
	tie, found, err := tx.StandbyOf(ctx, w.Scope, w.ID)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeInvalidParameter, "DataReplication is for WorkSpaces that have a standby WorkSpace, and %s has none.", w.ID)
	}
	if err != nil {
		return err
	}
	tie.Replication = to
	return tx.SaveStandby(ctx, tie)
}

// describeStandbys adds to WorkSpaces of one scope those of other regions that they are tied to.
func describeStandbys(ctx context.Context, tx *store.Tx, scope workspaces.Scope, all []wsapi.Workspace) error {
	ids := make([]string, len(all))
	byID := make(map[string]*wsapi.Workspace, len(all))
	for i := range all {
		ids[i] = *all[i].WorkspaceId
		byID[ids[i]] = &all[i]
	}
	standbys, primaries, err := tx.StandbyStates(ctx, scope, ids)
	for i := range standbys {
		s := &standbys[i]
		w := byID[s.ID]
		w.RelatedWorkspaces = related(w.RelatedWorkspaces, s.PrimaryID, s.PrimaryRegion, s.PrimaryState, workspaces.RelatedPrimary)
		w.DataReplicationSettings = &wsapi.DataReplicationSettings{DataReplication: &s.Replication, RecoverySnapshotTime: api.At(s.RecoveredAt)}
	}
	for i := range primaries {
		s := &primaries[i]
		w := byID[s.PrimaryID]
		w.RelatedWorkspaces = related(w.RelatedWorkspaces, s.ID, s.Region, s.State, workspaces.RelatedStandby)
		w.StandbyWorkspacesProperties = append(w.StandbyWorkspacesProperties, wsapi.StandbyWorkspacesProperties{
			StandbyWorkspaceId: &s.ID, DataReplication: &s.Replication, RecoverySnapshotTime: api.At(s.RecoveredAt),
		})
	}
	return err
}

// related adds a WorkSpace that another is tied to, if it is still there.
func related(list []wsapi.RelatedWorkspaceProperties, id, region string, state workspaces.State, kind string) []wsapi.RelatedWorkspaceProperties {
	if state == workspaces.Absent {
		return list
	}
	return append(list, wsapi.RelatedWorkspaceProperties{WorkspaceId: &id, Region: &region, State: (*string)(&state), Type: &kind})
}
