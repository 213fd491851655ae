package operation_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
)

const authority = "arn:aws:acm-pca:eu-central-1:111111111111:certificate-authority/1"

// The Modify operations on a directory.

func (c client) modifyAccess(t *testing.T, id string, p types.WorkspaceAccessProperties) error {
	t.Helper()
	_, err := c.ModifyWorkspaceAccessProperties(t.Context(), &sdk.ModifyWorkspaceAccessPropertiesInput{ResourceId: &id, WorkspaceAccessProperties: &p})
	return err
}

func (c client) modifySelfService(t *testing.T, id string, p types.SelfservicePermissions) error {
	t.Helper()
	_, err := c.ModifySelfservicePermissions(t.Context(), &sdk.ModifySelfservicePermissionsInput{ResourceId: &id, SelfservicePermissions: &p})
	return err
}

func (c client) modifyCreation(t *testing.T, id string, p types.WorkspaceCreationProperties) error {
	t.Helper()
	_, err := c.ModifyWorkspaceCreationProperties(t.Context(), &sdk.ModifyWorkspaceCreationPropertiesInput{ResourceId: &id, WorkspaceCreationProperties: &p})
	return err
}

func (c client) modifyClient(t *testing.T, id string, p types.ClientProperties) error {
	t.Helper()
	_, err := c.ModifyClientProperties(t.Context(), &sdk.ModifyClientPropertiesInput{ResourceId: &id, ClientProperties: &p})
	return err
}

func (c client) modifyStreaming(t *testing.T, id string, p *types.StreamingProperties) error {
	t.Helper()
	_, err := c.ModifyStreamingProperties(t.Context(), &sdk.ModifyStreamingPropertiesInput{ResourceId: &id, StreamingProperties: p})
	return err
}

func (c client) modifySAML(t *testing.T, id string, p *types.SamlProperties, deletes ...types.DeletableSamlProperty) error {
	t.Helper()
	_, err := c.ModifySamlProperties(t.Context(), &sdk.ModifySamlPropertiesInput{ResourceId: &id, SamlProperties: p, PropertiesToDelete: deletes})
	return err
}

func (c client) modifyCertificate(
	t *testing.T, id string, p *types.CertificateBasedAuthProperties, deletes ...types.DeletableCertificateBasedAuthProperty,
) error {
	t.Helper()
	_, err := c.ModifyCertificateBasedAuthProperties(t.Context(), &sdk.ModifyCertificateBasedAuthPropertiesInput{
		ResourceId: &id, CertificateBasedAuthProperties: p, PropertiesToDelete: deletes,
	})
	return err
}

func (c client) modifyEncryption(t *testing.T, id string, mode types.EndpointEncryptionMode) error {
	t.Helper()
	_, err := c.ModifyEndpointEncryptionMode(t.Context(), &sdk.ModifyEndpointEncryptionModeInput{DirectoryId: &id, EndpointEncryptionMode: mode})
	return err
}

const (
	deleteURL       = types.DeletableSamlPropertySamlPropertiesUserAccessUrl
	deleteParameter = types.DeletableSamlPropertySamlPropertiesRelayStateParameterName
	deleteAuthority = types.DeletableCertificateBasedAuthPropertyCertificateBasedAuthPropertiesCertificateAuthorityArn
)

func endpoint(id string) types.AccessEndpoint {
	return types.AccessEndpoint{AccessEndpointType: types.AccessEndpointTypeStreamingWsp, VpcEndpointId: &id}
}

func setting(action types.UserSettingActionEnum, permission types.UserSettingPermissionEnum, length ...int32) types.UserSetting {
	s := types.UserSetting{Action: action, Permission: permission}
	if len(length) > 0 {
		s.MaximumLength = &length[0]
	}
	return s
}

const (
	copyIn  = types.UserSettingActionEnumClipboardCopyFromLocalDevice
	copyOut = types.UserSettingActionEnumClipboardCopyToLocalDevice
)

