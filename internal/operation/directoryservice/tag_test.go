package directoryservice_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestTags(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	in := dstest.CreateInput()
	in.Tags = tags("b", "a")
	made, err := s.DS().CreateDirectory(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	id := *made.DirectoryId
	add := func(tags []types.Tag) error {
		_, err := s.DS().AddTagsToResource(t.Context(), &directoryservice.AddTagsToResourceInput{ResourceId: &id, Tags: tags})
		return err
	}
	if err := add([]types.Tag{{Key: aws.String("a"), Value: aws.String("new")}, {Key: aws.String("c"), Value: aws.String("")}}); err != nil {
		t.Fatal(err)
	}
	wantTags(t, s, id, "b=value of b a=new c=")
	_, err = s.DS().RemoveTagsFromResource(t.Context(), &directoryservice.RemoveTagsFromResourceInput{ResourceId: &id, TagKeys: []string{"b", "x"}})
	if err != nil {
		t.Fatal(err)
	}
	wantTags(t, s, id, "a=new c=")
	dstest.WantError(t, dsapi.AddTagsToResource.Info, add(tags("AWS:x")), "InvalidParameterException")
	dstest.WantError(t, dsapi.AddTagsToResource.Info, add(tags("x", "x")), "InvalidParameterException")
	dstest.WantError(t, dsapi.AddTagsToResource.Info, add(manyTags(49)), "TagLimitExceededException")
	dstest.WantError(t, dsapi.AddTagsToResource.Info, add(manyTags(51)), "TagLimitExceededException")
	dstest.WantError(t, dsapi.AddTagsToResource.Info, add(tags("!")), "ValidationException")
	wantTags(t, s, id, "a=new c=")
	if err := add(manyTags(48)); err != nil {
		t.Errorf("50 tags: %v", err)
	}
	_, err = s.DS().RemoveTagsFromResource(t.Context(),
		&directoryservice.RemoveTagsFromResourceInput{ResourceId: &id, TagKeys: make([]string, 201)})
	dstest.WantError(t, dsapi.RemoveTagsFromResource.Info, err, "ValidationException")
}

// TestTagsPages reads the tags in pages of one.
func TestTagsPages(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, other := s.Create(t), s.Create(t)
	_, err := s.DS().AddTagsToResource(t.Context(), &directoryservice.AddTagsToResourceInput{ResourceId: &id, Tags: tags("a", "B", "c")})
	if err != nil {
		t.Fatal(err)
	}
	var seen string
	in := &directoryservice.ListTagsForResourceInput{ResourceId: &id, Limit: aws.Int32(1)}
	for range 4 {
		page, err := s.DS().ListTagsForResource(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range page.Tags {
			seen += *tag.Key
		}
		if page.NextToken == nil {
			break
		}
		in.NextToken = page.NextToken
	}
	if seen != "aBc" {
		t.Errorf("pages hold %q", seen)
	}
	in.ResourceId = &other
	_, err = s.DS().ListTagsForResource(t.Context(), in)
	dstest.WantError(t, dsapi.ListTagsForResource.Info, err, "InvalidNextTokenException")
}

// TestTagsAreNotThoseOfWorkSpaces makes sure that a directory and its registration, which have
// one id, have tags of their own.
func TestTagsAreNotThoseOfWorkSpaces(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	register(t, s, id)
	_, err := s.DS().AddTagsToResource(t.Context(), &directoryservice.AddTagsToResourceInput{ResourceId: &id, Tags: tags("a")})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Store.Update(t.Context(), func(tx *store.Tx) error {
		of, err := tx.Tags(t.Context(), dstest.Scope(), id)
		if len(of) != 0 {
			t.Errorf("the registration has the tags %v", of)
		}
		if err != nil {
			return err
		}
		_, err = tx.DeleteWorkspaceDirectory(t.Context(), workspaces.Ref{Scope: dstest.Scope(), ID: id})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantTags(t, s, id, "a=value of a")
}

func wantTags(t *testing.T, s *dstest.Server, id, want string) {
	t.Helper()
	out, err := s.DS().ListTagsForResource(t.Context(), &directoryservice.ListTagsForResourceInput{ResourceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tag := range out.Tags {
		got = append(got, *tag.Key+"="+*tag.Value)
	}
	if strings.Join(got, " ") != want {
		t.Errorf("tags = %q, want %q", got, want)
	}
}

func tags(keys ...string) []types.Tag {
	var out []types.Tag
	for _, key := range keys {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String("value of " + key)})
	}
	return out
}

func manyTags(n int) []types.Tag {
	var out []types.Tag
	for i := range n {
		out = append(out, types.Tag{Key: aws.String(fmt.Sprintf("k%d", i)), Value: aws.String("v")})
	}
	return out
}
