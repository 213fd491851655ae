package operation_test

import (
	"maps"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// TestIsolation lets strangers try every operation that is carried out on what is not theirs:
// another account in the region, the account in another region, and one that is neither.
func TestIsolation(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	owner := s.client()
	d, free := s.home(t), s.directory(t, owner.scope)
	w := s.create(t, owner, order(d, "jane", autoStop, func(r *types.WorkspaceRequest) { r.Tags = tags(1, "") }))[0]
	g := newGroup(t, owner, "office", rule("192.0.2.1"))
	if err := owner.associate(t, d, g); err != nil {
		t.Fatal(err)
	}
	addIn, err := owner.createAddIn(t, d, "Calls", "https://calls.example/")
	if err != nil {
		t.Fatal(err)
	}
	image := s.image(t, owner.scope).ID
	b := *s.bundle(t, owner, image, "mine").BundleId
	poolsIn := s.poolsDirectory(t, owner)
	p := *newPool(t, owner, poolOrder(poolsIn, "lab")).PoolId
	s.awaitPool(t, owner, p, types.WorkspacesPoolStateStopped, 0)
	session := s.insertSession(t, owner, p)
	have := func() string {
		return show([]any{
			s.describe(t, owner), s.describeDirectory(t, owner, d), tagsOf(t, owner, w), rulesOf(t, owner, g), s.describeBundle(t, owner, b),
			s.describeImage(t, owner, image),
			owner.addIns(t, d), pools(t, owner, sdk.DescribeWorkspacesPoolsInput{}), sessions(t, owner, p), owner.branding(t, d).DeviceTypeWeb,
		})
	}
	before := have()

	tried := attempts(d, free, w)
	tried["CreateStandbyWorkspaces"] = func(t *testing.T, c client) { attemptStandby(t, c, w, d) }
	maps.Copy(tried, ipGroupAttempts(d, g))
	s.enable(t, owner, "10.90.0.0/16")
	maps.Copy(tried, attemptsOnAccount(mustInvite(t, owner, "444444444444")))
	maps.Copy(tried, attemptsOnAlias(s.alias(t, owner, "desk.example.com"), d))
	maps.Copy(tried, bundleAttempts(d, image, b))
	maps.Copy(tried, imageAttempts(owner.scope, w, image))
	maps.Copy(tried, settingsAttempts(t, d))
	maps.Copy(tried, brandingAttempts(d))
	maps.Copy(tried, addInAttempts(d, addIn))
	maps.Copy(tried, applicationAttempts(w, image, b))
	maps.Copy(tried, poolAttempts(poolsIn, p, session))
	for _, name := range operations(t) {
		if _, ok := tried[name]; !ok {
			t.Errorf("nothing is tried with %s", name)
		}
	}
	for _, c := range []client{s.as(stranger, region), s.as(account, farRegion), s.as(stranger, farRegion)} {
		own := s.homeOf(t, c)
		ownW := s.create(t, c, order(own, "jane", autoStop))[0]
		for _, try := range tried {
			try(t, c)
		}
		if got := allIDs(t, c, sdk.DescribeWorkspacesInput{}); !slices.Equal(got, []string{ownW}) {
			t.Errorf("%v sees %v, has %s", c.scope, got, ownW)
		}
		all, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{})
		if err != nil || len(all.Directories) != 1 || *all.Directories[0].DirectoryId != own {
			t.Errorf("%v sees %s, has %s", c.scope, show(all), own)
		}
	}
	if after := have(); before != after {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// attempts are what a stranger tries by operation: on a registered directory, one that is not, and a WorkSpace.
func attempts(d, free, w string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"RegisterWorkspaceDirectory": func(t *testing.T, c client) {
			t.Helper()
			for _, id := range []string{d, free} {
				_, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
				refused(t, err, notFound, id)
			}
		},
		"DeregisterWorkspaceDirectory": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d})
			refused(t, err, notFound, d)
		},
		"DescribeWorkspaceDirectories": func(t *testing.T, c client) {
			t.Helper()
			out, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{DirectoryIds: []string{d}})
			if err != nil || len(out.Directories) > 0 {
				t.Errorf("%s, %v", show(out), err)
			}
		},
		"CreateWorkspaces": func(t *testing.T, c client) {
			t.Helper()
			out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "john")}})
			wantFailed(t, out, err, "ResourceNotFound.Directory")
		},
		"DescribeWorkspaces": func(t *testing.T, c client) {
			t.Helper()
			for _, in := range []sdk.DescribeWorkspacesInput{{WorkspaceIds: []string{w}}, {DirectoryId: &d}, {DirectoryId: &d, UserName: new("jane")}} {
				if got := allIDs(t, c, in); len(got) > 0 {
					t.Errorf("sees %v", got)
				}
			}
		},
		"DescribeWorkspacesConnectionStatus": func(t *testing.T, c client) {
			t.Helper()
			if got := connections(t, c, w); len(got) > 0 {
				t.Errorf("sees %s", show(got))
			}
		},
		"StartWorkspaces":   func(t *testing.T, c client) { t.Helper(); fails(t, startWorkSpaces, c, w, wrongID, w) },
		"StopWorkspaces":    func(t *testing.T, c client) { t.Helper(); fails(t, stopWorkSpaces, c, w, wrongID, w) },
		"RebootWorkspaces":  func(t *testing.T, c client) { t.Helper(); fails(t, rebootWorkSpaces, c, w, wrongID, w) },
		"RebuildWorkspaces": func(t *testing.T, c client) { t.Helper(); fails(t, rebuildWorkSpaces, c, w, wrongID, w) },
		"RestoreWorkspace":  func(t *testing.T, c client) { t.Helper(); refused(t, restore(t, c, w), notFound, w) },
		"MigrateWorkspace": func(t *testing.T, c client) {
			t.Helper()
			_, err := migrate(t, c, w, performance)
			refused(t, err, notFound, w)
		},
		"ModifyWorkspaceProperties": func(t *testing.T, c client) {
			t.Helper()
			refused(t, modify(t, c, w, types.WorkspaceProperties{RunningMode: types.RunningModeManual}), notFound, w)
		},
		"ModifyWorkspaceState": func(t *testing.T, c client) {
			t.Helper()
			refused(t, modifyState(t, c, w, types.TargetWorkspaceStateAdminMaintenance), notFound, w)
		},
		"DescribeWorkspaceSnapshots": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &w})
			refused(t, err, notFound, w)
		},
		"TerminateWorkspaces": func(t *testing.T, c client) { t.Helper(); fails(t, terminateWorkSpaces, c, w, "400", w) },
		"CreateTags": func(t *testing.T, c client) {
			t.Helper()
			for _, id := range []string{d, w} {
				_, err := c.CreateTags(t.Context(), &sdk.CreateTagsInput{ResourceId: &id, Tags: tags(1, "other")})
				refused(t, err, notFound, id)
			}
		},
		"DeleteTags": func(t *testing.T, c client) {
			t.Helper()
			for _, id := range []string{d, w} {
				_, err := c.DeleteTags(t.Context(), &sdk.DeleteTagsInput{ResourceId: &id, TagKeys: []string{"key00"}})
				refused(t, err, notFound, id)
			}
		},
		"DescribeTags": func(t *testing.T, c client) {
			t.Helper()
			for _, id := range []string{d, w} {
				_, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
				refused(t, err, notFound, id)
			}
		},
	}
}

