package store

import (
	"context"

	"carrel/internal/workspaces"
)

const workspaceDirectoryColumns = "account, region, id, name, alias, type, registration_code, customer_user_name, subnet_ids, " +
	"dns_addresses, security_group_id, role_arn, tenancy, user_identity_type, workspace_type, state, error_message, generation, " +
	"changed_at, deadline, wake_at, registered_at, empty_since, settings"

// WorkspaceDirectoryFilter says which registrations a query is for. Empty members do not restrict.
type WorkspaceDirectoryFilter struct {
	workspaces.Scope
	IDs           []string
	Names         []string
	IdentityTypes []string
	Types         []string // of WorkSpaces: PERSONAL, POOLS
	After         int64    // only those behind this position
	Limit         int      // 0: all
}

// WorkspaceDirectoryPage is a part of a list, in the order of registration.
type WorkspaceDirectoryPage struct {
	Directories []*workspaces.WorkspaceDirectory
	Next        int64 // where the next page begins; 0 on the last
}

// WorkspaceDirectories returns a page of the registrations that the filter names.
func (t *Tx) WorkspaceDirectories(ctx context.Context, f WorkspaceDirectoryFilter) (WorkspaceDirectoryPage, error) {
	var c condition
	c.scope(f.Scope)
	c.inIfAny("id", f.IDs)
	c.inIfAny("name", f.Names)
	c.inIfAny("user_identity_type", f.IdentityTypes)
	c.inIfAny("workspace_type", f.Types)
	c.and("seq > ?", f.After)
	found, next, err := sequence(ctx, t, scanWorkspaceDirectory, "SELECT seq, "+workspaceDirectoryColumns+" FROM workspace_directory", c, f.Limit)
	return WorkspaceDirectoryPage{Directories: found, Next: next}, err
}

// WorkspaceDirectory returns the registration with the id; found is false where there is none.
func (t *Tx) WorkspaceDirectory(ctx context.Context, s workspaces.Scope, id string) (d *workspaces.WorkspaceDirectory, found bool, err error) {
	return one(ctx, t, scanWorkspaceDirectory, "SELECT "+workspaceDirectoryColumns+
		" FROM workspace_directory WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// CountWorkspaceDirectories counts the registrations of a scope.
func (t *Tx) CountWorkspaceDirectories(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace_directory WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// InsertWorkspaceDirectory adds a registration.
func (t *Tx) InsertWorkspaceDirectory(ctx context.Context, d *workspaces.WorkspaceDirectory) error {
	args, err := workspaceDirectoryValues(d)
	if err != nil {
		return err
	}
	args = append(args, t.store.nextSeq())
	return t.exec(ctx, "INSERT INTO workspace_directory ("+workspaceDirectoryColumns+", seq) VALUES ("+placeholders(len(args))+")", args...)
}

// SaveWorkspaceDirectory writes the registration if it still has the generation that it had
// when it was read, and reports whether it did.
func (t *Tx) SaveWorkspaceDirectory(ctx context.Context, d *workspaces.WorkspaceDirectory, read int64) (saved bool, err error) {
	args, err := workspaceDirectoryValues(d)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE workspace_directory SET "+assignments(workspaceDirectoryColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $25", append(args, read)...)
	return n == 1, err
}

// DeleteWorkspaceDirectory forgets a registration with all that is kept for it and its tags,
// if it still has the generation. Connection aliases that led to it lead nowhere.
func (t *Tx) DeleteWorkspaceDirectory(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM workspace_directory WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	for _, table := range []string{"ip_group_association", "client_branding", "client_logo", "client_add_in", "saml_provider"} {
		err := t.exec(ctx, "DELETE FROM "+table+" WHERE account = $1 AND region = $2 AND directory_id = $3", r.Account, r.Region, r.ID)
		if err != nil {
			return false, err
		}
	}
	if workspaces.IsOwnDirectoryID(r.ID) { // its users are not Directory Service's to keep
		err := t.exec(ctx, "DELETE FROM directory_user WHERE account = $1 AND region = $2 AND directory_id = $3", r.Account, r.Region, r.ID)
		if err != nil {
			return false, err
		}
	}
	if err := t.disassociateAliases(ctx, r.Scope, r.ID); err != nil {
		return false, err
	}
	return true, t.deleteTags(ctx, r.Scope, r.ID)
}

// EveryWorkspaceDirectory returns the registrations of every scope.
func (t *Tx) EveryWorkspaceDirectory(ctx context.Context) ([]*workspaces.WorkspaceDirectory, error) {
	return list(ctx, t, scanWorkspaceDirectory, "SELECT "+workspaceDirectoryColumns+" FROM workspace_directory ORDER BY seq")
}

func workspaceDirectoryValues(d *workspaces.WorkspaceDirectory) ([]any, error) {
	subnets, err := document{d.SubnetIDs}.text()
	if err != nil {
		return nil, err
	}
	dns, err := document{d.DNSAddresses}.text()
	if err != nil {
		return nil, err
	}
	settings, err := document{d.Settings}.text()
	if err != nil {
		return nil, err
	}
	return []any{
		d.Account, d.Region, d.ID, d.Name, d.Alias, d.Type, d.RegistrationCode, d.CustomerUserName, subnets, dns, d.SecurityGroupID, d.RoleARN,
		d.Tenancy, d.UserIdentityType, d.WorkspaceType, string(d.State), d.ErrorMessage, d.Generation, micros(d.ChangedAt), micros(d.Deadline), micros(d.WakeAt),
		micros(d.RegisteredAt), micros(d.EmptySince), settings,
	}, nil
}

func scanWorkspaceDirectory(row scanner) (*workspaces.WorkspaceDirectory, error) {
	d := new(workspaces.WorkspaceDirectory)
	var changed, deadline, wake, registered, empty int64
	err := row.Scan(&d.Account, &d.Region, &d.ID, &d.Name, &d.Alias, &d.Type, &d.RegistrationCode, &d.CustomerUserName, document{&d.SubnetIDs},
		document{&d.DNSAddresses}, &d.SecurityGroupID, &d.RoleARN, &d.Tenancy, &d.UserIdentityType, &d.WorkspaceType, (*string)(&d.State),
		&d.ErrorMessage, &d.Generation, &changed, &deadline, &wake, &registered, &empty, document{&d.Settings})
	d.ChangedAt = instantOf(changed)
	d.Deadline, d.WakeAt, d.RegisteredAt, d.EmptySince = instantOf(deadline), instantOf(wake), instantOf(registered), instantOf(empty)
	return d, err
}
