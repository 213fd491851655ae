package store

import (
	"context"
	"strconv"

	"carrel/internal/workspaces"
)

const (
	workSpaceFixed = "account, region, id, seq, directory_id, user_key, created_at"
	workSpaceMoves = "user_name, name, bundle_id, image, state, generation, changed_at, deadline, wake_at, attempts, " +
		"compute_type, root_gib, user_gib, running_mode, auto_stop_minutes, protocols, operating_system, accelerator_mode, " +
		"accelerator_protocol, root_encrypted, user_encrypted, encryption_key, subnet_id, address_offset, ip_address, " +
		"ipv6_address, computer_name, error_code, error_message"
)

// WorkSpaceFilter says which WorkSpaces a query is for. Empty members do not restrict.
type WorkSpaceFilter struct {
	workspaces.Scope
	IDs         []string
	DirectoryID string
	UserName    string
	BundleID    string
	Name        string
	After       int64 // only those behind this position; see WorkSpacePage
	Limit       int   // 0: all
}

// WorkSpacePage is a part of a list, in the order of creation.
type WorkSpacePage struct {
	WorkSpaces []*workspaces.WorkSpace
	Next       int64 // where the next page begins; 0 on the last
}

// WorkSpaces returns a page of the WorkSpaces that the filter names.
func (t *Tx) WorkSpaces(ctx context.Context, f WorkSpaceFilter) (WorkSpacePage, error) {
	var c condition
	c.scope(f.Scope)
	if f.IDs != nil {
		c.in("id", f.IDs)
	}
	if f.DirectoryID != "" {
		c.and("directory_id = ?", f.DirectoryID)
	}
	if f.UserName == workspaces.Undefined {
		c.and("user_name = ?", f.UserName)
	} else if f.UserName != "" {
		c.and("user_key = ?", workspaces.UserKey(f.UserName))
	}
	if f.BundleID != "" {
		c.and("bundle_id = ?", f.BundleID)
	}
	if f.Name != "" {
		c.and("name = ?", f.Name)
	}
	if f.After > 0 {
		c.and("seq > ?", f.After)
	}
	query := "SELECT " + workSpaceFixed + ", " + workSpaceMoves + " FROM workspace" + c.where() + " ORDER BY seq"
	if f.Limit > 0 {
		c.args = append(c.args, f.Limit+1)
		query += " LIMIT $" + strconv.Itoa(len(c.args))
	}
	var seqs []int64
	var page WorkSpacePage
	err := t.each(ctx, func(row scanner) error {
		w, seq, err := scanWorkSpace(row)
		page.WorkSpaces, seqs = append(page.WorkSpaces, w), append(seqs, seq)
		return err
	}, query, c.args...)
	if f.Limit > 0 && len(seqs) > f.Limit {
		page.WorkSpaces, page.Next = page.WorkSpaces[:f.Limit], seqs[f.Limit-1]
	}
	return page, err
}

// WorkSpace returns the WorkSpace with the id; found is false where there is none.
func (t *Tx) WorkSpace(ctx context.Context, s workspaces.Scope, id string) (w *workspaces.WorkSpace, found bool, err error) {
	return one(ctx, t, scanWorkSpaceOnly, "SELECT "+workSpaceFixed+", "+workSpaceMoves+
		" FROM workspace WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// CountWorkSpaces counts the WorkSpaces of a scope, in whatever state.
func (t *Tx) CountWorkSpaces(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace WHERE account = $1 AND region = $2", s.Account, s.Region).Scan(&n)
	return n, err
}

// DirectoryHasWorkSpaces reports whether a directory has any WorkSpace, in whatever state.
func (t *Tx) DirectoryHasWorkSpaces(ctx context.Context, s workspaces.Scope, directoryID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND directory_id = $3)",
		s.Account, s.Region, directoryID).Scan(&has)
	return has, err
}

// InsertWorkSpace adds a WorkSpace. Its user must have none in its directory yet.
func (t *Tx) InsertWorkSpace(ctx context.Context, w *workspaces.WorkSpace) error {
	moves, err := workSpaceValues(w)
	if err != nil {
		return err
	}
	key := workspaces.UserKey(w.UserName)
	if w.UserName == workspaces.Undefined {
		key = ""
	}
	args := append([]any{w.Account, w.Region, w.ID, t.store.nextSeq(), w.DirectoryID, key, micros(w.CreatedAt)}, moves...)
	return t.exec(ctx, "INSERT INTO workspace ("+workSpaceFixed+", "+workSpaceMoves+") VALUES ("+placeholders(len(args))+")", args...)
}

