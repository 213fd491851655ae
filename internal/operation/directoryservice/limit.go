package directoryservice

import (
	"context"

	"carrel/internal/api/ds"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// GetDirectoryLimits says how many directories of each kind the caller has and may have.
func (s *Service) GetDirectoryLimits(ctx context.Context, _ *ds.GetDirectoryLimitsRequest) (*ds.GetDirectoryLimitsResult, error) {
	var l ds.DirectoryLimits
	err := s.core.Store.View(func(tx *store.Tx) (err error) {
		l.CloudOnlyDirectoriesLimit, l.CloudOnlyDirectoriesCurrentCount, l.CloudOnlyDirectoriesLimitReached, err = s.usage(ctx, tx, workspaces.SimpleAD)
		if err != nil {
			return err
		}
		l.CloudOnlyMicrosoftADLimit, l.CloudOnlyMicrosoftADCurrentCount, l.CloudOnlyMicrosoftADLimitReached, err = s.usage(ctx, tx, workspaces.MicrosoftAD)
		if err != nil {
			return err
		}
		l.ConnectedDirectoriesLimit, l.ConnectedDirectoriesCurrentCount, l.ConnectedDirectoriesLimitReached, err = s.usage(ctx, tx, workspaces.ADConnector)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &ds.GetDirectoryLimitsResult{DirectoryLimits: &l}, nil
}

// usage says how much of its limit on one kind of directory the caller uses.
func (s *Service) usage(ctx context.Context, tx *store.Tx, kind string) (limit, count *int32, reached *bool, err error) {
	limits := s.core.Limits
	if limits.Name == workspaces.OpenLimits().Name && s.core.Ways.Follow(moto.DirectoryLimits) {
		limits = workspaces.AWSLimits() // moto's numbers are these
	}
	most := limits.DirectoriesByType[kind]
	n, err := tx.CountDirectories(ctx, operation.Scope(ctx), kind)
	return new(int32(most)), new(int32(n)), new(n >= most), err //nolint:gosec // quotas are small numbers
}

// checkLimit refuses one more directory of a kind where the caller has as many as it may.
func (s *Service) checkLimit(ctx context.Context, tx *store.Tx, kind string) error {
	limit, count, reached, err := s.usage(ctx, tx, kind)
	if err == nil && *reached && (*count > *limit || !s.core.Ways.Follow(moto.OneDirectoryMore)) {
		err = workspaces.Errorf(workspaces.CodeLimitExceeded, "Directory limit exceeded. A maximum of %d directories may be created.", *limit)
	}
	return err
}
