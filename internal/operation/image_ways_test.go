package operation_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

const noImage = "wsi-012345678" // of nobody

// waysOfImages are those of images that are captured, copied, brought up to date, shared and deleted.
func waysOfImages(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, func(set *setup) { set.Limits.Images = 3 })
	c := s.client()
	d := s.home(t)
	w := s.create(t, c, order(d, "jane", autoStop))[0]
	encrypted := s.create(t, c, order(d, "john", func(r *types.WorkspaceRequest) { r.UserVolumeEncryptionEnabled = new(true) }))[0]
	stopped := s.create(t, c, order(d, "jack", autoStop))[0]
	if failed, err := stopWorkSpaces(t, c, stopped); err != nil || len(failed) > 0 {
		t.Fatal(show(failed), err)
	}
	s.awaitState(t, c, stopped, types.WorkspaceStateStopped)
	own, used := s.image(t, c.scope), s.image(t, c.scope, func(i *workspaces.Image) { i.Name = "taken" })
	s.bundle(t, c, used.ID, "used")
	pending := s.image(t, c.scope, func(i *workspaces.Image) { i.State = workspaces.ImagePending })
	roomy := s.as(account, farRegion) // where the quota is not used up
	far := s.image(t, roomy.scope, func(i *workspaces.Image) { i.State = workspaces.ImageErrored })
	other := s.as(stranger, region)
	lent := s.image(t, other.scope)
	s.share(t, other, lent.ID, account)
	captures := func(w, name string, tags ...types.Tag) func() error {
		return func() error {
			_, err := c.CreateWorkspaceImage(t.Context(), &sdk.CreateWorkspaceImageInput{WorkspaceId: &w, Name: &name, Description: new("d"), Tags: tags})
			return err
		}
	}
	copies := func(c client, id, from, name string, tags ...types.Tag) func() error {
		return func() error {
			_, err := c.CopyWorkspaceImage(t.Context(), &sdk.CopyWorkspaceImageInput{SourceImageId: &id, SourceRegion: &from, Name: &name, Tags: tags})
			return err
		}
	}
	updates := func(c client, id, name string, tags ...types.Tag) func() error {
		return func() error {
			_, err := c.CreateUpdatedWorkspaceImage(t.Context(), &sdk.CreateUpdatedWorkspaceImageInput{
				SourceImageId: &id, Name: &name, Description: new("d"), Tags: tags,
			})
			return err
		}
	}
	deletes := func(id string) func() error {
		return func() error {
			return errOf(c.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &id}))
		}
	}
	permits := func(id, account string, allow bool) func() error {
		return func() error {
			return errOf(c.UpdateWorkspaceImagePermission(t.Context(), permission(id, account, allow)))
		}
	}
	permissions := func(id string, token *string) func() error {
		return func() error {
			_, err := c.DescribeWorkspaceImagePermissions(t.Context(), &sdk.DescribeWorkspaceImagePermissionsInput{ImageId: &id, NextToken: token})
			return err
		}
	}
	capture, copied, updated := wsapi.CreateWorkspaceImage.Spec(), wsapi.CopyWorkspaceImage.Spec(), wsapi.CreateUpdatedWorkspaceImage.Spec()
	remove, permit := wsapi.DeleteWorkspaceImage.Spec(), wsapi.UpdateWorkspaceImagePermission.Spec()
	describe := wsapi.DescribeWorkspaceImagePermissions.Spec()
	reserved := tags(1, "aws:")
	return []way{
		{capture, notFound, captures(unknown, "x")},
		{capture, exists, captures(w, "taken")},
		{capture, limit, captures(w, "x")},
		{capture, limit, captures(w, "x", tags(51, "")...)},
		{capture, badState, captures(stopped, "x")},
		{capture, notSupported, captures(encrypted, "x")},
		{capture, invalid, captures(w, "x", reserved...)},
		{copied, notFound, copies(c, noImage, region, "x")},
		{copied, notFound, copies(c, own.ID, farRegion, "x")},
		{copied, exists, copies(c, own.ID, region, "taken")},
		{copied, limit, copies(c, own.ID, region, "x")},
		{copied, unavailable, copies(c, pending.ID, region, "x")},
		{copied, invalid, copies(c, own.ID, region, "x", reserved...)},
		{updated, notFound, updates(c, noImage, "x")},
		{updated, denied, updates(c, lent.ID, "x")},
		{updated, exists, updates(c, own.ID, "taken")},
		{updated, limit, updates(c, own.ID, "x")},
		{updated, badState, updates(roomy, far.ID, "x")},
		{updated, invalid, updates(c, own.ID, "x", reserved...)},
		{remove, denied, deletes(lent.ID)},
		{remove, denied, deletes(publicImage)},
		{remove, badState, deletes(pending.ID)},
		{remove, associated, deletes(used.ID)},
		{permit, notFound, permits(noImage, stranger, true)},
		{permit, unavailable, permits(pending.ID, stranger, true)},
		{permit, denied, permits(lent.ID, "333333333333", true)},
		{permit, denied, permits(publicImage, stranger, true)},
		{permit, invalid, permits(own.ID, account, true)},
		{permit, notSupported, permits(own.ID, stranger, false)},
		{describe, notFound, permissions(noImage, nil)},
		{describe, denied, permissions(lent.ID, nil)},
		{describe, invalid, permissions(own.ID, new("x"))},
	}
}

