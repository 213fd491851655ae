package workspaces_test

import (
	"strings"
	"testing"

	"carrel/internal/workspaces"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"Password4TEST": true, "passw0rd!": true, "PASSW0RD!": true, "Password!": true, "Pässwört1": true,
		"Passw0r": false, "password1": false, "PASSWORD": false, "12345678!": false, strings.Repeat("aA1!", 17): false, "": false,
		"xAlice-1x": false, "ALICE-is-1": false,
	} {
		err := workspaces.CheckPassword("alice", password)
		if (err == nil) != good || !good && workspaces.CodeOf(err) != workspaces.CodeInvalidPassword {
			t.Errorf("CheckPassword(%q) = %v", password, err)
		}
		if err != nil && password != "" && strings.Contains(err.Error(), password) {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestUserSID(t *testing.T) {
	t.Parallel()
	one, two, other := workspaces.UserSID("d-1", 1103), workspaces.UserSID("d-1", 1104), workspaces.UserSID("d-2", 1103)
	if one == two || one == other || !strings.HasPrefix(one, "S-1-5-21-") || !strings.HasSuffix(one, "-1103") {
		t.Errorf("SIDs = %s %s %s", one, two, other)
	}
	if strings.TrimSuffix(one, "1103") != strings.TrimSuffix(two, "1104") {
		t.Errorf("%s and %s are of two domains", one, two)
	}
}

func TestNamesOfAUser(t *testing.T) {
	t.Parallel()
	d := &workspaces.Directory{Name: "corp.example.com"}
	u := &workspaces.User{Name: "Alice"}
	if got := d.PrincipalName(u); got != "Alice@corp.example.com" {
		t.Errorf("PrincipalName = %s", got)
	}
	if got := d.DistinguishedName(u); got != "CN=Alice,CN=Users,DC=corp,DC=example,DC=com" {
		t.Errorf("DistinguishedName = %s", got)
	}
	if got := u.FullName(); got != "Alice" {
		t.Errorf("FullName = %s", got)
	}
	u.Surname = "Liddell"
	if got := u.FullName(); got != "Liddell" {
		t.Errorf("FullName = %s", got)
	}
	for name, good := range map[string]bool{"alice": true, "a.b": true, "7": true, "..": false, "_-": false} {
		if err := workspaces.CheckUserName(name); (err == nil) != good {
			t.Errorf("CheckUserName(%q) = %v", name, err)
		}
	}
}
