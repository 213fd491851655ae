package store

import (
	"context"
	"fmt"

	"carrel/internal/workspaces"
)

// tableOf is where things of a kind are kept.
func tableOf(kind workspaces.Kind) (string, error) {
	switch kind {
	case workspaces.KindWorkSpace:
		return "workspace", nil
	case workspaces.KindDirectory:
		return "directory", nil
	case workspaces.KindWorkspaceDirectory:
		return "workspace_directory", nil
	default:
		return "", fmt.Errorf("store: no table for %q", kind)
	}
}

// Settled reports whether a thing rests: it has neither a deadline nor a turn of work to
// come, or it is gone.
func (t *Tx) Settled(ctx context.Context, kind workspaces.Kind, r workspaces.Ref) (settled bool, err error) {
	table, err := tableOf(kind)
	if err != nil {
		return false, err
	}
	err = t.row(ctx, "SELECT NOT EXISTS (SELECT 1 FROM "+table+
		" WHERE account = $1 AND region = $2 AND id = $3 AND (deadline > 0 OR wake_at > 0))", r.Account, r.Region, r.ID).Scan(&settled)
	return settled, err
}
