package operation_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/workspaces"
)

// A fresh registration of a Simple AD. Source: spec, section D.
func freshDirectory(id string) *types.WorkspaceDirectory {
	return &types.WorkspaceDirectory{
		DirectoryId: &id, Alias: &id, DirectoryName: new("corp.example.com"), SubnetIds: []string{subnetA, subnetB},
		DnsIpAddresses: []string{"10.0.0.2", "10.1.0.2"}, CustomerUserName: new("Administrator"),
		IamRoleId: new("arn:aws:iam::" + account + ":role/workspaces_DefaultRole"), DirectoryType: types.WorkspaceDirectoryTypeSimpleAd,
		State: types.WorkspaceDirectoryStateRegistered, Tenancy: types.TenancyShared,
		UserIdentityType: types.UserIdentityTypeAwsDirectoryService, WorkspaceType: types.WorkspaceTypePersonal,
		WorkspaceCreationProperties: &types.DefaultWorkspaceCreationProperties{
			EnableInternetAccess: new(false), UserEnabledAsLocalAdministrator: new(true), EnableMaintenanceMode: new(true),
		},
		WorkspaceAccessProperties: &types.WorkspaceAccessProperties{
			DeviceTypeWindows: "ALLOW", DeviceTypeOsx: "ALLOW", DeviceTypeIos: "ALLOW", DeviceTypeAndroid: "ALLOW", DeviceTypeChromeOs: "ALLOW",
			DeviceTypeZeroClient: "ALLOW", DeviceTypeWeb: "DENY", DeviceTypeLinux: "DENY",
		},
		SelfservicePermissions: &types.SelfservicePermissions{
			RestartWorkspace: "ENABLED", IncreaseVolumeSize: "DISABLED", ChangeComputeType: "DISABLED", SwitchRunningMode: "DISABLED",
			RebuildWorkspace: "DISABLED",
		},
		SamlProperties:                 &types.SamlProperties{Status: "DISABLED", RelayStateParameterName: new("RelayState")},
		CertificateBasedAuthProperties: &types.CertificateBasedAuthProperties{Status: "DISABLED"},
	}
}

// takeMadeUp checks what is made anew for every registration, and takes it out of a description.
func takeMadeUp(t *testing.T, d *types.WorkspaceDirectory) {
	t.Helper()
	if code := *d.RegistrationCode; !strings.HasPrefix(code, "WSfra+") || len(code) != len("WSfra+")+6 {
		t.Errorf("registration code %s", code)
	}
	if !strings.HasPrefix(*d.WorkspaceSecurityGroupId, "sg-") {
		t.Errorf("security group %s", *d.WorkspaceSecurityGroupId)
	}
	d.RegistrationCode, d.WorkspaceSecurityGroupId = nil, nil
}

func TestRegisterWorkspaceDirectory(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id := s.directory(t, c.scope)
	out, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
	if err != nil {
		t.Fatal(err)
	}
	if *out.DirectoryId != id || out.State != types.WorkspaceDirectoryStateRegistering {
		t.Errorf("%s is %s", *out.DirectoryId, out.State)
	}
	var got *types.WorkspaceDirectory
	s.await(t, "REGISTERED", func() bool {
		got = s.describeDirectory(t, c, id)
		return got.State == types.WorkspaceDirectoryStateRegistered
	})
	takeMadeUp(t, got)
	if want := freshDirectory(id); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	_, err = c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
	refused(t, err, exists, id)
}

