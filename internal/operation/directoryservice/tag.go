package directoryservice

import (
	"context"
	"slices"
	"strings"

	"carrel/internal/api/ds"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// AddTagsToResource adds tags to a directory, or replaces the values of those that it has.
func (s *Service) AddTagsToResource(ctx context.Context, in *ds.AddTagsToResourceRequest) (*ds.AddTagsToResourceResult, error) {
	tags := tagsOf(in.Tags)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	return &ds.AddTagsToResourceResult{}, s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := find(ctx, tx, value(in.ResourceId))
		if err != nil {
			return err
		}
		if err := tx.PutTags(ctx, d.Scope, d.TagsID(), tags); err != nil {
			return err
		}
		all, err := tx.Tags(ctx, d.Scope, d.TagsID())
		if err != nil {
			return err
		}
		return workspaces.CheckTags(all)
	})
}

// RemoveTagsFromResource takes tags off a directory. Keys that it does not have are ignored.
func (s *Service) RemoveTagsFromResource(
	ctx context.Context, in *ds.RemoveTagsFromResourceRequest,
) (*ds.RemoveTagsFromResourceResult, error) {
	if len(in.TagKeys) > maxTagKeys {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "TagKeys can hold at most %d keys.", maxTagKeys)
	}
	return &ds.RemoveTagsFromResourceResult{}, s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := find(ctx, tx, value(in.ResourceId))
		if err != nil {
			return err
		}
		return tx.DeleteTags(ctx, d.Scope, d.TagsID(), in.TagKeys)
	})
}

// maxTagKeys is how many keys one request can name: more than any directory has, and few
// enough for one statement. The model has no limit.
const maxTagKeys = 200

// ListTagsForResource lists the tags of a directory by key.
func (s *Service) ListTagsForResource(ctx context.Context, in *ds.ListTagsForResourceRequest) (*ds.ListTagsForResourceResult, error) {
	id := value(in.ResourceId)
	after, err := cursor.Key(in.NextToken, "ListTagsForResource", id)
	if err != nil {
		return nil, err
	}
	var tags []workspaces.Tag
	err = s.core.Store.View(func(tx *store.Tx) error {
		d, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		tags, err = tx.Tags(ctx, d.Scope, d.TagsID())
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tags, func(a, b workspaces.Tag) int { return strings.Compare(a.Key, b.Key) }) // databases have orders of their own
	out := &ds.ListTagsForResourceResult{Tags: []ds.Tag{}}
	limit := int(value(in.Limit))
	for _, t := range tags {
		if t.Key <= after {
			continue
		}
		if limit > 0 && len(out.Tags) == limit {
			out.NextToken = cursor.Token(*out.Tags[limit-1].Key, "ListTagsForResource", id)
			break
		}
		out.Tags = append(out.Tags, ds.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out, nil
}

func tagsOf(in []ds.Tag) []workspaces.Tag {
	tags := make([]workspaces.Tag, len(in))
	for i, t := range in {
		tags[i] = workspaces.Tag{Key: value(t.Key), Value: value(t.Value)}
	}
	return tags
}
