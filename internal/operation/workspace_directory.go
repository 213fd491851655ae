package operation

import (
	"context"
	"net/netip"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeWorkspaceDirectories lists registered directories, all of them or those with the
// ids, names or properties. Ids that are not registered are left out of the reply.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeWorkspaceDirectories(
	ctx context.Context, in *wsapi.DescribeWorkspaceDirectoriesRequest,
) (*wsapi.DescribeWorkspaceDirectoriesResult, error) {
	filter := store.WorkspaceDirectoryFilter{
		Scope: Scope(ctx), IDs: in.DirectoryIds, Names: in.WorkspaceDirectoryNames, Limit: PageSize(in.Limit),
	}
	for _, f := range in.Filters {
		switch deref(f.Name) {
		case wsapi.DescribeWorkspaceDirectoriesFilterNameUserIdentityType:
			filter.IdentityTypes = append(filter.IdentityTypes, f.Values...)
		case wsapi.DescribeWorkspaceDirectoriesFilterNameWorkspaceType:
			filter.Types = append(filter.Types, f.Values...)
		}
	}
	about := list(ctx, "DescribeWorkspaceDirectories", filter.IDs, filter.Names, filter.IdentityTypes, filter.Types)
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page store.WorkspaceDirectoryPage
	var groups map[string][]string
	err = s.Store.View(func(tx *store.Tx) (err error) {
		if page, err = tx.WorkspaceDirectories(ctx, filter); err != nil {
			return err
		}
		ids := make([]string, len(page.Directories))
		for i, d := range page.Directories {
			ids[i] = d.ID
		}
		groups, err = tx.IPGroupIDs(ctx, filter.Scope, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeWorkspaceDirectoriesResult{
		Directories: make([]wsapi.WorkspaceDirectory, len(page.Directories)), NextToken: PageToken(page.Next, about...),
	}
	for i, d := range page.Directories {
		out.Directories[i] = describeWorkspaceDirectory(d)
		out.Directories[i].IpGroupIds = groups[d.ID]
	}
	return out, nil
}

// RegisterWorkspaceDirectory registers a directory of Directory Service, or makes one of
// WorkSpaces' own where no id is given: for pools, or for people that a provider of the
// customer's knows. There are no IAM roles here, so that WorkspacesDefaultRoleNotFoundException,
// which the operation declares too, is never its answer.
//
// Effect: portal, operations. Users sign in with the registration code, and WorkSpaces can be made
// for them.
func (s WorkSpaces) RegisterWorkspaceDirectory(
	ctx context.Context, in *wsapi.RegisterWorkspaceDirectoryRequest,
) (*wsapi.RegisterWorkspaceDirectoryResult, error) {
	if err := s.checkRegistration(in); err != nil {
		return nil, err
	}
	var d *workspaces.WorkspaceDirectory
	err := s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		a, err := account(ctx, tx)
		if err != nil {
			return err
		}
		if deref(in.Tenancy) == wsapi.TenancyDedicated && !a.DedicatedTenancy && !s.DedicatedTenancy {
			return workspaces.Errorf(workspaces.CodeInvalidParameter,
				"The tenancy DEDICATED needs an account that has been enabled for bring your own license; see ModifyAccount.")
		}
		var vpc string
		if d, vpc, err = s.newRegistration(ctx, tx, in); err != nil {
			return err
		}
		if err := s.checkSubnets(ctx, tx, d.SubnetIDs, vpc, a.ManagementRange); err != nil {
			return err
		}
		if n, err := tx.CountWorkspaceDirectories(ctx, d.Scope); err != nil {
			return err
		} else if n >= s.Limits.RegisteredDirectories {
			return workspaces.Errorf(workspaces.CodeLimitExceeded, "The account %s can have %d registered directories in %s.",
				d.Account, s.Limits.RegisteredDirectories, d.Region)
		}
		if err := tx.InsertWorkspaceDirectory(ctx, d); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, d.Scope, d.ID, tagsOf(in.Tags)); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkspaceDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkspaceDirectory, d.Ref())
	return &wsapi.RegisterWorkspaceDirectoryResult{DirectoryId: &d.ID, State: (*string)(&d.State)}, nil
}

// checkRegistration applies what the model cannot say about a registration.
func (WorkSpaces) checkRegistration(in *wsapi.RegisterWorkspaceDirectoryRequest) error {
	if err := workspaces.CheckTags(tagsOf(in.Tags)); err != nil {
		return err
	}
	if in.DirectoryId != nil {
		return checkTakenOver(in)
	}
	return checkOwn(in)
}

// checkTakenOver applies the rules for a directory of Directory Service: it has its own name
// and its own users, and WorkSpaces in it are personal.
func checkTakenOver(in *wsapi.RegisterWorkspaceDirectoryRequest) error {
	identity := deref(in.UserIdentityType)
	switch {
	case deref(in.WorkspaceType) == wsapi.WorkspaceTypePools:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "DirectoryId cannot be given for WorkspaceType POOLS.")
	case identity != "" && identity != wsapi.UserIdentityTypeAwsDirectoryService:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "DirectoryId cannot be given for UserIdentityType %s.", identity)
	case in.WorkspaceDirectoryName != nil || in.WorkspaceDirectoryDescription != nil:
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"WorkspaceDirectoryName and WorkspaceDirectoryDescription cannot be given together with DirectoryId.")
	case in.IdcInstanceArn != nil || in.MicrosoftEntraConfig != nil || in.ActiveDirectoryConfig != nil:
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"IdcInstanceArn, MicrosoftEntraConfig and ActiveDirectoryConfig cannot be given together with DirectoryId.")
	}
	return nil
}

