package directorydata

import (
	"context"

	"carrel/internal/api/dsdata"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateUser makes a user: enabled, and without a password (see the package comment).
func (s *Service) CreateUser(ctx context.Context, in *dsdata.CreateUserRequest) (*dsdata.CreateUserResult, error) {
	name := value(in.SAMAccountName)
	if err := workspaces.CheckUserName(name); err != nil {
		return nil, invalid(dsdata.ValidationExceptionReasonInvalidAttributeValue, "%s", err)
	}
	if _, err := membersOf(in.EmailAddress, in.GivenName, in.Surname); err != nil {
		return nil, err
	}
	attributes, err := attributesOf(in.OtherAttributes)
	if err != nil {
		return nil, err
	}
	r := request{dsdata.CreateUser.Name, value(in.DirectoryId), in.ClientToken, in}
	return once(ctx, s, r, func(tx *store.Tx, d *workspaces.Directory) (*dsdata.CreateUserResult, error) {
		_, exists, err := tx.User(ctx, d.Scope, d.ID, name)
		if err != nil {
			return nil, err
		}
		if exists {
			return nil, workspaces.Errorf(workspaces.CodeAlreadyExists, "The user %s exists in the directory %s already.", name, d.ID)
		}
		rid, err := tx.TakeRID(ctx, d.Scope, d.ID)
		if err != nil {
			return nil, err
		}
		user := &workspaces.User{
			Scope: d.Scope, DirectoryID: d.ID, Name: name, SID: workspaces.UserSID(d.ID, rid), GivenName: value(in.GivenName),
			Surname: value(in.Surname), EmailAddress: value(in.EmailAddress), Attributes: attributes, Enabled: true,
			CreatedAt: s.core.Clock.Now(),
		}
		return &dsdata.CreateUserResult{DirectoryId: &d.ID, SAMAccountName: &user.Name, SID: &user.SID}, tx.PutUser(ctx, user)
	})
}

// DescribeUser describes a user, with those of the other attributes that the request names.
func (s *Service) DescribeUser(ctx context.Context, in *dsdata.DescribeUserRequest) (*dsdata.DescribeUserResult, error) {
	wanted, err := attributesNamed(in.OtherAttributes)
	if err != nil {
		return nil, err
	}
	var d *workspaces.Directory
	var user *workspaces.User
	err = s.core.Store.View(func(tx *store.Tx) (err error) {
		if d, err = openRealm(ctx, tx, value(in.DirectoryId), in.Realm); err == nil {
			user, err = findUser(ctx, tx, d, value(in.SAMAccountName))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	u := describe(d, user, wanted)
	return &dsdata.DescribeUserResult{
		DirectoryId: &d.ID, Realm: &d.Name, SAMAccountName: u.SAMAccountName, SID: u.SID, Enabled: u.Enabled, GivenName: u.GivenName,
		Surname: u.Surname, EmailAddress: u.EmailAddress, UserPrincipalName: u.UserPrincipalName, DistinguishedName: u.DistinguishedName,
		OtherAttributes: u.OtherAttributes,
	}, nil
}

// UpdateUser adds, replaces or removes attributes of a user: all that the request names, or
// none.
func (s *Service) UpdateUser(ctx context.Context, in *dsdata.UpdateUserRequest) (*dsdata.UpdateUserResult, error) {
	update, err := newUpdate(in)
	if err != nil {
		return nil, err
	}
	r := request{dsdata.UpdateUser.Name, value(in.DirectoryId), in.ClientToken, in}
	return once(ctx, s, r, func(tx *store.Tx, d *workspaces.Directory) (*dsdata.UpdateUserResult, error) {
		user, err := findUser(ctx, tx, d, value(in.SAMAccountName))
		if err != nil {
			return nil, err
		}
		if err := update.apply(user); err != nil {
			return nil, err
		}
		return &dsdata.UpdateUserResult{}, tx.PutUser(ctx, user)
	})
}

// DisableUser makes that a user cannot sign in and gets no WorkSpace, until Directory
// Service's ResetUserPassword enables them again. Those who are disabled stay so.
func (s *Service) DisableUser(ctx context.Context, in *dsdata.DisableUserRequest) (*dsdata.DisableUserResult, error) {
	r := request{dsdata.DisableUser.Name, value(in.DirectoryId), in.ClientToken, in}
	return once(ctx, s, r, func(tx *store.Tx, d *workspaces.Directory) (*dsdata.DisableUserResult, error) {
		user, err := findUser(ctx, tx, d, value(in.SAMAccountName))
		if err != nil {
			return nil, err
		}
		user.Enabled = false
		return &dsdata.DisableUserResult{}, tx.PutUser(ctx, user)
	})
}

// DeleteUser deletes a user, but for the administrator. The user's WorkSpace stays, as it
// does where a user is deleted from an Active Directory.
func (s *Service) DeleteUser(ctx context.Context, in *dsdata.DeleteUserRequest) (*dsdata.DeleteUserResult, error) {
	r := request{dsdata.DeleteUser.Name, value(in.DirectoryId), in.ClientToken, in}
	return once(ctx, s, r, func(tx *store.Tx, d *workspaces.Directory) (*dsdata.DeleteUserResult, error) {
		user, err := findUser(ctx, tx, d, value(in.SAMAccountName))
		if err != nil {
			return nil, err
		}
		if d.IsAdministrator(user) {
			return nil, invalid(dsdata.ValidationExceptionReasonLdapUnsupportedOperation, "The user %s cannot be deleted.", user.Name)
		}
		_, err = tx.DeleteUser(ctx, d.Scope, d.ID, user.Name)
		return &dsdata.DeleteUserResult{}, err
	})
}

// describe is the user as the API shows it.
func describe(d *workspaces.Directory, u *workspaces.User, wanted []attribute) dsdata.User {
	return dsdata.User{
		SAMAccountName: &u.Name, SID: &u.SID, Enabled: &u.Enabled, GivenName: unlessEmpty(u.GivenName), Surname: unlessEmpty(u.Surname),
		EmailAddress: unlessEmpty(u.EmailAddress), UserPrincipalName: new(d.PrincipalName(u)), DistinguishedName: new(d.DistinguishedName(u)),
		OtherAttributes: pick(u.Attributes, wanted),
	}
}

func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
