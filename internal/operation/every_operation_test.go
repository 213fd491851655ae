package operation_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go/middleware"
)

// tally notes which operations have succeeded, as the official SDK understands the replies.
type tally struct {
	mu        sync.Mutex
	succeeded map[string]bool
}

// on returns a client whose successes are noted.
func (l *tally) on(c client) client {
	note := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		out middleware.InitializeOutput, metadata middleware.Metadata, err error,
	) {
		out, metadata, err = next.HandleInitialize(ctx, in)
		if err == nil && !partlyFailed(out.Result) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.succeeded[awsmiddleware.GetOperationName(ctx)] = true
		}
		return out, metadata, err
	}
	options := c.Options()
	options.APIOptions = append(slices.Clone(options.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("tally", note), middleware.After)
	})
	return client{sdk.New(options), c.scope}
}

// partlyFailed reports whether a reply lists requests that failed.
func partlyFailed(output any) bool {
	reply := reflect.ValueOf(output).Elem()
	for i := range reply.NumField() {
		if strings.HasPrefix(reply.Type().Field(i).Name, "Failed") && reply.Field(i).Len() > 0 {
			return true
		}
	}
	return false
}

// TestEveryOperationSucceeds leads each of the 91 to a success, by the official SDK: some while a
// world is made, the others in it.
func TestEveryOperationSucceeds(t *testing.T) {
	t.Parallel()
	s := worldly(t, account)
	l := &tally{succeeded: make(map[string]bool)}
	w := s.furnish(t, l.on(s.client()), "mine", "444444444444")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	describeAll(t, w, must)
	changeSettings(t, w, must)
	changeDesktops(t, s, w, must)
	linkAccounts(t, s, l, w, must)
	standFar(t, s, l, w)
	endAll(t, s, w, must)
	var missing []string
	for _, name := range operations(t) {
		if !l.succeeded[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("these operations succeed nowhere here: %s", strings.Join(missing, ", "))
	}
}

// describeAll calls what tells of a world and has not been called while it was made.
func describeAll(t *testing.T, w *world, must func(any, error)) {
	t.Helper()
	ctx := t.Context()
	must(w.DescribeAccount(ctx, &sdk.DescribeAccountInput{}))
	must(w.DescribeAccountModifications(ctx, &sdk.DescribeAccountModificationsInput{}))
	must(w.DescribeApplications(ctx, &sdk.DescribeApplicationsInput{}))
	must(w.DescribeApplicationAssociations(ctx, &sdk.DescribeApplicationAssociationsInput{
		ApplicationId: &w.application, AssociatedResourceTypes: []types.ApplicationAssociatedResourceType{types.ApplicationAssociatedResourceTypeWorkspace},
	}))
	must(w.DescribeBundleAssociations(ctx, &sdk.DescribeBundleAssociationsInput{
		BundleId: &w.bundle, AssociatedResourceTypes: []types.BundleAssociatedResourceType{types.BundleAssociatedResourceTypeApplication},
	}))
	must(w.DescribeImageAssociations(ctx, &sdk.DescribeImageAssociationsInput{
		ImageId: &w.image, AssociatedResourceTypes: []types.ImageAssociatedResourceType{types.ImageAssociatedResourceTypeApplication},
	}))
	must(w.DescribeClientBranding(ctx, &sdk.DescribeClientBrandingInput{ResourceId: &w.directory}))
	must(w.DescribeClientProperties(ctx, &sdk.DescribeClientPropertiesInput{ResourceIds: []string{w.directory}}))
	must(w.DescribeConnectClientAddIns(ctx, &sdk.DescribeConnectClientAddInsInput{ResourceId: &w.directory}))
	must(w.DescribeConnectionAliasPermissions(ctx, &sdk.DescribeConnectionAliasPermissionsInput{AliasId: &w.sharedAlias}))
	must(w.DescribeCustomWorkspaceImageImport(ctx, &sdk.DescribeCustomWorkspaceImageImportInput{ImageId: &w.imported}))
	must(w.DescribeIpGroups(ctx, &sdk.DescribeIpGroupsInput{}))
	must(w.DescribeTags(ctx, &sdk.DescribeTagsInput{ResourceId: &w.workspace}))
	must(w.DescribeWorkspaceBundles(ctx, &sdk.DescribeWorkspaceBundlesInput{}))
	must(w.DescribeWorkspaceImagePermissions(ctx, &sdk.DescribeWorkspaceImagePermissionsInput{ImageId: &w.image}))
	must(w.DescribeWorkspacesConnectionStatus(ctx, &sdk.DescribeWorkspacesConnectionStatusInput{}))
	must(w.ListAccountLinks(ctx, &sdk.ListAccountLinksInput{}))
	must(w.GetAccountLink(ctx, &sdk.GetAccountLinkInput{LinkId: &w.link}))
	must(w.ListAvailableManagementCidrRanges(ctx, &sdk.ListAvailableManagementCidrRangesInput{ManagementCidrRangeConstraint: new("172.16.0.0/12")}))
}

// changeSettings changes what belongs to a directory, to groups and to names.
func changeSettings(t *testing.T, w *world, must func(any, error)) {
	t.Helper()
	ctx := t.Context()
	for name, modify := range modifications(t, w.client) {
		if err := modify(w.directory); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(w.CreateTags(ctx, &sdk.CreateTagsInput{ResourceId: &w.directory, Tags: tags(2, "more")}))
	must(w.DeleteTags(ctx, &sdk.DeleteTagsInput{ResourceId: &w.directory, TagKeys: []string{"morekey00"}}))
	must(nil, w.authorize(t, w.group, rule("198.51.100.0/24")))
	must(nil, w.revoke(t, w.group, "198.51.100.0/24"))
	must(nil, w.updateRules(t, w.group, rule("203.0.113.0/24")))
	must(nil, w.updateAddIn(t, w.directory, w.addIn, new("Telephone"), nil))
	must(nil, updatePool(t, w.client, w.pool, func(in *sdk.UpdateWorkspacesPoolInput) { in.Description = new("another") }))
	must(w.ModifyAccount(ctx, &sdk.ModifyAccountInput{
		DedicatedTenancySupport: types.DedicatedTenancySupportEnumEnabled, DedicatedTenancyManagementCidrRange: new("10.90.0.0/16"),
	}))
}

// changeDesktops changes desktops, what they are made of, and a pool of them.
func changeDesktops(t *testing.T, s *server, w *world, must func(any, error)) {
	t.Helper()
	ctx, running := t.Context(), types.WorkspaceStateAvailable
	for _, do := range []act{stopWorkSpaces, startWorkSpaces, rebootWorkSpaces, rebuildWorkSpaces} {
		must(do(t, w.client, w.workspace))
	}
	s.awaitState(t, w.client, w.workspace, running)
	s.keep(t, time.Minute, w.client, w.workspace) // a rebuild makes snapshots anew
	must(nil, restore(t, w.client, w.workspace))
	s.awaitState(t, w.client, w.workspace, running)
	must(nil, modifyState(t, w.client, w.workspace, types.TargetWorkspaceStateAdminMaintenance))
	must(nil, modifyState(t, w.client, w.workspace, types.TargetWorkspaceStateAvailable))
	must(nil, modify(t, w.client, w.workspace, types.WorkspaceProperties{RunningMode: types.RunningModeAlwaysOn}))
	s.wantApp(t, w.client, w.workspace, w.application, types.AssociationStateCompleted) // once more, on the new volume
	must(nil, disassociateApp(t, w.client, w.workspace, w.application))
	must(migrate(t, w.client, w.workspace, performance))

	copied, err := w.CopyWorkspaceImage(ctx, &sdk.CopyWorkspaceImageInput{SourceImageId: &w.image, SourceRegion: new(region), Name: new("Copy")})
	if err != nil {
		t.Fatal(err)
	}
	s.awaitImage(t, w.client, *copied.ImageId, types.WorkspaceImageStateAvailable)
	must(w.UpdateWorkspaceBundle(ctx, &sdk.UpdateWorkspaceBundleInput{BundleId: &w.bundle, ImageId: copied.ImageId}))
	must(w.CreateUpdatedWorkspaceImage(ctx, &sdk.CreateUpdatedWorkspaceImageInput{
		SourceImageId: copied.ImageId, Name: new("Newer"), Description: new("d"),
	}))
	must(w.ImportWorkspaceImage(ctx, importOf(ami, "Theirs")))

	must(nil, startPool(t, w.client, w.pool))
	s.awaitPool(t, w.client, w.pool, types.WorkspacesPoolStateRunning, 2)
	must(w.DescribeWorkspacesPoolSessions(ctx, &sdk.DescribeWorkspacesPoolSessionsInput{PoolId: &w.pool}))
	must(nil, terminateSession(t, w.client, s.mustJoin(t, w.client, w.pool, "john").ID))
	must(nil, stopPool(t, w.client, w.pool))
	s.awaitPool(t, w.client, w.pool, types.WorkspacesPoolStateStopped, 0)
}

// linkAccounts leads invitations to each of their ends.
func linkAccounts(t *testing.T, s *server, l *tally, w *world, must func(any, error)) {
	t.Helper()
	ctx := t.Context()
	must(w.DeleteAccountLinkInvitation(ctx, &sdk.DeleteAccountLinkInvitationInput{LinkId: &w.link}))
	for _, answer := range []answerLink{reject, accept} {
		must(answer(t, l.on(s.as(w.friend, region)), mustInvite(t, w.client, w.friend), nil))
	}
}

// standFar makes a standby WorkSpace in another region.
func standFar(t *testing.T, s *server, l *tally, w *world) {
	t.Helper()
	far := l.on(s.as(w.scope.Account, farRegion))
	own := allIDs(t, w.client, sdk.DescribeWorkspacesInput{DirectoryId: &w.directory, UserName: new("jane-" + w.word)})
	s.stoodBy(t, far, standby(own[len(own)-1], s.homeOf(t, far)))
}

// endAll takes everything away again.
func endAll(t *testing.T, s *server, w *world, must func(any, error)) {
	t.Helper()
	ctx := t.Context()
	must(nil, terminatePool(t, w.client, w.pool))
	must(terminateWorkSpaces(t, w.client, allIDs(t, w.client, sdk.DescribeWorkspacesInput{})...))
	s.awaitGone(t, w.client)
	must(w.DeleteWorkspaceBundle(ctx, &sdk.DeleteWorkspaceBundleInput{BundleId: &w.bundle}))
	must(w.UpdateWorkspaceImagePermission(ctx, permission(w.image, w.friend, false)))
	must(w.DeleteWorkspaceImage(ctx, &sdk.DeleteWorkspaceImageInput{ImageId: &w.image}))
	must(w.DisassociateConnectionAlias(ctx, &sdk.DisassociateConnectionAliasInput{AliasId: &w.alias}))
	must(w.DeleteConnectionAlias(ctx, &sdk.DeleteConnectionAliasInput{AliasId: &w.idleAlias}))
	must(nil, w.disassociate(t, w.directory, w.group))
	must(nil, w.deleteGroup(t, w.group))
	must(nil, w.deleteAddIn(t, w.directory, w.addIn))
	must(w.DeleteClientBranding(ctx, &sdk.DeleteClientBrandingInput{
		ResourceId: &w.directory, Platforms: []types.ClientDeviceType{types.ClientDeviceTypeDeviceTypeWeb},
	}))
	must(w.DeregisterWorkspaceDirectory(ctx, &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &w.directory}))
}
