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
	t.Run("Strangers", func(t *testing.T) { t.Parallel(); suite{t, open(t)}.strangers() })
}

// Users is the part of the suite that holds also where every name exists.
func Users(t *testing.T, open func(t *testing.T) directory.Directory) {
	t.Helper()
	for name, test := range map[string]func(suite){
		"Lookup":         suite.lookup,
		"Authenticate":   suite.authenticate,
		"Refuse":         suite.refuse,
		"ChangesNothing": suite.changesNothing,
		"Concurrent":     suite.concurrent,
		"Cancelled":      suite.cancelled,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(suite{t, open(t)}) })
	}
}

// suite is one test of the suite with the directory that it has for itself.
type suite struct {
	*testing.T
	directory directory.Directory
}

func (s suite) lookup() {
	for _, p := range People() {
		user, err := s.directory.Lookup(s.Context(), p.Name)
		if err != nil {
			s.Errorf("Lookup(%q): %v", p.Name, err)
			continue
		}
		got := Person{
			Name: user.Name, GivenName: user.GivenName, Surname: user.Surname, EmailAddress: user.EmailAddress,
			Password: p.Password, Enabled: user.Enabled,
		}
		if got != p {
			s.Errorf("Lookup(%q) = %+v, want %+v", p.Name, got, p)
		}
	}
	for _, spelling := range []string{"alice", "ALICE", "aLiCe"} {
		if user, err := s.directory.Lookup(s.Context(), spelling); err != nil || user.Name != "Alice" {
			s.Errorf("Lookup(%q) = %v, %v; want Alice", spelling, user, err)
		}
	}
	if user, err := s.directory.Lookup(s.Context(), ""); !errors.Is(err, directory.ErrNoUser) {
		s.Errorf(`Lookup("") = %v, %v; want ErrNoUser`, user, err)
	}
}

func (s suite) authenticate() {
	for _, spelling := range []string{"Alice", "alice"} {
		user, err := s.directory.Authenticate(s.Context(), spelling, "Through-the-1")
		if err != nil || user.Name != "Alice" {
			s.Errorf("Authenticate(%q) = %v, %v; want Alice", spelling, user, err)
		}
	}
}

func (s suite) refuse() {
	for why, c := range map[string]struct{ name, password string }{
		"wrong password":                {"Alice", "Through-the-2"},
		"case of the password":          {"Alice", "through-the-1"},
		"more than the password":        {"Alice", "Through-the-1 "},
		"somebody else's password":      {"Alice", "Hunting-a-Snark-8"},
		"no password":                   {"Alice", ""},
		"user without, no password":     {"carol", ""},
		"disabled user":                 {"dodgson", "Euclid-&-rivals-1879"},
		"disabled user, wrong password": {"dodgson", "wrong"},
		"missing user, no password":     {"eve", ""},
		"no name":                       {"", "Through-the-1"},
		"no name, no password":          {"", ""},
	} {
		if user, err := s.directory.Authenticate(s.Context(), c.name, c.password); !errors.Is(err, directory.ErrNoUser) {
			s.Errorf("%s: Authenticate = %v, %v; want ErrNoUser", why, user, err)
		}
	}
}

// changesNothing holds callers harmless who write to what they were given.
func (s suite) changesNothing() {
	user, err := s.directory.Lookup(s.Context(), "Alice")
	if err != nil {
		s.Fatal(err)
	}
	user.Surname, user.Enabled = "Hargreaves", false
	if again, err := s.directory.Lookup(s.Context(), "Alice"); err != nil || again.Surname != "Liddell" || !again.Enabled {
		s.Errorf("after a caller's change Lookup = %+v, %v", again, err)
	}
}

func (s suite) concurrent() {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := s.directory.Authenticate(s.Context(), "alice", "Through-the-1"); err != nil {
				s.Errorf("Authenticate: %v", err)
			}
			if _, err := s.directory.Authenticate(s.Context(), "alice", "wrong"); !errors.Is(err, directory.ErrNoUser) {
				s.Errorf("Authenticate with a wrong password: %v", err)
			}
		})
	}
	wait.Wait()
}

// cancelled makes sure that a question that was not answered is no answer.
func (s suite) cancelled() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.directory.Authenticate(ctx, "alice", "Through-the-1"); err == nil || errors.Is(err, directory.ErrNoUser) {
		s.Errorf("Authenticate with a cancelled context: %v", err)
	}
}

func (s suite) strangers() {
	for _, name := range []string{"carol", "eve", "*"} { // the first has no password
		if user, err := s.directory.Authenticate(s.Context(), name, "Through-the-1"); !errors.Is(err, directory.ErrNoUser) {
			s.Errorf("Authenticate(%q) = %v, %v; want ErrNoUser", name, user, err)
		}
	}
	for _, name := range []string{
		"eve", "alic", "alicee", " alice", "alice ", "*", "a*", "alice*", "alice)(cn=*", `alice\2a`, "alice\x00", "\xff", "%", "_____",
		"' OR '1'='1", "CN=Alice,CN=Users",
	} {
		if user, err := s.directory.Lookup(s.Context(), name); !errors.Is(err, directory.ErrNoUser) {
			s.Errorf("Lookup(%q) = %v, %v; want ErrNoUser", name, user, err)
		}
	}
}