// step changes a directory, and says what that changes in its description.
type step struct {
	do   func(t *testing.T, c client, id string) error
	want func(d *types.WorkspaceDirectory)
}

// accessSteps are those of what users may do and with what.
func accessSteps() []step {
	return []step{
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyAccess(t, id, types.WorkspaceAccessProperties{DeviceTypeWeb: "ALLOW", DeviceTypeWindows: "DENY", DeviceTypeWorkSpacesThinClient: "ALLOW"})
			},
			func(d *types.WorkspaceDirectory) {
				p := d.WorkspaceAccessProperties
				p.DeviceTypeWeb, p.DeviceTypeWindows, p.DeviceTypeWorkSpacesThinClient = "ALLOW", "DENY", "ALLOW"
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyAccess(t, id, types.WorkspaceAccessProperties{AccessEndpointConfig: &types.AccessEndpointConfig{
					AccessEndpoints: []types.AccessEndpoint{endpoint("vpce-1")}, InternetFallbackProtocols: []types.InternetFallbackProtocol{"PCOIP"},
				}})
			},
			func(d *types.WorkspaceDirectory) {
				d.WorkspaceAccessProperties.AccessEndpointConfig = &types.AccessEndpointConfig{
					AccessEndpoints: []types.AccessEndpoint{endpoint("vpce-1")}, InternetFallbackProtocols: []types.InternetFallbackProtocol{"PCOIP"},
				}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyAccess(t, id, types.WorkspaceAccessProperties{
					DeviceTypeOsx: "DENY", DeviceTypeIos: "DENY", DeviceTypeAndroid: "DENY", DeviceTypeChromeOs: "DENY", DeviceTypeZeroClient: "DENY", DeviceTypeLinux: "ALLOW",
					AccessEndpointConfig: &types.AccessEndpointConfig{AccessEndpoints: []types.AccessEndpoint{}},
				})
			},
			func(d *types.WorkspaceDirectory) {
				d.WorkspaceAccessProperties = &types.WorkspaceAccessProperties{
					DeviceTypeWindows: "DENY", DeviceTypeOsx: "DENY", DeviceTypeWeb: "ALLOW", DeviceTypeIos: "DENY", DeviceTypeAndroid: "DENY",
					DeviceTypeChromeOs: "DENY", DeviceTypeZeroClient: "DENY", DeviceTypeLinux: "ALLOW", DeviceTypeWorkSpacesThinClient: "ALLOW",
				}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySelfService(t, id, types.SelfservicePermissions{RebuildWorkspace: "ENABLED", RestartWorkspace: "DISABLED"})
			},
			func(d *types.WorkspaceDirectory) {
				d.SelfservicePermissions.RebuildWorkspace, d.SelfservicePermissions.RestartWorkspace = "ENABLED", "DISABLED"
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySelfService(t, id, types.SelfservicePermissions{
					IncreaseVolumeSize: "ENABLED", ChangeComputeType: "ENABLED", SwitchRunningMode: "ENABLED", RestartWorkspace: "ENABLED",
				})
			},
			func(d *types.WorkspaceDirectory) {
				d.SelfservicePermissions = &types.SelfservicePermissions{
					RestartWorkspace: "ENABLED", IncreaseVolumeSize: "ENABLED", ChangeComputeType: "ENABLED", SwitchRunningMode: "ENABLED", RebuildWorkspace: "ENABLED",
				}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyEncryption(t, id, types.EndpointEncryptionModeFipsValidated)
			},
			func(d *types.WorkspaceDirectory) {
				d.EndpointEncryptionMode = types.EndpointEncryptionModeFipsValidated
			},
		},
	}
}

