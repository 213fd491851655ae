package directoryservice_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/workspaces"
)

func TestDataAccess(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Create(t)
	enable := func() error {
		_, err := s.DS().EnableDirectoryDataAccess(t.Context(), &directoryservice.EnableDirectoryDataAccessInput{DirectoryId: &id})
		return err
	}
	disable := func() error {
		_, err := s.DS().DisableDirectoryDataAccess(t.Context(), &directoryservice.DisableDirectoryDataAccessInput{DirectoryId: &id})
		return err
	}
	want := func(want types.DataAccessStatus) {
		t.Helper()
		out, err := s.DS().DescribeDirectoryDataAccess(t.Context(), &directoryservice.DescribeDirectoryDataAccessInput{DirectoryId: &id})
		if err != nil || out.DataAccessStatus != want {
			t.Errorf("data access = %+v, %v; want %s", out, err, want)
		}
	}
	want("Enabled")
	dstest.WantError(t, dsapi.EnableDirectoryDataAccess.Info, enable(), "DirectoryUnavailableException") // Requested
	s.Settle(t, id)
	for _, step := range []struct {
		call func() error
		want types.DataAccessStatus
	}{{enable, "Enabled"}, {disable, "Disabled"}, {enable, "Enabled"}, {disable, "Disabled"}} {
		if err := step.call(); err != nil {
			t.Fatal(err)
		}
		want(step.want)
	}
	dstest.WantError(t, dsapi.DisableDirectoryDataAccess.Info, disable(), "DirectoryInDesiredStateException")
	s.Change(t, id, func(d *workspaces.Directory) { d.Type = workspaces.ADConnector })
	dstest.WantError(t, dsapi.EnableDirectoryDataAccess.Info, enable(), "UnsupportedOperationException")
}
