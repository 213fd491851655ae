package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/operation"
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

// ListTagsForResource lists the tags of a directory in the order in which they were given.
func (s *Service) ListTagsForResource(ctx context.Context, in *ds.ListTagsForResourceRequest) (*ds.ListTagsForResourceResult, error) {
	id := value(in.ResourceId)
	after, err := operation.PagePosition(in.NextToken, "ListTagsForResource", id)
	if err != nil {
		return nil, err
	}
	limit := int(value(in.Limit))
	if limit == 0 {
		limit = workspaces.MaxTags
	}
	var tags []workspaces.Tag
	var last int64
	var more bool
	err = s.core.Store.View(func(tx *store.Tx) error {
		d, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if tags, last, err = tx.TagsAfter(ctx, d.Scope, d.TagsID(), after, limit); err != nil || len(tags) < limit {
			return err
		}
		rest, _, err := tx.TagsAfter(ctx, d.Scope, d.TagsID(), last, 1)
		more = len(rest) > 0
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ds.ListTagsForResourceResult{Tags: make([]ds.Tag, len(tags))}
	for i := range tags {
		out.Tags[i] = ds.Tag{Key: &tags[i].Key, Value: &tags[i].Value}
	}
	if more {
		out.NextToken = operation.PageToken(last, "ListTagsForResource", id)
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
