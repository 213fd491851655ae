package directoryservice

import (
	"context"
	"encoding/json"
	"slices"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeSettings lists a Microsoft AD's settings, or those of a status. There are few, so
// that one page has them all.
func (s *Service) DescribeSettings(ctx context.Context, in *ds.DescribeSettingsRequest) (*ds.DescribeSettingsResult, error) {
	if _, err := cursor.Key(in.NextToken, "DescribeSettings", value(in.DirectoryId)); err != nil {
		return nil, err
	}
	var d *workspaces.Directory
	err := s.core.Store.View(func(tx *store.Tx) (err error) {
		if d, err = find(ctx, tx, value(in.DirectoryId)); err == nil {
			err = checkSettings(d)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeSettingsResult{DirectoryId: &d.ID, SettingEntries: []ds.SettingEntry{}}
	for _, kind := range workspaces.DirectorySettingKinds() {
		entry := describeSetting(d, kind)
		if in.Status == nil || *in.Status == *entry.RequestStatus {
			out.SettingEntries = append(out.SettingEntries, entry)
		}
	}
	return out, nil
}

// checkSettings refuses directories that have no settings.
func checkSettings(d *workspaces.Directory) error {
	if d.Type != workspaces.MicrosoftAD {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "This operation is only supported for Microsoft AD.").About(d.ID)
	}
	return nil
}

func describeSetting(d *workspaces.Directory, kind workspaces.DirectorySettingKind) ds.SettingEntry {
	allowed := `{"MinimumValue": 1, "MaximumValue": 1577000000}`
	if len(kind.Values) > 0 {
		text, _ := json.Marshal(kind.Values) // strings cannot fail
		allowed = string(text)
	}
	entry := ds.SettingEntry{
		Type: &kind.Type, Name: &kind.Name, AllowedValues: &allowed, AppliedValue: &kind.Default, DataType: &kind.DataType,
		RequestStatus: new(workspaces.SettingDefault),
	}
	if set, changed := d.Details.Settings[kind.Name]; changed {
		entry.AppliedValue, entry.RequestedValue, entry.RequestStatus = &set.Applied, &set.Requested, &set.Status
		entry.RequestDetailedStatus = map[string]string{d.Region: set.Status}
		entry.LastRequestedDateTime = api.At(set.RequestedAt)
		if !set.UpdatedAt.IsZero() {
			entry.LastUpdatedDateTime = api.At(set.UpdatedAt)
		}
	}
	return entry
}

// UpdateSettings starts to change settings of a Microsoft AD, all or none.
func (s *Service) UpdateSettings(ctx context.Context, in *ds.UpdateSettingsRequest) (*ds.UpdateSettingsResult, error) {
	values := make(map[string]string, len(in.Settings))
	err := s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkSettings(d); err != nil {
			return err
		}
		clear(values) // the transaction may run again
		for _, asked := range in.Settings {
			if err := checkSetting(values, value(asked.Name), value(asked.Value)); err != nil {
				return err
			}
			values[value(asked.Name)] = value(asked.Value)
		}
		if len(values) == 0 {
			return workspaces.Errorf(workspaces.CodeInvalidParameter, "Settings must hold at least one setting.")
		}
		d.Request(values, s.core.Clock.Now())
		return nil
	})
	return &ds.UpdateSettingsResult{DirectoryId: in.DirectoryId}, err
}

// checkSetting refuses a setting that does not exist, a value that it cannot have, and a
// second value for one that has been asked for.
func checkSetting(asked map[string]string, name, to string) error {
	kinds := workspaces.DirectorySettingKinds()
	i := slices.IndexFunc(kinds, func(k workspaces.DirectorySettingKind) bool { return k.Name == name })
	if i < 0 {
		return workspaces.Errorf(workspaces.CodeNotSupported, "There is no setting %s.", name)
	}
	if !kinds[i].Allows(to) {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "The setting %s cannot have the value %s.", name, to)
	}
	if before, twice := asked[name]; twice && before != to {
		return workspaces.Errorf(workspaces.CodeInProgress, "The setting %s cannot have the values %s and %s.", name, before, to)
	}
	return nil
}

// settingExceptions is the table of the operations on settings, for which the model has names
// of their own.
func settingExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeNotFound] = ds.DirectoryDoesNotExistException
	table[workspaces.CodeNotSupported] = ds.UnsupportedSettingsException
	table[workspaces.CodeInProgress] = ds.IncompatibleSettingsException
	return table
}
