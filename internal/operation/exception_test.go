package operation_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// noPolicies is why most operations that declare AccessDeniedException never answer it.
const noPolicies = "every key may do everything in its account"

// unreachable are the exceptions that an operation declares and Carrel has no cause for.
func unreachable() map[string]map[string]string {
	const (
		byModel       = "its members are checked by the model"
		noRoles       = "there are no IAM roles, so none is missing"
		noFailures    = "what is made is a row, which is written or not"
		noGroupStates = "groups have no states"
		allKinds      = "every kind of directory can have groups"
		redirects     = "redirection works in every region"
		allSeen       = "applications can be seen everywhere"
		allImages     = "every image can be copied, brought up to date and imported"
	)
	return map[string]map[string]string{
		"RegisterWorkspaceDirectory":   {denied: noPolicies, "WorkspacesDefaultRoleNotFoundException": noRoles},
		"DeregisterWorkspaceDirectory": {denied: noPolicies, invalid: "its one member is checked by the model"},
		"DescribeWorkspaces":           {"ResourceUnavailableException": "what is described is in the store, which is there or fails as a whole"},
		"RebootWorkspaces":             {notSupported: "what cannot be rebooted fails alone"},
		"DeleteTags":                   {invalid: "its members are checked by the model"},
		"CreateIpGroup":                {denied: noPolicies, "ResourceCreationFailedException": noFailures},
		"DescribeIpGroups":             {denied: noPolicies},
		"DeleteIpGroup":                {denied: noPolicies, invalid: "its one member is checked by the model"},
		"AuthorizeIpRules":             {denied: noPolicies, badState: noGroupStates},
		"RevokeIpRules":                {denied: noPolicies, badState: noGroupStates},
		"UpdateRulesOfIpGroup":         {denied: noPolicies, badState: noGroupStates},
		"AssociateIpGroups":            {denied: noPolicies, notSupported: allKinds},
		"DisassociateIpGroups":         {denied: noPolicies, notSupported: allKinds},

		"DescribeAccount":              {denied: noPolicies},
		"DescribeAccountModifications": {denied: noPolicies},
		"ModifyAccount":                {notFound: "it is the caller's account"},
		"AcceptAccountLinkInvitation":  {internal: noFailures},
		"CreateAccountLinkInvitation":  {denied: noPolicies, internal: noFailures},
		"DeleteAccountLinkInvitation":  {internal: noFailures},
		"GetAccountLink":               {denied: noPolicies, internal: noFailures},
		"ListAccountLinks":             {denied: noPolicies, internal: noFailures},
		"RejectAccountLinkInvitation":  {internal: noFailures},

		"AssociateConnectionAlias":           {denied: noPolicies, notSupported: redirects},
		"CreateConnectionAlias":              {denied: noPolicies, notSupported: redirects},
		"DeleteConnectionAlias":              {invalid: "its one member is checked by the model", notSupported: redirects},
		"DescribeConnectionAliases":          {denied: noPolicies, notSupported: redirects},
		"DescribeConnectionAliasPermissions": {notSupported: redirects},
		"DisassociateConnectionAlias":        {invalid: "its one member is checked by the model", notSupported: redirects},
		"UpdateConnectionAliasPermission":    {notSupported: redirects},

		"DescribeWorkspaceSnapshots": {denied: noPolicies, invalid: "its one member is checked by the model"},
		"MigrateWorkspace":           {denied: noPolicies},
		"ModifyWorkspaceProperties":  {denied: noPolicies},
		"ModifyWorkspaceState":       {invalid: byModel, notSupported: "every WorkSpace can be locked"},
		"RebuildWorkspaces":          {notSupported: "what cannot be rebuilt fails alone"},
		"RestoreWorkspace":           {denied: noPolicies, invalid: "its one member is checked by the model"},

		"ModifyWorkspaceAccessProperties":      {denied: noPolicies},
		"ModifyWorkspaceCreationProperties":    {denied: noPolicies},
		"ModifyStreamingProperties":            {denied: noPolicies},
		"ModifySamlProperties":                 {denied: noPolicies},
		"ModifyCertificateBasedAuthProperties": {denied: noPolicies},
		"ModifySelfservicePermissions":         {denied: noPolicies, invalid: byModel},
		"ModifyClientProperties":               {denied: noPolicies, invalid: byModel},
		"DescribeClientProperties":             {denied: noPolicies, invalid: byModel},
		"ModifyEndpointEncryptionMode":         {denied: noPolicies},
		"ImportClientBranding":                 {denied: noPolicies},
		"CreateConnectClientAddIn":             {denied: noPolicies, "ResourceCreationFailedException": noFailures},
		"DescribeConnectClientAddIns":          {denied: noPolicies},
		"UpdateConnectClientAddIn":             {denied: noPolicies},
		"DeleteConnectClientAddIn":             {denied: noPolicies, invalid: byModel},
		"DescribeClientBranding":               {denied: noPolicies, invalid: byModel},
		"DeleteClientBranding":                 {denied: noPolicies, invalid: byModel},

		"AssociateWorkspaceApplication":    {denied: noPolicies, invalid: byModel},
		"DeployWorkspaceApplications":      {denied: noPolicies, invalid: byModel},
		"DisassociateWorkspaceApplication": {denied: noPolicies, invalid: byModel},
		"DescribeApplications":             {denied: noPolicies, notSupported: allSeen, notFound: "ids that the catalogue does not have are left out"},
		"DescribeApplicationAssociations":  {denied: noPolicies, notSupported: allSeen},
		"DescribeBundleAssociations":       {denied: noPolicies, notSupported: allSeen, invalid: byModel},
		"DescribeImageAssociations":        {denied: noPolicies, notSupported: allSeen, invalid: byModel},
		"DescribeWorkspaceAssociations":    {denied: noPolicies, notSupported: allSeen, invalid: byModel},

		"CopyWorkspaceImage":                 {denied: noPolicies, notSupported: allImages},
		"CreateUpdatedWorkspaceImage":        {notSupported: allImages},
		"CreateWorkspaceImage":               {denied: noPolicies},
		"DescribeCustomWorkspaceImageImport": {denied: noPolicies},
		"DescribeWorkspaceImages":            {denied: noPolicies},
		"ImportCustomWorkspaceImage":         {denied: noPolicies, notSupported: allImages},
		"ImportWorkspaceImage":               {denied: noPolicies},

		"CreateStandbyWorkspaces": {denied: noPolicies},

		"CreateWorkspacesPool":           {denied: noPolicies},
		"DescribeWorkspacesPools":        {denied: noPolicies, notFound: "ids that do not exist are left out"},
		"DescribeWorkspacesPoolSessions": {denied: noPolicies},
		"TerminateWorkspacesPoolSession": {
			denied: noPolicies, invalid: byModel, notSupported: "every session can be ended",
		},
		"StartWorkspacesPool": {
			denied: noPolicies, invalid: byModel, limit: "its capacity was checked when it was given", notSupported: "every pool can be started",
		},
		"StopWorkspacesPool":      {denied: noPolicies, invalid: byModel},
		"TerminateWorkspacesPool": {denied: noPolicies, invalid: byModel, badState: "in any state", inProgress: "whatever it is at"},
		"UpdateWorkspacesPool":    {denied: noPolicies},
	}
}

