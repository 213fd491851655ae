package directoryservice

import (
	"context"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// EnableLDAPS switches LDAP over TLS on. Nobody speaks LDAP to a directory here: it is a record.
func (s *Service) EnableLDAPS(ctx context.Context, in *ds.EnableLDAPSRequest) (*ds.EnableLDAPSResult, error) {
	return &ds.EnableLDAPSResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkLDAPS(d); err != nil {
			return err
		}
		return d.EnableLDAPS(s.core.Clock.Now())
	})
}

// DisableLDAPS switches LDAP over TLS off.
func (s *Service) DisableLDAPS(ctx context.Context, in *ds.DisableLDAPSRequest) (*ds.DisableLDAPSResult, error) {
	return &ds.DisableLDAPSResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkLDAPS(d); err != nil {
			return err
		}
		return d.DisableLDAPS(s.core.Clock.Now())
	})
}

// DescribeLDAPSSettings says whether LDAP over TLS is on; nothing, where it never was.
func (s *Service) DescribeLDAPSSettings(
	ctx context.Context, in *ds.DescribeLDAPSSettingsRequest,
) (*ds.DescribeLDAPSSettingsResult, error) {
	// There is one entry at most, so that no page is ever followed by another.
	if _, err := cursor.Key(in.NextToken, "DescribeLDAPSSettings", value(in.DirectoryId)); err != nil {
		return nil, err
	}
	var d *workspaces.Directory
	err := s.core.Store.View(func(tx *store.Tx) (err error) {
		if d, err = find(ctx, tx, value(in.DirectoryId)); err == nil {
			err = checkLDAPS(d)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeLDAPSSettingsResult{LDAPSSettingsInfo: []ds.LDAPSSettingInfo{}}
	if l := d.Details.LDAPS; l.Status != "" {
		out.LDAPSSettingsInfo = append(out.LDAPSSettingsInfo, ds.LDAPSSettingInfo{
			LDAPSStatus: &l.Status, LastUpdatedDateTime: api.At(l.ChangedAt),
		})
	}
	return out, nil
}

// checkLDAPS refuses directories that cannot have LDAP over TLS.
func checkLDAPS(d *workspaces.Directory) error {
	if d.Type == workspaces.SimpleAD {
		return workspaces.Errorf(workspaces.CodeDirectoryType, "LDAPS operations are not supported for this Directory Type.").About(d.ID)
	}
	return nil
}

// changeDetails changes what rests on an Active directory, in one transaction with the job
// that the change may ask for.
func (s *Service) changeDetails(ctx context.Context, id string, change func(*workspaces.Directory) error) error {
	var d *workspaces.Directory
	err := s.core.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if d, err = find(ctx, tx, id); err != nil {
			return err
		}
		read := d.Generation
		if err := change(d); err != nil {
			return err
		}
		if err := d.CheckActive(); err != nil {
			return err
		}
		if err := save(ctx, tx, d, read); err != nil {
			return err
		}
		if _, pending := d.DetailsPending(); !pending {
			return nil
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindDirectory, Refs: []workspaces.Ref{d.Ref()}})
	})
	if err == nil {
		operation.Started(ctx, workspaces.KindDirectory, d.Ref())
	}
	return err
}

// ldapsExceptions is the table of the operations on LDAPS, for which the model has names of
// their own.
func ldapsExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeNotFound] = ds.DirectoryDoesNotExistException
	table[workspaces.CodeInvalidState] = ds.InvalidLDAPSStatusException
	return table
}