// creationSteps are those of how WorkSpaces are made and streamed.
func creationSteps() []step {
	return []step{
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyCreation(t, id, types.WorkspaceCreationProperties{DefaultOu: new("OU=AWS,DC=Workgroup,DC=Example,DC=com"), UserEnabledAsLocalAdministrator: new(false)})
			},
			func(d *types.WorkspaceDirectory) {
				d.WorkspaceCreationProperties.DefaultOu = new("OU=AWS,DC=Workgroup,DC=Example,DC=com")
				d.WorkspaceCreationProperties.UserEnabledAsLocalAdministrator = new(false)
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyCreation(t, id, types.WorkspaceCreationProperties{
					EnableInternetAccess: new(true), EnableMaintenanceMode: new(false), CustomSecurityGroupId: new("sg-01234567"),
					InstanceIamRoleArn: new("arn:aws:iam::111111111111:role/desk"),
				})
			},
			func(d *types.WorkspaceDirectory) {
				p := d.WorkspaceCreationProperties
				p.EnableInternetAccess, p.EnableMaintenanceMode, p.CustomSecurityGroupId = new(true), new(false), new("sg-01234567")
				p.InstanceIamRoleArn = new("arn:aws:iam::111111111111:role/desk")
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyStreaming(t, id, &types.StreamingProperties{UserSettings: []types.UserSetting{setting(copyIn, "ENABLED", 7), setting("SMART_CARD", "DISABLED")}})
			},
			func(d *types.WorkspaceDirectory) {
				d.StreamingProperties = &types.StreamingProperties{UserSettings: []types.UserSetting{setting(copyIn, "ENABLED", 7), setting("SMART_CARD", "DISABLED")}}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyStreaming(t, id, &types.StreamingProperties{
					StreamingExperiencePreferredProtocol: "UDP", UserSettings: []types.UserSetting{setting(copyOut, "DISABLED"), setting(copyIn, "ENABLED")},
					StorageConnectors: []types.StorageConnector{{ConnectorType: "HOME_FOLDER", Status: "DISABLED"}},
					GlobalAccelerator: &types.GlobalAcceleratorForDirectory{Mode: "ENABLED_AUTO", PreferredProtocol: "TCP"},
				})
			},
			func(d *types.WorkspaceDirectory) {
				d.StreamingProperties = &types.StreamingProperties{
					StreamingExperiencePreferredProtocol: "UDP",
					UserSettings:                         []types.UserSetting{setting(copyIn, "ENABLED"), setting("SMART_CARD", "DISABLED"), setting(copyOut, "DISABLED")},
					StorageConnectors:                    []types.StorageConnector{{ConnectorType: "HOME_FOLDER", Status: "DISABLED"}},
					GlobalAccelerator:                    &types.GlobalAcceleratorForDirectory{Mode: "ENABLED_AUTO", PreferredProtocol: "TCP"},
				}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyStreaming(t, id, &types.StreamingProperties{GlobalAccelerator: &types.GlobalAcceleratorForDirectory{Mode: "DISABLED"}})
			},
			func(d *types.WorkspaceDirectory) { d.StreamingProperties.GlobalAccelerator.Mode = "DISABLED" },
		},
		{
			func(t *testing.T, c client, id string) error { t.Helper(); return c.modifyStreaming(t, id, nil) },
			func(*types.WorkspaceDirectory) {},
		},
	}
}

