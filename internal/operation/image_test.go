package operation_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/workspaces"
)

// describeImages returns images.
func (*server) describeImages(t *testing.T, c client, in sdk.DescribeWorkspaceImagesInput) []types.WorkspaceImage {
	t.Helper()
	out, err := c.DescribeWorkspaceImages(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Images
}

// describeImage returns an image, the zero one where there is none.
func (s *server) describeImage(t *testing.T, c client, id string) (image types.WorkspaceImage) {
	t.Helper()
	for _, i := range s.describeImages(t, c, sdk.DescribeWorkspaceImagesInput{ImageIds: []string{id}}) {
		image = i
	}
	return image
}

// awaitImage waits until an image is in a state.
func (s *server) awaitImage(t *testing.T, c client, id string, want types.WorkspaceImageState) (image types.WorkspaceImage) {
	t.Helper()
	s.await(t, id+" "+string(want), func() bool {
		image = s.describeImage(t, c, id)
		return image.State == want
	})
	return image
}

// capture begins to make the image Desk of a WorkSpace, which must work, and returns its id.
func capture(t *testing.T, c client, w string) string {
	t.Helper()
	out, err := c.CreateWorkspaceImage(t.Context(), &sdk.CreateWorkspaceImageInput{Name: new("Desk"), Description: new("d"), WorkspaceId: &w})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ImageId
}

// engineHas reports whether the engine has an image.
func (s *server) engineHas(t *testing.T, id string) bool {
	t.Helper()
	about, err := s.engine.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(about.Images, func(i compute.Image) bool { return i.Name == workspaces.EngineImage("test", id) })
}

// capturing makes the engine take a minute, of a clock that stands, over making an image.
func capturing(set *setup) {
	set.Clock.Freeze()
	for _, b := range []*simulated.Behaviour{&set.engine.Capture, &set.engine.MakeImage} {
		b.Min, b.Max = time.Minute, time.Minute
	}
}

func TestCreateWorkspaceImage(t *testing.T) {
	t.Parallel()
	s := start(t, capturing)
	c := s.client()
	d := s.home(t, "jane", "john")
	w := s.create(t, c, order(d, "jane", autoStop))[0]
	for volume, file := range map[simulated.Volume]string{simulated.Root: "program", simulated.Home: "letter"} {
		if err := s.engine.WriteFile(t.Context(), w, volume, file, []byte("text")); err != nil {
			t.Fatal(err)
		}
	}
	in := &sdk.CreateWorkspaceImageInput{Name: new("Desk"), Description: new("With a program"), WorkspaceId: &w, Tags: []types.Tag{tag("a", "1")}}
	out, err := c.CreateWorkspaceImage(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	id := *out.ImageId
	want := types.WorkspaceImage{
		ImageId: &id, Name: new("Desk"), Description: new("With a program"), State: types.WorkspaceImageStatePending,
		OperatingSystem: &types.OperatingSystem{Type: types.OperatingSystemTypeLinux}, RequiredTenancy: types.WorkspaceImageRequiredTenancyDefault,
		OwnerAccountId: new(account), Created: out.Created,
	}
	if got := (types.WorkspaceImage{
		ImageId: out.ImageId, Name: out.Name, Description: out.Description, State: out.State, OperatingSystem: out.OperatingSystem,
		RequiredTenancy: out.RequiredTenancy, OwnerAccountId: out.OwnerAccountId, Created: out.Created,
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	if got := s.describeImage(t, c, id); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}

	// The WorkSpace is left alone meanwhile, and back afterwards.
	if got := s.describe(t, c, w)[0].State; got != types.WorkspaceStateSuspended {
		t.Errorf("it is %s", got)
	}
	for _, try := range []func(*testing.T, client, ...string) ([]types.FailedWorkspaceChangeRequest, error){
		startWorkSpaces, stopWorkSpaces, rebootWorkSpaces, terminateWorkSpaces,
	} {
		fails(t, try, c, w, "InvalidResourceState.Workspace", "SUSPENDED")
	}
	s.advance(t, 2*time.Minute, c, w)
	s.awaitState(t, c, w, types.WorkspaceStateAvailable)
	want.State = types.WorkspaceImageStateAvailable
	want.Updates = &types.UpdateResult{UpdateAvailable: new(false), Description: new("This WorkSpace image does not have updates available")}
	if got := s.awaitImage(t, c, id, want.State); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	if got := tagsOf(t, c, id); !slices.Equal(got, []string{"a=1"}) {
		t.Errorf("tags: %v", got)
	}

	// What the root volume held is in it, what the user volume held is not.
	b := s.bundle(t, c, id, "Desk")
	john := s.create(t, c, order(d, "john", bundle(*b.BundleId)))[0]
	for volume, want := range map[simulated.Volume][]string{simulated.Root: {"program"}, simulated.Home: nil} {
		if files, err := s.engine.Files(t.Context(), john, volume); err != nil || !slices.Equal(files, want) {
			t.Errorf("%s: %v, %v", volume, files, err)
		}
	}
}

// TestImageThatCannotBeMade has the engine fail: the image says why, and the WorkSpace is as before.
func TestImageThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.engine.Capture.Fail = 1
		if err := set.Clock.SetScale(1000); err != nil { // the pauses between the attempts
			t.Fatal(err)
		}
	})
	c := s.client()
	w := s.create(t, c, order(s.home(t, "jane"), "jane"))[0]
	id := capture(t, c, w)
	s.awaitState(t, c, w, types.WorkspaceStateAvailable)
	i := s.awaitImage(t, c, id, types.WorkspaceImageStateError)
	if *i.ErrorCode != "InternalFailure" || *i.ErrorMessage == "" || len(i.ErrorDetails) != 1 || *i.ErrorDetails[0].ErrorMessage != *i.ErrorMessage {
		t.Errorf("%s", show(i))
	}
	_, err := c.CreateWorkspaceBundle(t.Context(), bundleOf(id, "Desk"))
	refused(t, err, unavailable, "ERROR")
	if _, err := c.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &id}); err != nil {
		t.Error(err)
	}
}

