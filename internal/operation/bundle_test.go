package operation_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/workspaces"
)

func TestDescribeWorkspaceBundles(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Bundles = append(workspaces.PublicBundles("image"), workspaces.WellKnownBundles("image")...)
		for i := range 20 {
			b := set.Bundles[0]
			b.ID, b.Owner = fmt.Sprintf("wsb-custom%02d", i), account
			set.Bundles = append(set.Bundles, b)
		}
		for i := range 20 {
			b := set.Bundles[0]
			b.ID = fmt.Sprintf("wsb-public%02d", i)
			set.Bundles = append(set.Bundles, b)
		}
	})
	list := func(c client, in sdk.DescribeWorkspaceBundlesInput) (ids []string, pages int) {
		t.Helper()
		for p := sdk.NewDescribeWorkspaceBundlesPaginator(c, &in); p.HasMorePages(); pages++ {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range page.Bundles {
				ids = append(ids, *b.BundleId)
			}
		}
		return ids, pages
	}
	public, pages := list(s.client(), sdk.DescribeWorkspaceBundlesInput{Owner: new("AMAZON")})
	if len(public) != 7+9+20 || pages != 2 {
		t.Errorf("%d public bundles on %d pages", len(public), pages)
	}
	if again, _ := list(s.as(stranger, farRegion), sdk.DescribeWorkspaceBundlesInput{Owner: new("Amazon")}); !slices.Equal(again, public) {
		t.Errorf("elsewhere: %v", again)
	}
	for name, n := range map[string]struct {
		c    client
		in   sdk.DescribeWorkspaceBundlesInput
		want int
	}{
		"own":             {s.client(), sdk.DescribeWorkspaceBundlesInput{}, 20},
		"own, named":      {s.client(), sdk.DescribeWorkspaceBundlesInput{Owner: new(account)}, 20},
		"somebody else's": {s.as(stranger, region), sdk.DescribeWorkspaceBundlesInput{}, 0},
		"no owner":        {s.client(), sdk.DescribeWorkspaceBundlesInput{Owner: new("nobody")}, 0},
		"by id":           {s.client(), sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{value, value, "wsb-bh8rsxt14", "wsb-012345678"}}, 2},
		"unknown":         {s.client(), sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{"wsb-012345678"}}, 0},
	} {
		if got, _ := list(n.c, n.in); len(got) != n.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	first, err := s.client().DescribeWorkspaceBundles(t.Context(), &sdk.DescribeWorkspaceBundlesInput{Owner: new("AMAZON")})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		c    client
		in   *sdk.DescribeWorkspaceBundlesInput
		want string
		says string
	}{
		{s.client(), &sdk.DescribeWorkspaceBundlesInput{Owner: new("AMAZON"), BundleIds: []string{value}}, invalid, "Owner"},
		{s.client(), &sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{}}, validation, "bundleIds"},
		{s.client(), &sdk.DescribeWorkspaceBundlesInput{BundleIds: slices.Repeat([]string{value}, 26)}, validation, "bundleIds"},
		{s.client(), &sdk.DescribeWorkspaceBundlesInput{NextToken: new("x")}, invalid, "NextToken"},
		{s.client(), &sdk.DescribeWorkspaceBundlesInput{NextToken: first.NextToken}, invalid, "NextToken"},
		{s.as(stranger, region), &sdk.DescribeWorkspaceBundlesInput{Owner: new("AMAZON"), NextToken: first.NextToken}, invalid, "NextToken"},
	} {
		_, err := r.c.DescribeWorkspaceBundles(t.Context(), r.in)
		refused(t, err, r.want, r.says)
	}
}

func TestBundleAsDescribed(t *testing.T) {
	t.Parallel()
	s := start(t)
	out, err := s.client().DescribeWorkspaceBundles(t.Context(), &sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{standard}})
	if err != nil {
		t.Fatal(err)
	}
	b := out.Bundles[0]
	if b.CreationTime == nil || b.LastUpdatedTime == nil || b.ImageId == nil || b.Description == nil {
		t.Errorf("%s", show(b))
	}
	b.CreationTime, b.LastUpdatedTime, b.ImageId, b.Description = nil, nil, nil, nil
	want := types.WorkspaceBundle{
		BundleId: new(standard), Name: new("Standard with Debian Linux (WSP)"), Owner: new("AMAZON"), State: types.WorkspaceBundleStateAvailable,
		BundleType: types.BundleTypeRegular, ComputeType: &types.ComputeType{Name: types.ComputeStandard},
		RootStorage: &types.RootStorage{Capacity: new("80")}, UserStorage: &types.UserStorage{Capacity: new("50")},
	}
	if !reflect.DeepEqual(b, want) {
		t.Errorf("got %s\nwant %s", show(b), show(want))
	}
}
