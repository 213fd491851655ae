package directoryservice_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func createAlias(t *testing.T, client *directoryservice.Client, id, alias string) error {
	t.Helper()
	out, err := client.CreateAlias(t.Context(), &directoryservice.CreateAliasInput{DirectoryId: &id, Alias: &alias})
	if err == nil && (*out.DirectoryId != id || *out.Alias != alias) {
		t.Errorf("%+v", out)
	}
	return err
}

// TestAlias: a directory has one alias, no other ever has it, and its registration shows it too.
func TestAlias(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Create(t)
	want := func(err error, code string) { t.Helper(); dstest.WantError(t, dsapi.CreateAlias.Info, err, code) }
	want(createAlias(t, s.DS(), id, "corp"), "ClientException") // Requested
	s.Settle(t, id)
	register(t, s, id)
	for _, alias := range []string{"d-corp", "-corp", "corp_", "D-1"} {
		want(createAlias(t, s.DS(), id, alias), "ValidationException")
	}
	if err := createAlias(t, s.DS(), id, "Corp"); err != nil {
		t.Fatal(err)
	}
	if d := describeOne(t, s, id); *d.Alias != "Corp" || *d.AccessUrl != "Corp.awsapps.com" {
		t.Errorf("%s, %s", *d.Alias, *d.AccessUrl)
	}
	err := s.Store.View(func(tx *store.Tx) error {
		r, _, err := tx.WorkspaceDirectory(t.Context(), dstest.Scope(), id)
		if err == nil && r.Alias != "Corp" {
			t.Errorf("registered as %s", r.Alias)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want(createAlias(t, s.DS(), id, "other"), "InvalidParameterException")
	want(createAlias(t, s.DS(), "d-0000000000", "other"), "EntityDoesNotExistException")
	want(createAlias(t, s.DS(), s.CreateActive(t), "corp"), "EntityAlreadyExistsException")
	// It is not given again, and what was refused was not taken.
	s.Change(t, id, func(d *workspaces.Directory) { d.Enter(workspaces.StageDeleting, s.Clock.Now()) })
	s.Settle(t, id)
	second := s.CreateActive(t)
	want(createAlias(t, s.DS(), second, "CORP"), "EntityAlreadyExistsException")
	if err := createAlias(t, s.DS(), second, "other"); err != nil {
		t.Error(err)
	}
}

func TestSSO(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Create(t)
	enable := func(in directoryservice.EnableSsoInput) error {
		in.DirectoryId = &id
		_, err := s.DS().EnableSso(t.Context(), &in)
		return err
	}
	disable := func() error {
		_, err := s.DS().DisableSso(t.Context(), &directoryservice.DisableSsoInput{DirectoryId: &id})
		return err
	}
	dstest.WantError(t, dsapi.EnableSso.Info, enable(directoryservice.EnableSsoInput{}), "ClientException") // Requested
	dstest.WantError(t, dsapi.DisableSso.Info, disable(), "ClientException")
	s.Settle(t, id)
	got := dstest.WantError(t, dsapi.EnableSso.Info, enable(directoryservice.EnableSsoInput{}), "ClientException")
	if got.ErrorMessage() != "An alias is required before enabling SSO. DomainId="+id {
		t.Error(got.ErrorMessage())
	}
	if err := createAlias(t, s.DS(), id, "corp"); err != nil {
		t.Fatal(err)
	}
	dstest.WantError(t, dsapi.EnableSso.Info, enable(directoryservice.EnableSsoInput{UserName: aws.String("@x"), Password: aws.String("x")}),
		"ValidationException")
	for _, c := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return enable(directoryservice.EnableSsoInput{}) }, true}, {disable, false}, {disable, false},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if d := describeOne(t, s, id); d.SsoEnabled != c.want {
			t.Errorf("SSO is %v, want %v", d.SsoEnabled, c.want)
		}
	}
}