// SaveWorkSpace writes the WorkSpace if it still has the generation that it had when it was
// read, and reports whether it did. A false return means that somebody else has moved it
// on, and that nothing was written.
func (t *Tx) SaveWorkSpace(ctx context.Context, w *workspaces.WorkSpace, read int64) (saved bool, err error) {
	args, err := workSpaceValues(w)
	if err != nil {
		return false, err
	}
	args = append(args, w.Account, w.Region, w.ID, read)
	n, err := t.execCount(ctx, "UPDATE workspace SET "+assignments(workSpaceMoves)+
		" WHERE account = $30 AND region = $31 AND id = $32 AND generation = $33", args...)
	return n == 1, err
}

// DeleteWorkSpace forgets a WorkSpace and its tags, if it still has the generation.
func (t *Tx) DeleteWorkSpace(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM workspace WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.deleteTags(ctx, r.Scope, r.ID)
}

// UserHasWorkSpace reports whether a user has a WorkSpace in a directory, in whatever state.
func (t *Tx) UserHasWorkSpace(ctx context.Context, s workspaces.Scope, directoryID, user string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND directory_id = $3 AND user_key = $4"+
		" AND user_key <> '')", s.Account, s.Region, directoryID, workspaces.UserKey(user)).Scan(&has)
	return has, err
}

// CountWorkSpacesByCompute counts the WorkSpaces of a scope that have a compute type.
func (t *Tx) CountWorkSpacesByCompute(ctx context.Context, s workspaces.Scope, computeType string) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace WHERE account = $1 AND region = $2 AND compute_type = $3",
		s.Account, s.Region, computeType).Scan(&n)
	return n, err
}

// EveryWorkSpace calls f on every WorkSpace of every scope: what reconcile holds against
// the engine.
func (t *Tx) EveryWorkSpace(ctx context.Context, f func(*workspaces.WorkSpace)) error {
	return t.each(ctx, func(row scanner) error {
		w, _, err := scanWorkSpace(row)
		if err == nil {
			f(w)
		}
		return err
	}, "SELECT "+workSpaceFixed+", "+workSpaceMoves+" FROM workspace")
}

func workSpaceValues(w *workspaces.WorkSpace) ([]any, error) {
	protocols, err := document{w.Properties.Protocols}.text()
	if err != nil {
		return nil, err
	}
	p := &w.Properties
	return []any{
		w.UserName, w.Name, w.BundleID, w.Image, string(w.State), w.Generation, micros(w.ChangedAt), micros(w.Deadline), micros(w.WakeAt), w.Attempts,
		p.ComputeType, p.RootGiB, p.UserGiB, p.RunningMode, p.AutoStopMinutes, protocols, p.OperatingSystem, p.Accelerator.Mode,
		p.Accelerator.PreferredProtocol, w.RootEncrypted, w.UserEncrypted, w.EncryptionKey, w.SubnetID, w.AddressOffset, w.IPAddress,
		w.IPv6Address, w.ComputerName, w.ErrorCode, w.ErrorMessage,
	}, nil
}

func scanWorkSpaceOnly(row scanner) (*workspaces.WorkSpace, error) {
	w, _, err := scanWorkSpace(row)
	return w, err
}

func scanWorkSpace(row scanner) (w *workspaces.WorkSpace, seq int64, err error) {
	w = new(workspaces.WorkSpace)
	p := &w.Properties
	var key string
	var created, changed, deadline, wake int64
	var protocols string
	err = row.Scan(&w.Account, &w.Region, &w.ID, &seq, &w.DirectoryID, &key, &created,
		&w.UserName, &w.Name, &w.BundleID, &w.Image, (*string)(&w.State), &w.Generation, &changed, &deadline, &wake, &w.Attempts,
		&p.ComputeType, &p.RootGiB, &p.UserGiB, &p.RunningMode, &p.AutoStopMinutes, &protocols, &p.OperatingSystem, &p.Accelerator.Mode,
		&p.Accelerator.PreferredProtocol, &w.RootEncrypted, &w.UserEncrypted, &w.EncryptionKey, &w.SubnetID, &w.AddressOffset, &w.IPAddress,
		&w.IPv6Address, &w.ComputerName, &w.ErrorCode, &w.ErrorMessage)
	if err != nil {
		return nil, 0, err
	}
	w.CreatedAt, w.ChangedAt, w.Deadline, w.WakeAt = instantOf(created), instantOf(changed), instantOf(deadline), instantOf(wake)
	return w, seq, document{&p.Protocols}.Scan(protocols)
}
