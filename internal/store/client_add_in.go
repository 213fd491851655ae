package store

import (
	"context"

	"carrel/internal/workspaces"
)

// ClientAddIn returns a directory's add-in; found is false where it has none.
func (t *Tx) ClientAddIn(ctx context.Context, s workspaces.Scope, directoryID string) (a *workspaces.ClientAddIn, found bool, err error) {
	return one(ctx, t, func(row scanner) (*workspaces.ClientAddIn, error) {
		a := &workspaces.ClientAddIn{Scope: s, DirectoryID: directoryID}
		return a, row.Scan(&a.ID, &a.Name, &a.URL)
	}, "SELECT id, name, url FROM client_add_in WHERE account = $1 AND region = $2 AND directory_id = $3", s.Account, s.Region, directoryID)
}

// PutClientAddIn sets a directory's add-in, in place of what it had.
func (t *Tx) PutClientAddIn(ctx context.Context, a *workspaces.ClientAddIn) error {
	return t.exec(ctx, "INSERT INTO client_add_in (account, region, directory_id, id, name, url) VALUES ("+placeholders(6)+")"+
		" ON CONFLICT (account, region, directory_id) DO UPDATE SET id = excluded.id, name = excluded.name, url = excluded.url",
		a.Account, a.Region, a.DirectoryID, a.ID, a.Name, a.URL)
}

// DeleteClientAddIn forgets a directory's add-in, if it has one.
func (t *Tx) DeleteClientAddIn(ctx context.Context, s workspaces.Scope, directoryID string) error {
	return t.exec(ctx, "DELETE FROM client_add_in WHERE account = $1 AND region = $2 AND directory_id = $3", s.Account, s.Region, directoryID)
}