func TestRegisterOptions(t *testing.T) {
	t.Parallel()
	const secret = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:service-account"
	own := func(id string) *types.WorkspaceDirectory { // of WorkSpaces
		d := freshDirectory(id)
		d.DirectoryName, d.WorkspaceDirectoryName, d.WorkspaceDirectoryDescription = new("Pools 1"), new("Pools 1"), new("For pools")
		d.DirectoryType, d.UserIdentityType = types.WorkspaceDirectoryTypeCustomerManaged, types.UserIdentityTypeCustomerManaged
		d.WorkspaceType, d.DnsIpAddresses, d.CustomerUserName = types.WorkspaceTypePersonal, nil, nil
		return d
	}
	pools := func(id string) *types.WorkspaceDirectory {
		d := own(id)
		d.WorkspaceType = types.WorkspaceTypePools
		d.WorkspaceCreationProperties.UserEnabledAsLocalAdministrator, d.WorkspaceCreationProperties.EnableMaintenanceMode = new(false), new(false)
		return d
	}
	for name, c := range map[string]struct {
		kind string // of Directory Service; "": none is needed
		in   sdk.RegisterWorkspaceDirectoryInput
		want func(id string) *types.WorkspaceDirectory
	}{
		"self service": {
			workspaces.SimpleAD,
			sdk.RegisterWorkspaceDirectoryInput{EnableSelfService: new(true)},
			func(id string) *types.WorkspaceDirectory {
				d := freshDirectory(id)
				d.SelfservicePermissions = &types.SelfservicePermissions{
					RestartWorkspace: "ENABLED", IncreaseVolumeSize: "ENABLED", ChangeComputeType: "ENABLED", SwitchRunningMode: "ENABLED",
					RebuildWorkspace: "ENABLED",
				}
				return d
			},
		},
		"the defaults, named": {
			workspaces.SimpleAD,
			sdk.RegisterWorkspaceDirectoryInput{
				EnableSelfService: new(false), Tenancy: types.TenancyShared, WorkspaceType: types.WorkspaceTypePersonal,
				UserIdentityType: types.UserIdentityTypeAwsDirectoryService, SubnetIds: []string{subnetB, subnetA},
			},
			func(id string) *types.WorkspaceDirectory {
				d := freshDirectory(id)
				d.SubnetIds = []string{subnetB, subnetA}
				return d
			},
		},
		"a connector": {
			workspaces.ADConnector,
			sdk.RegisterWorkspaceDirectoryInput{},
			func(id string) *types.WorkspaceDirectory {
				d := freshDirectory(id)
				d.DirectoryType, d.CustomerUserName = types.WorkspaceDirectoryTypeAdConnector, new("binder")
				return d
			},
		},
		"Microsoft AD, for which the API has no word": {
			workspaces.MicrosoftAD,
			sdk.RegisterWorkspaceDirectoryInput{},
			func(id string) *types.WorkspaceDirectory {
				d := freshDirectory(id)
				d.CustomerUserName = new("Admin")
				return d
			},
		},
		"pools": {
			"", sdk.RegisterWorkspaceDirectoryInput{
				WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged,
				WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
			}, pools,
		},
		"pools in a domain": {
			"",
			sdk.RegisterWorkspaceDirectoryInput{
				WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged,
				WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
				ActiveDirectoryConfig: &types.ActiveDirectoryConfig{DomainName: new("corp.example.com"), ServiceAccountSecretArn: new(secret)},
			},
			func(id string) *types.WorkspaceDirectory {
				d := pools(id)
				d.ActiveDirectoryConfig = &types.ActiveDirectoryConfig{DomainName: new("corp.example.com"), ServiceAccountSecretArn: new(secret)}
				return d
			},
		},
		"people of the customer's own": {
			"",
			sdk.RegisterWorkspaceDirectoryInput{
				UserIdentityType:       types.UserIdentityTypeCustomerManaged,
				WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
			},
			own,
		},
		"an identity center": {
			"",
			sdk.RegisterWorkspaceDirectoryInput{
				WorkspaceType: types.WorkspaceTypePersonal, UserIdentityType: types.UserIdentityTypeAwsIamIdentityCenter,
				WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
				IdcInstanceArn:       new("arn:aws:sso:::instance/ssoins-1"),
				MicrosoftEntraConfig: &types.MicrosoftEntraConfig{TenantId: new("tenant"), ApplicationConfigSecretArn: new(secret)},
			},
			func(id string) *types.WorkspaceDirectory {
				d := own(id)
				d.UserIdentityType = types.UserIdentityTypeAwsIamIdentityCenter
				d.DirectoryType = types.WorkspaceDirectoryTypeAwsIamIdentityCenter
				d.IDCConfig = &types.IDCConfig{InstanceArn: new("arn:aws:sso:::instance/ssoins-1")}
				d.MicrosoftEntraConfig = &types.MicrosoftEntraConfig{TenantId: new("tenant"), ApplicationConfigSecretArn: new(secret)}
				return d
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if c.kind != "" {
				c.in.DirectoryId = new(s.directory(t, s.client().scope))
				s.change(t, *c.in.DirectoryId, func(d *workspaces.Directory) {
					d.Type, d.Details.ConnectUser = c.kind, "binder"
				})
			}
			id := s.register(t, s.client(), &c.in)
			if want := "wsd-"; c.kind == "" && !strings.HasPrefix(id, want) {
				t.Errorf("id %s", id)
			}
			got := s.describeDirectory(t, s.client(), id)
			takeMadeUp(t, got)
			if want := c.want(id); !reflect.DeepEqual(got, want) {
				t.Errorf("got %s\nwant %s", show(got), show(want))
			}
		})
	}
}

func TestRegisterRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	fresh, far := s.directory(t, c.scope), s.directory(t, s.as(account, farRegion).scope)
	creating := s.directory(t, c.scope)
	s.change(t, creating, func(d *workspaces.Directory) { d.Enter(workspaces.StageFailed, s.clock.Now()) })
	own := sdk.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged,
		WorkspaceDirectoryName: new("Pools 1"), WorkspaceDirectoryDescription: new("For pools"), SubnetIds: []string{subnetA, subnetB},
	}
	ad := sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &fresh}
	domain := &types.ActiveDirectoryConfig{DomainName: new("a.example"), ServiceAccountSecretArn: new("arn:aws:secretsmanager:r:1:secret:0123456789")}
	for name, r := range map[string]struct {
		in     sdk.RegisterWorkspaceDirectoryInput
		change func(*sdk.RegisterWorkspaceDirectoryInput)
		want   string
		says   string
	}{
		"nothing":               {sdk.RegisterWorkspaceDirectoryInput{}, nil, validation, "The following arguments are required - DirectoryId."},
		"pools, users not said": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.UserIdentityType = "" }, invalid, "CUSTOMER_MANAGED"},
		"pools, users of a directory": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) {
			in.UserIdentityType = types.UserIdentityTypeAwsDirectoryService
		}, invalid, "CUSTOMER_MANAGED"},
		"pools of an identity center": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) {
			in.UserIdentityType = types.UserIdentityTypeAwsIamIdentityCenter
		}, invalid, "CUSTOMER_MANAGED"},
		"pools without a name":        {own, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.WorkspaceDirectoryName = nil }, invalid, "WorkspaceDirectoryName"},
		"pools without a description": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.WorkspaceDirectoryDescription = nil }, invalid, ""},
		"pools without subnets":       {own, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = nil }, invalid, "SubnetIds"},
		"an instance without its type": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) {
			in.IdcInstanceArn = new("arn:aws:sso:::instance/ssoins-1")
		}, invalid, "IdcInstanceArn"},
		"a domain without pools": {own, func(in *sdk.RegisterWorkspaceDirectoryInput) {
			in.WorkspaceType, in.ActiveDirectoryConfig = "", domain
		}, invalid, "POOLS"},
		"a directory for pools": {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.WorkspaceType = types.WorkspaceTypePools }, invalid, "POOLS"},
		"a directory with users elsewhere": {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) {
			in.UserIdentityType = types.UserIdentityTypeCustomerManaged
		}, invalid, "CUSTOMER_MANAGED"},
		"a directory with another name": {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.WorkspaceDirectoryName = new("name") }, invalid, "DirectoryId"},
		"a directory in another domain": {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.ActiveDirectoryConfig = domain }, invalid, "DirectoryId"},
		"dedicated":                     {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.Tenancy = types.TenancyDedicated }, invalid, "DEDICATED"},
		"unknown":                       {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.DirectoryId = new("d-0123456789") }, notFound, "d-0123456789"},
		"unknown, of pools":             {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.DirectoryId = new("wsd-012345678") }, notFound, "wsd-012345678"},
		"in another region":             {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.DirectoryId = &far }, notFound, far},
		"not active":                    {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.DirectoryId = &creating }, badState, "Failed"},
		"one subnet":                    {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA} }, notSupported, "two subnets"},
		"the same subnet":               {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA, subnetA} }, notSupported, "two subnets"},
		"one zone":                      {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA, sameAZ} }, notSupported, region + "a"},
		"two networks":                  {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA, other} }, badNetwork, vpc},
		"two networks for pools":        {own, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA, other} }, badNetwork, vpc},
		"no such subnet":                {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{subnetA, nowhere} }, invalid, nowhere},
		"a subnet far away":             {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = []string{farA, subnetB} }, invalid, farA},
		"a reserved tag":                {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.Tags = tags(1, "aws:x") }, invalid, "aws:x"},
		"too many tags":                 {ad, func(in *sdk.RegisterWorkspaceDirectoryInput) { in.Tags = tags(51, "") }, limit, "50"},
	} {
		in := r.in
		if r.change != nil {
			r.change(&in)
		}
		_, err := c.RegisterWorkspaceDirectory(t.Context(), &in)
		if err == nil {
			t.Errorf("%s is registered", name)
			continue
		}
		refused(t, err, r.want, r.says)
	}
	out, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{})
	if err != nil || len(out.Directories) > 0 {
		t.Errorf("what was refused is there: %v, %v", out.Directories, err)
	}
}

