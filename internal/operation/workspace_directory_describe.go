package operation

import (
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// describeWorkspaceDirectory is a registration as the API shows it, but for its groups.
func describeWorkspaceDirectory(d *workspaces.WorkspaceDirectory) wsapi.WorkspaceDirectory {
	set := &d.Settings
	out := wsapi.WorkspaceDirectory{
		DirectoryId: &d.ID, Alias: &d.Alias, DirectoryName: &d.Name, RegistrationCode: &d.RegistrationCode, SubnetIds: d.SubnetIDs,
		DnsIpAddresses: d.DNSAddresses, CustomerUserName: some(d.CustomerUserName), IamRoleId: &d.RoleARN, DirectoryType: &d.Type,
		WorkspaceSecurityGroupId: &d.SecurityGroupID, State: (*string)(&d.State), Tenancy: &d.Tenancy,
		UserIdentityType: &d.UserIdentityType, WorkspaceType: &d.WorkspaceType, ErrorMessage: some(d.ErrorMessage),
		WorkspaceDirectoryName: some(set.PoolName), WorkspaceDirectoryDescription: some(set.PoolDescription),
		WorkspaceCreationProperties: &wsapi.DefaultWorkspaceCreationProperties{
			EnableInternetAccess: &set.Creation.InternetAccess, DefaultOu: some(set.Creation.DefaultOU),
			CustomSecurityGroupId: some(set.Creation.SecurityGroupID), UserEnabledAsLocalAdministrator: &set.Creation.LocalAdministrator,
			EnableMaintenanceMode: &set.Creation.MaintenanceMode, InstanceIamRoleArn: some(set.Creation.InstanceRoleARN),
		},
		WorkspaceAccessProperties: describeAccess(&set.Access),
		SelfservicePermissions: &wsapi.SelfservicePermissions{
			RestartWorkspace: &set.SelfService.Restart, IncreaseVolumeSize: &set.SelfService.IncreaseVolume,
			ChangeComputeType: &set.SelfService.ChangeComputeType, SwitchRunningMode: &set.SelfService.SwitchRunningMode,
			RebuildWorkspace: &set.SelfService.Rebuild,
		},
		SamlProperties: &wsapi.SamlProperties{
			Status: &set.SAML.Status, UserAccessUrl: some(set.SAML.UserAccessURL), RelayStateParameterName: &set.SAML.RelayStateParameter,
		},
		CertificateBasedAuthProperties: &wsapi.CertificateBasedAuthProperties{
			Status: &set.CertificateAuth.Status, CertificateAuthorityArn: some(set.CertificateAuth.AuthorityARN),
		},
		StreamingProperties: describeStreaming(&set.Streaming), EndpointEncryptionMode: some(set.EndpointMode),
	}
	describeIdentity(&out, set)
	return out
}

func describeAccess(access *workspaces.AccessProperties) *wsapi.WorkspaceAccessProperties {
	out := &wsapi.WorkspaceAccessProperties{
		DeviceTypeWindows: some(access.Windows), DeviceTypeOsx: some(access.OSX), DeviceTypeWeb: some(access.Web),
		DeviceTypeIos: some(access.IOS), DeviceTypeAndroid: some(access.Android), DeviceTypeChromeOs: some(access.ChromeOS),
		DeviceTypeZeroClient: some(access.ZeroClient), DeviceTypeLinux: some(access.Linux),
		DeviceTypeWorkSpacesThinClient: some(access.ThinClient),
	}
	if access.EndpointID != "" {
		out.AccessEndpointConfig = &wsapi.AccessEndpointConfig{
			AccessEndpoints: []wsapi.AccessEndpoint{{
				AccessEndpointType: new(wsapi.AccessEndpointTypeStreamingWsp), VpcEndpointId: &access.EndpointID,
			}},
			InternetFallbackProtocols: access.Fallback,
		}
	}
	return out
}

// describeIdentity adds where the people of a directory are known.
func describeIdentity(out *wsapi.WorkspaceDirectory, set *workspaces.DirectorySettings) {
	if set.IdentityCenterARN != "" {
		out.IDCConfig = &wsapi.IDCConfig{InstanceArn: &set.IdentityCenterARN, ApplicationArn: some(set.ApplicationARN)}
	}
	if set.Entra != (workspaces.EntraConfig{}) {
		out.MicrosoftEntraConfig = &wsapi.MicrosoftEntraConfig{
			TenantId: some(set.Entra.TenantID), ApplicationConfigSecretArn: some(set.Entra.ApplicationSecretARN),
		}
	}
	if set.ActiveDirectory.DomainName != "" {
		out.ActiveDirectoryConfig = &wsapi.ActiveDirectoryConfig{
			DomainName: &set.ActiveDirectory.DomainName, ServiceAccountSecretArn: &set.ActiveDirectory.ServiceAccountSecretARN,
		}
	}
}
