package operation

import (
	"context"
	"errors"
	"slices"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/moto"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// modify changes the settings of a registered directory. What holds for streams and sign-ins
// holds from then on, also for those that are under way: the gateway follows the store.
func (s WorkSpaces) modify(ctx context.Context, id *string, change func(*workspaces.WorkspaceDirectory) error) error {
	return s.modifyWithin(ctx, id, func(_ *store.Tx, d *workspaces.WorkspaceDirectory) error { return change(d) })
}

// modifyWithin is modify for changes that look at other things.
func (s WorkSpaces) modifyWithin(ctx context.Context, id *string, change func(*store.Tx, *workspaces.WorkspaceDirectory) error) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := registration(ctx, tx, deref(id))
		if err != nil {
			return err
		}
		if err := d.CheckRegistered(workspaces.CodeNotSupported); err != nil {
			return err
		}
		if err := change(tx, d); err != nil {
			return err
		}
		_, err = tx.SaveWorkspaceDirectory(ctx, d, d.Generation)
		return err
	})
}

// set gives a setting the value of a member, unless that is absent.
func set[T any](setting, member *T) {
	if member != nil {
		*setting = *member
	}
}

// ModifyWorkspaceAccessProperties says which kinds of devices may reach WorkSpaces.
//
// Effect: portal, stream. DeviceTypeWeb decides whether browsers may sign in and stream, and ends
// streams that run. The others are kept: there are no other clients.
func (s WorkSpaces) ModifyWorkspaceAccessProperties(
	ctx context.Context, in *wsapi.ModifyWorkspaceAccessPropertiesRequest,
) (*wsapi.ModifyWorkspaceAccessPropertiesResult, error) {
	return &wsapi.ModifyWorkspaceAccessPropertiesResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		access, p := &d.Settings.Access, in.WorkspaceAccessProperties
		set(&access.Windows, p.DeviceTypeWindows)
		set(&access.OSX, p.DeviceTypeOsx)
		set(&access.Web, p.DeviceTypeWeb)
		set(&access.IOS, p.DeviceTypeIos)
		set(&access.Android, p.DeviceTypeAndroid)
		set(&access.ChromeOS, p.DeviceTypeChromeOs)
		set(&access.ZeroClient, p.DeviceTypeZeroClient)
		set(&access.Linux, p.DeviceTypeLinux)
		set(&access.ThinClient, p.DeviceTypeWorkSpacesThinClient)
		if p.AccessEndpointConfig == nil {
			return nil
		}
		var endpoints []workspaces.AccessEndpoint
		for _, e := range p.AccessEndpointConfig.AccessEndpoints {
			endpoints = append(endpoints, workspaces.AccessEndpoint{Type: deref(e.AccessEndpointType), ID: deref(e.VpcEndpointId)})
		}
		return access.SetEndpoints(endpoints, p.AccessEndpointConfig.InternetFallbackProtocols)
	})
}

// ModifySelfservicePermissions says what users may do to their WorkSpaces. Those of pools are
// nobody's to do anything to.
//
// Effect: portal. The portal offers users what they may do, and refuses the rest.
func (s WorkSpaces) ModifySelfservicePermissions(
	ctx context.Context, in *wsapi.ModifySelfservicePermissionsRequest,
) (*wsapi.ModifySelfservicePermissionsResult, error) {
	return &wsapi.ModifySelfservicePermissionsResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		if d.WorkspaceType == wsapi.WorkspaceTypePools {
			return workspaces.Errorf(workspaces.CodeNotSupported, "The directory %s is for pools, which have no self-service.", d.ID)
		}
		permissions, p := &d.Settings.SelfService, in.SelfservicePermissions
		set(&permissions.Restart, p.RestartWorkspace)
		set(&permissions.IncreaseVolume, p.IncreaseVolumeSize)
		set(&permissions.ChangeComputeType, p.ChangeComputeType)
		set(&permissions.SwitchRunningMode, p.SwitchRunningMode)
		set(&permissions.Rebuild, p.RebuildWorkspace)
		return nil
	})
}

