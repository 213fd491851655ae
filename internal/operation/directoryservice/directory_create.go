package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateDirectory starts to make a Simple AD, an embedded directory with the one user
// Administrator. Its users can be managed by ds-data as soon as it is Active.
func (s *Service) CreateDirectory(ctx context.Context, in *ds.CreateDirectoryRequest) (*ds.CreateDirectoryResult, error) {
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, value(in.Password))
	if err != nil {
		return nil, err
	}
	d := s.newDirectory(ctx, in)
	err = s.core.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.checkLimit(ctx, tx, d.Type); err != nil {
			return err
		}
		if err := s.place(ctx, tx, d, in.VpcSettings); err != nil {
			return err
		}
		if err := tx.InsertDirectory(ctx, d); err != nil {
			return err
		}
		if err := tx.PutUser(ctx, administrator(d, hash)); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, d.Scope, d.TagsID(), tagsOf(in.Tags)); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	operation.Started(ctx, workspaces.KindDirectory, d.Ref())
	return &ds.CreateDirectoryResult{DirectoryId: &d.ID}, nil
}

// checkCreate applies what the model cannot say about a new Simple AD.
func checkCreate(in *ds.CreateDirectoryRequest) error {
	if in.VpcSettings == nil {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "VpcSettings must be specified.")
	}
	if err := workspaces.CheckDirectoryName(value(in.Name)); err != nil {
		return err
	}
	if err := workspaces.CheckShortName(value(in.ShortName)); err != nil {
		return err
	}
	if err := workspaces.CheckPassword(workspaces.Administrator, value(in.Password)); err != nil {
		// The operation declares no exception of its own for passwords.
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "%s", err)
	}
	if in.NetworkType != nil && *in.NetworkType != ds.NetworkTypeIPv4 {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
			"The network type %s is not available: the networks of this installation have %s addresses.", *in.NetworkType, ds.NetworkTypeIPv4)
	}
	return workspaces.CheckTags(tagsOf(in.Tags))
}

// newDirectory is the Simple AD that the request is for, Requested and not yet in a network.
func (s *Service) newDirectory(ctx context.Context, in *ds.CreateDirectoryRequest) *workspaces.Directory {
	id := workspaces.NewDirectoryID()
	d := &workspaces.Directory{
		Scope: operation.Scope(ctx), ID: id, Type: workspaces.SimpleAD, Name: value(in.Name), ShortName: value(in.ShortName),
		Size: value(in.Size), Description: value(in.Description), Alias: id, NetworkType: ds.NetworkTypeIPv4,
		SecurityGroupID: workspaces.NewSecurityGroupID(), DataAccess: workspaces.DataAccessEnabled,
	}
	if d.ShortName == "" {
		d.ShortName = workspaces.ShortNameOf(d.Name)
	}
	d.Begin(s.core.Clock.Now())
	return d
}

// firstServer is the offset of a directory's first address in its subnet; the second comes
// next, in the other subnet. No WorkSpace gets either of them, and they are apart even where
// both subnets stand for one.
const firstServer = 2

// place gives the directory its two subnets. Where any network will do (Core.AnySubnet), its
// zones and its network are not looked at either, and the zones may be made up.
func (s *Service) place(ctx context.Context, tx *store.Tx, d *workspaces.Directory, in *ds.DirectoryVpcSettings) error {
	if len(in.SubnetIds) != 2 {
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"Invalid subnet ID(s). They must correspond to two subnets in different Availability Zones.")
	}
	d.VPCID, d.SubnetIDs = value(in.VpcId), in.SubnetIds
	d.Zones, d.DNSAddresses = nil, nil // the transaction may run again
	for i, id := range in.SubnetIds {
		subnet, err := s.core.Subnet(ctx, tx, id)
		if err != nil {
			return err
		}
		if subnet.VPCID != d.VPCID && !s.core.AnySubnet {
			return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
				"Invalid VPC ID. The subnet %s is in %s; carrel network list shows the networks.", id, subnet.VPCID)
		}
		d.Zones = append(d.Zones, subnet.Zone)
		d.DNSAddresses = append(d.DNSAddresses, subnet.Address(int64(firstServer+i)).String())
	}
	if in.SubnetIds[0] != in.SubnetIds[1] && s.core.AnySubnet && d.Zones[0] == d.Zones[1] {
		d.Zones = []string{d.Region + "a", d.Region + "b"}
	}
	if d.Zones[0] == d.Zones[1] {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
			"Invalid subnet ID(s). The two subnets must be in different Availability Zones.")
	}
	return nil
}

// administrator is the user that the directory is made with.
func administrator(d *workspaces.Directory, hash string) *workspaces.User {
	return &workspaces.User{
		Scope: d.Scope, DirectoryID: d.ID, Name: workspaces.Administrator, SID: workspaces.UserSID(d.ID, workspaces.AdministratorRID),
		Enabled: true, PasswordHash: hash, CreatedAt: d.LaunchedAt,
	}
}