// checkOwn applies the rules for a directory that WorkSpaces keeps itself.
func checkOwn(in *wsapi.RegisterWorkspaceDirectoryRequest) error {
	identity, pools := deref(in.UserIdentityType), deref(in.WorkspaceType) == wsapi.WorkspaceTypePools
	switch {
	case pools && identity != wsapi.UserIdentityTypeCustomerManaged:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "A directory for pools needs the UserIdentityType CUSTOMER_MANAGED.")
	case identity == "" || identity == wsapi.UserIdentityTypeAwsDirectoryService:
		return workspaces.Errorf(workspaces.CodeValidation, "The following arguments are required - DirectoryId.")
	case !pools && in.ActiveDirectoryConfig != nil:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "ActiveDirectoryConfig is for directories of the WorkspaceType POOLS.")
	case (identity == wsapi.UserIdentityTypeAwsIamIdentityCenter) != (in.IdcInstanceArn != nil):
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"IdcInstanceArn belongs to the UserIdentityType AWS_IAM_IDENTITY_CENTER, which needs it.")
	case in.WorkspaceDirectoryName == nil || in.WorkspaceDirectoryDescription == nil || len(in.SubnetIds) == 0:
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"A directory without a DirectoryId needs WorkspaceDirectoryName, WorkspaceDirectoryDescription and SubnetIds.")
	}
	return nil
}

