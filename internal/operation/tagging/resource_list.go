package tagging

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"carrel/internal/api/tagging"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// The sizes of a page. Source: GetResources, ResourcesPerPage and TagsPerPage.
const (
	maxResources     = 100
	defaultResources = 50
	minTags, maxTags = 100, 500
)

// GetResources lists the resources of the caller's that have tags: all, those with certain
// tags or of certain types, or those with the ARNs.
func (s *Service) GetResources(ctx context.Context, in *tagging.GetResourcesInput) (*tagging.GetResourcesOutput, error) {
	if err := checkList(in); err != nil {
		return nil, err
	}
	filter, err := s.filterOf(ctx, in)
	if err != nil {
		return nil, err
	}
	about := about(ctx, in)
	if filter.After, err = cursor.Key(unlessEmpty(in.PaginationToken), about...); err != nil {
		return nil, err
	}
	var found []store.Tagged
	if !value(in.ExcludeCompliantResources) { // there are no tag policies: every resource is compliant
		err = s.core.Store.View(func(tx *store.Tx) (err error) {
			found, err = tx.Tagged(ctx, filter)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out := &tagging.GetResourcesOutput{ResourceTagMappingList: []tagging.ResourceTagMapping{}, PaginationToken: new("")}
	if len(in.ResourceARNList) == 0 {
		if n := fitting(found, filter.Limit-1, int(value(in.TagsPerPage))); n < len(found) {
			found = found[:n]
			out.PaginationToken = cursor.Token(found[n-1].TagsID, about...)
		}
	}
	for _, r := range found {
		mapping := describe(filter.Scope, r)
		if value(in.IncludeComplianceDetails) {
			mapping.ComplianceDetails = compliant()
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, mapping)
	}
	return out, nil
}

// checkList applies what the model cannot say about a list of resources.
func checkList(in *tagging.GetResourcesInput) error {
	paged := in.ResourcesPerPage != nil || in.TagsPerPage != nil || unlessEmpty(in.PaginationToken) != nil
	switch n := in.ResourcesPerPage; {
	case len(in.ResourceARNList) > 0 && (paged || len(in.TagFilters) > 0 || len(in.ResourceTypeFilters) > 0):
		return workspaces.Errorf(workspaces.CodeInvalidParameter,
			"ResourceARNList cannot be given together with filters, ResourcesPerPage, TagsPerPage or PaginationToken.")
	case n != nil && (*n < 1 || *n > maxResources):
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "ResourcesPerPage must be between 1 and %d.", maxResources)
	case value(in.ExcludeCompliantResources) && !value(in.IncludeComplianceDetails):
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "ExcludeCompliantResources needs IncludeComplianceDetails.")
	}
	if n := in.TagsPerPage; n != nil && (*n < minTags || *n > maxTags) {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "TagsPerPage must be between %d and %d.", minTags, maxTags)
	}
	for i, f := range in.TagFilters {
		if f.Key == nil {
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "A tag filter needs a Key.")
		}
		if slices.ContainsFunc(in.TagFilters[:i], func(o tagging.TagFilter) bool { return *o.Key == *f.Key }) {
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "There are two tag filters with the Key %s.", *f.Key)
		}
	}
	return nil
}

// filterOf is what the store is asked: for one resource more than the page holds, which tells
// whether there is another page.
func (s *Service) filterOf(ctx context.Context, in *tagging.GetResourcesInput) (store.TaggedFilter, error) {
	f := store.TaggedFilter{Scope: operation.Scope(ctx)}
	for _, t := range in.TagFilters {
		f.Tags = append(f.Tags, store.TagFilter{Key: *t.Key, Values: t.Values})
	}
	if len(in.ResourceARNList) > 0 {
		for _, arn := range in.ResourceARNList {
			r, ours, err := parse(arn, f.Scope)
			if err != nil {
				return f, err
			}
			if ours { // what does not exist is left out
				f.IDs, f.Kinds = append(f.IDs, r.tagsID()), append(f.Kinds, r.kind)
			}
		}
		return f, nil
	}
	f.Limit = defaultResources + 1
	if in.ResourcesPerPage != nil {
		f.Limit = int(*in.ResourcesPerPage) + 1
	}
	var err error
	types := in.ResourceTypeFilters
	if s.core.Ways.Follow(moto.HyphenedResourceTypes) {
		types = moto.ResourceTypes(types)
	}
	f.Kinds, err = kinds(types)
	return f, err
}

// kinds returns the sorts of resources that filters of the form service[:type] name. A service
// that Carrel does not keep tags for has none.
func kinds(filters []string) (chosen []store.Taggable, err error) {
	if len(filters) == 0 {
		return store.Taggables(), nil
	}
	for _, f := range filters {
		service, kind, typed := strings.Cut(f, ":")
		if service == "" || typed && kind == "" {
			return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The resource type %q does not have the form service[:resourceType].", f)
		}
		for _, g := range store.Taggables() {
			if g.Service == service && (!typed || g.Type == kind) {
				chosen = append(chosen, g)
			}
		}
	}
	return chosen, nil
}

// about is what a list is of, for its tokens. The size of a page is none of it.
func about(ctx context.Context, in *tagging.GetResourcesInput) []string {
	scope := operation.Scope(ctx)
	about := append([]string{tagging.GetResources.Name, scope.Account, scope.Region}, in.ResourceTypeFilters...)
	for _, f := range in.TagFilters {
		about = append(about, strconv.Itoa(len(f.Values)), *f.Key)
		about = append(about, f.Values...)
	}
	return about
}

// fitting returns how many resources a page holds: up to a number, and of no more tags than
// asked for, 0 for any. A resource is never split, and counts as one tag at least.
func fitting(found []store.Tagged, most, tags int) int {
	sum := 0
	for i, r := range found {
		sum += max(len(r.Tags), 1)
		if i == most || tags > 0 && sum > tags {
			return i
		}
	}
	return len(found)
}

func describe(s workspaces.Scope, r store.Tagged) tagging.ResourceTagMapping {
	kind, id, _ := store.TaggableOf(r.TagsID)
	out := tagging.ResourceTagMapping{ResourceARN: new(resource{kind, id}.arn(s)), Tags: make([]tagging.Tag, len(r.Tags))}
	for i, t := range r.Tags {
		out.Tags[i] = tagging.Tag{Key: &t.Key, Value: &t.Value}
	}
	return out
}

// compliant is what every resource is where there are no tag policies.
func compliant() *tagging.ComplianceDetails {
	return &tagging.ComplianceDetails{ComplianceStatus: new(true), NoncompliantKeys: []string{}, KeysWithNoncompliantValues: []string{}}
}