func TestRegisterQuota(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits = workspaces.AWSLimits().Instantly() })
	for range 50 {
		s.home(t)
	}
	id := s.directory(t, s.client().scope)
	_, err := s.client().RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
	refused(t, err, limit, "50", region)
	s.homeOf(t, s.as(account, farRegion))
	s.homeOf(t, s.as(stranger, region))
}

// TestRegistrationStates goes through them with the clock in hand.
func TestRegistrationStates(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.Registration = 30 * time.Second
	})
	c := s.client()
	id := s.directory(t, c.scope, "jane")
	register := func() error {
		_, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
		return err
	}
	deregister := func() error {
		_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &id})
		return err
	}
	if err := register(); err != nil {
		t.Fatal(err)
	}
	if d := s.describeDirectory(t, c, id); d.State != types.WorkspaceDirectoryStateRegistering {
		t.Errorf("it is %s", d.State)
	}
	refused(t, register(), exists)
	refused(t, deregister(), badState, "REGISTERING")
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(id, "jane")}})
	wantFailed(t, out, err, "ResourceNotFound.Directory")

	s.advance(t, time.Minute, c)
	s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, id).State == types.WorkspaceDirectoryStateRegistered })
	refused(t, register(), exists)
	if err := deregister(); err != nil {
		t.Fatal(err)
	}
	if d := s.describeDirectory(t, c, id); d.State != types.WorkspaceDirectoryStateDeregistering {
		t.Errorf("it is %s", d.State)
	}
	refused(t, register(), badState, "DEREGISTERING")
	refused(t, deregister(), badState, "DEREGISTERING")
	out, err = c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(id, "jane")}})
	wantFailed(t, out, err, "ResourceNotFound.Directory")

	s.advance(t, time.Minute, c)
	s.await(t, "gone", func() bool { return s.describeDirectory(t, c, id) == nil })
	refused(t, deregister(), notFound, id)
	if err := register(); err != nil {
		t.Errorf("a directory that was deregistered: %v", err)
	}
}

