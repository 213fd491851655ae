package operation_test

import (
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// allIDs reads all pages of DescribeWorkspaces.
func allIDs(t *testing.T, c client, in sdk.DescribeWorkspacesInput) []string {
	t.Helper()
	var ids []string
	pages := sdk.NewDescribeWorkspacesPaginator(c, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if in.Limit != nil && len(page.Workspaces) > int(*in.Limit) {
			t.Errorf("a page of %d", len(page.Workspaces))
		}
		for _, w := range page.Workspaces {
			ids = append(ids, *w.WorkspaceId)
		}
	}
	return ids
}

func TestDescribeWorkspaces(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	d1, d2 := s.home(t), s.home(t)
	a := s.create(t, c, order(d1, "a"), order(d1, "B"), order(d1, "c", bundle(value)))
	b := s.create(t, c, order(d2, "a", bundle(performance)), order(d2, "b"))
	all := slices.Concat(a, b)
	for name, f := range map[string]struct {
		in   sdk.DescribeWorkspacesInput
		want []string
	}{
		"all":                {sdk.DescribeWorkspacesInput{}, all},
		"by id":              {sdk.DescribeWorkspacesInput{WorkspaceIds: []string{b[0], a[1], a[1], "ws-012345678"}}, []string{a[1], b[0]}},
		"unknown":            {sdk.DescribeWorkspacesInput{WorkspaceIds: []string{"ws-012345678"}}, nil},
		"many ids":           {sdk.DescribeWorkspacesInput{WorkspaceIds: slices.Repeat(all, 5)}, all},
		"a directory":        {sdk.DescribeWorkspacesInput{DirectoryId: &d1}, a},
		"unknown directory":  {sdk.DescribeWorkspacesInput{DirectoryId: new("d-0123456789")}, nil},
		"a user":             {sdk.DescribeWorkspacesInput{DirectoryId: &d1, UserName: new("A")}, a[:1]},
		"a user, other case": {sdk.DescribeWorkspacesInput{DirectoryId: &d1, UserName: new("b")}, a[1:2]},
		"unknown user":       {sdk.DescribeWorkspacesInput{DirectoryId: &d1, UserName: new("z")}, nil},
		"a bundle":           {sdk.DescribeWorkspacesInput{BundleId: new(standard)}, []string{a[0], a[1], b[1]}},
		"unknown bundle":     {sdk.DescribeWorkspacesInput{BundleId: new("wsb-012345678")}, nil},
		"a name":             {sdk.DescribeWorkspacesInput{WorkspaceName: new("desk")}, nil},
	} {
		for _, size := range []int32{0, 1, 2, 25} {
			in := f.in
			if size > 0 {
				in.Limit = &size
			}
			if got := allIDs(t, c, in); !slices.Equal(got, f.want) {
				t.Errorf("%s by %d: got %v, want %v", name, size, got, f.want)
			}
		}
	}
}

func TestDescribeWorkspacesRefused(t *testing.T) {
	t.Parallel()
	s := start(t, anybody)
	c := s.client()
	d := s.home(t)
	ids := s.create(t, c, order(d, "a"), order(d, "b"), order(d, "c"))
	const several = "An invalid number of parameters provided with DescribeWorkspaces. Only one of the following are allowed to be " +
		"specified: BundleId, DirectoryId, WorkSpaceIds, Filters."
	first, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{Limit: new(int32(1))})
	if err != nil {
		t.Fatal(err)
	}
	token := first.NextToken
	for _, r := range []struct {
		in   *sdk.DescribeWorkspacesInput
		want string
		says string
	}{
		{&sdk.DescribeWorkspacesInput{WorkspaceIds: ids, DirectoryId: &d}, invalid, several},
		{&sdk.DescribeWorkspacesInput{WorkspaceIds: ids, BundleId: new(value)}, invalid, several},
		{&sdk.DescribeWorkspacesInput{DirectoryId: &d, BundleId: new(value)}, invalid, several},
		{&sdk.DescribeWorkspacesInput{DirectoryId: &d, WorkspaceName: new("desk")}, invalid, several},
		{&sdk.DescribeWorkspacesInput{UserName: new("a")}, invalid, "The DirectoryId parameter is required when UserName is used."},
		{&sdk.DescribeWorkspacesInput{UserName: new("a"), BundleId: new(value)}, invalid, "DirectoryId"},
		{&sdk.DescribeWorkspacesInput{WorkspaceIds: []string{}}, validation, "workspaceIds"},
		{&sdk.DescribeWorkspacesInput{WorkspaceIds: slices.Repeat(ids[:1], 26)}, validation, "workspaceIds"},
		{&sdk.DescribeWorkspacesInput{WorkspaceIds: []string{"ws-1"}}, validation, "workspaceIds.1.member"},
		{&sdk.DescribeWorkspacesInput{Limit: new(int32(0))}, validation, "limit"},
		{&sdk.DescribeWorkspacesInput{Limit: new(int32(26))}, validation, "limit"},
		{&sdk.DescribeWorkspacesInput{NextToken: new("")}, validation, "nextToken"},
		{&sdk.DescribeWorkspacesInput{NextToken: new("garbage")}, invalid, "NextToken"},
		{&sdk.DescribeWorkspacesInput{NextToken: new(strings.Repeat("A", 2048))}, invalid, "NextToken"},
		{&sdk.DescribeWorkspacesInput{NextToken: token, DirectoryId: &d}, invalid, "NextToken"},
		{&sdk.DescribeWorkspacesInput{NextToken: token, BundleId: new(standard)}, invalid, "NextToken"},
		{&sdk.DescribeWorkspacesInput{NextToken: token, WorkspaceIds: ids}, invalid, "NextToken"},
	} {
		_, err := c.DescribeWorkspaces(t.Context(), r.in)
		refused(t, err, r.want, r.says)
	}
	_, err = c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{NextToken: token})
	refused(t, err, invalid, "NextToken")
	for _, stranger := range []client{s.as(stranger, region), s.as(account, farRegion)} {
		_, err := stranger.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{NextToken: token})
		refused(t, err, invalid, "NextToken")
	}
	// A token goes on although what it came from has gone, and with another size of page.
	terminate(t, c, ids[0])
	s.awaitGone(t, c, ids[0])
	rest, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{NextToken: token, Limit: new(int32(25))})
	if err != nil || len(rest.Workspaces) != 2 || *rest.Workspaces[0].WorkspaceId != ids[1] || rest.NextToken != nil {
		t.Errorf("%s, %v", show(rest), err)
	}
}

// TestDescribeWorkspacesByDefaultPages reads as many as there may be in a page.
func TestDescribeWorkspacesByDefaultPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.home(t)
	var orders []types.WorkspaceRequest
	for range 25 {
		orders = append(orders, order(d, "[UNDEFINED]", func(r *types.WorkspaceRequest) { r.WorkspaceName = new("desk") }))
	}
	ids := slices.Concat(s.create(t, c, orders...), s.create(t, c, orders[:5]...))
	page, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{})
	if err != nil || len(page.Workspaces) != 25 || page.NextToken == nil {
		t.Errorf("%d, %v", len(page.Workspaces), err)
	}
	if got := allIDs(t, c, sdk.DescribeWorkspacesInput{}); !slices.Equal(got, ids) {
		t.Errorf("got %v, want %v", got, ids)
	}
}