func TestDescribeWorkspaceImages(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, other := s.client(), s.as(stranger, region)
	var own, lent []string
	for range 26 {
		own = append(own, s.image(t, c.scope).ID)
		lent = append(lent, s.image(t, other.scope).ID)
		s.share(t, other, lent[len(lent)-1], account)
	}
	s.image(t, other.scope)
	s.image(t, s.as(account, farRegion).scope)
	list := func(in sdk.DescribeWorkspaceImagesInput) (ids []string, pages int) {
		t.Helper()
		for more := true; more; more = in.NextToken != nil {
			page, err := c.DescribeWorkspaceImages(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			in.NextToken = page.NextToken
			pages++
			for _, i := range page.Images {
				ids = append(ids, *i.ImageId)
			}
			if in.MaxResults != nil && len(page.Images) > int(*in.MaxResults) {
				t.Errorf("%d on a page", len(page.Images))
			}
		}
		return ids, pages
	}
	some := []string{own[3], lent[2], publicImage, "wsi-0123456789", own[1]}
	for name, d := range map[string]struct {
		in    sdk.DescribeWorkspaceImagesInput
		want  []string
		pages int
	}{
		"own":           {sdk.DescribeWorkspaceImagesInput{}, own, 2},
		"own, named so": {sdk.DescribeWorkspaceImagesInput{ImageType: types.ImageTypeOwned, MaxResults: new(int32(5))}, own, 6},
		"shared":        {sdk.DescribeWorkspaceImagesInput{ImageType: types.ImageTypeShared}, lent, 2},
		"some":          {sdk.DescribeWorkspaceImagesInput{ImageIds: some}, []string{publicImage, own[1], lent[2], own[3]}, 1},
		"some, in turn": {
			sdk.DescribeWorkspaceImagesInput{ImageIds: some, MaxResults: new(int32(1))}, []string{publicImage, own[1], lent[2], own[3]}, 4,
		},
		"some, two":     {sdk.DescribeWorkspaceImagesInput{ImageIds: some, MaxResults: new(int32(2))}, []string{publicImage, own[1], lent[2], own[3]}, 2},
		"some, owned":   {sdk.DescribeWorkspaceImagesInput{ImageIds: some, ImageType: types.ImageTypeOwned}, []string{own[1], own[3]}, 1},
		"some, shared":  {sdk.DescribeWorkspaceImagesInput{ImageIds: some, ImageType: types.ImageTypeShared}, []string{lent[2]}, 1},
		"not there any": {sdk.DescribeWorkspaceImagesInput{ImageIds: []string{"wsi-0123456789"}}, nil, 1},
	} {
		if got, pages := list(d.in); !slices.Equal(got, d.want) || pages != d.pages {
			t.Errorf("%s: %v on %d pages, want %v on %d", name, got, pages, d.want, d.pages)
		}
	}
	public := s.describeImage(t, c, publicImage)
	if public.State != types.WorkspaceImageStateAvailable || public.OwnerAccountId != nil || public.Name == nil || public.Created == nil {
		t.Errorf("%s", show(public))
	}
	for _, in := range []sdk.DescribeWorkspaceImagesInput{{NextToken: new("x")}, {ImageIds: []string{}}, {ImageIds: []string{"wsi-1"}}, {ImageType: "MINE"}} {
		_, err := c.DescribeWorkspaceImages(t.Context(), &in)
		refused(t, err, validation)
	}
}

func TestDeleteWorkspaceImage(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.home(t, "jane", "john")
	w := s.create(t, c, order(d, "jane"))[0]
	id := capture(t, c, w)
	s.awaitImage(t, c, id, types.WorkspaceImageStateAvailable)
	if !s.engineHas(t, id) {
		t.Error("the engine does not have it")
	}
	remove := func() error {
		_, err := c.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &id})
		return err
	}
	b := s.bundle(t, c, id, "Desk")
	s.create(t, c, order(d, "john", bundle(*b.BundleId)))
	refused(t, remove(), associated, "bundles")
	_, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: b.BundleId, ImageId: new(publicImage)})
	if err != nil {
		t.Fatal(err)
	}
	s.share(t, c, id, stranger)
	refused(t, remove(), associated, "shared")
	if _, err := c.UpdateWorkspaceImagePermission(t.Context(), permission(id, stranger, false)); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if got := s.describeImage(t, c, id); got.ImageId != nil {
		t.Errorf("%s", show(got))
	}
	s.await(t, "the engine's image gone", func() bool { return !s.engineHas(t, id) })
	refused(t, remove(), validation, "The Image ID "+id+" in the request is invalid")
	capture(t, c, w) // the name is free again
}

