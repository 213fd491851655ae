package store

import (
	"context"

	"carrel/internal/workspaces"
)

const ipGroupColumns = "account, region, id, name, description, rules"

// IPGroupFilter says which groups a query is for. Empty members do not restrict.
type IPGroupFilter struct {
	workspaces.Scope
	IDs   []string
	After int64 // only those behind this position
	Limit int   // 0: all
}

// IPGroupPage is a part of a list, in the order of creation.
type IPGroupPage struct {
	Groups []*workspaces.IPGroup
	Next   int64 // where the next page begins; 0 on the last
}

// IPGroups returns a page of the groups that the filter names.
func (t *Tx) IPGroups(ctx context.Context, f IPGroupFilter) (IPGroupPage, error) {
	var c condition
	c.scope(f.Scope)
	c.inIfAny("id", f.IDs)
	c.and("seq > ?", f.After)
	found, next, err := sequence(ctx, t, scanIPGroup, "SELECT seq, "+ipGroupColumns+" FROM ip_group", c, f.Limit)
	return IPGroupPage{Groups: found, Next: next}, err
}

// IPGroup returns the group with the id; found is false where there is none.
func (t *Tx) IPGroup(ctx context.Context, s workspaces.Scope, id string) (g *workspaces.IPGroup, found bool, err error) {
	return one(ctx, t, scanIPGroup, "SELECT "+ipGroupColumns+" FROM ip_group WHERE account = $1 AND region = $2 AND id = $3",
		s.Account, s.Region, id)
}

// IPGroupNamed returns the group with the name; found is false where there is none.
func (t *Tx) IPGroupNamed(ctx context.Context, s workspaces.Scope, name string) (g *workspaces.IPGroup, found bool, err error) {
	return one(ctx, t, scanIPGroup, "SELECT "+ipGroupColumns+" FROM ip_group WHERE account = $1 AND region = $2 AND name = $3",
		s.Account, s.Region, name)
}

// CountIPGroups counts the groups of a scope.
func (t *Tx) CountIPGroups(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM ip_group WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// InsertIPGroup adds a group.
func (t *Tx) InsertIPGroup(ctx context.Context, g *workspaces.IPGroup) error {
	rules, err := document{g.Rules}.text()
	if err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO ip_group ("+ipGroupColumns+", seq) VALUES ("+placeholders(7)+")",
		g.Account, g.Region, g.ID, g.Name, g.Description, rules, t.store.nextSeq())
}

// SaveIPGroup writes a group that there is. Its name and description stay.
func (t *Tx) SaveIPGroup(ctx context.Context, g *workspaces.IPGroup) error {
	rules, err := document{g.Rules}.text()
	if err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE ip_group SET rules = $1 WHERE account = $2 AND region = $3 AND id = $4", rules, g.Account, g.Region, g.ID)
}

// DeleteIPGroup forgets a group and its tags. One that is associated must not be deleted;
// see IPGroupIsAssociated.
func (t *Tx) DeleteIPGroup(ctx context.Context, s workspaces.Scope, id string) error {
	if err := t.exec(ctx, "DELETE FROM ip_group WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id); err != nil {
		return err
	}
	return t.deleteTags(ctx, s, id)
}

// IPGroupIsAssociated reports whether a group is associated with any directory.
func (t *Tx) IPGroupIsAssociated(ctx context.Context, s workspaces.Scope, id string) (is bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM ip_group_association WHERE account = $1 AND region = $2 AND group_id = $3)",
		s.Account, s.Region, id).Scan(&is)
	return is, err
}

// DirectoryIPGroups returns the groups that are associated with a directory, in the order in
// which they were: what decides who may reach its WorkSpaces, see workspaces.IPGroups.
func (t *Tx) DirectoryIPGroups(ctx context.Context, s workspaces.Scope, directoryID string) (workspaces.IPGroups, error) {
	return list(ctx, t, scanIPGroup, "SELECT g.account, g.region, g.id, g.name, g.description, g.rules"+
		" FROM ip_group_association AS a JOIN ip_group AS g ON g.account = a.account AND g.region = a.region AND g.id = a.group_id"+
		" WHERE a.account = $1 AND a.region = $2 AND a.directory_id = $3 ORDER BY a.seq", s.Account, s.Region, directoryID)
}

// IPGroupIDs returns the ids of the groups that are associated with each of the directories.
func (t *Tx) IPGroupIDs(ctx context.Context, s workspaces.Scope, directoryIDs []string) (map[string][]string, error) {
	var c condition
	c.scope(s)
	c.in("directory_id", directoryIDs)
	ids := make(map[string][]string)
	err := t.each(ctx, func(row scanner) error {
		var directory, group string
		err := row.Scan(&directory, &group)
		ids[directory] = append(ids[directory], group)
		return err
	}, "SELECT directory_id, group_id FROM ip_group_association"+c.where()+" ORDER BY seq", c.args...)
	return ids, err
}

// AssociateIPGroup associates a group with a directory, if it is not yet.
func (t *Tx) AssociateIPGroup(ctx context.Context, s workspaces.Scope, directoryID, groupID string) error {
	return t.exec(ctx, "INSERT INTO ip_group_association (account, region, directory_id, group_id, seq) VALUES ("+placeholders(5)+")"+
		" ON CONFLICT (account, region, directory_id, group_id) DO NOTHING", s.Account, s.Region, directoryID, groupID, t.store.nextSeq())
}

// DisassociateIPGroup ends the association of a group with a directory, if there is one.
func (t *Tx) DisassociateIPGroup(ctx context.Context, s workspaces.Scope, directoryID, groupID string) error {
	return t.exec(ctx, "DELETE FROM ip_group_association WHERE account = $1 AND region = $2 AND directory_id = $3 AND group_id = $4",
		s.Account, s.Region, directoryID, groupID)
}

func scanIPGroup(row scanner) (*workspaces.IPGroup, error) {
	g := new(workspaces.IPGroup)
	err := row.Scan(&g.Account, &g.Region, &g.ID, &g.Name, &g.Description, document{&g.Rules})
	return g, err
}