// signInSteps are those of SAML and certificates, as Terraform's provider takes them.
func signInSteps() []step {
	return []step{
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED", UserAccessUrl: new("https://a.example/"), RelayStateParameterName: new("State")})
			},
			func(d *types.WorkspaceDirectory) {
				d.SamlProperties = &types.SamlProperties{Status: "ENABLED", UserAccessUrl: new("https://a.example/"), RelayStateParameterName: new("State")}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{Status: "ENABLED", CertificateAuthorityArn: new(authority)})
			},
			func(d *types.WorkspaceDirectory) {
				d.CertificateBasedAuthProperties = &types.CertificateBasedAuthProperties{Status: "ENABLED", CertificateAuthorityArn: new(authority)}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySAML(t, id, &types.SamlProperties{Status: "DISABLED", RelayStateParameterName: new("Other")}, deleteURL)
			},
			func(d *types.WorkspaceDirectory) {
				d.SamlProperties = &types.SamlProperties{Status: "DISABLED", RelayStateParameterName: new("Other")}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{Status: "DISABLED"}, deleteAuthority)
			},
			func(d *types.WorkspaceDirectory) {
				d.CertificateBasedAuthProperties = &types.CertificateBasedAuthProperties{Status: "DISABLED"}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED_WITH_DIRECTORY_LOGIN_FALLBACK", UserAccessUrl: new("https://b.example/")}, deleteParameter)
			},
			func(d *types.WorkspaceDirectory) {
				d.SamlProperties = &types.SamlProperties{
					Status: "ENABLED_WITH_DIRECTORY_LOGIN_FALLBACK", UserAccessUrl: new("https://b.example/"), RelayStateParameterName: new("RelayState"),
				}
			},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{CertificateAuthorityArn: new(authority)})
			},
			func(d *types.WorkspaceDirectory) {
				d.CertificateBasedAuthProperties.CertificateAuthorityArn = new(authority)
			},
		},
		{
			func(t *testing.T, c client, id string) error { t.Helper(); return c.modifySAML(t, id, nil) },
			func(*types.WorkspaceDirectory) {},
		},
		{
			func(t *testing.T, c client, id string) error {
				t.Helper()
				return c.modifySAML(t, id, &types.SamlProperties{Status: "DISABLED"}, deleteURL, deleteParameter)
			},
			func(d *types.WorkspaceDirectory) {
				d.SamlProperties = &types.SamlProperties{Status: "DISABLED", RelayStateParameterName: new("RelayState")}
			},
		},
	}
}

// TestModifyDirectory takes one step after the other: each changes what it names, and nothing else.
func TestModifyDirectory(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id, other := s.home(t), s.home(t)
	want := freshDirectory(id)
	for i, step := range slices.Concat(accessSteps(), creationSteps(), signInSteps()) {
		if err := step.do(t, c, id); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		step.want(want)
		got := s.describeDirectory(t, c, id)
		takeMadeUp(t, got)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("step %d: got %s\nwant %s", i, show(got), show(want))
		}
	}
	got := s.describeDirectory(t, c, other)
	takeMadeUp(t, got)
	if fresh := freshDirectory(other); !reflect.DeepEqual(got, fresh) {
		t.Errorf("another directory has changed: %s", show(got))
	}
}