func TestCopyWorkspaceImage(t *testing.T) {
	t.Parallel()
	s := start(t, capturing)
	c, far, recipient := s.client(), s.as(account, farRegion), s.as(stranger, region)
	w := s.create(t, c, order(s.home(t, "jane"), "jane"))[0]
	if err := s.engine.WriteFile(t.Context(), w, simulated.Root, "program", []byte("text")); err != nil {
		t.Fatal(err)
	}
	id := capture(t, c, w)
	s.advance(t, 2*time.Minute, c, w)
	s.awaitImage(t, c, id, types.WorkspaceImageStateAvailable)
	s.share(t, c, id, stranger)
	for n, by := range []struct {
		c           client
		in          sdk.CopyWorkspaceImageInput
		description string
	}{
		{c, sdk.CopyWorkspaceImageInput{SourceImageId: &id, SourceRegion: new(region)}, "d"},
		{far, sdk.CopyWorkspaceImageInput{SourceImageId: &id, SourceRegion: new(region), Description: new("far")}, "far"},
		{recipient, sdk.CopyWorkspaceImageInput{SourceImageId: &id, SourceRegion: new(region)}, "d"},
		{s.as(stranger, farRegion), sdk.CopyWorkspaceImageInput{SourceImageId: &id, SourceRegion: new(region)}, "d"},
		{far, sdk.CopyWorkspaceImageInput{SourceImageId: new(publicImage), SourceRegion: new(region)}, "Debian Linux with Xfce"},
	} {
		by.in.Name, by.in.Tags = new(fmt.Sprint("Copy-", n)), []types.Tag{tag("a", "1")}
		out, err := by.c.CopyWorkspaceImage(t.Context(), &by.in)
		if err != nil {
			t.Fatal(err)
		}
		got := s.describeImage(t, by.c, *out.ImageId)
		if *got.OwnerAccountId != by.c.scope.Account || *got.Description != by.description || got.State != types.WorkspaceImageStatePending {
			t.Errorf("%d: %s", n, show(got))
		}
		s.await(t, "the copying", func() bool { return s.imageBegun(t, by.c, *out.ImageId) })
		if err := s.clock.Advance(2 * time.Minute); err != nil {
			t.Fatal(err)
		}
		s.awaitImage(t, by.c, *out.ImageId, types.WorkspaceImageStateAvailable)
		if got := tagsOf(t, by.c, *out.ImageId); !slices.Equal(got, []string{"a=1"}) {
			t.Errorf("%d: tags %v", n, got)
		}
		if !s.engineHas(t, *out.ImageId) {
			t.Errorf("%d: the engine does not have it", n)
		}
	}
}

