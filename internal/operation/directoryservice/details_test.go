package directoryservice_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
)

func TestLDAPS(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	for _, id := range []string{s.CreateMicrosoftAD(t), s.Connect(t)} {
		want := func(want ...types.LDAPSStatus) {
			t.Helper()
			out, err := s.DS().DescribeLDAPSSettings(t.Context(), &directoryservice.DescribeLDAPSSettingsInput{DirectoryId: &id})
			if err != nil {
				t.Fatal(err)
			}
			var got []types.LDAPSStatus
			for _, l := range out.LDAPSSettingsInfo {
				if l.LastUpdatedDateTime == nil {
					t.Errorf("%+v", l)
				}
				got = append(got, l.LDAPSStatus)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
		want()
		dstest.WantError(t, dsapi.DisableLDAPS.Info, disableLDAPS(t, s, id), "InvalidLDAPSStatusException")
		if err := enableLDAPS(t, s, id); err != nil {
			t.Fatal(err)
		}
		want("Enabling")
		dstest.WantError(t, dsapi.EnableLDAPS.Info, enableLDAPS(t, s, id), "InvalidLDAPSStatusException")
		s.Settle(t, id)
		want("Enabled")
		if err := disableLDAPS(t, s, id); err != nil {
			t.Fatal(err)
		}
		want("Disabled")
		if err := enableLDAPS(t, s, id); err != nil {
			t.Error(err)
		}
	}
	simple := s.CreateActive(t)
	dstest.WantError(t, dsapi.EnableLDAPS.Info, enableLDAPS(t, s, simple), "UnsupportedOperationException")
	dstest.WantError(t, dsapi.DisableLDAPS.Info, disableLDAPS(t, s, simple), "UnsupportedOperationException")
	for code, in := range map[string]directoryservice.DescribeLDAPSSettingsInput{
		"UnsupportedOperationException":  {DirectoryId: &simple},
		"DirectoryDoesNotExistException": {DirectoryId: aws.String("d-0000000000")},
		"InvalidNextTokenException":      {DirectoryId: aws.String(s.CreateMicrosoftAD(t)), NextToken: aws.String("x")},
	} {
		_, err := s.DS().DescribeLDAPSSettings(t.Context(), &in)
		dstest.WantError(t, dsapi.DescribeLDAPSSettings.Info, err, code)
	}
	young, err := s.DS().CreateMicrosoftAD(t.Context(), dstest.MicrosoftADInput())
	if err != nil {
		t.Fatal(err)
	}
	dstest.WantError(t, dsapi.EnableLDAPS.Info, enableLDAPS(t, s, *young.DirectoryId), "DirectoryUnavailableException")
}

func enableLDAPS(t *testing.T, s *dstest.Server, id string) error {
	t.Helper()
	_, err := s.DS().EnableLDAPS(t.Context(), &directoryservice.EnableLDAPSInput{DirectoryId: &id, Type: types.LDAPSTypeClient})
	return err
}

func disableLDAPS(t *testing.T, s *dstest.Server, id string) error {
	t.Helper()
	_, err := s.DS().DisableLDAPS(t.Context(), &directoryservice.DisableLDAPSInput{DirectoryId: &id, Type: types.LDAPSTypeClient})
	return err
}

func TestLogSubscriptions(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	first, second, third, connector := s.CreateMicrosoftAD(t), s.CreateActive(t), s.CreateActive(t), s.Connect(t)
	create := func(id string) error {
		_, err := s.DS().CreateLogSubscription(t.Context(), &directoryservice.CreateLogSubscriptionInput{DirectoryId: &id, LogGroupName: aws.String("/logs/" + id)})
		return err
	}
	remove := func(id string) error {
		_, err := s.DS().DeleteLogSubscription(t.Context(), &directoryservice.DeleteLogSubscriptionInput{DirectoryId: &id})
		return err
	}
	list := func(in directoryservice.ListLogSubscriptionsInput) (got []string) {
		t.Helper()
		for {
			page, err := s.DS().ListLogSubscriptions(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range page.LogSubscriptions {
				if *l.LogGroupName != "/logs/"+*l.DirectoryId || l.SubscriptionCreatedDateTime == nil {
					t.Errorf("%+v", l)
				}
				got = append(got, *l.DirectoryId)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				slices.Sort(got)
				return got
			}
		}
	}
	for _, id := range []string{first, second, third} {
		if err := create(id); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{first, second, third}
	slices.Sort(want)
	for _, limit := range []*int32{nil, aws.Int32(1), aws.Int32(2)} {
		if got := list(directoryservice.ListLogSubscriptionsInput{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	dstest.WantError(t, dsapi.CreateLogSubscription.Info, create(first), "EntityAlreadyExistsException")
	dstest.WantError(t, dsapi.CreateLogSubscription.Info, create(connector), "UnsupportedOperationException")
	dstest.WantError(t, dsapi.CreateLogSubscription.Info, create("d-0000000000"), "EntityDoesNotExistException")
	dstest.WantError(t, dsapi.CreateLogSubscription.Info, create(s.Create(t)), "ClientException") // Requested
	if err := remove(first); err != nil {
		t.Fatal(err)
	}
	dstest.WantError(t, dsapi.DeleteLogSubscription.Info, remove(first), "EntityDoesNotExistException")
	dstest.WantError(t, dsapi.DeleteLogSubscription.Info, remove(connector), "UnsupportedOperationException")
	if got := list(directoryservice.ListLogSubscriptionsInput{DirectoryId: &first}); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if got := list(directoryservice.ListLogSubscriptionsInput{DirectoryId: &second}); !slices.Equal(got, []string{second}) {
		t.Errorf("%v", got)
	}
	for code, in := range map[string]directoryservice.ListLogSubscriptionsInput{
		"EntityDoesNotExistException": {DirectoryId: aws.String("d-0000000000")}, "InvalidNextTokenException": {NextToken: aws.String("x")},
	} {
		_, err := s.DS().ListLogSubscriptions(t.Context(), &in)
		dstest.WantError(t, dsapi.ListLogSubscriptions.Info, err, code)
	}
}

func updateSettings(t *testing.T, client *directoryservice.Client, id string, pairs ...string) error {
	t.Helper()
	in := directoryservice.UpdateSettingsInput{DirectoryId: &id, Settings: []types.Setting{}}
	for i := 0; i < len(pairs); i += 2 {
		in.Settings = append(in.Settings, types.Setting{Name: &pairs[i], Value: &pairs[i+1]})
	}
	_, err := client.UpdateSettings(t.Context(), &in)
	return err
}

func settingsOf(t *testing.T, s *dstest.Server, id string, status types.DirectoryConfigurationStatus) map[string]types.SettingEntry {
	t.Helper()
	out, err := s.DS().DescribeSettings(t.Context(), &directoryservice.DescribeSettingsInput{DirectoryId: &id, Status: status})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]types.SettingEntry)
	for _, e := range out.SettingEntries {
		if !json.Valid([]byte(*e.AllowedValues)) {
			t.Errorf("%s allows %s", *e.Name, *e.AllowedValues)
		}
		got[*e.Name] = e
	}
	return got
}

// TestSettings changes settings twice, and looks at what is requested and what is applied.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateMicrosoftAD(t)
	if all := settingsOf(t, s, id, ""); len(all) != 17 || *all["TLS_1_0"].AppliedValue != "Enable" || all["TLS_1_0"].RequestStatus != "Default" ||
		all["TLS_1_0"].RequestedValue != nil || len(settingsOf(t, s, id, "Default")) != 17 {
		t.Errorf("%+v", all)
	}
	if err := updateSettings(t, s.DS(), id, "TLS_1_0", "Disable", "CERTIFICATE_BACKDATING_COMPENSATION", "60"); err != nil {
		t.Fatal(err)
	}
	tls := settingsOf(t, s, id, "Requested")["TLS_1_0"]
	if *tls.AppliedValue != "Enable" || *tls.RequestedValue != "Disable" || tls.RequestDetailedStatus[dstest.Region] != "Requested" ||
		tls.LastRequestedDateTime == nil || tls.LastUpdatedDateTime != nil {
		t.Errorf("%+v", tls)
	}
	s.Settle(t, id)
	if updated := settingsOf(t, s, id, "Updated"); len(updated) != 2 || *updated["TLS_1_0"].AppliedValue != "Disable" ||
		*updated["CERTIFICATE_BACKDATING_COMPENSATION"].AppliedValue != "60" || updated["TLS_1_0"].LastUpdatedDateTime == nil {
		t.Errorf("%+v", updated)
	}
	if err := updateSettings(t, s.DS(), id, "TLS_1_0", "Enable"); err != nil {
		t.Fatal(err)
	}
	s.Settle(t, id)
	if all := settingsOf(t, s, id, ""); *all["TLS_1_0"].AppliedValue != "Enable" || all["TLS_1_0"].RequestStatus != "Updated" {
		t.Errorf("%+v", all["TLS_1_0"])
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, simple := s.CreateMicrosoftAD(t), s.CreateActive(t)
	young, err := s.DS().CreateMicrosoftAD(t.Context(), dstest.MicrosoftADInput())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id, code string
		pairs    []string
	}{
		{id, "InvalidParameterException", nil},
		{id, "UnsupportedSettingsException", []string{"TLS_1_0", "Disable", "TLS_9_9", "Enable"}},
		{id, "InvalidParameterException", []string{"TLS_1_0", "Maybe"}},
		{id, "InvalidParameterException", []string{"CERTIFICATE_BACKDATING_COMPENSATION", "0"}},
		{id, "InvalidParameterException", []string{"CERTIFICATE_STRONG_ENFORCEMENT", "Enable"}},
		{id, "IncompatibleSettingsException", []string{"TLS_1_0", "Disable", "TLS_1_0", "Enable"}},
		{id, "ValidationException", []string{"TLS_1_0", "no such value"}},
		{simple, "InvalidParameterException", []string{"TLS_1_0", "Disable"}},
		{"d-0000000000", "DirectoryDoesNotExistException", []string{"TLS_1_0", "Disable"}},
		{*young.DirectoryId, "DirectoryUnavailableException", []string{"TLS_1_0", "Disable"}},
	} {
		t.Log(c)
		dstest.WantError(t, dsapi.UpdateSettings.Info, updateSettings(t, s.DS(), c.id, c.pairs...), c.code)
	}
	if changed := settingsOf(t, s, id, "Requested"); len(changed) > 0 {
		t.Errorf("refused and done: %+v", changed)
	}
	for code, in := range map[string]directoryservice.DescribeSettingsInput{
		"InvalidParameterException": {DirectoryId: &simple}, "DirectoryDoesNotExistException": {DirectoryId: aws.String("d-0000000000")},
		"InvalidNextTokenException": {DirectoryId: &id, NextToken: aws.String("x")},
	} {
		_, err := s.DS().DescribeSettings(t.Context(), &in)
		dstest.WantError(t, dsapi.DescribeSettings.Info, err, code)
	}
}
