package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/internal/workspaces"
)

const (
	// workSpaceColumns are what queries look for, and the record, which has all values but wake_at and next_snapshot_at.
	workSpaceColumns = "account, region, id, seq, " + workSpaceMoves
	workSpaceMoves   = "directory_id, user_key, name, bundle_id, state, generation, deadline, wake_at, auto_stop_at, " +
		"compute_type, subnet_id, address_offset, next_snapshot_at, stand_in, held_offset, maintaining, record"
	selectWorkSpace = "SELECT seq, wake_at, next_snapshot_at, record FROM workspace"
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
		c.and("user_key = ''")
	} else if f.UserName != "" {
		c.and("user_key = ? AND user_key <> ''", workspaces.UserKey(f.UserName)) // the second part is its index's
	}
	if f.BundleID != "" {
		c.and("bundle_id = ?", f.BundleID)
	}
	if f.Name != "" {
		c.and("name = ? AND name <> ''", f.Name)
	}
	if f.After > 0 {
		c.and("seq > ?", f.After)
	}
	query := selectWorkSpace + c.where() + " ORDER BY " + f.order()
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

// order is that of the page. The plus keeps the databases from walking through a whole scope
// in the order of seq where few rows are asked for, which are found sooner than they are sorted.
func (f *WorkSpaceFilter) order() string {
	if f.IDs != nil || f.Name != "" || f.UserName != "" && f.UserName != workspaces.Undefined {
		return "+seq"
	}
	return "seq"
}

// WorkSpace returns the WorkSpace with the id; found is false where there is none.
func (t *Tx) WorkSpace(ctx context.Context, s workspaces.Scope, id string) (w *workspaces.WorkSpace, found bool, err error) {
	return one(ctx, t, scanWorkSpaceOnly, selectWorkSpace+
		" WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// Current returns those of the refs to WorkSpaces that are not stale: their WorkSpace has the generation that they name.
func (t *Tx) Current(ctx context.Context, refs []workspaces.Ref) ([]workspaces.Ref, error) {
	var current []workspaces.Ref
	for _, r := range refs {
		var found bool
		err := t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4)",
			r.Account, r.Region, r.ID, r.Generation).Scan(&found)
		if err != nil {
			return nil, err
		}
		if found {
			current = append(current, r)
		}
	}
	return current, nil
}

// CountWorkSpaces counts the WorkSpaces of a scope, in whatever state. All have a seq, which leads to the narrowest index.
func (t *Tx) CountWorkSpaces(ctx context.Context, s workspaces.Scope) (n int, err error) {
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace WHERE account = $1 AND region = $2 AND seq > 0", s.Account, s.Region).Scan(&n)
	return n, err
}

// DirectoryHasWorkSpaces reports whether a directory has any WorkSpace, in whatever state.
func (t *Tx) DirectoryHasWorkSpaces(ctx context.Context, s workspaces.Scope, directoryID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND directory_id = $3)",
		s.Account, s.Region, directoryID).Scan(&has)
	return has, err
}

// DirectoryHasLivingWorkSpaces is DirectoryHasWorkSpaces without those that have ended and are
// only still seen. It looks at those too.
func (t *Tx) DirectoryHasLivingWorkSpaces(ctx context.Context, s workspaces.Scope, directoryID string) (has bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM workspace WHERE account = $1 AND region = $2 AND directory_id = $3 AND state <> $4)",
		s.Account, s.Region, directoryID, string(workspaces.Terminated)).Scan(&has)
	return has, err
}

// InsertWorkSpace adds a WorkSpace. Its user must have none in its directory yet.
func (t *Tx) InsertWorkSpace(ctx context.Context, w *workspaces.WorkSpace) error {
	t.touch(w.Scope)
	var look time.Time
	if t.store.Maintains {
		look = w.CreatedAt.Add(workspaces.MaintainedFrom)
	}
	args := append([]any{micros(look), w.Account, w.Region, w.ID, t.store.nextSeq()}, workSpaceValues(w)...)
	return t.exec(ctx, "INSERT INTO workspace (maintenance_at, "+workSpaceColumns+") VALUES ("+placeholders(len(args))+")", args...)
}

// SaveWorkSpace writes the WorkSpace if it still has the generation that it had when it was
// read, and reports whether it did. A false return means that somebody else has moved it
// on, and that nothing was written.
func (t *Tx) SaveWorkSpace(ctx context.Context, w *workspaces.WorkSpace, read int64) (saved bool, err error) {
	t.touch(w.Scope)
	args := append(workSpaceValues(w), w.Account, w.Region, w.ID, read)
	n, err := t.execCount(ctx, "UPDATE workspace SET "+assignments(workSpaceMoves)+
		" WHERE account = $18 AND region = $19 AND id = $20 AND generation = $21", args...)
	if err != nil || n == 0 {
		return false, err
	}
	if err := t.keepStays(ctx, w.Left()); err != nil {
		return false, err
	}
	if err := t.endToldVisits(ctx, w); err != nil {
		return false, err
	}
	if w.State == workspaces.Available && w.Deadline.IsZero() {
		return true, t.hastenDeployment(ctx, w)
	}
	return true, nil
}