// way leads an operation to an exception.
type way struct {
	op   api.Info
	want string
	do   func() error
}

// TestExceptions drives every operation, by the official SDK, into every exception that it declares and
// Carrel has a cause for, and those that answer failures beside successes into one of these.
// What an operation does not declare, the harness reports in all tests. TestExceptionsOnPurpose has
// the SDK read the others.
func TestExceptions(t *testing.T) {
	t.Parallel()
	driven := make(map[string]map[string]bool)
	// A group of operations has a function, beside its other tests, that starts what it needs.
	for _, w := range slices.Concat(
		waysOfWorkSpaces(t), waysOfIPGroups(t),
		waysOfConnectionAliases(t),
		waysOfAccounts(t), waysOfAccountLinks(t),
		waysOfBundles(t), waysOfImages(t), waysOfImports(t),
		waysOfDirectorySettings(t), waysOfBranding(t), waysOfClientAddIns(t),
		waysOfVolumes(t), waysOfStandbys(t),
		waysOfApplications(t),
		waysOfPools(t),
		waysOfItems(t), waysOfReaders(t),
	) {
		refused(t, w.do(), w.want)
		if driven[w.op.Name] == nil {
			driven[w.op.Name] = make(map[string]bool)
		}
		driven[w.op.Name][w.want] = true
	}
	for _, op := range wsapi.Service.Operations {
		spec := op.Spec()
		for name := range unreachable()[spec.Name] {
			if driven[spec.Name][name] {
				t.Errorf("%s: %s is not unreachable", spec.Name, name)
			}
		}
		if (len(driven[spec.Name]) == 0) != (spec.Name == "DescribeAccount") { // which is asked nothing, and may be by everybody
			t.Errorf("%s fails with %v here", spec.Name, slices.Collect(maps.Keys(driven[spec.Name])))
		}
		maps.DeleteFunc(driven[spec.Name], func(name string, _ bool) bool { return !spec.Declares(name) })
		known := slices.Sorted(maps.Keys(driven[spec.Name]))
		known = slices.Sorted(slices.Values(slices.AppendSeq(known, maps.Keys(unreachable()[spec.Name]))))
		if declared := slices.Sorted(slices.Values(spec.Exceptions)); !slices.Equal(known, declared) {
			t.Errorf("%s declares %v, of which the tests know %v", spec.Name, declared, known)
		}
	}
}