// TestModifyRefused tries what is refused, of which nothing must remain.
func TestModifyRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id := s.home(t)
	access := func(endpoints []types.AccessEndpoint, fallback ...types.InternetFallbackProtocol) error {
		return c.modifyAccess(t, id, types.WorkspaceAccessProperties{DeviceTypeWeb: "ALLOW", AccessEndpointConfig: &types.AccessEndpointConfig{
			AccessEndpoints: endpoints, InternetFallbackProtocols: fallback,
		}})
	}
	streaming := func(settings ...types.UserSetting) error {
		return c.modifyStreaming(t, id, &types.StreamingProperties{StreamingExperiencePreferredProtocol: "TCP", UserSettings: settings})
	}
	before := s.describeDirectory(t, c, id)
	refused(t, access([]types.AccessEndpoint{endpoint("a"), endpoint("b")}), combination, "STREAMING_WSP")
	refused(t, access([]types.AccessEndpoint{}, "PCOIP"), combination, "AccessEndpoints")
	refused(t, access([]types.AccessEndpoint{{VpcEndpointId: new("a")}}), invalid, "AccessEndpointType")
	refused(t, c.modifyCreation(t, id, types.WorkspaceCreationProperties{DefaultOu: new(""), EnableInternetAccess: new(true)}), invalid,
		"An invalid or out-of-range value was supplied for the input parameter.")
	refused(t, c.modifyCreation(t, id, types.WorkspaceCreationProperties{DefaultOu: new("DC=a,DC=b")}), invalid, "OU=")
	refused(t, streaming(setting(copyIn, "ENABLED"), setting(copyIn, "DISABLED")), invalid, "twice")
	refused(t, streaming(setting(copyIn, "DISABLED", 5)), invalid, "MaximumLength")
	refused(t, streaming(setting(copyIn, "ENABLED", 0)), invalid, "MaximumLength")
	refused(t, streaming(setting(copyIn, "ENABLED", 20_971_521)), invalid, "20971520")
	refused(t, streaming(setting("PRINTING_TO_LOCAL_DEVICE", "ENABLED", 5)), invalid, "clipboard")
	connector := types.StorageConnector{ConnectorType: "HOME_FOLDER", Status: "ENABLED"}
	refused(t, c.modifyStreaming(t, id, &types.StreamingProperties{StorageConnectors: []types.StorageConnector{connector, connector}}), invalid, "HOME_FOLDER")
	refused(t, c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED"}), invalid, "UserAccessUrl")
	refused(t, c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED_WITH_DIRECTORY_LOGIN_FALLBACK"}, deleteURL), invalid, "UserAccessUrl")
	refused(t, c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED", UserAccessUrl: new("https://a.example/")}, deleteURL), invalid, "both")
	refused(t, c.modifySAML(t, id, &types.SamlProperties{RelayStateParameterName: new("a")}, deleteParameter), invalid, "both")
	refused(t, c.modifySAML(t, id, &types.SamlProperties{RelayStateParameterName: new(strings.Repeat("a", 201))}), invalid, "200")
	refused(t, c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{Status: "ENABLED"}), invalid, "CertificateAuthorityArn")
	refused(t, c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{Status: "ENABLED", CertificateAuthorityArn: new(authority)}), notSupported, "SAML")
	refused(t, c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{CertificateAuthorityArn: new(authority)}, deleteAuthority), invalid, "both")
	refused(t, c.modifyCreation(t, id, types.WorkspaceCreationProperties{CustomSecurityGroupId: new("sg-1")}), validation)
	refused(t, c.modifyCreation(t, id, types.WorkspaceCreationProperties{CustomSecurityGroupId: new("sg-76543210"), EnableInternetAccess: new(true)}), notFound, "sg-76543210")
	if after := s.describeDirectory(t, c, id); !reflect.DeepEqual(after, before) {
		t.Errorf("got %s\nwant %s", show(after), show(before))
	}
	// What is enabled stays so only with what it needs.
	if err := c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED", UserAccessUrl: new("https://a.example/")}); err != nil {
		t.Fatal(err)
	}
	refused(t, c.modifySAML(t, id, nil, deleteURL), invalid, "UserAccessUrl")
	if err := c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{Status: "ENABLED", CertificateAuthorityArn: new(authority)}); err != nil {
		t.Fatal(err)
	}
	refused(t, c.modifyCertificate(t, id, nil, deleteAuthority), invalid, "CertificateAuthorityArn")
}

func TestModifyPools(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	in := sdk.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged,
		WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
	}
	plain := s.register(t, c, &in)
	in.ActiveDirectoryConfig = &types.ActiveDirectoryConfig{
		DomainName: new("corp.example.com"), ServiceAccountSecretArn: new("arn:aws:secretsmanager:eu-central-1:111111111111:secret:service-account"),
	}
	joined := s.register(t, c, &in)
	refused(t, c.modifySelfService(t, plain, types.SelfservicePermissions{RestartWorkspace: "ENABLED"}), notSupported, "pools")
	off := types.WorkspaceCreationProperties{EnableMaintenanceMode: new(false), UserEnabledAsLocalAdministrator: new(false), EnableInternetAccess: new(true)}
	if err := c.modifyCreation(t, plain, off); err != nil {
		t.Fatal(err)
	}
	refused(t, c.modifyCreation(t, plain, types.WorkspaceCreationProperties{EnableMaintenanceMode: new(true)}), invalid, "pools")
	refused(t, c.modifyCreation(t, plain, types.WorkspaceCreationProperties{UserEnabledAsLocalAdministrator: new(true)}), invalid, "pools")
	ou := types.WorkspaceCreationProperties{DefaultOu: new("OU=AWS,DC=corp,DC=example,DC=com")}
	refused(t, c.modifyCreation(t, plain, ou), invalid, "ActiveDirectoryConfig")
	if err := c.modifyCreation(t, joined, ou); err != nil {
		t.Fatal(err)
	}
}

