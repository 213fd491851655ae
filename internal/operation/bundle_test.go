package operation_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// publicImage is the image of the public bundles.
const publicImage = "wsi-carrelxfce"

// image adds an image to the store, AVAILABLE unless the test has it otherwise.
func (s *server) image(t *testing.T, scope workspaces.Scope, change ...func(*workspaces.Image)) *workspaces.Image {
	t.Helper()
	id := workspaces.NewImageID(nil)
	i := &workspaces.Image{
		Scope: scope, ID: id, Name: "image-" + id, Description: "d", State: workspaces.ImageAvailable, Engine: workspaces.EngineImage("test", id),
		OSType: workspaces.Linux, Protocol: "WSP", Tenancy: workspaces.DefaultTenancy, CreatedAt: s.clock.Now(), PackagesAt: s.clock.Now(),
	}
	for _, c := range change {
		c(i)
	}
	if err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertImage(t.Context(), i) }); err != nil {
		t.Fatal(err)
	}
	return i
}

// bundleOf asks for a bundle of STANDARD desktops.
func bundleOf(image, name string, change ...func(*sdk.CreateWorkspaceBundleInput)) *sdk.CreateWorkspaceBundleInput {
	in := &sdk.CreateWorkspaceBundleInput{
		BundleName: &name, BundleDescription: new("A bundle"), ImageId: &image, ComputeType: &types.ComputeType{Name: types.ComputeStandard},
		UserStorage: &types.UserStorage{Capacity: new("50")},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// volumes sets the sizes of a bundle's volumes; "": not said.
func volumes(root, user string) func(*sdk.CreateWorkspaceBundleInput) {
	return func(in *sdk.CreateWorkspaceBundleInput) {
		in.UserStorage.Capacity = &user
		if root != "" {
			in.RootStorage = &types.RootStorage{Capacity: &root}
		}
	}
}

// bundle makes a bundle, which must work.
func (*server) bundle(t *testing.T, c client, image, name string, change ...func(*sdk.CreateWorkspaceBundleInput)) types.WorkspaceBundle {
	t.Helper()
	out, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(image, name, change...))
	if err != nil {
		t.Fatal(err)
	}
	return *out.WorkspaceBundle
}

// describeBundle returns a bundle, nil where there is none.
func (*server) describeBundle(t *testing.T, c client, id string) *types.WorkspaceBundle {
	t.Helper()
	out, err := c.DescribeWorkspaceBundles(t.Context(), &sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Bundles) == 0 {
		return nil
	}
	return &out.Bundles[0]
}

func TestDescribeWorkspaceBundles(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Bundles = append(workspaces.PublicBundles("image"), workspaces.WellKnownBundles("image")...)
		for i := range 20 {
			b := set.Bundles[0]
			b.ID = fmt.Sprintf("wsb-public%02d", i)
			set.Bundles = append(set.Bundles, b)
		}
	})
	var custom []string
	for i := range 27 {
		custom = append(custom, *s.bundle(t, s.client(), publicImage, fmt.Sprint(i)).BundleId)
	}
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
		want []string
	}{
		"own":             {s.client(), sdk.DescribeWorkspaceBundlesInput{}, custom},
		"own, named":      {s.client(), sdk.DescribeWorkspaceBundlesInput{Owner: new(account)}, custom},
		"somebody else's": {s.as(stranger, region), sdk.DescribeWorkspaceBundlesInput{}, nil},
		"elsewhere":       {s.as(account, farRegion), sdk.DescribeWorkspaceBundlesInput{}, nil},
		"no owner":        {s.client(), sdk.DescribeWorkspaceBundlesInput{Owner: new("nobody")}, nil},
		"by id": {
			s.client(),
			sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{value, value, custom[3], "wsb-bh8rsxt14", "wsb-012345678", custom[1]}},
			[]string{custom[1], custom[3], value, "wsb-bh8rsxt14"},
		},
		"unknown": {s.client(), sdk.DescribeWorkspaceBundlesInput{BundleIds: []string{"wsb-012345678"}}, nil},
	} {
		if got, _ := list(n.c, n.in); !slices.Equal(got, n.want) {
			t.Errorf("%s: %v, want %v", name, got, n.want)
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
	b := *s.describeBundle(t, s.client(), standard)
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

func TestCustomBundle(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Clock.Freeze() })
	c := s.client()
	image := s.image(t, c.scope)
	b := s.bundle(t, c, image.ID, "Mine", volumes("175", "100"), func(in *sdk.CreateWorkspaceBundleInput) {
		in.Tags = []types.Tag{tag("a", "1")}
	})
	want := types.WorkspaceBundle{
		BundleId: b.BundleId, Name: new("Mine"), Owner: new(account), Description: new("A bundle"), ImageId: &image.ID,
		State: types.WorkspaceBundleStateAvailable, BundleType: types.BundleTypeRegular, ComputeType: &types.ComputeType{Name: types.ComputeStandard},
		RootStorage: &types.RootStorage{Capacity: new("175")}, UserStorage: &types.UserStorage{Capacity: new("100")},
		CreationTime: b.CreationTime, LastUpdatedTime: b.CreationTime,
	}
	if !reflect.DeepEqual(b, want) || !b.CreationTime.Equal(s.clock.Now().Truncate(time.Millisecond)) {
		t.Errorf("got %s\nwant %s at %v", show(b), show(want), s.clock.Now())
	}
	if got := s.describeBundle(t, c, *b.BundleId); !reflect.DeepEqual(*got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	if got := tagsOf(t, c, *b.BundleId); !slices.Equal(got, []string{"a=1"}) {
		t.Errorf("tags: %v", got)
	}

	// Another image: seen at once, and by new WorkSpaces.
	if err := s.clock.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: b.BundleId, ImageId: new(publicImage)}); err != nil {
		t.Fatal(err)
	}
	got := s.describeBundle(t, c, *b.BundleId)
	if *got.ImageId != publicImage || !got.CreationTime.Equal(*b.CreationTime) || got.LastUpdatedTime.Sub(*b.CreationTime) != time.Hour {
		t.Errorf("%s", show(got))
	}
	d := s.home(t, "jane", "john")
	made := func(user string) *workspaces.WorkSpace {
		t.Helper()
		id := s.create(t, c, order(d, user, bundle(*b.BundleId)))[0]
		var w *workspaces.WorkSpace
		err := s.store.View(func(tx *store.Tx) (err error) {
			w, _, err = tx.WorkSpace(t.Context(), c.scope, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := made("jane"); w.Image != "image" || w.Properties.RootGiB != 175 || w.Properties.UserGiB != 100 {
		t.Errorf("%+v", w)
	}
	if _, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: b.BundleId, ImageId: &image.ID}); err != nil {
		t.Fatal(err)
	}
	john := made("john")
	if john.Image != image.Engine {
		t.Errorf("%+v", john)
	}

	// It cannot go while there are WorkSpaces of it.
	remove := func() error {
		_, err := c.DeleteWorkspaceBundle(t.Context(), &sdk.DeleteWorkspaceBundleInput{BundleId: b.BundleId})
		return err
	}
	refused(t, remove(), associated, *b.BundleId)
	var all []string
	for _, w := range s.describe(t, c) {
		all = append(all, *w.WorkspaceId)
	}
	terminate(t, c, all...)
	s.awaitGone(t, c, all...)
	if err := remove(); err != nil {
		t.Error(err)
	}
	if s.describeBundle(t, c, *b.BundleId) != nil {
		t.Error("it is still there")
	}
	refused(t, remove(), notFound, *b.BundleId)
	s.bundle(t, c, image.ID, "Mine") // the name is free again
}

func TestVolumesOfCustomBundles(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	small, large := s.image(t, c.scope).ID, s.image(t, c.scope, func(i *workspaces.Image) { i.RootGiB = 200 }).ID
	for n, v := range []struct {
		image   string
		compute types.Compute
		sizes   func(*sdk.CreateWorkspaceBundleInput)
		root    string // of the bundle; "": refused
	}{
		{small, types.ComputeStandard, volumes("", "10"), "80"},
		{small, types.ComputePower, volumes("", "50"), "80"},
		{small, types.ComputeStandard, volumes("", "500"), "175"},
		{small, types.ComputeGeneralpurpose4xlarge, volumes("", "100"), "175"},
		{small, types.ComputeGraphicsG4dn, volumes("", "100"), "100"},
		{large, types.ComputeStandard, volumes("", "100"), "200"},
		{large, types.ComputeStandard, volumes("300", "100"), "300"},
		{large, types.ComputeStandard, volumes("175", "100"), ""},
		{large, types.ComputeStandard, volumes("", "10"), ""},
		{small, types.ComputeStandard, volumes("100", "100"), ""},
		{small, types.ComputeGeneralpurpose4xlarge, volumes("", "50"), ""},
		{small, types.ComputeStandard, volumes("", "0"), ""},
		{small, types.ComputeStandard, volumes("", "-1"), ""},
		{small, types.ComputeStandard, volumes("", "ten"), ""},
		{small, types.ComputeStandard, volumes("99999999999999999999", "10"), ""},
	} {
		in := bundleOf(v.image, fmt.Sprint(n), v.sizes)
		in.ComputeType.Name = v.compute
		out, err := c.CreateWorkspaceBundle(t.Context(), in)
		switch {
		case v.root == "":
			refused(t, err, invalid)
		case err != nil:
			t.Errorf("%d: %v", n, err)
		case *out.WorkspaceBundle.RootStorage.Capacity != v.root:
			t.Errorf("%d: %s", n, show(out.WorkspaceBundle))
		}
	}
}

// waysOfBundles are those of custom bundles.
func waysOfBundles(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, func(set *setup) { set.Limits.Bundles = 2 })
	c := s.client()
	own, other := s.image(t, c.scope), s.image(t, c.scope)
	pending := s.image(t, c.scope, func(i *workspaces.Image) { i.State = workspaces.ImagePending })
	windows := s.image(t, c.scope, func(i *workspaces.Image) { i.OSType, i.OS = workspaces.Windows, "WINDOWS_10" })
	lent := s.image(t, s.as(stranger, region).scope)
	err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.ShareImage(t.Context(), lent.Scope, lent.ID, account) })
	if err != nil {
		t.Fatal(err)
	}
	b := s.bundle(t, c, own.ID, "mine")
	used := s.bundle(t, c, own.ID, "used")
	s.create(t, c, order(s.home(t), "jane", bundle(*used.BundleId)))
	const nobodys, nothing = "wsb-012345678", "wsi-012345678"
	create := func(image, name string) func() error {
		return func() error {
			_, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(image, name))
			return err
		}
	}
	update := func(bundle, image *string) func() error {
		return func() error {
			_, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: bundle, ImageId: image})
			return err
		}
	}
	remove := func(bundle *string) func() error {
		return func() error {
			_, err := c.DeleteWorkspaceBundle(t.Context(), &sdk.DeleteWorkspaceBundleInput{BundleId: bundle})
			return err
		}
	}
	typeless := func() error {
		_, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(own.ID, "x", func(in *sdk.CreateWorkspaceBundleInput) { in.ComputeType.Name = "" }))
		return err
	}
	reserved := func() error {
		_, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(own.ID, "x", func(in *sdk.CreateWorkspaceBundleInput) { in.Tags = tags(1, "aws:") }))
		return err
	}
	creates, updates, deletes := wsapi.CreateWorkspaceBundle.Spec(), wsapi.UpdateWorkspaceBundle.Spec(), wsapi.DeleteWorkspaceBundle.Spec()
	return []way{
		{creates, unavailable, create(pending.ID, "x")},
		{creates, exists, create(own.ID, "mine")},
		{creates, limit, create(other.ID, "x")},
		{creates, invalid, typeless},
		{creates, invalid, reserved},
		{creates, notFound, create(nothing, "x")},
		{creates, denied, create(lent.ID, "x")},
		{updates, denied, update(new(standard), &own.ID)},
		{updates, denied, update(b.BundleId, &lent.ID)},
		{updates, invalid, update(nil, &own.ID)},
		{updates, invalid, update(b.BundleId, nil)},
		{updates, notFound, update(new(nobodys), &own.ID)},
		{updates, notFound, update(b.BundleId, new(nothing))},
		{updates, unavailable, update(b.BundleId, &pending.ID)},
		{updates, notSupported, update(b.BundleId, &windows.ID)},
		{deletes, invalid, remove(nil)},
		{deletes, notFound, remove(new(nobodys))},
		{deletes, associated, remove(used.BundleId)},
		{deletes, denied, remove(new(standard))},
	}
}

