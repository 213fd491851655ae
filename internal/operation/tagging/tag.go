package tagging

import (
	"context"

	"carrel/internal/api/tagging"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
)

// maxListed is how many keys or values one page holds. The service does not say what its most is.
const maxListed = 1000

// GetTagKeys lists the keys of all tags of the caller's.
func (s *Service) GetTagKeys(ctx context.Context, in *tagging.GetTagKeysInput) (*tagging.GetTagKeysOutput, error) {
	scope := operation.Scope(ctx)
	about := []string{tagging.GetTagKeys.Name, scope.Account, scope.Region}
	after, err := cursor.Key(unlessEmpty(in.PaginationToken), about...)
	if err != nil {
		return nil, err
	}
	var keys []string
	err = s.core.Store.View(func(tx *store.Tx) (err error) {
		keys, err = tx.TagKeys(ctx, scope, after, maxListed+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &tagging.GetTagKeysOutput{TagKeys: append([]string{}, keys...), PaginationToken: new("")}
	if len(keys) > maxListed {
		out.TagKeys = keys[:maxListed]
		out.PaginationToken = cursor.Token(keys[maxListed-1], about...)
	}
	return out, nil
}

// GetTagValues lists the values that a key has in all tags of the caller's.
func (s *Service) GetTagValues(ctx context.Context, in *tagging.GetTagValuesInput) (*tagging.GetTagValuesOutput, error) {
	scope, key := operation.Scope(ctx), value(in.Key)
	about := []string{tagging.GetTagValues.Name, scope.Account, scope.Region, key}
	skipped, err := operation.PagePosition(unlessEmpty(in.PaginationToken), about...)
	if err != nil {
		return nil, err
	}
	var values []string
	err = s.core.Store.View(func(tx *store.Tx) (err error) {
		values, err = tx.TagValues(ctx, scope, key, skipped, maxListed+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &tagging.GetTagValuesOutput{TagValues: append([]string{}, values...)}
	if len(values) > maxListed {
		out.TagValues = values[:maxListed]
		out.PaginationToken = operation.PageToken(skipped+maxListed, about...)
	}
	out.PaginationToken = orEmpty(out.PaginationToken)
	return out, nil
}