func TestClientProperties(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	first, second := s.home(t), s.home(t)
	want := func(ids []string, properties ...types.ClientProperties) {
		t.Helper()
		out, err := c.DescribeClientProperties(t.Context(), &sdk.DescribeClientPropertiesInput{ResourceIds: ids})
		if err != nil {
			t.Fatal(err)
		}
		var want []types.ClientPropertiesResult
		for i := range ids {
			want = append(want, types.ClientPropertiesResult{ResourceId: &ids[i], ClientProperties: &properties[i]})
		}
		if !reflect.DeepEqual(out.ClientPropertiesList, want) {
			t.Errorf("got %s\nwant %s", show(out.ClientPropertiesList), show(want))
		}
	}
	both := types.ClientProperties{ReconnectEnabled: "ENABLED", LogUploadEnabled: "ENABLED"}
	want([]string{first, second}, both, both)
	if err := c.modifyClient(t, first, types.ClientProperties{ReconnectEnabled: "DISABLED"}); err != nil {
		t.Fatal(err)
	}
	if err := c.modifyClient(t, first, types.ClientProperties{LogUploadEnabled: "DISABLED"}); err != nil {
		t.Fatal(err)
	}
	want([]string{second, first}, both, types.ClientProperties{ReconnectEnabled: "DISABLED", LogUploadEnabled: "DISABLED"})
	for _, id := range []string{"d-0123456789", "anything", s.directory(t, c.scope)} {
		_, err := c.DescribeClientProperties(t.Context(), &sdk.DescribeClientPropertiesInput{ResourceIds: []string{first, id}})
		refused(t, err, notFound, id)
		refused(t, c.modifyClient(t, id, both), notFound, id)
	}
}

// modifications are all the Modify operations by name, each with an input that only the directory can spoil.
func modifications(t *testing.T, c client) map[string]func(id string) error {
	t.Helper()
	return map[string]func(id string) error{
		"ModifyWorkspaceAccessProperties": func(id string) error {
			return c.modifyAccess(t, id, types.WorkspaceAccessProperties{DeviceTypeWeb: "ALLOW"})
		},
		"ModifySelfservicePermissions": func(id string) error {
			return c.modifySelfService(t, id, types.SelfservicePermissions{RebuildWorkspace: "ENABLED"})
		},
		"ModifyWorkspaceCreationProperties": func(id string) error {
			return c.modifyCreation(t, id, types.WorkspaceCreationProperties{EnableInternetAccess: new(true)})
		},
		"ModifyClientProperties": func(id string) error {
			return c.modifyClient(t, id, types.ClientProperties{ReconnectEnabled: "DISABLED"})
		},
		"ModifyStreamingProperties": func(id string) error {
			return c.modifyStreaming(t, id, &types.StreamingProperties{UserSettings: []types.UserSetting{setting(copyIn, "DISABLED")}})
		},
		"ModifySamlProperties": func(id string) error {
			return c.modifySAML(t, id, &types.SamlProperties{Status: "ENABLED", UserAccessUrl: new("https://a.example/")})
		},
		"ModifyCertificateBasedAuthProperties": func(id string) error {
			return c.modifyCertificate(t, id, &types.CertificateBasedAuthProperties{CertificateAuthorityArn: new(authority)})
		},
		"ModifyEndpointEncryptionMode": func(id string) error {
			return c.modifyEncryption(t, id, types.EndpointEncryptionModeStandardTls)
		},
	}
}