// waysOfImports are those of images that are imported.
func waysOfImports(t *testing.T) []way {
	t.Helper()
	full := start(t, declared(t), func(set *setup) { set.Limits.Images = 1 })
	s := start(t, declared(t))
	for _, of := range []*server{full, s} {
		of.image(t, of.client().scope, func(i *workspaces.Image) { i.Name = "taken" })
	}
	imports := func(s *server, id, name string, change ...func(*sdk.ImportWorkspaceImageInput)) func() error {
		return func() error {
			return errOf(s.client().ImportWorkspaceImage(t.Context(), importOf(id, name, change...)))
		}
	}
	custom := func(s *server, id, name string, change ...func(*sdk.ImportCustomWorkspaceImageInput)) func() error {
		source := &types.ImageSourceIdentifierMemberEc2ImageId{Value: id}
		return func() error {
			return errOf(s.client().ImportCustomWorkspaceImage(t.Context(), customOf(source, name, change...)))
		}
	}
	describes := func(id string) func() error {
		return func() error {
			return errOf(s.client().DescribeCustomWorkspaceImageImport(t.Context(), &sdk.DescribeCustomWorkspaceImageImportInput{ImageId: &id}))
		}
	}
	apps := func(apps ...types.Application) func(*sdk.ImportWorkspaceImageInput) {
		return func(in *sdk.ImportWorkspaceImageInput) { in.Applications = apps }
	}
	reserved := func(in *sdk.ImportCustomWorkspaceImageInput) { in.Tags = tags(1, "aws:") }
	simple, builder := wsapi.ImportWorkspaceImage.Spec(), wsapi.ImportCustomWorkspaceImage.Spec()
	captured := s.image(t, s.client().scope)
	return []way{
		{simple, notFound, imports(s, strange, "x")},
		{simple, exists, imports(s, ami, "taken")},
		{simple, limit, imports(full, ami, "x")},
		{simple, invalid, imports(s, ami, "x", apps(types.ApplicationMicrosoftOffice2016, types.ApplicationMicrosoftOffice2019))},
		{simple, notSupported, imports(s, ami, "x", apps(types.ApplicationMicrosoftOffice2016))},
		{builder, notFound, custom(s, strange, "x")},
		{builder, exists, custom(s, ami, "taken")},
		{builder, limit, custom(full, ami, "x")},
		{builder, invalid, custom(s, ami, "x", reserved)},
		{wsapi.DescribeCustomWorkspaceImageImport.Spec(), notFound, describes(noImage)},
		{wsapi.DescribeCustomWorkspaceImageImport.Spec(), notFound, describes(captured.ID)},
	}
}

