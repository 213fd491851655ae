package store

import (
	"context"
	"strconv"
	"strings"

	"carrel/internal/workspaces"
)

// Tagged is a resource that has tags.
type Tagged struct {
	TagsID string // what its tags are kept under: see TaggableOf
	Tags   []workspaces.Tag
}

// TaggedFilter says which resources with tags a query is for.
type TaggedFilter struct {
	workspaces.Scope
	Kinds []Taggable  // of one of these sorts; none: nothing is
	Tags  []TagFilter // those that all of these let through
	IDs   []string    // what tags are kept under; none: all
	After string      // only those behind this one
	Limit int         // 0: all
}

// TagFilter lets a resource through that has the key, with one of the values if there are any.
type TagFilter struct {
	Key    string
	Values []string
}

// Tagged returns the resources that the filter names, by what their tags are kept under, with
// all their tags in the order in which they were given.
func (t *Tx) Tagged(ctx context.Context, f TaggedFilter) ([]Tagged, error) {
	var c condition
	c.scope(f.Scope)
	c.and("resource_id > ?", f.After)
	c.inIfAny("resource_id", f.IDs)
	var sorts []string
	var patterns []any
	for _, g := range f.Kinds {
		for _, prefix := range g.ids {
			sorts, patterns = append(sorts, "resource_id LIKE ?"), append(patterns, g.under+prefix+"%")
		}
	}
	if len(sorts) == 0 {
		return nil, nil
	}
	c.and("("+strings.Join(sorts, " OR ")+")", patterns...)
	for _, tag := range f.Tags {
		c.tag(f.Scope, tag)
	}
	query := "SELECT DISTINCT resource_id FROM tag" + c.where() + " ORDER BY resource_id"
	if f.Limit > 0 {
		c.args = append(c.args, f.Limit)
		query += " LIMIT $" + strconv.Itoa(len(c.args))
	}
	ids, err := list(ctx, t, scanText, query, c.args...)
	if err != nil {
		return nil, err
	}
	return t.withTags(ctx, f.Scope, ids)
}

// tag adds that the resource has a tag.
func (c *condition) tag(s workspaces.Scope, f TagFilter) {
	var has condition
	has.args = c.args
	has.and("account = ?", s.Account)
	has.and("region = ?", s.Region)
	has.and("key = ?", f.Key)
	has.inIfAny("value", f.Values)
	c.args = has.args
	c.parts = append(c.parts, "resource_id IN (SELECT resource_id FROM tag"+has.where()+")")
}

// withTags returns resources with all their tags.
func (t *Tx) withTags(ctx context.Context, s workspaces.Scope, ids []string) ([]Tagged, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var c condition
	c.scope(s)
	c.in("resource_id", ids)
	of := make(map[string][]workspaces.Tag, len(ids))
	err := t.each(ctx, func(row scanner) error {
		var id string
		var tag workspaces.Tag
		err := row.Scan(&id, &tag.Key, &tag.Value)
		of[id] = append(of[id], tag)
		return err
	}, "SELECT resource_id, key, value FROM tag"+c.where()+" ORDER BY resource_id, position", c.args...)
	tagged := make([]Tagged, len(ids))
	for i, id := range ids {
		tagged[i] = Tagged{TagsID: id, Tags: of[id]}
	}
	return tagged, err
}

// TagKeys returns up to limit keys that a scope's tags have, those behind one.
func (t *Tx) TagKeys(ctx context.Context, s workspaces.Scope, after string, limit int) ([]string, error) {
	return list(ctx, t, scanText, "SELECT DISTINCT key FROM tag WHERE account = $1 AND region = $2 AND key > $3 ORDER BY key LIMIT $4",
		s.Account, s.Region, after, limit)
}

// TagValues returns up to limit values that a scope's tags with the key have, from the
// skipped'th on.
func (t *Tx) TagValues(ctx context.Context, s workspaces.Scope, key string, skipped int64, limit int) ([]string, error) {
	return list(ctx, t, scanText, "SELECT DISTINCT value FROM tag WHERE account = $1 AND region = $2 AND key = $3 ORDER BY value"+
		" LIMIT $4 OFFSET $5", s.Account, s.Region, key, limit, skipped)
}

func scanText(row scanner) (text string, err error) { return text, row.Scan(&text) }