// TestUpdatedImages offers an update of what has grown old, and brings it up to date.
func TestUpdatedImages(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Clock.Freeze() })
	c := s.client()
	w := s.create(t, c, order(s.home(t, "jane"), "jane"))[0]
	id := capture(t, c, w)
	hasUpdates := func(id string) bool {
		return *s.awaitImage(t, c, id, types.WorkspaceImageStateAvailable).Updates.UpdateAvailable
	}
	if hasUpdates(id) {
		t.Error("a new image has updates")
	}
	if err := s.clock.Advance(31 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if !hasUpdates(id) {
		t.Error("an old image has no updates")
	}
	out, err := c.CreateUpdatedWorkspaceImage(t.Context(), &sdk.CreateUpdatedWorkspaceImageInput{
		Name: new("New"), Description: new("up to date"), SourceImageId: &id,
	})
	if err != nil {
		t.Fatal(err)
	}
	if hasUpdates(*out.ImageId) || !hasUpdates(id) {
		t.Error("the wrong image has updates")
	}
	b := s.bundle(t, c, *out.ImageId, "New")
	of := s.create(t, c, order(s.home(t, "john"), "john", bundle(*b.BundleId)))[0]
	if files, err := s.engine.Files(t.Context(), of, simulated.Root); err != nil || !slices.Contains(files, simulated.UpdatedFile) {
		t.Errorf("%v, %v", files, err)
	}
}

// TestRebuildTakesTheBundlesImage gives a WorkSpace the root volume of the image that its bundle has by then.
func TestRebuildTakesTheBundlesImage(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits.FirstSnapshot = 0 })
	c := s.client()
	d := s.home(t, "jane", "john")
	jane := s.create(t, c, order(d, "jane"))[0]
	if err := s.engine.WriteFile(t.Context(), jane, simulated.Root, "program", []byte("text")); err != nil {
		t.Fatal(err)
	}
	id := capture(t, c, jane)
	s.awaitImage(t, c, id, types.WorkspaceImageStateAvailable)
	b := s.bundle(t, c, publicImage, "Desk")
	john := s.create(t, c, order(d, "john", bundle(*b.BundleId)))[0]
	if err := s.engine.WriteFile(t.Context(), john, simulated.Home, "letter", []byte("text")); err != nil {
		t.Fatal(err)
	}
	s.keep(t, workspaces.SnapshotEvery, c, john)
	_, err := c.UpdateWorkspaceBundle(t.Context(), &sdk.UpdateWorkspaceBundleInput{BundleId: b.BundleId, ImageId: &id})
	if err != nil {
		t.Fatal(err)
	}
	succeeds(t, rebuildWorkSpaces, c, john)
	s.awaitState(t, c, john, types.WorkspaceStateAvailable)
	for volume, want := range map[simulated.Volume]string{simulated.Root: "program", simulated.Home: "letter"} {
		if files, err := s.engine.Files(t.Context(), john, volume); err != nil || !slices.Equal(files, []string{want}) {
			t.Errorf("%s: %v, %v", volume, files, err)
		}
	}
}