// ModifyWorkspaceCreationProperties says how WorkSpaces are made from now on.
//
// Effect: desktop. UserEnabledAsLocalAdministrator, EnableInternetAccess and CustomSecurityGroupId hold
// for desktops that are made or rebuilt from then on: who leaves subnets that are declared with internet:
// enabled, and what desktops exchange with whom by the rules that are declared of the group.
// EnableMaintenanceMode holds for all: without it none is kept up to date in maintenance windows. The
// others are kept: there are no organisational units or roles.
func (s WorkSpaces) ModifyWorkspaceCreationProperties(
	ctx context.Context, in *wsapi.ModifyWorkspaceCreationPropertiesRequest,
) (*wsapi.ModifyWorkspaceCreationPropertiesResult, error) {
	err := s.modifyWithin(ctx, in.ResourceId, func(tx *store.Tx, d *workspaces.WorkspaceDirectory) error {
		creation, p := d.Settings.Creation, in.WorkspaceCreationProperties
		if p.DefaultOu != nil {
			if err := workspaces.CheckDefaultOU(*p.DefaultOu); err != nil {
				return err
			}
		}
		if p.CustomSecurityGroupId != nil {
			if err := s.checkSecurityGroup(ctx, tx, d, *p.CustomSecurityGroupId); err != nil {
				return err
			}
		}
		set(&creation.InternetAccess, p.EnableInternetAccess)
		set(&creation.DefaultOU, p.DefaultOu)
		set(&creation.SecurityGroupID, p.CustomSecurityGroupId)
		set(&creation.LocalAdministrator, p.UserEnabledAsLocalAdministrator)
		set(&creation.MaintenanceMode, p.EnableMaintenanceMode)
		set(&creation.InstanceRoleARN, p.InstanceIamRoleArn)
		if err := d.CheckCreation(creation); err != nil {
			return err
		}
		d.Settings.Creation = creation
		return nil
	})
	if e, ok := errors.AsType[*workspaces.Error](err); ok && e.Code == workspaces.CodeNotFound && s.Ways.Follow(moto.UnknownDirectories) {
		err = workspaces.Errorf(workspaces.CodeValidation, "The request is invalid.")
	}
	return &wsapi.ModifyWorkspaceCreationPropertiesResult{}, err
}

// checkSecurityGroup refuses a group that the directory's desktops could not have.
func (s WorkSpaces) checkSecurityGroup(ctx context.Context, tx *store.Tx, d *workspaces.WorkspaceDirectory, id string) error {
	if !s.AnySecurityGroup && !slices.Contains(s.SecurityGroups, id) {
		return workspaces.Errorf(workspaces.CodeNotFound,
			"The security group %s does not exist; the configuration file declares them, under security-groups.", id).About(id)
	}
	for _, subnetID := range d.SubnetIDs {
		subnet, found, err := tx.Subnet(ctx, subnetID)
		if err != nil {
			return err
		}
		if found && subnet.EngineNetwork != "" {
			return workspaces.Errorf(workspaces.CodeNotSupported,
				"The subnet %s is on the network %s, which Carrel did not make: its owner says what desktops reach there.", subnet.ID, subnet.EngineNetwork)
		}
	}
	return nil
}

// ModifySamlProperties says whether and where users sign in by SAML 2.0.
//
// Effect: portal. Users sign in at the UserAccessUrl, with passwords beside it or not, and sessions
// of the other kind end. carrel saml set says whose word counts, which the service keeps in IAM.
func (s WorkSpaces) ModifySamlProperties(ctx context.Context, in *wsapi.ModifySamlPropertiesRequest) (*wsapi.ModifySamlPropertiesResult, error) {
	p := deref(in.SamlProperties)
	deletesURL := slices.Contains(in.PropertiesToDelete, wsapi.DeletableSamlPropertySamlPropertiesUserAccessUrl)
	deletesParameter := slices.Contains(in.PropertiesToDelete, wsapi.DeletableSamlPropertySamlPropertiesRelayStateParameterName)
	if deletesURL && p.UserAccessUrl != nil || deletesParameter && p.RelayStateParameterName != nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "A property cannot be both set and deleted.")
	}
	return &wsapi.ModifySamlPropertiesResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		saml := &d.Settings.SAML
		if deletesURL {
			saml.UserAccessURL = ""
		}
		if deletesParameter {
			saml.RelayStateParameter = workspaces.RelayStateParameter
		}
		set(&saml.Status, p.Status)
		set(&saml.UserAccessURL, p.UserAccessUrl)
		set(&saml.RelayStateParameter, p.RelayStateParameterName)
		return saml.Check()
	})
}

