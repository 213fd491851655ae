package store

import (
	"context"
	"strconv"
	"strings"

	"carrel/internal/workspaces"
)

const directoryColumns = "account, region, id, type, name, short_name, size, edition, description, alias, network_type, stage, " +
	"stage_reason, stage_changed_at, launched_at, generation, deadline, wake_at, vpc_id, subnet_ids, zones, security_group_id, " +
	"dns_addresses, sso_enabled, data_access, details"

// Directories returns the directories of a scope in the order of their launch; with ids, only those.
func (t *Tx) Directories(ctx context.Context, s workspaces.Scope, ids []string) ([]*workspaces.Directory, error) {
	return t.DirectoryPage(ctx, DirectoryFilter{Scope: s, IDs: ids})
}

// DirectoryFilter says which directories a query is for, in the order of their launch.
type DirectoryFilter struct {
	workspaces.Scope
	IDs   []string              // none: all
	After *workspaces.Directory // only those behind this one; nil: from the first on
	Limit int                   // 0: all
}

// DirectoryPage returns the directories that the filter names.
func (t *Tx) DirectoryPage(ctx context.Context, f DirectoryFilter) ([]*workspaces.Directory, error) {
	var c condition
	c.scope(f.Scope)
	c.inIfAny("id", f.IDs)
	if f.After != nil {
		c.and("(launched_at, id) > (?, ?)", micros(f.After.LaunchedAt), f.After.ID)
	}
	query := "SELECT " + directoryColumns + " FROM directory" + c.where() + " ORDER BY launched_at, id"
	if f.Limit > 0 {
		c.args = append(c.args, f.Limit)
		query += " LIMIT $" + strconv.Itoa(len(c.args))
	}
	return list(ctx, t, scanDirectory, query, c.args...)
}

// Directory returns the directory with the id; found is false where there is none.
func (t *Tx) Directory(ctx context.Context, s workspaces.Scope, id string) (d *workspaces.Directory, found bool, err error) {
	return one(ctx, t, scanDirectory, "SELECT "+directoryColumns+" FROM directory WHERE account = $1 AND region = $2 AND id = $3",
		s.Account, s.Region, id)
}

// CountDirectories counts the directories of a type in a scope.
func (t *Tx) CountDirectories(ctx context.Context, s workspaces.Scope, kind string) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM directory WHERE account = $1 AND region = $2 AND type = $3", s.Account, s.Region, kind).Scan(&n)
	return n, err
}

// InsertDirectory adds a directory.
func (t *Tx) InsertDirectory(ctx context.Context, d *workspaces.Directory) error {
	args, err := directoryValues(d)
	if err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO directory ("+directoryColumns+") VALUES ("+placeholders(len(args))+")", args...)
}

// SaveDirectory writes the directory if it still has the generation that it had when it was
// read, and reports whether it did.
func (t *Tx) SaveDirectory(ctx context.Context, d *workspaces.Directory, read int64) (saved bool, err error) {
	args, err := directoryValues(d)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE directory SET "+assignments(directoryColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $27", append(args, read)...)
	return n == 1, err
}

// DirectoryOfUsers returns the directory with the id in which users can be: one of Directory Service, or
// of WorkSpaces' own; found is false where there is none.
func (t *Tx) DirectoryOfUsers(ctx context.Context, s workspaces.Scope, id string) (d *workspaces.Directory, found bool, err error) {
	if !workspaces.IsOwnDirectoryID(id) {
		return t.Directory(ctx, s, id)
	}
	own, found, err := t.WorkspaceDirectory(ctx, s, id)
	if err != nil || !found {
		return nil, false, err
	}
	return own.AsDirectory(), true, nil
}

// DeleteDirectory forgets a directory with its users, trusts and tags, if it still has the generation.
func (t *Tx) DeleteDirectory(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM directory WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	for _, table := range []string{"directory_user", "trust"} {
		if err := t.exec(ctx, "DELETE FROM "+table+" WHERE account = $1 AND region = $2 AND directory_id = $3", r.Account, r.Region, r.ID); err != nil {
			return false, err
		}
	}
	return true, t.deleteTags(ctx, r.Scope, workspaces.DirectoryTagsID(r.ID))
}

func directoryValues(d *workspaces.Directory) ([]any, error) {
	subnets, err := document{d.SubnetIDs}.text()
	if err != nil {
		return nil, err
	}
	zones, err := document{d.Zones}.text()
	if err != nil {
		return nil, err
	}
	dns, err := document{d.DNSAddresses}.text()
	if err != nil {
		return nil, err
	}
	details, err := document{d.Details}.text()
	if err != nil {
		return nil, err
	}
	return []any{
		d.Account, d.Region, d.ID, d.Type, d.Name, d.ShortName, d.Size, d.Edition, d.Description, d.Alias, d.NetworkType, string(d.Stage),
		d.StageReason, micros(d.StageChangedAt), micros(d.LaunchedAt), d.Generation, micros(d.Deadline), micros(d.WakeAt), d.VPCID, subnets,
		zones, d.SecurityGroupID, dns, d.SSOEnabled, d.DataAccess, details,
	}, nil
}

func scanDirectory(row scanner) (*workspaces.Directory, error) {
	d := new(workspaces.Directory)
	var stageChanged, launched, deadline, wake int64
	err := row.Scan(&d.Account, &d.Region, &d.ID, &d.Type, &d.Name, &d.ShortName, &d.Size, &d.Edition, &d.Description, &d.Alias, &d.NetworkType,
		(*string)(&d.Stage), &d.StageReason, &stageChanged, &launched, &d.Generation, &deadline, &wake, &d.VPCID, document{&d.SubnetIDs},
		document{&d.Zones}, &d.SecurityGroupID, document{&d.DNSAddresses}, &d.SSOEnabled, &d.DataAccess, document{&d.Details})
	d.StageChangedAt, d.LaunchedAt, d.Deadline, d.WakeAt = instantOf(stageChanged), instantOf(launched), instantOf(deadline), instantOf(wake)
	return d, err
}

// ReserveDirectoryAlias takes an alias for ever, and reports whether it was still free.
func (t *Tx) ReserveDirectoryAlias(ctx context.Context, alias string) (free bool, err error) {
	n, err := t.execCount(ctx, "INSERT INTO directory_alias (name) VALUES ($1) ON CONFLICT (name) DO NOTHING", strings.ToLower(alias))
	return n == 1, err
}
