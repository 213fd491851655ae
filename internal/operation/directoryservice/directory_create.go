package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateDirectory starts to make a Simple AD, an embedded directory with the one user
// Administrator. Its users can be managed by ds-data as soon as it is Active.
func (s *Service) CreateDirectory(ctx context.Context, in *ds.CreateDirectoryRequest) (*ds.CreateDirectoryResult, error) {
	if in.VpcSettings == nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "VpcSettings must be specified.")
	}
	d := s.newDirectory(ctx, workspaces.SimpleAD, names{in.Name, in.ShortName, in.Description})
	d.Size, d.DataAccess = value(in.Size), workspaces.DataAccessEnabled
	err := s.begin(ctx, d, beginning{
		vpcID: in.VpcSettings.VpcId, subnetIDs: in.VpcSettings.SubnetIds, networkType: in.NetworkType, tags: in.Tags, password: in.Password,
	})
	if err != nil {
		return nil, err
	}
	return &ds.CreateDirectoryResult{DirectoryId: &d.ID}, nil
}

// CreateMicrosoftAD starts to make a directory that is a Microsoft AD to its clients: embedded
// like a Simple AD, with the one user Admin. As in the service it has to be opened to ds-data.
func (s *Service) CreateMicrosoftAD(ctx context.Context, in *ds.CreateMicrosoftADRequest) (*ds.CreateMicrosoftADResult, error) {
	d := s.newDirectory(ctx, workspaces.MicrosoftAD, names{in.Name, in.ShortName, in.Description})
	d.Edition, d.DataAccess = ds.DirectoryEditionEnterprise, workspaces.DataAccessDisabled
	if in.Edition != nil {
		d.Edition = *in.Edition
	}
	if d.Edition == ds.DirectoryEditionHybrid {
		return nil, workspaces.Errorf(workspaces.CodeDirectoryType, "A directory of the edition %s is not made by CreateMicrosoftAD.", d.Edition)
	}
	err := s.begin(ctx, d, beginning{
		vpcID: in.VpcSettings.VpcId, subnetIDs: in.VpcSettings.SubnetIds, networkType: in.NetworkType, tags: in.Tags, password: in.Password,
	})
	if err != nil {
		return nil, err
	}
	return &ds.CreateMicrosoftADResult{DirectoryId: &d.ID}, nil
}

// ConnectDirectory starts to make an AD Connector to a directory elsewhere. Nobody asks that
// directory yet: the connector is a record, and its password is not kept.
func (s *Service) ConnectDirectory(ctx context.Context, in *ds.ConnectDirectoryRequest) (*ds.ConnectDirectoryResult, error) {
	to := in.ConnectSettings
	if len(to.CustomerDnsIpsV6) > 0 || len(to.CustomerDnsIps) == 0 {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"CustomerDnsIps must hold the IPv4 addresses of DNS servers of the directory to connect to.")
	}
	d := s.newDirectory(ctx, workspaces.ADConnector, names{in.Name, in.ShortName, in.Description})
	d.Size, d.DataAccess = value(in.Size), workspaces.DataAccessDisabled
	d.DNSAddresses, d.Details.ConnectUser = to.CustomerDnsIps, value(to.CustomerUserName)
	err := s.begin(ctx, d, beginning{vpcID: to.VpcId, subnetIDs: to.SubnetIds, networkType: in.NetworkType, tags: in.Tags})
	if err != nil {
		return nil, err
	}
	return &ds.ConnectDirectoryResult{DirectoryId: &d.ID}, nil
}

// names are what a directory of any type is called.
type names struct{ name, short, description *string }

// newDirectory is a directory of a type, Requested and not yet in a network.
func (s *Service) newDirectory(ctx context.Context, kind string, n names) *workspaces.Directory {
	id := workspaces.NewDirectoryID(operation.Chance(ctx))
	d := &workspaces.Directory{
		Scope: operation.Scope(ctx), ID: id, Type: kind, Name: value(n.name), ShortName: value(n.short), Description: value(n.description),
		Alias: id, NetworkType: ds.NetworkTypeIPv4, SecurityGroupID: workspaces.NewSecurityGroupID(operation.Chance(ctx)),
	}
	if d.ShortName == "" {
		d.ShortName = workspaces.ShortNameOf(d.Name)
	}
	d.Begin(s.core.Clock.Now())
	return d
}

// beginning is what a directory of any type begins with.
type beginning struct {
	vpcID       *string
	subnetIDs   []string
	networkType *string
	tags        []ds.Tag
	password    *string             // of the administrator; nil where the users are elsewhere
	found       []workspaces.Subnet // the subnets, where they were looked up
}

