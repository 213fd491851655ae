package operation_test

import (
	"fmt"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// tags are n tags with keys of a common beginning.
func tags(n int, prefix string) []types.Tag {
	out := make([]types.Tag, n)
	for i := range out {
		out[i] = types.Tag{Key: new(fmt.Sprintf("%skey%02d", prefix, i)), Value: new("value")}
	}
	return out
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

// tagsOf describes the tags of a resource as key=value.
func tagsOf(t *testing.T, c client, id string) []string {
	t.Helper()
	out, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, tag := range out.TagList {
		got = append(got, *tag.Key+"="+*tag.Value)
	}
	return got
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.directory(t, c.scope, "jane")
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d, Tags: []types.Tag{tag("a", "1"), tag("b", "2")}})
	w := s.create(t, c, order(d, "jane", func(r *types.WorkspaceRequest) { r.Tags = []types.Tag{tag("a", "1"), tag("b", "2")} }))[0]
	for _, id := range []string{d, w} {
		want := func(want ...string) {
			t.Helper()
			if got := tagsOf(t, c, id); !slices.Equal(got, want) {
				t.Errorf("%s has %v, want %v", id, got, want)
			}
		}
		put := func(tags ...types.Tag) error {
			_, err := c.CreateTags(t.Context(), &sdk.CreateTagsInput{ResourceId: &id, Tags: tags})
			return err
		}
		none := []types.Tag{}
		want("a=1", "b=2")
		// Keys are told apart by case, values are replaced, and may be missing.
		if err := put(tag("a", "3"), tag("A", "4"), types.Tag{Key: new("c")}); err != nil {
			t.Error(err)
		}
		want("a=3", "b=2", "A=4", "c=")
		refused(t, put(tag("x", "1"), tag("aws:x", "2")), invalid, "aws:x")
		refused(t, put(tag("x", "1"), tag("x", "2")), invalid, "twice")
		refused(t, put(tags(51, "")...), limit, "50")
		refused(t, put(tags(47, "")...), limit, "50")
		want("a=3", "b=2", "A=4", "c=")
		if err := put(tags(46, "")...); err != nil {
			t.Error(err)
		}
		refused(t, put(tag("x", "1")), limit, "50")
		if err := put(tag("a", "5")); err != nil {
			t.Errorf("one more value for a key: %v", err)
		}
		keys := []string{"A", "c", "no such key", "c"}
		for _, tag := range tags(46, "") {
			keys = append(keys, *tag.Key)
		}
		if _, err := c.DeleteTags(t.Context(), &sdk.DeleteTagsInput{ResourceId: &id, TagKeys: keys}); err != nil {
			t.Error(err)
		}
		want("a=5", "b=2")
		if err := put(none...); err != nil {
			t.Errorf("no tags: %v", err)
		}
	}
	// They go with what they are on.
	terminate(t, c, w)
	s.awaitGone(t, c, w)
	_, err := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &w})
	refused(t, err, notFound)
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Fatal(err)
	}
	s.await(t, "gone", func() bool { return s.describeDirectory(t, c, d) == nil })
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
	if got := tagsOf(t, c, d); len(got) > 0 {
		t.Errorf("a new registration has the old one's tags: %v", got)
	}
}

// TestTagsOfNothing asks for ids that nothing has that can have tags.
func TestTagsOfNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	for _, id := range []string{unknown, "d-0123456789", standard, s.directory(t, c.scope), "anything", "ds:d-0123456789"} {
		_, err := c.CreateTags(t.Context(), &sdk.CreateTagsInput{ResourceId: &id, Tags: tags(1, "")})
		refused(t, err, notFound, id)
		_, err = c.DeleteTags(t.Context(), &sdk.DeleteTagsInput{ResourceId: &id, TagKeys: []string{"a"}})
		refused(t, err, notFound, id)
		_, err = c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
		refused(t, err, notFound, id)
	}
}
