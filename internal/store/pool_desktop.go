package store

import (
	"context"

	"carrel/internal/workspaces"
)

const poolDesktopColumns = "account, region, id, pool_id, directory_id, design, subnet_id, address_offset, address, computer_name, state, " +
	"generation, changed_at, deadline, wake_at, attempts, number"

// PoolDesktops returns the desktops of a pool, in the order of their numbers.
func (t *Tx) PoolDesktops(ctx context.Context, s workspaces.Scope, poolID string) ([]*workspaces.PoolDesktop, error) {
	return list(ctx, t, scanPoolDesktop, "SELECT "+poolDesktopColumns+
		" FROM pool_desktop WHERE account = $1 AND region = $2 AND pool_id = $3 ORDER BY number, id", s.Account, s.Region, poolID)
}

// PoolDesktop returns the desktop of the scope with the id; found is false where there is none.
func (t *Tx) PoolDesktop(ctx context.Context, s workspaces.Scope, id string) (d *workspaces.PoolDesktop, found bool, err error) {
	return one(ctx, t, scanPoolDesktop, "SELECT "+poolDesktopColumns+
		" FROM pool_desktop WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, id)
}

// ReadyPoolDesktop returns the first of the desktops of a pool that are ready, by their numbers; found is false where none is.
func (t *Tx) ReadyPoolDesktop(ctx context.Context, s workspaces.Scope, poolID string) (d *workspaces.PoolDesktop, found bool, err error) {
	return one(ctx, t, scanPoolDesktop, "SELECT "+poolDesktopColumns+" FROM pool_desktop WHERE account = $1 AND region = $2 AND pool_id = $3"+
		" AND state = $4 ORDER BY number, id LIMIT 1", s.Account, s.Region, poolID, string(workspaces.PoolDesktopReady))
}

// EveryPoolDesktop returns the desktops of the pools of every scope.
func (t *Tx) EveryPoolDesktop(ctx context.Context) ([]*workspaces.PoolDesktop, error) {
	return list(ctx, t, scanPoolDesktop, "SELECT "+poolDesktopColumns+" FROM pool_desktop")
}

// InsertPoolDesktop adds a desktop.
func (t *Tx) InsertPoolDesktop(ctx context.Context, d *workspaces.PoolDesktop) error {
	args, err := poolDesktopValues(d)
	if err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO pool_desktop ("+poolDesktopColumns+") VALUES ("+placeholders(len(args))+")", args...)
}

// SavePoolDesktop writes the desktop if it still has the generation that it had when it was
// read, with what it has been since, and reports whether it did.
func (t *Tx) SavePoolDesktop(ctx context.Context, d *workspaces.PoolDesktop, read int64) (saved bool, err error) {
	args, err := poolDesktopValues(d)
	if err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "UPDATE pool_desktop SET "+assignments(poolDesktopColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $18", append(args, read)...)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.keepPoolStays(ctx, d.Left()...)
}

// DeletePoolDesktop forgets a desktop and who was connected to it, if it still has the generation.
func (t *Tx) DeletePoolDesktop(ctx context.Context, r workspaces.Ref) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM pool_desktop WHERE account = $1 AND region = $2 AND id = $3 AND generation = $4",
		r.Account, r.Region, r.ID, r.Generation)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.deleteConnection(ctx, r.Scope, r.ID)
}

func poolDesktopValues(d *workspaces.PoolDesktop) ([]any, error) {
	design, err := document{d.Design}.text()
	return []any{
		d.Account, d.Region, d.ID, d.PoolID, d.DirectoryID, design, d.SubnetID, d.AddressOffset, d.Address, d.ComputerName, string(d.State),
		d.Generation, micros(d.ChangedAt), micros(d.Deadline), micros(d.WakeAt), d.Attempts, d.Number,
	}, err
}

func scanPoolDesktop(row scanner) (*workspaces.PoolDesktop, error) {
	d := new(workspaces.PoolDesktop)
	var changed, deadline, wake int64
	err := row.Scan(&d.Account, &d.Region, &d.ID, &d.PoolID, &d.DirectoryID, document{&d.Design}, &d.SubnetID, &d.AddressOffset, &d.Address,
		&d.ComputerName, (*string)(&d.State), &d.Generation, &changed, &deadline, &wake, &d.Attempts, &d.Number)
	d.ChangedAt, d.Deadline, d.WakeAt = instantOf(changed), instantOf(deadline), instantOf(wake)
	return d, err
}
