package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateTags adds tags to a resource, or replaces the values of those that it has.
//
// Effect: operations. Told by DescribeTags and by the tagging API.
func (s WorkSpaces) CreateTags(ctx context.Context, in *wsapi.CreateTagsRequest) (*wsapi.CreateTagsResult, error) {
	tags, id := tagsOf(in.Tags), deref(in.ResourceId)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	return &wsapi.CreateTagsResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := mustExist(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.PutTags(ctx, Scope(ctx), id, tags); err != nil {
			return err
		}
		all, err := tx.Tags(ctx, Scope(ctx), id)
		if err == nil && len(all) > workspaces.MaxTags {
			err = workspaces.Errorf(workspaces.CodeLimitExceeded, "Tag limit exceeded: a resource can have at most %d tags.", workspaces.MaxTags)
		}
		return err
	})
}

// DeleteTags takes tags off a resource. Keys that it does not have are ignored.
//
// Effect: operations. No longer told by DescribeTags and by the tagging API.
func (s WorkSpaces) DeleteTags(ctx context.Context, in *wsapi.DeleteTagsRequest) (*wsapi.DeleteTagsResult, error) {
	id := deref(in.ResourceId)
	return &wsapi.DeleteTagsResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := mustExist(ctx, tx, id); err != nil {
			return err
		}
		return tx.DeleteTags(ctx, Scope(ctx), id, in.TagKeys)
	})
}

// DescribeTags returns the tags of a resource.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeTags(ctx context.Context, in *wsapi.DescribeTagsRequest) (*wsapi.DescribeTagsResult, error) {
	var tags []workspaces.Tag
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if err = mustExist(ctx, tx, deref(in.ResourceId)); err == nil {
			tags, err = tx.Tags(ctx, Scope(ctx), deref(in.ResourceId))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeTagsResult{TagList: make([]wsapi.Tag, len(tags))}
	for i := range tags {
		out.TagList[i] = wsapi.Tag{Key: &tags[i].Key, Value: &tags[i].Value}
	}
	return out, nil
}

// mustExist refuses ids that no resource of the caller's has.
func mustExist(ctx context.Context, tx *store.Tx, id string) error {
	exists, err := tx.ResourceExists(ctx, Scope(ctx), id)
	if err == nil && !exists {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The resource %s could not be found.", id).About(id)
	}
	return err
}

func tagsOf(in []wsapi.Tag) []workspaces.Tag {
	tags := make([]workspaces.Tag, len(in))
	for i, t := range in {
		tags[i] = workspaces.Tag{Key: deref(t.Key), Value: deref(t.Value)}
	}
	return tags
}