// newRegistration makes the registration that the request is for, REGISTERING, and tells the
// network that its directory is in, "" for one of WorkSpaces' own.
func (s WorkSpaces) newRegistration(
	ctx context.Context, tx *store.Tx, in *wsapi.RegisterWorkspaceDirectoryRequest,
) (d *workspaces.WorkspaceDirectory, vpc string, err error) {
	scope, now := Scope(ctx), s.Clock.Now()
	d = &workspaces.WorkspaceDirectory{
		Scope: scope, SubnetIDs: in.SubnetIds, RegistrationCode: workspaces.NewRegistrationCode(Chance(ctx), scope.Region),
		SecurityGroupID: workspaces.NewSecurityGroupID(Chance(ctx)), RoleARN: "arn:aws:iam::" + scope.Account + ":role/workspaces_DefaultRole",
		Tenancy: wsapi.TenancyShared, WorkspaceType: wsapi.WorkspaceTypePersonal, UserIdentityType: wsapi.UserIdentityTypeAwsDirectoryService,
		Settings: workspaces.NewDirectorySettings(),
	}
	if in.Tenancy != nil {
		d.Tenancy = *in.Tenancy
	}
	if in.WorkspaceType != nil {
		d.WorkspaceType = *in.WorkspaceType
	}
	if d.WorkspaceType == wsapi.WorkspaceTypePools {
		d.Settings.Creation = workspaces.CreationProperties{} // nobody administers a pool's desktop, and none is kept for long
	}
	if in.UserIdentityType != nil {
		d.UserIdentityType = *in.UserIdentityType
	}
	if deref(in.EnableSelfService) {
		d.Settings.SelfService = workspaces.SelfServicePermissions{
			Restart: workspaces.Enabled, IncreaseVolume: workspaces.Enabled, ChangeComputeType: workspaces.Enabled,
			SwitchRunningMode: workspaces.Enabled, Rebuild: workspaces.Enabled,
		}
	}
	d.Settings.PoolName, d.Settings.PoolDescription = deref(in.WorkspaceDirectoryName), deref(in.WorkspaceDirectoryDescription)
	if a := in.ActiveDirectoryConfig; a != nil {
		d.Settings.ActiveDirectory = workspaces.ActiveDirectoryConfig{
			DomainName: deref(a.DomainName), ServiceAccountSecretARN: deref(a.ServiceAccountSecretArn),
		}
	}
	d.Settings.IdentityCenterARN = deref(in.IdcInstanceArn)
	if e := in.MicrosoftEntraConfig; e != nil {
		d.Settings.Entra = workspaces.EntraConfig{TenantID: deref(e.TenantId), ApplicationSecretARN: deref(e.ApplicationConfigSecretArn)}
	}
	d.Enter(workspaces.Registering, now)
	if in.DirectoryId != nil {
		vpc, err = copyDirectory(ctx, tx, d, *in.DirectoryId)
		return d, vpc, err
	}
	d.ID = workspaces.NewPoolsDirectoryID(Chance(ctx))
	d.Name, d.Alias, d.Type = d.Settings.PoolName, d.ID, wsapi.WorkspaceDirectoryTypeCustomerManaged
	if d.UserIdentityType == wsapi.UserIdentityTypeAwsIamIdentityCenter {
		d.Type = wsapi.WorkspaceDirectoryTypeAwsIamIdentityCenter
	}
	return d, "", nil
}

// copyDirectory takes over what Directory Service knows of the directory, and returns its network.
func copyDirectory(ctx context.Context, tx *store.Tx, d *workspaces.WorkspaceDirectory, id string) (vpc string, err error) {
	if old, registered, err := tx.WorkspaceDirectory(ctx, d.Scope, id); err != nil {
		return "", err
	} else if registered {
		return "", old.RefuseAgain()
	}
	ds, found, err := tx.Directory(ctx, d.Scope, id)
	if err != nil {
		return "", err
	}
	if !found {
		return "", workspaces.Errorf(workspaces.CodeNotFound, "The directory %s could not be found.", id).About(id)
	}
	if ds.Stage != workspaces.StageActive {
		return "", workspaces.Errorf(workspaces.CodeInvalidState, "The directory %s is in the stage %s; it must be Active.", id, ds.Stage).About(id)
	}
	d.ID, d.Name, d.Alias, d.DNSAddresses = ds.ID, ds.Name, ds.Alias, ds.DNSAddresses
	d.Type, d.CustomerUserName = wsapi.WorkspaceDirectoryTypeSimpleAd, ds.Administrator()
	if ds.Type == workspaces.ADConnector { // the API has no value for Microsoft AD (spec, section D)
		d.Type = wsapi.WorkspaceDirectoryTypeAdConnector
	}
	if len(d.SubnetIDs) == 0 {
		d.SubnetIDs = ds.SubnetIDs
	}
	return ds.VPCID, nil
}

