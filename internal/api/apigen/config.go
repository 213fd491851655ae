package main

import (
	"slices"

	"carrel/internal/api"
)

// target is one service to generate.
type target struct {
	model    string         // name of the pinned model and of botocore's folder
	pkg      string         // name of the Go package and its folder
	title    string         // the service's name in the package comment
	protocol api.Protocol   // how the service is spoken
	also     []api.Protocol // how else
	version  string         // botocore's folder of the API version
	typed    []string       // the operations to generate types for; nil means all
	// matchers name hand-written Go functions of the package for patterns that need look-ahead, by shape.
	matchers map[string]string
	// widened are patterns that let through more than the model's, by shape. Messages show the model's.
	widened map[string]string
	// statuses set the HTTP status of exceptions for which the model has none and that are no plain 400.
	statuses map[string]int
	// missing is the exception for a required member that is absent, of the operations that declare it.
	missing string
}

// speaks reports whether a protocol is among the service's.
func (t target) speaks(p api.Protocol) bool { return t.protocol == p || slices.Contains(t.also, p) }

// anyDirectory is the pattern of ids of directories that users can be in: Directory Service's, and those of WorkSpaces' own,
// whose users no other public API could make. Source: DirectoryId of WorkSpaces.
const anyDirectory = `^(d-[0-9a-f]{10}|wsd-[0-9a-z]{8,63})$`

// targets lists what is generated. To answer one more operation of ds or sts, name it here and run go generate.
func targets() []target {
	return []target{
		{
			model: "workspaces", pkg: "workspaces", title: "Amazon WorkSpaces",
			protocol: api.JSON11, version: "2015-04-08",
			statuses: map[string]int{"InternalServerException": 500},
		},
		{
			model: "ds", pkg: "ds", title: "AWS Directory Service",
			protocol: api.JSON11, version: "2015-04-16",
			typed: []string{
				"AddTagsToResource", "ConnectDirectory", "CreateAlias", "CreateConditionalForwarder", "CreateDirectory",
				"CreateLogSubscription", "CreateMicrosoftAD", "CreateTrust", "DeleteConditionalForwarder", "DeleteDirectory",
				"DeleteLogSubscription", "DeleteTrust", "DescribeConditionalForwarders", "DescribeDirectories",
				"DescribeDirectoryDataAccess", "DescribeDomainControllers", "DescribeLDAPSSettings", "DescribeSettings", "DescribeTrusts", "DisableDirectoryDataAccess", "DisableLDAPS", "DisableSso",
				"EnableDirectoryDataAccess", "EnableLDAPS", "EnableSso", "GetDirectoryLimits", "ListLogSubscriptions",
				"ListTagsForResource", "RemoveTagsFromResource", "ResetUserPassword",
				"UpdateConditionalForwarder", "UpdateNumberOfDomainControllers", "UpdateSettings", "UpdateTrust", "VerifyTrust",
			},
			matchers: map[string]string{
				"AliasName": "matchAliasName", "CustomerUserName": "matchCustomerUserName", "Password": "IsPassword",
			},
			widened: map[string]string{"DirectoryId": anyDirectory},
		},
		{
			model: "ds-data", pkg: "dsdata", title: "AWS Directory Service Data",
			protocol: api.RESTJSON, version: "2023-05-31",
			widened: map[string]string{"DirectoryId": anyDirectory},
		},
		{
			model: "sts", pkg: "sts", title: "AWS Security Token Service",
			protocol: api.Query, version: "2011-06-15",
			typed: []string{"GetCallerIdentity"},
		},
		{
			model: "resourcegroupstaggingapi", pkg: "tagging", title: "AWS Resource Groups Tagging API",
			protocol: api.JSON11, version: "2017-01-26",
			typed: []string{"GetResources", "GetTagKeys", "GetTagValues", "TagResources", "UntagResources"},
		},
		{
			model: "cloudwatch", pkg: "monitoring", title: "Amazon CloudWatch",
			protocol: api.RPCCBOR, also: []api.Protocol{api.JSON10, api.Query}, version: "2010-08-01",
			typed:   []string{"GetMetricData", "GetMetricStatistics", "ListMetrics"},
			missing: "MissingRequiredParameterException",
		},
	}
}
