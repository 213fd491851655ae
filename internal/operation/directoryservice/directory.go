package directoryservice

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// maxDirectories is the most that one reply describes. The service does not say what its
// most is; with its own quotas a reply holds every directory of a region, so that many
// clients do not page.
const maxDirectories = 1000

// maxDirectoryIDs is how many ids one request can name. The model has no limit.
const maxDirectoryIDs = 100

// DescribeDirectories lists directories in the order of their launch: all, or those with the
// ids. Unlike the Describe operations of WorkSpaces it refuses ids that do not exist.
func (s *Service) DescribeDirectories(
	ctx context.Context, in *ds.DescribeDirectoriesRequest,
) (*ds.DescribeDirectoriesResult, error) {
	limit, filter, err := describeFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	var found []*workspaces.Directory
	err = s.core.Store.View(func(tx *store.Tx) (err error) {
		if err := mustExist(ctx, tx, filter.IDs); err != nil {
			return err
		}
		found, err = tx.DirectoryPage(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeDirectoriesResult{DirectoryDescriptions: []ds.DirectoryDescription{}}
	if len(found) > limit {
		found = found[:limit]
		out.NextToken = cursor.Token(positionOf(found[limit-1]), aboutDirectories(ctx, in)...)
	}
	for _, d := range found {
		out.DirectoryDescriptions = append(out.DirectoryDescriptions, s.describe(d))
	}
	return out, nil
}

// describeFilter reads what a page is asked of; it names one directory more than the page
// holds, which tells whether there is another.
func describeFilter(ctx context.Context, in *ds.DescribeDirectoriesRequest) (limit int, f store.DirectoryFilter, err error) {
	if in.DirectoryIds != nil && len(in.DirectoryIds) == 0 || len(in.DirectoryIds) > maxDirectoryIDs {
		return 0, f, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"DirectoryIds must hold between 1 and %d ids, or be left out.", maxDirectoryIDs)
	}
	limit = int(value(in.Limit))
	if limit == 0 || limit > maxDirectories {
		limit = maxDirectories
	}
	f = store.DirectoryFilter{Scope: operation.Scope(ctx), IDs: in.DirectoryIds, Limit: limit + 1}
	position, err := cursor.Key(in.NextToken, aboutDirectories(ctx, in)...)
	if err == nil && position != "" {
		f.After, err = directoryAt(position)
	}
	return limit, f, err
}

// mustExist refuses ids that no directory of the caller's has.
func mustExist(ctx context.Context, tx *store.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	known, err := tx.Directories(ctx, operation.Scope(ctx), ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(known, func(d *workspaces.Directory) bool { return d.ID == id }) {
			return unknown(id)
		}
	}
	return nil
}

func aboutDirectories(ctx context.Context, in *ds.DescribeDirectoriesRequest) []string {
	scope := operation.Scope(ctx)
	return append([]string{"DescribeDirectories", scope.Account, scope.Region}, in.DirectoryIds...)
}

// positionOf is where a directory stands in the order of the list.
func positionOf(d *workspaces.Directory) string {
	return strconv.FormatInt(d.LaunchedAt.UnixMicro(), 36) + "." + d.ID
}

// directoryAt reads positionOf.
func directoryAt(position string) (*workspaces.Directory, error) {
	launched, id, _ := strings.Cut(position, ".")
	micros, err := strconv.ParseInt(launched, 36, 64)
	if err != nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidNextToken, "Invalid value passed for the NextToken parameter: it is not one that this request was given.")
	}
	return &workspaces.Directory{ID: id, LaunchedAt: time.UnixMicro(micros)}, nil
}

// describe is the directory as the API shows it.
func (s *Service) describe(d *workspaces.Directory) ds.DirectoryDescription {
	controllers := d.DomainControllers()
	if d.Details.Controllers == 0 && s.core.Ways.Follow(moto.NoDomainControllers) {
		controllers = 0
	}
	out := ds.DirectoryDescription{
		DirectoryId:                      &d.ID,
		Name:                             &d.Name,
		ShortName:                        &d.ShortName,
		Size:                             unlessEmpty(d.Size),
		Edition:                          unlessEmpty(d.Edition),
		Alias:                            &d.Alias,
		AccessUrl:                        new(d.AccessURL()),
		Description:                      unlessEmpty(d.Description),
		DnsIpAddrs:                       d.DNSAddresses,
		Stage:                            new(string(d.Stage)),
		StageReason:                      unlessEmpty(d.StageReason),
		LaunchTime:                       api.At(d.LaunchedAt),
		StageLastUpdatedDateTime:         api.At(d.StageChangedAt),
		Type:                             &d.Type,
		NetworkType:                      &d.NetworkType,
		SsoEnabled:                       &d.SSOEnabled,
		DesiredNumberOfDomainControllers: new(int32(controllers)),
	}
	switch d.Type {
	case workspaces.ADConnector:
		out.ConnectSettings = &ds.DirectoryConnectSettingsDescription{
			VpcId: &d.VPCID, SubnetIds: d.SubnetIDs, SecurityGroupId: &d.SecurityGroupID, AvailabilityZones: d.Zones,
			CustomerUserName: &d.Details.ConnectUser, ConnectIps: d.Details.ConnectAddresses,
		}
		return out
	case workspaces.MicrosoftAD:
		out.RegionsInfo = &ds.RegionsInfo{PrimaryRegion: &d.Region, AdditionalRegions: []string{}}
	}
	out.VpcSettings = &ds.DirectoryVpcSettingsDescription{
		VpcId: &d.VPCID, SubnetIds: d.SubnetIDs, SecurityGroupId: &d.SecurityGroupID, AvailabilityZones: d.Zones,
	}
	return out
}

func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// DeleteDirectory starts to delete a directory with all its users. One that is registered
// with WorkSpaces is refused: deregister it first.
func (s *Service) DeleteDirectory(ctx context.Context, in *ds.DeleteDirectoryRequest) (*ds.DeleteDirectoryResult, error) {
	var d *workspaces.Directory
	err := s.core.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if d, err = find(ctx, tx, value(in.DirectoryId)); err != nil {
			return err
		}
		_, registered, err := tx.WorkspaceDirectory(ctx, d.Scope, d.ID)
		if err != nil {
			return err
		}
		if registered {
			return workspaces.Errorf(workspaces.CodeAssociated,
				"Cannot delete the directory because it still has authorized applications. Deregister it from WorkSpaces first.").About(d.ID)
		}
		read := d.Generation
		if err := d.BeginDelete(s.core.Clock.Now()); err != nil {
			return err
		}
		if err := save(ctx, tx, d, read); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	operation.Started(ctx, workspaces.KindDirectory, d.Ref())
	return &ds.DeleteDirectoryResult{DirectoryId: &d.ID}, nil
}
