package embedded_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"carrel/internal/directory"
	"carrel/internal/directory/directorytest"
	"carrel/internal/directory/embedded"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const directoryID = "d-0123456789"

func scope() workspaces.Scope {
	return workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}
}

// fill makes a store whose directory has the suite's people as its users.
func fill(t *testing.T) directory.Directories {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "carrel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	hasher := embedded.NewHasher()
	var users []*workspaces.User
	for _, p := range directorytest.People() {
		u := &workspaces.User{
			Scope: scope(), DirectoryID: directoryID, Name: p.Name, GivenName: p.GivenName, Surname: p.Surname,
			EmailAddress: p.EmailAddress, Enabled: p.Enabled,
		}
		if p.Password != "" {
			if u.PasswordHash, err = hasher.Hash(t.Context(), p.Password); err != nil {
				t.Fatal(err)
			}
		}
		users = append(users, u)
	}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		for _, u := range users {
			if err := tx.PutUser(t.Context(), u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return embedded.New(s, hasher)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	directorytest.Run(t, func(t *testing.T) directory.Directory {
		t.Helper()
		return fill(t).Of(scope(), directoryID)
	})
}

func TestAny(t *testing.T) {
	t.Parallel()
	directorytest.Users(t, func(t *testing.T) directory.Directory {
		t.Helper()
		return directory.Any(fill(t)).Of(scope(), directoryID)
	})
	t.Run("Stranger", func(t *testing.T) {
		t.Parallel()
		user, err := directory.Any(fill(t)).Of(scope(), directoryID).Lookup(t.Context(), "Eve")
		if err != nil || user.Name != "Eve" || !user.Enabled || user.DirectoryID != directoryID || user.Scope != scope() {
			t.Errorf("Lookup of a stranger = %+v, %v", user, err)
		}
	})
	t.Run("AnyPassword", func(t *testing.T) {
		t.Parallel()
		d := directory.Any(fill(t)).Of(scope(), directoryID)
		for _, name := range []string{"Eve", "carol"} { // the second is there, without a password
			if user, err := d.Authenticate(t.Context(), name, "x"); err != nil || user.Name != name {
				t.Errorf("Authenticate(%q) = %+v, %v", name, user, err)
			}
		}
	})
}

func TestDirectoriesAreApart(t *testing.T) {
	t.Parallel()
	all := fill(t)
	other := scope()
	other.Account = "210987654321"
	elsewhere := scope()
	elsewhere.Region = "us-east-1"
	for _, d := range []directory.Directory{
		all.Of(other, directoryID), all.Of(elsewhere, directoryID), all.Of(scope(), "d-9876543210"),
	} {
		if user, err := d.Lookup(t.Context(), "alice"); err == nil {
			t.Errorf("Lookup found %+v", user)
		}
		if user, err := d.Authenticate(t.Context(), "alice", "Through-the-1"); err == nil {
			t.Errorf("Authenticate let in %+v", user)
		}
	}
}

// TestRefusalsHaveReasons reads what the log is told of them.
func TestRefusalsHaveReasons(t *testing.T) {
	t.Parallel()
	d := fill(t).Of(scope(), directoryID)
	for name, says := range map[string]string{
		"alice": "directory: no such user with this password", "carol": "directory: no such user with this password",
		"dodgson": "directory: no such user who is enabled", "eve": "directory: no such user",
	} {
		if _, err := d.Authenticate(t.Context(), name, "wrong"); err == nil || err.Error() != says {
			t.Errorf("%s: %v, want %s", name, err, says)
		}
	}
}

// TestRefusalsCostTheSame counts the memory that a refusal takes, which only a hash needs so
// much of: time would say the same, but not on a busy machine.
func TestRefusalsCostTheSame(t *testing.T) { //nolint:paralleltest // others would add to the count
	d := fill(t).Of(scope(), directoryID)
	for _, name := range []string{"alice", "carol", "dodgson", "eve", "", "\x00"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := d.Authenticate(t.Context(), name, "wrong"); err == nil {
			t.Errorf("%q was let in", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used < 19<<20 {
			t.Errorf("%q was refused after %d bytes of work", name, used)
		}
	}
}
