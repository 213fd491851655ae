package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// EnableDirectoryDataAccess opens a directory to ds-data. Where it is open already, as every
// Simple AD is from the start, it succeeds and changes nothing: scripts that were written for
// the service begin with this call and must not fail at it.
func (s *Service) EnableDirectoryDataAccess(
	ctx context.Context, in *ds.EnableDirectoryDataAccessRequest,
) (*ds.EnableDirectoryDataAccessResult, error) {
	err := s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := findToSwitch(ctx, tx, value(in.DirectoryId))
		if err != nil || d.DataAccess == workspaces.DataAccessEnabled {
			return err
		}
		d.DataAccess = workspaces.DataAccessEnabled
		return save(ctx, tx, d, d.Generation)
	})
	return &ds.EnableDirectoryDataAccessResult{}, err
}

// DisableDirectoryDataAccess closes a directory to ds-data. Its users stay, and can sign in.
func (s *Service) DisableDirectoryDataAccess(
	ctx context.Context, in *ds.DisableDirectoryDataAccessRequest,
) (*ds.DisableDirectoryDataAccessResult, error) {
	err := s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := findToSwitch(ctx, tx, value(in.DirectoryId))
		if err != nil {
			return err
		}
		if d.DataAccess == workspaces.DataAccessDisabled {
			return workspaces.Errorf(workspaces.CodeInvalidState, "Data access of the directory %s is %s already.", d.ID, d.DataAccess).About(d.ID)
		}
		d.DataAccess = workspaces.DataAccessDisabled
		return save(ctx, tx, d, d.Generation)
	})
	return &ds.DisableDirectoryDataAccessResult{}, err
}

// DescribeDirectoryDataAccess says whether a directory is open to ds-data.
func (s *Service) DescribeDirectoryDataAccess(
	ctx context.Context, in *ds.DescribeDirectoryDataAccessRequest,
) (*ds.DescribeDirectoryDataAccessResult, error) {
	var d *workspaces.Directory
	err := s.core.Store.View(func(tx *store.Tx) (err error) {
		d, err = find(ctx, tx, value(in.DirectoryId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &ds.DescribeDirectoryDataAccessResult{DataAccessStatus: &d.DataAccess}, nil
}

// findToSwitch returns a directory whose data access can be switched now.
func findToSwitch(ctx context.Context, tx *store.Tx, id string) (*workspaces.Directory, error) {
	d, err := find(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if !d.KeepsUsers() {
		return nil, workspaces.Errorf(workspaces.CodeDirectoryType, "A directory of the type %s has no data access.", d.Type).About(id)
	}
	return d, d.CheckActive()
}
