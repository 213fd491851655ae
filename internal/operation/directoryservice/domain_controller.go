package directoryservice

import (
	"context"
	"slices"
	"strconv"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeDomainControllers lists the domain controllers of a Microsoft AD, or those with the
// ids. The first two have the directory's addresses; more of them are a record.
func (s *Service) DescribeDomainControllers(ctx context.Context, in *ds.DescribeDomainControllersRequest) (*ds.DescribeDomainControllersResult, error) {
	scope, id := operation.Scope(ctx), value(in.DirectoryId)
	about := append([]string{"DescribeDomainControllers", scope.Account, scope.Region, id}, in.DomainControllerIds...)
	key, err := cursor.Key(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	from := 0
	if key != "" {
		if from, err = strconv.Atoi(key); err != nil {
			return nil, workspaces.Errorf(workspaces.CodeInvalidNextToken, "The token is not one of this list's.")
		}
	}
	var d *workspaces.Directory
	err = s.core.Store.View(func(tx *store.Tx) (err error) {
		d, err = find(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := controllers(d, in.DomainControllerIds)
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeDomainControllersResult{DomainControllers: all[min(from, len(all)):]}
	if limit := int(value(in.Limit)); limit > 0 && len(out.DomainControllers) > limit {
		out.DomainControllers = out.DomainControllers[:limit]
		out.NextToken = cursor.Token(strconv.Itoa(from+limit), about...)
	}
	return out, nil
}

// controllers are the directory's, or those with the ids, of which each must exist.
func controllers(d *workspaces.Directory, ids []string) ([]ds.DomainController, error) {
	if d.Type != workspaces.MicrosoftAD {
		return nil, workspaces.Errorf(workspaces.CodeDirectoryType, "Domain controllers are not shown for a directory of the type %s.", d.Type).About(d.ID)
	}
	all := make([]ds.DomainController, 0, d.DomainControllers())
	known := make([]string, 0, cap(all))
	for i := range d.DomainControllers() {
		c := ds.DomainController{
			DirectoryId: &d.ID, DomainControllerId: new(d.DomainControllerID(i)), VpcId: &d.VPCID, Status: new(ds.DomainControllerStatusActive),
			LaunchTime: api.At(d.LaunchedAt), StatusLastUpdatedDateTime: api.At(d.StageChangedAt),
		}
		if d.Stage != workspaces.StageActive {
			c.Status = new(ds.DomainControllerStatusCreating)
		}
		if n := len(d.SubnetIDs); n > 0 {
			c.SubnetId, c.AvailabilityZone = &d.SubnetIDs[i%n], &d.Zones[i%n]
		}
		if i < len(d.DNSAddresses) {
			c.DnsIpAddr = &d.DNSAddresses[i]
		}
		known = append(known, *c.DomainControllerId)
		if len(ids) == 0 || slices.Contains(ids, *c.DomainControllerId) {
			all = append(all, c)
		}
	}
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return nil, workspaces.Errorf(workspaces.CodeNotFound, "Domain controller %s does not exist.", id)
		}
	}
	return all, nil
}