// checkSubnets wants two subnets that exist, in two availability zones and in one network,
// which is the directory's where it has one, and clear of the account's management range. Where any network will do, only the number
// counts, and one is enough. Source: RegisterWorkspaceDirectory, SubnetIds.
func (s WorkSpaces) checkSubnets(ctx context.Context, tx *store.Tx, ids []string, vpc string, management netip.Prefix) error {
	if s.AnySubnet && len(ids) < 2 {
		return nil
	}
	if len(ids) != 2 || ids[0] == ids[1] {
		return workspaces.Errorf(workspaces.CodeNotSupported, "A directory needs two subnets in different Availability Zones.")
	}
	first, err := s.Subnet(ctx, tx, ids[0])
	if err != nil {
		return err
	}
	second, err := s.Subnet(ctx, tx, ids[1])
	if err != nil || s.AnySubnet {
		return err
	}
	if first.Zone == second.Zone {
		return workspaces.Errorf(workspaces.CodeNotSupported, "The subnets %s and %s are both in the Availability Zone %s.", ids[0], ids[1], first.Zone)
	}
	if first.VPCID != second.VPCID || vpc != "" && first.VPCID != vpc {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig, "The subnets %s (in %s) and %s (in %s) must be in the same network as the directory.",
			first.ID, first.VPCID, second.ID, second.VPCID)
	}
	if management.IsValid() && (management.Overlaps(first.Prefix) || management.Overlaps(second.Prefix)) {
		return workspaces.Errorf(workspaces.CodeUnsupportedConfig, "The subnets %s and %s must be clear of the account's management range %s.",
			first.ID, second.ID, management)
	}
	return nil
}

// DeregisterWorkspaceDirectory takes a registration away. A directory that still has
// WorkSpaces keeps it, whatever they are up to; those that are TERMINATED have gone.
//
// Effect: portal, operations. Sessions and streams of its users end, and the registration code is
// nobody's.
func (s WorkSpaces) DeregisterWorkspaceDirectory(
	ctx context.Context, in *wsapi.DeregisterWorkspaceDirectoryRequest,
) (*wsapi.DeregisterWorkspaceDirectoryResult, error) {
	id := deref(in.DirectoryId)
	var ref workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := registration(ctx, tx, id)
		if err != nil {
			return err
		}
		has, err := tx.DirectoryHasLivingWorkSpaces(ctx, d.Scope, id)
		if err != nil {
			return err
		}
		if has {
			return workspaces.Errorf(workspaces.CodeNotSupported, "The directory %s still has WorkSpaces; terminate them first.", id)
		}
		if has, err = tx.DirectoryHasPools(ctx, d.Scope, id); err != nil {
			return err
		}
		if has {
			return workspaces.Errorf(workspaces.CodeNotSupported, "The directory %s still has pools or their desktops; terminate them first.", id)
		}
		read := d.Generation
		if err := d.BeginDeregister(s.Clock.Now()); err != nil {
			return err
		}
		if _, err := tx.SaveWorkspaceDirectory(ctx, d, read); err != nil {
			return err
		}
		ref = d.Ref()
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkspaceDirectory, Refs: []workspaces.Ref{ref}})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkspaceDirectory, ref)
	return &wsapi.DeregisterWorkspaceDirectoryResult{}, nil
}

// registration returns the caller's registered directory with the id, whatever its state.
func registration(ctx context.Context, tx *store.Tx, id string) (*workspaces.WorkspaceDirectory, error) {
	d, found, err := tx.WorkspaceDirectory(ctx, Scope(ctx), id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The directory %s is not registered.", id).About(id)
	}
	return d, err
}