func TestDescribeWorkspaceDirectories(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	var ids []string
	for range 3 {
		ids = append(ids, s.home(t))
	}
	for i := range 2 {
		ids = append(ids, s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{
			WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged, SubnetIds: []string{subnetA, subnetB},
			WorkspaceDirectoryName: new(fmt.Sprintf("Pools %d", i)), WorkspaceDirectoryDescription: new("For pools"),
		}))
	}
	filter := func(name types.DescribeWorkspaceDirectoriesFilterName, values ...string) types.DescribeWorkspaceDirectoriesFilter {
		return types.DescribeWorkspaceDirectoriesFilter{Name: name, Values: values}
	}
	for name, f := range map[string]struct {
		in   sdk.DescribeWorkspaceDirectoriesInput
		want []string
	}{
		"all":          {sdk.DescribeWorkspaceDirectoriesInput{}, ids},
		"by id":        {sdk.DescribeWorkspaceDirectoriesInput{DirectoryIds: []string{ids[4], ids[1], ids[1], "d-0123456789"}}, []string{ids[1], ids[4]}},
		"unknown":      {sdk.DescribeWorkspaceDirectoriesInput{DirectoryIds: []string{"d-0123456789"}}, nil},
		"by name":      {sdk.DescribeWorkspaceDirectoriesInput{WorkspaceDirectoryNames: []string{"Pools 1", "Pools 7"}}, ids[4:]},
		"name and id":  {sdk.DescribeWorkspaceDirectoriesInput{WorkspaceDirectoryNames: []string{"Pools 1"}, DirectoryIds: ids[:2]}, nil},
		"pools":        {sdk.DescribeWorkspaceDirectoriesInput{Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("WORKSPACE_TYPE", "POOLS")}}, ids[3:]},
		"either type":  {sdk.DescribeWorkspaceDirectoriesInput{Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("WORKSPACE_TYPE", "POOLS", "PERSONAL")}}, ids},
		"by identity":  {sdk.DescribeWorkspaceDirectoriesInput{Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("USER_IDENTITY_TYPE", "AWS_DIRECTORY_SERVICE")}}, ids[:3]},
		"both filters": {sdk.DescribeWorkspaceDirectoriesInput{Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("USER_IDENTITY_TYPE", "AWS_DIRECTORY_SERVICE"), filter("WORKSPACE_TYPE", "POOLS")}}, nil},
		"no such type": {sdk.DescribeWorkspaceDirectoriesInput{Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("WORKSPACE_TYPE", "OTHER")}}, nil},
	} {
		for _, size := range []int32{0, 1, 2, 25} {
			in := f.in
			if size > 0 {
				in.Limit = &size
			}
			var got []string
			pages := sdk.NewDescribeWorkspaceDirectoriesPaginator(c, &in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if size > 0 && len(page.Directories) > int(size) {
					t.Errorf("%s: a page of %d", name, len(page.Directories))
				}
				for _, d := range page.Directories {
					got = append(got, *d.DirectoryId)
				}
			}
			if !slices.Equal(got, f.want) {
				t.Errorf("%s by %d: got %v, want %v", name, size, got, f.want)
			}
		}
	}
	first, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{Limit: new(int32(1))})
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]*sdk.DescribeWorkspaceDirectoriesInput{
		"garbage":       {NextToken: new("garbage")},
		"other filters": {NextToken: first.NextToken, Filters: []types.DescribeWorkspaceDirectoriesFilter{filter("WORKSPACE_TYPE", "POOLS")}},
		"other ids":     {NextToken: first.NextToken, DirectoryIds: ids[:1]},
	} {
		_, err := c.DescribeWorkspaceDirectories(t.Context(), in)
		refused(t, err, invalid, "NextToken")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestDeregisterWorkspaceDirectory(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits.TerminatedStays = time.Hour })
	c := s.client()
	id := s.home(t, "jane")
	deregister := func() error {
		_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &id})
		return err
	}
	w := s.create(t, c, order(id, "jane"))[0]
	refused(t, deregister(), notSupported, "still has WorkSpaces")
	_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: new("d-0123456789")})
	refused(t, err, notFound, "d-0123456789")
	// One that has been TERMINATED is still seen, and in nobody's way.
	terminate(t, c, w)
	s.awaitState(t, c, w, types.WorkspaceStateTerminated)
	if err := deregister(); err != nil {
		t.Fatal(err)
	}
	s.await(t, "gone", func() bool { return s.describeDirectory(t, c, id) == nil })
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
	s.create(t, c, order(id, "jane"))
}

// TestAnyNetwork registers with what a test suite's own network emulator made.
func TestAnyNetwork(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.AnySubnet, set.DedicatedTenancy = true, true })
	brought := []string{"subnet-01234567", "subnet-0123456789abcdef1"}
	for _, c := range []client{s.client(), s.as(account, farRegion), s.as(stranger, region)} {
		id := s.directory(t, c.scope, "jane", "john")
		s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id, SubnetIds: brought, Tenancy: types.TenancyDedicated})
		if d := s.describeDirectory(t, c, id); d.Tenancy != types.TenancyDedicated || !slices.Equal(d.SubnetIds, brought) {
			t.Errorf("%s %v", d.Tenancy, d.SubnetIds)
		}
		for _, w := range s.describe(t, c, s.create(t, c, order(id, "jane"), order(id, "john"))...) {
			if !slices.Contains(brought, *w.SubnetId) || w.IpAddress == nil {
				t.Errorf("%s in %s", *w.WorkspaceId, *w.SubnetId)
			}
		}
	}
	id := s.directory(t, s.client().scope, "jane")
	s.register(t, s.client(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id, SubnetIds: []string{"subnet-76543210"}})
	s.create(t, s.client(), order(id, "jane"))
	_, err := s.client().RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{
		DirectoryId: new(s.directory(t, s.client().scope)), SubnetIds: []string{"subnet-76543210", "subnet-76543210"},
	})
	refused(t, err, notSupported)
}
