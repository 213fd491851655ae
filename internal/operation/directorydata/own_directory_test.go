package directorydata_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	data "github.com/aws/aws-sdk-go-v2/service/directoryservicedata"

	"carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestUsersOfAnOwnDirectory makes a user in a directory that Directory Service does not know, gives them a
// password, and has both go with the directory.
func TestUsersOfAnOwnDirectory(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	d := &workspaces.WorkspaceDirectory{Scope: dstest.Scope(), ID: "wsd-0123456789", WorkspaceType: "POOLS", State: workspaces.Registering}
	change := func(f func(*store.Tx) error) {
		t.Helper()
		if err := s.Store.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(t.Context(), d) })
	name := "Administrator"
	create := func() error { // each with a client token of its own
		_, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{DirectoryId: &d.ID, SAMAccountName: &name, GivenName: new("Jane")})
		return err
	}
	err := create()
	dstest.WantError(t, dsdataapi.CreateUser.Info, err, "DirectoryUnavailableException")
	change(func(tx *store.Tx) error {
		d.State = workspaces.Registered
		_, err := tx.SaveWorkspaceDirectory(t.Context(), d, d.Generation)
		return err
	})
	if err := create(); err != nil {
		t.Fatal(err)
	}
	err = create()
	dstest.WantError(t, dsdataapi.CreateUser.Info, err, "ConflictException")
	password := &directoryservice.ResetUserPasswordInput{DirectoryId: &d.ID, UserName: &name, NewPassword: new("Str0ng-enough")}
	if _, err := s.DS().ResetUserPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	if u := describe(t, s, d.ID, "administrator"); *u.GivenName != "Jane" || *u.UserPrincipalName != "Administrator@"+d.ID {
		t.Errorf("DescribeUser = %v %v", *u.GivenName, *u.UserPrincipalName)
	}
	// Nobody came with such a directory, so that anybody can go.
	if _, err := s.Data().DeleteUser(t.Context(), &data.DeleteUserInput{DirectoryId: &d.ID, SAMAccountName: &name}); err != nil {
		t.Error(err)
	}
	if err := create(); err != nil {
		t.Error(err)
	}
	change(func(tx *store.Tx) error { _, err := tx.DeleteWorkspaceDirectory(t.Context(), d.Ref()); return err })
	_, err = s.DS().ResetUserPassword(t.Context(), password)
	dstest.WantError(t, ds.ResetUserPassword.Info, err, "EntityDoesNotExistException")
	change(func(tx *store.Tx) error {
		if _, found, err := tx.User(t.Context(), d.Scope, d.ID, "Administrator"); found || err != nil {
			t.Errorf("the user outlives the directory: %v", err)
		}
		return nil
	})
	other := "wsd-999999999"
	password.DirectoryId = &other
	_, err = s.DS().ResetUserPassword(t.Context(), password)
	dstest.WantError(t, ds.ResetUserPassword.Info, err, "EntityDoesNotExistException")
}
