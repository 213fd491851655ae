// Package directorytest is the suite that every directory.Directory must pass, whatever
// keeps its users.
package directorytest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"carrel/internal/directory"
)

// Person is a user that the suite wants to find in the directory under test.
type Person struct {
	Name, GivenName, Surname, EmailAddress string
	Password                               string // "": has none
	Enabled                                bool
}

// People are the users that the directory under test must have, and no others besides
// those that its kind cannot be without.
func People() []Person {
	return []Person{
		{Name: "Alice", GivenName: "Alice", Surname: "Liddell", EmailAddress: "alice@example.com", Password: "Through-the-1", Enabled: true},
		{Name: "bob.h", Password: "Hunting-a-Snark-8", Enabled: true},
		{Name: "carol", Enabled: true},
		{Name: "dodgson", Password: "Euclid-&-rivals-1879", Enabled: false},
	}
}

// Run checks a directory that has People as its users. open is called once for every test.
func Run(t *testing.T, open func(t *testing.T) directory.Directory) {
	t.Helper()
	t.Run("Users", func(t *testing.T) { t.Parallel(); Users(t, open) })
	t.Run("Strangers", func(t *testing.T) { t.Parallel(); strangers(t, open(t)) })
}

// Users is the part of the suite that holds also where every name exists.
func Users(t *testing.T, open func(t *testing.T) directory.Directory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, directory.Directory){
		"Lookup":         lookup,
		"Authenticate":   authenticate,
		"Refuse":         refuse,
		"ChangesNothing": changesNothing,
		"Concurrent":     concurrent,
		"Cancelled":      cancelled,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, open(t)) })
	}
}

func lookup(t *testing.T, d directory.Directory) {
	for _, p := range People() {
		user, err := d.Lookup(t.Context(), p.Name)
		if err != nil {
			t.Errorf("Lookup(%q): %v", p.Name, err)
			continue
		}
		got := Person{
			Name: user.Name, GivenName: user.GivenName, Surname: user.Surname, EmailAddress: user.EmailAddress,
			Password: p.Password, Enabled: user.Enabled,
		}
		if got != p {
			t.Errorf("Lookup(%q) = %+v, want %+v", p.Name, got, p)
		}
	}
	for _, spelling := range []string{"alice", "ALICE", "aLiCe"} {
		if user, err := d.Lookup(t.Context(), spelling); err != nil || user.Name != "Alice" {
			t.Errorf("Lookup(%q) = %v, %v; want Alice", spelling, user, err)
		}
	}
	if user, err := d.Lookup(t.Context(), ""); !errors.Is(err, directory.ErrNoUser) {
		t.Errorf(`Lookup("") = %v, %v; want ErrNoUser`, user, err)
	}
}

func authenticate(t *testing.T, d directory.Directory) {
	for _, spelling := range []string{"Alice", "alice"} {
		user, err := d.Authenticate(t.Context(), spelling, "Through-the-1")
		if err != nil || user.Name != "Alice" {
			t.Errorf("Authenticate(%q) = %v, %v; want Alice", spelling, user, err)
		}
	}
}

func refuse(t *testing.T, d directory.Directory) {
	for why, c := range map[string]struct{ name, password string }{
		"wrong password":                 {"Alice", "Through-the-2"},
		"case of the password":           {"Alice", "through-the-1"},
		"more than the password":         {"Alice", "Through-the-1 "},
		"somebody else's password":       {"Alice", "Hunting-a-Snark-8"},
		"no password":                    {"Alice", ""},
		"user without a password":        {"carol", "Through-the-1"},
		"user without, no password":      {"carol", ""},
		"disabled user":                  {"dodgson", "Euclid-&-rivals-1879"},
		"disabled user, wrong password":  {"dodgson", "wrong"},
		"missing user":                   {"eve", "Through-the-1"},
		"missing user, no password":      {"eve", ""},
		"no name":                        {"", "Through-the-1"},
		"no name, no password":           {"", ""},
		"a name that matches everything": {"*", "Through-the-1"},
	} {
		if user, err := d.Authenticate(t.Context(), c.name, c.password); !errors.Is(err, directory.ErrNoUser) {
			t.Errorf("%s: Authenticate = %v, %v; want ErrNoUser", why, user, err)
		}
	}
}

// changesNothing holds callers harmless who write to what they were given.
func changesNothing(t *testing.T, d directory.Directory) {
	user, err := d.Lookup(t.Context(), "Alice")
	if err != nil {
		t.Fatal(err)
	}
	user.Surname, user.Enabled = "Hargreaves", false
	if again, err := d.Lookup(t.Context(), "Alice"); err != nil || again.Surname != "Liddell" || !again.Enabled {
		t.Errorf("after a caller's change Lookup = %+v, %v", again, err)
	}
}

func concurrent(t *testing.T, d directory.Directory) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := d.Authenticate(t.Context(), "alice", "Through-the-1"); err != nil {
				t.Errorf("Authenticate: %v", err)
			}
			if _, err := d.Authenticate(t.Context(), "alice", "wrong"); !errors.Is(err, directory.ErrNoUser) {
				t.Errorf("Authenticate with a wrong password: %v", err)
			}
		})
	}
	wait.Wait()
}

// cancelled makes sure that a question that was not answered is no answer.
func cancelled(t *testing.T, d directory.Directory) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Authenticate(ctx, "alice", "Through-the-1"); err == nil || errors.Is(err, directory.ErrNoUser) {
		t.Errorf("Authenticate with a cancelled context: %v", err)
	}
}

func strangers(t *testing.T, d directory.Directory) {
	for _, name := range []string{
		"eve", "alic", "alicee", " alice", "alice ", "*", "a*", "alice*", "alice)(cn=*", `alice\2a`, "alice\x00", "\xff", "%", "_____",
		"' OR '1'='1", "CN=Alice,CN=Users",
	} {
		if user, err := d.Lookup(t.Context(), name); !errors.Is(err, directory.ErrNoUser) {
			t.Errorf("Lookup(%q) = %v, %v; want ErrNoUser", name, user, err)
		}
	}
}