// waysOfWorkSpaces are those of WorkSpaces, their directories and tags.
func waysOfWorkSpaces(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, func(set *setup) {
		set.Limits.WorkSpaces, set.Limits.RegisteredDirectories = 1, 2
		set.Limits.Registration = time.Hour
		set.Clock.Freeze()
	})
	c := s.client()
	home, waiting, third := s.directory(t, c.scope), s.directory(t, c.scope), s.directory(t, c.scope)
	failing := s.directory(t, c.scope)
	s.change(t, failing, func(d *workspaces.Directory) { d.Enter(workspaces.StageFailed, s.clock.Now()) })
	register := func(change func(*sdk.RegisterWorkspaceDirectoryInput)) error {
		in := sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &third}
		change(&in)
		_, err := c.RegisterWorkspaceDirectory(t.Context(), &in)
		return err
	}
	subnets := func(ids ...string) error {
		return register(func(in *sdk.RegisterWorkspaceDirectoryInput) { in.SubnetIds = ids })
	}
	directory := func(id string) error {
		return register(func(in *sdk.RegisterWorkspaceDirectoryInput) { in.DirectoryId = &id })
	}
	deregister := func(id string) error {
		_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &id})
		return err
	}
	create := func(orders ...types.WorkspaceRequest) error {
		_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: orders})
		return err
	}
	if err := directory(home); err != nil {
		t.Fatal(err)
	}
	s.advance(t, 2*time.Hour, c)
	s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, home).State == types.WorkspaceDirectoryStateRegistered })
	badPair := properties(types.WorkspaceProperties{RootVolumeSizeGib: new(int32(1))})
	w := s.create(t, c, order(home, "jane"))[0]
	createTags := func(id string, tags ...types.Tag) error {
		_, err := c.CreateTags(t.Context(), &sdk.CreateTagsInput{ResourceId: &id, Tags: tags})
		return err
	}
	return []way{
		{wsapi.RegisterWorkspaceDirectory.Spec(), invalid, func() error { return subnets(nowhere, subnetA) }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), notFound, func() error { return directory("d-0123456789") }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), badState, func() error { return directory(failing) }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), badNetwork, func() error { return subnets(subnetA, other) }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), notSupported, func() error { return subnets(subnetA, sameAZ) }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), exists, func() error { return directory(home) }},
		{wsapi.RegisterWorkspaceDirectory.Spec(), limit, func() error {
			if err := directory(waiting); err != nil {
				return err
			}
			return directory(third)
		}},
		{wsapi.DeregisterWorkspaceDirectory.Spec(), badState, func() error { return deregister(waiting) }},
		{wsapi.DeregisterWorkspaceDirectory.Spec(), notFound, func() error { return deregister(third) }},
		{wsapi.DeregisterWorkspaceDirectory.Spec(), notSupported, func() error { return deregister(home) }},
		{wsapi.DescribeWorkspaceDirectories.Spec(), invalid, func() error {
			_, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{NextToken: new("x")})
			return err
		}},
		{wsapi.CreateWorkspaces.Spec(), invalid, func() error { return create(order(home, "john", badPair)) }},
		{wsapi.CreateWorkspaces.Spec(), limit, func() error { return create(order(home, "john")) }},
		{wsapi.DescribeWorkspaces.Spec(), invalid, func() error {
			_, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{UserName: new("jane")})
			return err
		}},
		{wsapi.DescribeWorkspacesConnectionStatus.Spec(), invalid, func() error {
			_, err := c.DescribeWorkspacesConnectionStatus(t.Context(), &sdk.DescribeWorkspacesConnectionStatusInput{NextToken: new("x")})
			return err
		}},
		{wsapi.DescribeWorkspaceBundles.Spec(), invalid, func() error {
			_, err := c.DescribeWorkspaceBundles(t.Context(), &sdk.DescribeWorkspaceBundlesInput{NextToken: new("x")})
			return err
		}},
		{wsapi.CreateTags.Spec(), invalid, func() error { return createTags(w, tags(1, "aws:")...) }},
		{wsapi.CreateTags.Spec(), limit, func() error { return createTags(w, tags(51, "")...) }},
		{wsapi.CreateTags.Spec(), notFound, func() error { return createTags(unknown, tags(1, "")...) }},
		{wsapi.DeleteTags.Spec(), notFound, func() error {
			_, err := c.DeleteTags(t.Context(), &sdk.DeleteTagsInput{ResourceId: new(unknown), TagKeys: []string{"a"}})
			return err
		}},
		{wsapi.DescribeTags.Spec(), notFound, func() error {
			_, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: new(unknown)})
			return err
		}},
	}
}