// TestModifyStates asks while a directory is on its way in and out. What was set in between
// outlasts the work on it.
func TestModifyStates(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.Registration = 30 * time.Second
	})
	c := s.client()
	id := s.directory(t, c.scope)
	if _, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id}); err != nil {
		t.Fatal(err)
	}
	all := modifications(t, c)
	for _, modify := range all {
		refused(t, modify(id), notSupported, "REGISTERING")
	}
	s.advance(t, time.Minute, c)
	s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, id).State == types.WorkspaceDirectoryStateRegistered })
	for name, modify := range all {
		if err := modify(id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &id}); err != nil {
		t.Fatal(err)
	}
	for _, modify := range all {
		refused(t, modify(id), notSupported, "DEREGISTERING")
	}
	if d := s.describeDirectory(t, c, id); d.WorkspaceAccessProperties.DeviceTypeWeb != "ALLOW" {
		t.Errorf("%s", show(d))
	}
	s.advance(t, time.Minute, c)
	s.await(t, "gone", func() bool { return s.describeDirectory(t, c, id) == nil })
	for _, modify := range all {
		refused(t, modify(id), notFound, id)
	}
}

// TestModifyAtOnce changes a directory while WorkSpaces are made in it, which changes it too.
func TestModifyAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	id := s.home(t)
	done := make(chan error, 20)
	for i := range cap(done) {
		go func() {
			if i%2 == 0 {
				done <- c.modifyAccess(t, id, types.WorkspaceAccessProperties{DeviceTypeWeb: "ALLOW"})
				return
			}
			_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(id, string(rune('a'+i)))}})
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if d := s.describeDirectory(t, c, id); d.WorkspaceAccessProperties.DeviceTypeWeb != "ALLOW" {
		t.Errorf("%s", show(d))
	}
}

// waysOfDirectorySettings are those of the Modify operations of a directory.
func waysOfDirectorySettings(t *testing.T) []way {
	t.Helper()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.Registration = time.Hour
	})
	c := s.client()
	home, waiting := s.directory(t, c.scope), s.directory(t, c.scope)
	for _, id := range []string{home, waiting} {
		if _, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id}); err != nil {
			t.Fatal(err)
		}
		if id == home {
			s.advance(t, 2*time.Hour, c)
			s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, home).State == types.WorkspaceDirectoryStateRegistered })
		}
	}
	ways := []way{
		{wsapi.ModifyWorkspaceAccessProperties.Spec(), invalid, func() error {
			return c.modifyAccess(t, home, types.WorkspaceAccessProperties{AccessEndpointConfig: &types.AccessEndpointConfig{AccessEndpoints: []types.AccessEndpoint{{}}}})
		}},
		{wsapi.ModifyWorkspaceAccessProperties.Spec(), combination, func() error {
			return c.modifyAccess(t, home, types.WorkspaceAccessProperties{AccessEndpointConfig: &types.AccessEndpointConfig{
				AccessEndpoints: []types.AccessEndpoint{endpoint("a"), endpoint("b")},
			}})
		}},
		{wsapi.ModifyWorkspaceCreationProperties.Spec(), invalid, func() error {
			return c.modifyCreation(t, home, types.WorkspaceCreationProperties{DefaultOu: new("")})
		}},
		{wsapi.ModifyStreamingProperties.Spec(), invalid, func() error {
			return c.modifyStreaming(t, home, &types.StreamingProperties{UserSettings: []types.UserSetting{setting(copyIn, "DISABLED", 5)}})
		}},
		{wsapi.ModifySamlProperties.Spec(), invalid, func() error { return c.modifySAML(t, home, &types.SamlProperties{Status: "ENABLED"}) }},
		{wsapi.ModifyCertificateBasedAuthProperties.Spec(), invalid, func() error {
			return c.modifyCertificate(t, home, &types.CertificateBasedAuthProperties{Status: "ENABLED"})
		}},
		{wsapi.DescribeClientProperties.Spec(), notFound, func() error {
			_, err := c.DescribeClientProperties(t.Context(), &sdk.DescribeClientPropertiesInput{ResourceIds: []string{"d-0123456789"}})
			return err
		}},
	}
	for name, modify := range modifications(t, c) {
		op, _ := wsapi.Service.Operation(name)
		ways = append(ways,
			way{op.Spec(), notFound, func() error { return modify("d-0123456789") }},
			way{op.Spec(), notSupported, func() error { return modify(waiting) }})
	}
	return ways
}