// imageAttempts are what a stranger tries with a WorkSpace and an image, whose owner has a scope.
func imageAttempts(owner workspaces.Scope, w, image string) map[string]func(t *testing.T, c client) {
	refuses := func(do func(t *testing.T, c client) error, want string) func(t *testing.T, c client) {
		return func(t *testing.T, c client) { t.Helper(); refused(t, do(t, c), want) }
	}
	return map[string]func(t *testing.T, c client){
		"CreateWorkspaceImage": refuses(func(t *testing.T, c client) error {
			t.Helper()
			in := &sdk.CreateWorkspaceImageInput{WorkspaceId: &w, Name: new("theirs"), Description: new("d")}
			return errOf(c.CreateWorkspaceImage(t.Context(), in))
		}, notFound),
		"CopyWorkspaceImage": func(t *testing.T, c client) {
			t.Helper()
			in := &sdk.CopyWorkspaceImageInput{SourceImageId: &image, SourceRegion: &owner.Region, Name: new("theirs")}
			_, err := c.CopyWorkspaceImage(t.Context(), in)
			if c.scope.Account != owner.Account {
				refused(t, err, notFound)
			} else if err != nil {
				t.Errorf("the owner cannot copy from another region: %v", err)
			}
		},
		"CreateUpdatedWorkspaceImage": refuses(func(t *testing.T, c client) error {
			t.Helper()
			in := &sdk.CreateUpdatedWorkspaceImageInput{SourceImageId: &image, Name: new("theirs"), Description: new("d")}
			return errOf(c.CreateUpdatedWorkspaceImage(t.Context(), in))
		}, notFound),
		"DeleteWorkspaceImage": refuses(func(t *testing.T, c client) error {
			t.Helper()
			return errOf(c.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &image}))
		}, validation),
		"DescribeWorkspaceImages": func(t *testing.T, c client) {
			t.Helper()
			for _, kind := range []types.ImageType{"", types.ImageTypeOwned, types.ImageTypeShared} {
				out, err := c.DescribeWorkspaceImages(t.Context(), &sdk.DescribeWorkspaceImagesInput{ImageIds: []string{image}, ImageType: kind})
				if err != nil || len(out.Images) > 0 {
					t.Errorf("%s, %v", show(out), err)
				}
			}
		},
		"DescribeWorkspaceImagePermissions": refuses(func(t *testing.T, c client) error {
			t.Helper()
			return errOf(c.DescribeWorkspaceImagePermissions(t.Context(), &sdk.DescribeWorkspaceImagePermissionsInput{ImageId: &image}))
		}, notFound),
		"UpdateWorkspaceImagePermission": refuses(func(t *testing.T, c client) error {
			t.Helper()
			return errOf(c.UpdateWorkspaceImagePermission(t.Context(), permission(image, "333333333333", true)))
		}, notFound),
		"DescribeCustomWorkspaceImageImport": refuses(func(t *testing.T, c client) error {
			t.Helper()
			return errOf(c.DescribeCustomWorkspaceImageImport(t.Context(), &sdk.DescribeCustomWorkspaceImageImportInput{ImageId: &image}))
		}, notFound),
		// What is imported is nobody's.
		"ImportWorkspaceImage": refuses(func(t *testing.T, c client) error {
			t.Helper()
			return errOf(c.ImportWorkspaceImage(t.Context(), importOf(strange, "theirs")))
		}, notFound),
		"ImportCustomWorkspaceImage": refuses(func(t *testing.T, c client) error {
			t.Helper()
			source := &types.ImageSourceIdentifierMemberEc2ImageId{Value: strange}
			return errOf(c.ImportCustomWorkspaceImage(t.Context(), customOf(source, "theirs")))
		}, notFound),
	}
}