// ModifyCertificateBasedAuthProperties says whether certificates sign users on who came by SAML.
//
// Effect: portal. A PrincipalTag:ObjectSid in an assertion has to be the user's. The certificate
// authority is kept: no desktop asks for a password that a certificate could stand in for.
func (s WorkSpaces) ModifyCertificateBasedAuthProperties(
	ctx context.Context, in *wsapi.ModifyCertificateBasedAuthPropertiesRequest,
) (*wsapi.ModifyCertificateBasedAuthPropertiesResult, error) {
	p, deletes := deref(in.CertificateBasedAuthProperties), len(in.PropertiesToDelete) > 0
	if deletes && p.CertificateAuthorityArn != nil {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "A property cannot be both set and deleted.")
	}
	return &wsapi.ModifyCertificateBasedAuthPropertiesResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		auth := d.Settings.CertificateAuth
		if deletes {
			auth.AuthorityARN = ""
		}
		set(&auth.Status, p.Status)
		set(&auth.AuthorityARN, p.CertificateAuthorityArn)
		return d.Settings.SetCertificateAuth(auth)
	})
}

// ModifyClientProperties says what clients may keep and send.
//
// Effect: portal. ReconnectEnabled decides whether users may stay signed in. Uploads of logs are
// kept: there is no client that sends any.
func (s WorkSpaces) ModifyClientProperties(
	ctx context.Context, in *wsapi.ModifyClientPropertiesRequest,
) (*wsapi.ModifyClientPropertiesResult, error) {
	return &wsapi.ModifyClientPropertiesResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		set(&d.Settings.Client.Reconnect, in.ClientProperties.ReconnectEnabled)
		set(&d.Settings.Client.LogUpload, in.ClientProperties.LogUploadEnabled)
		return nil
	})
}

// DescribeClientProperties returns what clients of directories may keep and send, in the
// order in which the directories are named.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeClientProperties(
	ctx context.Context, in *wsapi.DescribeClientPropertiesRequest,
) (*wsapi.DescribeClientPropertiesResult, error) {
	out := &wsapi.DescribeClientPropertiesResult{ClientPropertiesList: make([]wsapi.ClientPropertiesResult, 0, len(in.ResourceIds))}
	return out, s.Store.View(func(tx *store.Tx) error {
		for _, id := range in.ResourceIds {
			d, err := registration(ctx, tx, id)
			if err != nil {
				return err
			}
			out.ClientPropertiesList = append(out.ClientPropertiesList, wsapi.ClientPropertiesResult{
				ResourceId: &d.ID,
				ClientProperties: &wsapi.ClientProperties{
					ReconnectEnabled: &d.Settings.Client.Reconnect, LogUploadEnabled: &d.Settings.Client.LogUpload,
				},
			})
		}
		return nil
	})
}

// ModifyEndpointEncryptionMode says what the encryption of a directory's endpoints conforms to.
//
// Effect: portal, stream. With FIPS_VALIDATED, sign-ins and streams whose TLS is not of what FIPS
// 140-3 approves are refused, and those that run are cut. Whether the program's cryptography is a
// validated module is for how it is built and started: carrel doctor tells.
func (s WorkSpaces) ModifyEndpointEncryptionMode(
	ctx context.Context, in *wsapi.ModifyEndpointEncryptionModeRequest,
) (*wsapi.ModifyEndpointEncryptionModeResponse, error) {
	return &wsapi.ModifyEndpointEncryptionModeResponse{}, s.modify(ctx, in.DirectoryId, func(d *workspaces.WorkspaceDirectory) error {
		set(&d.Settings.EndpointMode, in.EndpointEncryptionMode)
		return nil
	})
}
