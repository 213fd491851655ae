package operation_test

import (
	"fmt"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"

	"carrel/internal/workspaces"
)

func permission(image, account string, allow bool) *sdk.UpdateWorkspaceImagePermissionInput {
	return &sdk.UpdateWorkspaceImagePermissionInput{ImageId: &image, SharedAccountId: &account, AllowCopyImage: &allow}
}

// share shares an image with an account, which must work.
func (*server) share(t *testing.T, c client, image, account string) {
	t.Helper()
	if _, err := c.UpdateWorkspaceImagePermission(t.Context(), permission(image, account, true)); err != nil {
		t.Fatal(err)
	}
}

func TestImagePermissions(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id := s.image(t, c.scope).ID
	var accounts []string
	for i := range 27 {
		accounts = append(accounts, fmt.Sprintf("2222222222%02d", i))
		s.share(t, c, id, accounts[i])
	}
	s.share(t, c, id, accounts[3]) // once more
	for _, size := range []*int32{nil, new(int32(10))} {
		var got []string
		in := &sdk.DescribeWorkspaceImagePermissionsInput{ImageId: &id, MaxResults: size}
		for more := true; more; more = in.NextToken != nil {
			out, err := c.DescribeWorkspaceImagePermissions(t.Context(), in)
			if err != nil || *out.ImageId != id {
				t.Fatal(show(out), err)
			}
			for _, p := range out.ImagePermissions {
				got = append(got, *p.SharedAccountId)
			}
			in.NextToken = out.NextToken
		}
		if !slices.Equal(got, accounts) {
			t.Errorf("got %v", got)
		}
	}
}

// TestSharedImages lets a recipient see and copy, and do nothing else, and that in one region only.
func TestSharedImages(t *testing.T) {
	t.Parallel()
	s := start(t)
	owner, recipient := s.client(), s.as(stranger, region)
	image := s.image(t, owner.scope, func(i *workspaces.Image) { i.CreatedAt = i.CreatedAt.Add(-1000) })
	id := image.ID
	see := func(c client) bool { return s.describeImage(t, c, id).ImageId != nil }
	if see(recipient) {
		t.Error("it is seen before it is shared")
	}
	s.share(t, owner, id, stranger)
	got := s.describeImage(t, recipient, id)
	if got.ImageId == nil || *got.OwnerAccountId != account || !got.Created.Equal(*s.describeImage(t, owner, id).Created) {
		t.Errorf("%s", show(got))
	}
	for _, c := range []client{s.as("333333333333", region), s.as(stranger, farRegion)} {
		if see(c) {
			t.Errorf("%v sees it", c.scope)
		}
	}
	for name, err := range map[string]error{
		"share on": errOf(recipient.UpdateWorkspaceImagePermission(t.Context(), permission(id, "333333333333", true))),
		"unshare":  errOf(recipient.UpdateWorkspaceImagePermission(t.Context(), permission(id, account, false))),
		"permissions": errOf(recipient.DescribeWorkspaceImagePermissions(t.Context(), &sdk.DescribeWorkspaceImagePermissionsInput{
			ImageId: &id,
		})),
		"delete": errOf(recipient.DeleteWorkspaceImage(t.Context(), &sdk.DeleteWorkspaceImageInput{ImageId: &id})),
		"bundle": errOf(recipient.CreateWorkspaceBundle(t.Context(), bundleOf(id, "theirs"))),
		"update": errOf(recipient.CreateUpdatedWorkspaceImage(t.Context(), &sdk.CreateUpdatedWorkspaceImageInput{
			Name: new("x"), Description: new("x"), SourceImageId: &id,
		})),
	} {
		t.Log(name)
		refused(t, err, denied, "")
	}
	hasNoTags(t, recipient, id)
	if _, err := owner.UpdateWorkspaceImagePermission(t.Context(), permission(id, stranger, false)); err != nil {
		t.Fatal(err)
	}
	if see(recipient) {
		t.Error("it is still seen")
	}
	_, err := recipient.CopyWorkspaceImage(t.Context(), &sdk.CopyWorkspaceImageInput{Name: new("x"), SourceImageId: &id, SourceRegion: new(region)})
	refused(t, err, notFound, id)
}

func errOf[T any](_ T, err error) error { return err }