// ipGroupAttempts are what a stranger tries with a directory and a group that is associated with it.
func ipGroupAttempts(d, g string) map[string]func(t *testing.T, c client) {
	missing := func(try func(t *testing.T, c client) error, id string) func(t *testing.T, c client) {
		return func(t *testing.T, c client) { t.Helper(); refused(t, try(t, c), notFound, id) }
	}
	return map[string]func(t *testing.T, c client){
		"CreateIpGroup": func(t *testing.T, c client) { t.Helper(); newGroup(t, c, "office") },
		"DescribeIpGroups": func(t *testing.T, c client) {
			t.Helper()
			for _, ids := range [][]string{nil, {g}} {
				out, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{GroupIds: ids})
				if err != nil || slices.ContainsFunc(out.Result, func(found types.WorkspacesIpGroup) bool { return *found.GroupId == g }) {
					t.Errorf("%s, %v", show(out), err)
				}
			}
		},
		"DeleteIpGroup":        missing(func(t *testing.T, c client) error { t.Helper(); return c.deleteGroup(t, g) }, g),
		"AuthorizeIpRules":     missing(func(t *testing.T, c client) error { t.Helper(); return c.authorize(t, g, rule("10.0.0.0/8")) }, g),
		"RevokeIpRules":        missing(func(t *testing.T, c client) error { t.Helper(); return c.revoke(t, g, "192.0.2.1") }, g),
		"UpdateRulesOfIpGroup": missing(func(t *testing.T, c client) error { t.Helper(); return c.updateRules(t, g) }, g),
		"AssociateIpGroups":    missing(func(t *testing.T, c client) error { t.Helper(); return c.associate(t, d, g) }, d),
		"DisassociateIpGroups": missing(func(t *testing.T, c client) error { t.Helper(); return c.disassociate(t, d, g) }, d),
	}
}

// settingsAttempts are what a stranger tries with a directory's settings.
func settingsAttempts(t *testing.T, d string) map[string]func(t *testing.T, c client) {
	t.Helper()
	tried := map[string]func(t *testing.T, c client){
		"DescribeClientProperties": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DescribeClientProperties(t.Context(), &sdk.DescribeClientPropertiesInput{ResourceIds: []string{d}})
			refused(t, err, notFound, d)
		},
	}
	for name := range modifications(t, client{}) {
		tried[name] = func(t *testing.T, c client) { t.Helper(); refused(t, modifications(t, c)[name](d), notFound, d) }
	}
	return tried
}
