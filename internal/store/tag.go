package store

import (
	"context"
	"math"
	"slices"
	"strings"

	"carrel/internal/workspaces"
)

// Taggable is a sort of resource that can have tags. Its ARN is
// arn:aws:SERVICE:REGION:ACCOUNT:TYPE/ID.
type Taggable struct {
	Service string
	Type    string
	table   string   // where such resources are
	ids     []string // what their ids begin with
	under   string   // what precedes the id where tags are kept: a directory and its registration have one id
}

// Taggables returns every sort of resource that can have tags.
func Taggables() []Taggable {
	return []Taggable{
		{Service: "workspaces", Type: "workspace", table: "workspace", ids: []string{"ws-"}},
		{Service: "workspaces", Type: "directory", table: "workspace_directory", ids: []string{"d-", "wsd-"}},
		{Service: "workspaces", Type: "workspaceipgroup", table: "ip_group", ids: []string{"wsipg-"}},
		{Service: "workspaces", Type: "connectionalias", table: "connection_alias", ids: []string{"wsca-"}},
		{Service: "workspaces", Type: "workspaceimage", table: "image", ids: []string{"wsi-"}},
		{Service: "workspaces", Type: "workspacebundle", table: "bundle", ids: []string{"wsb-"}},
		{Service: "workspaces", Type: "workspacespool", table: "pool", ids: []string{"wspool-"}},
		{Service: "ds", Type: "directory", table: "directory", ids: []string{"d-"}, under: workspaces.DirectoryTagsID("")},
	}
}

// Holds reports whether an id is of this sort of resource.
func (g Taggable) Holds(id string) bool {
	return slices.ContainsFunc(g.ids, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// TagsID is what the tags of the resource with the id are kept under.
func (g Taggable) TagsID(id string) string { return g.under + id }

// TaggableOf returns the sort of resource whose tags are kept under an id, and the resource's own id.
func TaggableOf(tagsID string) (g Taggable, id string, ok bool) {
	for _, g := range Taggables() {
		if id, under := strings.CutPrefix(tagsID, g.under); under && g.Holds(id) {
			return g, id, true
		}
	}
	return Taggable{}, "", false
}

// Exists reports whether a scope has a resource of a sort with the id.
func (t *Tx) Exists(ctx context.Context, s workspaces.Scope, g Taggable, id string) (exists bool, err error) {
	if !g.Holds(id) {
		return false, nil
	}
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM "+g.table+" WHERE account = $1 AND region = $2 AND id = $3)",
		s.Account, s.Region, id).Scan(&exists)
	return exists, err
}

// ResourceExists reports whether a scope has a resource of WorkSpaces with the id that can have tags.
func (t *Tx) ResourceExists(ctx context.Context, s workspaces.Scope, id string) (exists bool, err error) {
	for _, g := range Taggables() {
		if g.Service == "workspaces" && g.Holds(id) {
			return t.Exists(ctx, s, g, id)
		}
	}
	return false, nil
}

// Tags returns the tags of a resource in the order in which they were given.
func (t *Tx) Tags(ctx context.Context, s workspaces.Scope, resourceID string) ([]workspaces.Tag, error) {
	tags, _, err := t.TagsAfter(ctx, s, resourceID, 0, math.MaxInt32)
	return tags, err
}

// TagsAfter returns up to limit tags of a resource, those behind a position in the order in which
// they were given, and the position of the last of them.
func (t *Tx) TagsAfter(
	ctx context.Context, s workspaces.Scope, resourceID string, after int64, limit int,
) (tags []workspaces.Tag, last int64, err error) {
	tags, err = list(ctx, t, func(row scanner) (tag workspaces.Tag, err error) {
		err = row.Scan(&tag.Key, &tag.Value, &last)
		return tag, err
	}, "SELECT key, value, position FROM tag WHERE account = $1 AND region = $2 AND resource_id = $3 AND position > $4"+
		" ORDER BY position LIMIT $5", s.Account, s.Region, resourceID, after, limit)
	return tags, last, err
}

// PutTags adds tags to a resource behind those that it has, and replaces the values of keys that it
// has, which keep their place.
func (t *Tx) PutTags(ctx context.Context, s workspaces.Scope, resourceID string, tags []workspaces.Tag) error {
	for _, tag := range tags {
		err := t.exec(ctx, "INSERT INTO tag (account, region, resource_id, key, value, position)"+
			" SELECT $1, $2, $3, $4, $5, COALESCE(MAX(position), 0) + 1 FROM tag WHERE account = $1 AND region = $2 AND resource_id = $3"+
			" ON CONFLICT (account, region, resource_id, key) DO UPDATE SET value = excluded.value",
			s.Account, s.Region, resourceID, tag.Key, tag.Value)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteTags takes the tags with these keys off a resource. Keys that it does not have are ignored.
func (t *Tx) DeleteTags(ctx context.Context, s workspaces.Scope, resourceID string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	var c condition
	c.scope(s)
	c.and("resource_id = ?", resourceID)
	c.in("key", keys)
	return t.exec(ctx, "DELETE FROM tag"+c.where(), c.args...)
}

func (t *Tx) deleteTags(ctx context.Context, s workspaces.Scope, resourceID string) error {
	return t.exec(ctx, "DELETE FROM tag WHERE account = $1 AND region = $2 AND resource_id = $3", s.Account, s.Region, resourceID)
}
