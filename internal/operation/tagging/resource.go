package tagging

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"carrel/internal/api/tagging"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TagResources adds tags to resources, or replaces the values of those that they have. What
// cannot be done to a resource is told of that resource, and done to the others.
func (s *Service) TagResources(ctx context.Context, in *tagging.TagResourcesInput) (*tagging.TagResourcesOutput, error) {
	tags := make([]workspaces.Tag, 0, len(in.Tags))
	for _, key := range slices.Sorted(maps.Keys(in.Tags)) {
		tags = append(tags, workspaces.Tag{Key: key, Value: in.Tags[key]})
	}
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	failed, err := s.each(ctx, in.ResourceARNList, func(tx *store.Tx, r resource) error {
		return put(ctx, tx, r, tags)
	})
	return &tagging.TagResourcesOutput{FailedResourcesMap: failed}, err
}

// UntagResources takes tags off resources. Keys that they do not have are ignored.
func (s *Service) UntagResources(ctx context.Context, in *tagging.UntagResourcesInput) (*tagging.UntagResourcesOutput, error) {
	failed, err := s.each(ctx, in.ResourceARNList, func(tx *store.Tx, r resource) error {
		return tx.DeleteTags(ctx, operation.Scope(ctx), r.tagsID(), in.TagKeys)
	})
	return &tagging.UntagResourcesOutput{FailedResourcesMap: failed}, err
}

// each does something to each resource of the caller's that exists, in one transaction, and
// returns why it could not be done to the others.
func (s *Service) each(
	ctx context.Context, arns []string, do func(*store.Tx, resource) error,
) (failed map[string]tagging.FailureInfo, err error) {
	err = s.core.Store.Update(ctx, func(tx *store.Tx) error {
		failed = make(map[string]tagging.FailureInfo)
		for _, arn := range arns {
			r, err := find(ctx, tx, arn)
			if err == nil {
				err = do(tx, r)
			}
			if refusal, ok := errors.AsType[*workspaces.Error](err); ok {
				failed[arn] = tagging.FailureInfo{
					StatusCode: new(int32(http.StatusBadRequest)), ErrorCode: &tagging.InvalidParameterException.Name, ErrorMessage: &refusal.Message,
				}
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return failed, err
}

// find returns the resource of the caller's that an ARN names.
func find(ctx context.Context, tx *store.Tx, arn string) (resource, error) {
	scope := operation.Scope(ctx)
	r, ours, err := parse(arn, scope)
	if err != nil {
		return r, err
	}
	if ours {
		if ours, err = tx.Exists(ctx, scope, r.kind, r.id); err != nil {
			return r, err
		}
	}
	if !ours {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The resource %s could not be found in %s.", arn, scope.Region)
	}
	return r, err
}

// The longest key and value that WorkSpaces keeps, shorter by one than those of the tagging
// API. Source: the shapes TagKey and TagValue of workspaces.
const (
	maxKey   = 127
	maxValue = 255
)

// put adds tags to a resource, none where one of them does not fit.
func put(ctx context.Context, tx *store.Tx, r resource, tags []workspaces.Tag) error {
	for _, t := range tags {
		if r.kind.Service == "workspaces" && (utf8.RuneCountInString(t.Key) > maxKey || utf8.RuneCountInString(t.Value) > maxValue) {
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "WorkSpaces keeps keys of up to %d characters, and values of up to %d.", maxKey, maxValue)
		}
	}
	has, err := tx.Tags(ctx, operation.Scope(ctx), r.tagsID())
	if err != nil {
		return err
	}
	n := len(has)
	for _, t := range tags {
		if !slices.ContainsFunc(has, func(h workspaces.Tag) bool { return h.Key == t.Key }) {
			n++
		}
	}
	if n > workspaces.MaxTags {
		return workspaces.Errorf(workspaces.CodeLimitExceeded, "Tag limit exceeded: a resource can have at most %d tags.", workspaces.MaxTags)
	}
	return tx.PutTags(ctx, operation.Scope(ctx), r.tagsID(), tags)
}