// check applies what the model cannot say about a new directory.
func (b beginning) check(d *workspaces.Directory) error {
	if err := workspaces.CheckDirectoryName(d.Name); err != nil {
		return err
	}
	if err := workspaces.CheckShortName(d.ShortName); err != nil {
		return err
	}
	if b.password != nil {
		if err := workspaces.CheckPassword(d.Administrator(), *b.password); err != nil {
			// The operations declare no exception of their own for passwords.
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "%s", err)
		}
	}
	if b.networkType != nil && *b.networkType != ds.NetworkTypeIPv4 {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
			"The network type %s is not available: the networks of this installation have %s addresses.", *b.networkType, ds.NetworkTypeIPv4)
	}
	return workspaces.CheckTags(tagsOf(b.tags))
}

// begin starts to make a directory, in one transaction with its administrator, its tags and the job.
func (s *Service) begin(ctx context.Context, d *workspaces.Directory, b beginning) error {
	if err := b.check(d); err != nil {
		return err
	}
	found, err := s.core.Networks.Look(ctx, value(b.vpcID), b.subnetIDs)
	if err != nil {
		return err
	}
	b.found = found
	var hash string
	if b.password != nil {
		if hash, err = s.hasher.Hash(ctx, *b.password); err != nil {
			return err
		}
	}
	err = s.core.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.checkLimit(ctx, tx, d.Type); err != nil {
			return err
		}
		if err := s.place(ctx, tx, d, b); err != nil {
			return err
		}
		if err := tx.InsertDirectory(ctx, d); err != nil {
			return err
		}
		if b.password != nil {
			if err := tx.PutUser(ctx, administrator(d, hash)); err != nil {
				return err
			}
		}
		if err := tx.PutTags(ctx, d.Scope, d.TagsID(), tagsOf(b.tags)); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
	if err == nil {
		operation.Started(ctx, workspaces.KindDirectory, d.Ref())
	}
	return err
}

// firstServer is the offset of a directory's first address in its subnet; the second comes
// next, in the other subnet. No WorkSpace gets either of them, and they are apart even where
// both subnets stand for one.
const firstServer = 2

// place gives the directory its two subnets and an address in each. Where any network will do
// (Core.AnySubnet) and was not looked up, its zones and its network are not looked at either, and
// the zones may be made up.
func (s *Service) place(ctx context.Context, tx *store.Tx, d *workspaces.Directory, b beginning) error {
	if len(b.subnetIDs) != 2 {
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"Invalid subnet ID(s). They must correspond to two subnets in different Availability Zones.")
	}
	d.VPCID, d.SubnetIDs = value(b.vpcID), b.subnetIDs
	d.Zones = nil // the transaction may run again
	anyVPC := s.core.AnySubnet && (b.found == nil || s.core.Ways.Follow(moto.AnyNetworkID))
	var addresses []string
	for i, id := range b.subnetIDs {
		subnet, err := s.subnet(ctx, tx, b, i)
		if err != nil {
			return err
		}
		if subnet.VPCID != d.VPCID && !anyVPC {
			return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
				"Invalid VPC ID. The subnet %s is in %s; carrel network list shows the networks.", id, subnet.VPCID)
		}
		d.Zones = append(d.Zones, subnet.Zone)
		addresses = append(addresses, subnet.Address(int64(firstServer+i)).String())
	}
	if d.KeepsUsers() {
		d.DNSAddresses = addresses
	} else {
		d.Details.ConnectAddresses = addresses
	}
	if b.subnetIDs[0] != b.subnetIDs[1] && s.core.AnySubnet && b.found == nil && d.Zones[0] == d.Zones[1] {
		d.Zones = []string{d.Region + "a", d.Region + "b"}
	}
	if d.Zones[0] == d.Zones[1] {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig,
			"Invalid subnet ID(s). The two subnets must be in different Availability Zones.")
	}
	return nil
}

// subnet is one of a new directory's. One that was looked up is kept as it was found.
func (s *Service) subnet(ctx context.Context, tx *store.Tx, b beginning, i int) (workspaces.Subnet, error) {
	if b.found == nil {
		return s.core.Subnet(ctx, tx, b.subnetIDs[i])
	}
	return b.found[i], tx.PutSubnet(ctx, b.found[i])
}

// administrator is the user that the directory is made with.
func administrator(d *workspaces.Directory, hash string) *workspaces.User {
	return &workspaces.User{
		Scope: d.Scope, DirectoryID: d.ID, Name: d.Administrator(), SID: workspaces.UserSID(d.ID, workspaces.AdministratorRID),
		Enabled: true, PasswordHash: hash, CreatedAt: d.LaunchedAt,
	}
}
