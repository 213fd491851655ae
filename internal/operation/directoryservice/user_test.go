package directoryservice_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/directoryservice"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestResetUserPassword(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Create(t)
	reset := func(name, password string) error {
		_, err := s.DS().ResetUserPassword(t.Context(),
			&directoryservice.ResetUserPasswordInput{DirectoryId: &id, UserName: &name, NewPassword: &password})
		return err
	}
	signIn := func(password string) error {
		_, err := s.Directories.Of(dstest.Scope(), id).Authenticate(t.Context(), "administrator", password)
		return err
	}
	dstest.WantError(t, dsapi.ResetUserPassword.Info, reset("Administrator", "Another-1"), "DirectoryUnavailableException") // Requested
	s.Settle(t, id)
	if err := signIn(dstest.Password); err != nil {
		t.Errorf("the administrator's first password: %v", err)
	}
	disableUser(t, s, id)
	if err := signIn(dstest.Password); err == nil {
		t.Error("a disabled user was let in")
	}
	if err := reset("ADMINISTRATOR", "Another-1"); err != nil {
		t.Fatal(err)
	}
	if err := signIn("Another-1"); err != nil {
		t.Errorf("after a reset: %v", err)
	}
	if err := signIn(dstest.Password); err == nil {
		t.Error("the old password is still good")
	}
	for _, c := range []struct{ name, password, code string }{
		{"nobody", "Another-1", "UserDoesNotExistException"},
		{"zero\x00byte", "Another-1", "UserDoesNotExistException"},
		{"Administrator", "weak", "InvalidPasswordException"},
		{"Administrator", "Administrator1", "InvalidPasswordException"},
		{"Administrator", strings.Repeat("aA1", 30), "InvalidPasswordException"},
		{"Administrator", strings.Repeat("aA1", 50), "ValidationException"},
		{"CORP\\Administrator", "Another-1", "ValidationException"},
	} {
		dstest.WantError(t, dsapi.ResetUserPassword.Info, reset(c.name, c.password), c.code)
	}
	s.Change(t, id, func(d *workspaces.Directory) { d.Type = workspaces.ADConnector })
	dstest.WantError(t, dsapi.ResetUserPassword.Info, reset("Administrator", "Another-1"), "UnsupportedOperationException")
}

func disableUser(t *testing.T, s *dstest.Server, id string) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		u, _, err := tx.User(t.Context(), dstest.Scope(), id, workspaces.Administrator)
		if err != nil {
			return err
		}
		u.Enabled = false
		return tx.PutUser(t.Context(), u)
	})
	if err != nil {
		t.Fatal(err)
	}
}