// DeleteWorkSpace forgets a WorkSpace with all that is kept of it, its tags, connections, snapshots and applications, if it still has the generation.
func (t *Tx) DeleteWorkSpace(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	t.touch(r.Scope)
	n, err := t.execCount(ctx, "DELETE FROM workspace WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	if err := t.deleteConnection(ctx, r.Scope, r.ID); err != nil {
		return false, err
	}
	if err := t.deleteSnapshots(ctx, r.Scope, r.ID); err != nil {
		return false, err
	}
	if err := t.deleteAssociations(ctx, r.Scope, r.ID); err != nil {
		return false, err
	}
	if err := t.deleteStandby(ctx, r.Scope, r.ID); err != nil {
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

// CountLivingWorkSpaces counts the WorkSpaces of a scope that have not ended, those with a
// compute type where one is named. It counts in an index: about 0.1 ms for 1,000.
func (t *Tx) CountLivingWorkSpaces(ctx context.Context, s workspaces.Scope, computeType string) (n int, err error) {
	var c condition
	c.scope(s)
	if computeType != "" {
		c.and("compute_type = ?", computeType)
	}
	c.and("state <> ?", string(workspaces.Terminated))
	err = t.row(ctx, "SELECT COUNT(*) FROM workspace"+c.where(), c.args...).Scan(&n)
	return n, err
}

// EveryWorkSpace calls f on every WorkSpace of every scope: what reconcile holds against
// the engine. f must not use t.
func (t *Tx) EveryWorkSpace(ctx context.Context, f func(*workspaces.WorkSpace)) error {
	return t.each(ctx, func(row scanner) error {
		w, _, err := scanWorkSpace(row)
		if err == nil {
			f(w)
		}
		return err
	}, selectWorkSpace)
}

// WorkSpacesAfter calls f on the WorkSpaces of every scope that were made after one with the
// number seq, in the order of creation. f must not use t.
func (t *Tx) WorkSpacesAfter(ctx context.Context, seq int64, f func(w *workspaces.WorkSpace, seq int64)) error {
	return t.each(ctx, func(row scanner) error {
		w, seq, err := scanWorkSpace(row)
		if err == nil {
			f(w, seq)
		}
		return err
	}, selectWorkSpace+" WHERE seq > $1 ORDER BY seq", seq)
}

// userKeyOf is what makes a WorkSpace its user's only one, "" for user-decoupled ones.
func userKeyOf(name string) string {
	if name == workspaces.Undefined {
		return ""
	}
	return workspaces.UserKey(name)
}

// standIn keeps a WorkSpace that does not count as its user's out of the way of the one that does.
func standIn(w *workspaces.WorkSpace) string {
	if w.StandIn {
		return w.ID
	}
	return ""
}

func workSpaceValues(w *workspaces.WorkSpace) []any {
	return []any{
		w.DirectoryID, userKeyOf(w.UserName), w.Name, w.BundleID, string(w.State), w.Generation, micros(w.Deadline), micros(w.WakeAt),
		micros(w.AutoStopsAt(time.Time{})), w.Properties.ComputeType, w.SubnetID, w.AddressOffset, micros(w.NextSnapshotAt), standIn(w), w.HeldOffset,
		maintaining(w), workSpaceRecord(w),
	}
}

// maintaining is 1 while a WorkSpace is being maintained.
func maintaining(w *workspaces.WorkSpace) int64 {
	if w.IsMaintained() {
		return 1
	}
	return 0
}

func workSpaceRecord(w *workspaces.WorkSpace) string {
	p := &w.Properties
	r := make(recordWriter, 0, 48)
	for _, s := range []string{
		w.Account, w.Region, w.ID, w.DirectoryID, w.UserName, w.Name, w.BundleID, w.Image, string(w.State), p.ComputeType, p.RunningMode,
		p.OperatingSystem, p.Accelerator.Mode, p.Accelerator.PreferredProtocol, w.EncryptionKey, w.SubnetID, w.IPAddress, w.IPv6Address,
		w.ComputerName, w.ErrorCode, w.ErrorMessage,
	} {
		r.text(s)
	}
	for _, n := range []int64{
		w.Generation, int64(w.Attempts), int64(p.RootGiB), int64(p.UserGiB), int64(p.AutoStopMinutes), w.AddressOffset,
	} {
		r.int(n)
	}
	for _, at := range []time.Time{w.CreatedAt, w.ChangedAt, w.Deadline} {
		r.time(at)
	}
	r.bool(w.RootEncrypted)
	r.bool(w.UserEncrypted)
	r.texts(p.Protocols)
	r.time(w.ReadyAt)
	r.text(changesRecord(w))
	return r.String()
}

// changeSeparator is between the values of changesRecord. They are words of Carrel's own.
const changeSeparator = "|"

// changesRecord is what most WorkSpaces have nothing of, as one value, "" where there is none:
// what is running, and what was modified.
func changesRecord(w *workspaces.WorkSpace) string {
	m, at := &w.Modification, &w.Modified
	r := make(recordWriter, 0, 24)
	for _, s := range []string{string(w.Before), string(w.Aside), w.FromSnapshot, w.Migrating, m.Resource, m.ComputeType} {
		r.text(s)
	}
	for _, n := range []int64{int64(w.Phase), w.HeldOffset, int64(m.RootGiB), int64(m.UserGiB)} {
		r.int(n)
	}
	for _, t := range []time.Time{at.RootAt, at.UserAt, at.LargerAt, at.SmallerAt} {
		r.time(t)
	}
	r.bool(m.Failed)
	r.bool(w.StandIn)
	r.texts(m.Protocols)
	r.bool(w.Standby)
	r.time(w.FromTakenAt)
	if !slices.ContainsFunc(r, func(s string) bool { return s != "" && s != "0" && s != "false" }) {
		return ""
	}
	return strings.Join(r, changeSeparator)
}

// readChanges reads what changesRecord wrote.
func readChanges(w *workspaces.WorkSpace, record string) error {
	if record == "" {
		return nil
	}
	r := recordReader{values: strings.Split(record, changeSeparator)}
	m, at := &w.Modification, &w.Modified
	for _, s := range []*string{(*string)(&w.Before), (*string)(&w.Aside), &w.FromSnapshot, &w.Migrating, &m.Resource, &m.ComputeType} {
		*s = r.text()
	}
	w.Phase, w.HeldOffset = int(r.int()), r.int()
	m.RootGiB, m.UserGiB = int(r.int()), int(r.int())
	for _, t := range []*time.Time{&at.RootAt, &at.UserAt, &at.LargerAt, &at.SmallerAt} {
		*t = r.time()
	}
	m.Failed, w.StandIn = r.bool(), r.bool()
	m.Protocols = r.texts()
	w.Standby, w.FromTakenAt = r.bool(), r.time()
	return r.err
}

func scanWorkSpaceOnly(row scanner) (*workspaces.WorkSpace, error) {
	w, _, err := scanWorkSpace(row)
	return w, err
}

// scanWorkSpace reads the columns of selectWorkSpace.
func scanWorkSpace(row scanner) (w *workspaces.WorkSpace, seq int64, err error) {
	var wake, snapshot int64
	var record string
	if err := row.Scan(&seq, &wake, &snapshot, &record); err != nil {
		return nil, 0, err
	}
	w = new(workspaces.WorkSpace)
	w.WakeAt, w.NextSnapshotAt = instantOf(wake), instantOf(snapshot)
	return w, seq, readWorkSpace(w, record)
}

// readWorkSpace reads what workSpaceRecord wrote.
func readWorkSpace(w *workspaces.WorkSpace, record string) error {
	r := readRecord(record)
	p := &w.Properties
	for _, s := range []*string{
		&w.Account, &w.Region, &w.ID, &w.DirectoryID, &w.UserName, &w.Name, &w.BundleID, &w.Image, (*string)(&w.State), &p.ComputeType,
		&p.RunningMode, &p.OperatingSystem, &p.Accelerator.Mode, &p.Accelerator.PreferredProtocol, &w.EncryptionKey, &w.SubnetID,
		&w.IPAddress, &w.IPv6Address, &w.ComputerName, &w.ErrorCode, &w.ErrorMessage,
	} {
		*s = r.text()
	}
	w.Generation = r.int()
	for _, n := range []*int{&w.Attempts, &p.RootGiB, &p.UserGiB, &p.AutoStopMinutes} {
		*n = int(r.int())
	}
	w.AddressOffset = r.int()
	for _, at := range []*time.Time{&w.CreatedAt, &w.ChangedAt, &w.Deadline} {
		*at = r.time()
	}
	w.RootEncrypted, w.UserEncrypted = r.bool(), r.bool()
	p.Protocols = r.texts()
	w.ReadyAt = r.time()
	changes := r.text()
	if r.err != nil {
		return r.err
	}
	return readChanges(w, changes)
}