// bundleAttempts are what a stranger tries with a bundle of an image, beside the directory that it could be used in.
func bundleAttempts(directory, image, ofIt string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"CreateWorkspaceBundle": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(image, "theirs"))
			refused(t, err, notFound, image)
			hasNoTags(t, c, image)
		},
		"UpdateWorkspaceBundle": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: &ofIt, ImageId: new(publicImage)})
			refused(t, err, notFound, ofIt)
		},
		"DeleteWorkspaceBundle": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DeleteWorkspaceBundle(t.Context(), &sdk.DeleteWorkspaceBundleInput{BundleId: &ofIt})
			refused(t, err, notFound, ofIt)
			hasNoTags(t, c, ofIt)
		},
		"DescribeWorkspaceBundles": func(t *testing.T, c client) {
			t.Helper()
			for _, in := range []sdk.DescribeWorkspaceBundlesInput{{Owner: new(account)}, {BundleIds: []string{ofIt}}, {}} {
				out, err := c.DescribeWorkspaceBundles(t.Context(), &in)
				if err != nil || len(out.Bundles) > 0 {
					t.Errorf("%s, %v", show(out), err)
				}
			}
			out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
				Workspaces: []types.WorkspaceRequest{order(directory, "john", bundle(ofIt))},
			})
			wantFailed(t, out, err, "ResourceNotFound.Bundle")
		},
	}
}

// hasNoTags wants a resource not to exist for whoever asks for its tags.
func hasNoTags(t *testing.T, c client, id string) {
	t.Helper()
	_, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
	refused(t, err, notFound, id)
	_, err = c.CreateTags(t.Context(), &sdk.CreateTagsInput{ResourceId: &id, Tags: tags(1, "")})
	refused(t, err, notFound, id)
}
