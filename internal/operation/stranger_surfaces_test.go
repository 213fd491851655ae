package operation_test

import (
	"maps"
	"strings"
	"testing"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// surface is a service as strangers see it.
type surface struct {
	api        *api.Service
	token      string // the member for pages; "" where there are none
	tokenAlone bool   // the rest of the owner\'s request would be refused before its token is looked at
	model      *model
	operations []string // that are carried out
	names      func(*world) map[string][]string
	samples    map[string]string              // of what a request needs and names nothing
	worded     map[string]func(string) string // how texts of a kind hold a name; absent: they are one
	nameless   map[string]string              // operations that name nothing of an account's, and why
	unnamed    map[string]string              // kinds of texts that name nothing of an account's, and why
	// fitting are members that an operation needs beside the least before it looks at the name in
	// a member: what there is of the stranger's world, or of what anybody may know of the owner's.
	fitting func(p *prober, operation, member string) map[string]any
}

// of is a maker of requests that are made of what a world has, but for names that are to be chosen.
func (s *surface) of(w *world) *model {
	own := make(map[string]string)
	for kind, names := range s.names(w) {
		if !strings.HasSuffix(kind, "Name") {
			own[kind] = names[0]
		}
	}
	maps.Copy(own, s.samples)
	return &model{Operations: s.model.Operations, Shapes: s.model.Shapes, own: own}
}

func workspacesSurface(t *testing.T) *surface {
	t.Helper()
	return &surface{
		api: wsapi.Service, token: "NextToken", model: readModel(t), names: (*world).names,
		operations: operations(t), nameless: namelessWorkSpaces(), unnamed: unnamedWorkSpaces(), fitting: fittingWorkSpaces,
	}
}

func directorySurface(t *testing.T) *surface {
	t.Helper()
	s := &surface{
		api: ds.Service, token: "NextToken", model: readModelOf(t, "ds"),
		names: func(w *world) map[string][]string {
			directories := []string{w.microsoft, w.directory, w.unregistered}
			return map[string][]string{
				"DirectoryId": directories, "ResourceId": directories, "TrustId": {w.trust},
				"DomainControllerId": {(&workspaces.Directory{ID: w.microsoft}).DomainControllerID(0)},
			}
		},
		samples: map[string]string{
			"AliasName": "desks", "LogGroupName": "/logs", "RemoteDomainName": "other.example.org", "TrustPassword": "Str0ng-enough",
			"UserPassword": "Str0ng-enough", "CustomerUserName": "jane", "DirectoryConfigurationSettingName": "TLS_1_0",
			"DirectoryConfigurationSettingValue": "Disable",
		},
		nameless: namelessDirectories(), unnamed: unnamedDirectories(),
		fitting: nothingElse,
	}
	s.operations = typed(ds.Service)
	return s
}

// nothingElse is the fitting of a service whose operations need no more than the least.
func nothingElse(*prober, string, string) map[string]any { return nil }

// typed are the operations of a service that have types: those that are carried out.
func typed(service *api.Service) (names []string) {
	for _, op := range service.Operations {
		if _, untyped := op.(api.Operation[api.Unmodelled, api.Unmodelled]); !untyped {
			names = append(names, op.Spec().Name)
		}
	}
	return names
}

func taggingSurface(t *testing.T) *surface {
	t.Helper()
	const settled = "it is a setting"
	return &surface{
		api: tagging.Service, token: "PaginationToken", model: readModelOf(t, "resourcegroupstaggingapi"),
		operations: typed(tagging.Service),
		names: func(w *world) map[string][]string {
			var arns []string
			for _, resource := range []string{"workspace/" + w.workspace, "directory/" + w.pools, "workspacespool/" + w.pool, "workspaceimage/" + w.image} {
				arns = append(arns, "arn:aws:workspaces:"+w.scope.Region+":"+w.scope.Account+":"+resource)
			}
			return map[string][]string{"ResourceARN": arns, "TagKey": {"key-" + w.word}}
		},
		nameless: map[string]string{"GetTagKeys": "it asks for nothing but the caller's own"},
		unnamed: map[string]string{
			"PaginationToken": "TestStrangers uses the owner's", "TagValue": "it is a text", "AmazonResourceType": settled,
		},
		fitting: nothingElse,
	}
}

func namelessDirectories() map[string]string {
	const makes = "it makes a directory, whose name may be anybody's as well"
	return map[string]string{
		"ConnectDirectory": makes, "CreateDirectory": makes, "CreateMicrosoftAD": makes,
		"GetDirectoryLimits": "it asks for nothing but the caller's own",
	}
}

func unnamedDirectories() map[string]string {
	const (
		text     = "it is a text"
		secret   = "it is a password"
		everyone = "it names something that is there for everybody"
	)
	return map[string]string{
		"Description": text, "TagKey": text, "TagValue": text, "DirectoryName": text, "DirectoryShortName": text, "LogGroupName": text,
		"RemoteDomainName": text, "IpAddr": text, "Ipv6Addr": text,
		"DirectoryConfigurationSettingName": text, "DirectoryConfigurationSettingValue": text,
		"AliasName":        "an alias is one directory's in all the world",
		"CustomerUserName": "a directory is named with it", "UserName": "a directory is named with it",
		"Password": secret, "ConnectPassword": secret, "TrustPassword": secret, "UserPassword": secret,
		"SubnetId": everyone, "VpcId": everyone,
		"NextToken": "TestStrangers uses the owner's",
	}
}

// fittingWorkSpaces are members that an operation needs beside the least before it looks at the name in a
// member: what there is of the stranger's world, or of what anybody may know of the owner's.
func fittingWorkSpaces(p *prober, operation, member string) map[string]any {
	switch operation {
	case "CopyWorkspaceImage":
		return map[string]any{"SourceRegion": p.owner.scope.Region}
	case "CreateStandbyWorkspaces":
		from := p.owner.scope.Region
		if from == p.own.scope.Region {
			from = farRegion
		}
		return map[string]any{"PrimaryRegion": from}
	case "CreateWorkspaceBundle":
		return map[string]any{"UserStorage": map[string]any{"Capacity": "50"}, "ComputeType": map[string]any{"Name": "STANDARD"}}
	case "CreateWorkspacesPool":
		return map[string]any{"DirectoryId": p.own.pools, "Capacity": map[string]any{"DesiredUserSessions": 1}}
	case "DescribeWorkspaces":
		if member == "UserName" {
			return map[string]any{"DirectoryId": p.own.directory}
		}
	case "ImportClientBranding":
		return map[string]any{"DeviceTypeWeb": map[string]any{"SupportEmail": "a@example.org"}}
	case "RegisterWorkspaceDirectory":
		if member == "WorkspaceDirectoryName" {
			return map[string]any{
				"WorkspaceType": "POOLS", "UserIdentityType": "CUSTOMER_MANAGED", "WorkspaceDirectoryDescription": "For pools",
				"SubnetIds": p.own.subnets(),
			}
		}
	case "UpdateWorkspaceBundle":
		return map[string]any{"BundleId": p.own.bundle, "ImageId": p.own.image}
	}
	return nil
}

// namelessWorkSpaces are the operations that name nothing of an account's, and why.
func namelessWorkSpaces() map[string]string {
	const caller = "it asks for nothing but the caller's own"
	return map[string]string{
		"DescribeAccount": caller, "DescribeAccountModifications": caller, "ListAccountLinks": caller,
		"CreateAccountLinkInvitation":       "it names an account, which is there for everybody",
		"CreateConnectionAlias":             "host names are one account's in all the world: TestConnectionStringIsReserved",
		"ListAvailableManagementCidrRanges": "it is asked with a range of addresses", "ModifyAccount": caller,
	}
}

// unnamedWorkSpaces are the kinds of texts that name nothing of an account's world, and why.
func unnamedWorkSpaces() map[string]string {
	const (
		text     = "it is a text to be shown"
		others   = "it names something of another service"
		settled  = "it is a setting"
		everyone = "it names something that is there for everybody"
	)
	return map[string]string{
		"AddInName": text, "AddInUrl": text, "IpGroupDesc": text, "IpRuleDesc": text, "UpdateDescription": text,
		"WorkspaceBundleDescription": text, "WorkspaceDirectoryDescription": text, "WorkspaceImageDescription": text,
		"ClientEmail": text, "ClientLocale": text, "ClientLoginMessage": text, "ClientUrl": text, "TagKey": text, "TagValue": text,
		"NonEmptyString": "it is a size, or the key of a tag on a resource that is named",

		"ARN": others, "AlphanumericDashUnderscoreNonEmptyString": others, "CertificateAuthorityArn": others, "SecretsManagerArn": others,
		"MicrosoftEntraConfigTenantId": others, "SecurityGroupId": others, "VolumeEncryptionKey": others, "InfrastructureConfigurationArn": others,
		"DomainName": others,

		"DedicatedTenancyManagementCidrRange": settled, "DefaultOu": settled, "IpRule": settled, "Ipv6Address": settled,
		"ManagementCidrRangeConstraint": settled, "SamlUserAccessUrl": settled, "SettingsGroup": settled, "Region": settled,

		"Ec2ImageId": everyone, "Ec2ImportTaskId": everyone, "ImageBuildVersionArn": everyone, "SubnetId": everyone,
		"AwsAccount": everyone, "BundleOwner": everyone, "WorkSpaceApplicationOwner": everyone,

		"ClientToken":                             "TestStrangers uses the owner's, for a request of its own",
		"ConnectionString":                        "host names are one account's in all the world: TestConnectionStringIsReserved",
		"PaginationToken":                         "TestStrangers uses the owner's",
		"WorkspacesPoolUserId":                    "a pool is named with it",
		"DescribeWorkspaceDirectoriesFilterValue": "it is a setting that directories are looked for by",
	}
}
