package cli_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"carrel/internal/cli"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/workspaces"
)

// quickstart makes a directory with the user jane and returns what the command said of it.
func (s *server) quickstart(t *testing.T, args ...string) (made map[string]string) {
	t.Helper()
	r := s.carrel(t, append([]string{"directory", "quickstart", "--output", "json"}, args...)...).succeed(t)
	must(t, json.Unmarshal([]byte(r.out), &made))
	return made
}

// signsIn reports whether a user can sign in with a password.
func (s *server) signsIn(t *testing.T, id, user, password string) bool {
	t.Helper()
	d := embedded.New(s.store, embedded.NewHasher()).Of(workspaces.Scope{Account: account, Region: region}, id)
	_, err := d.Authenticate(t.Context(), user, password)
	if err != nil && !errors.Is(err, directory.ErrNoUser) {
		t.Fatal(err)
	}
	return err == nil
}

func TestAUsersLife(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id := s.quickstart(t)["directory_id"]

	added := s.carrel(t, "user", "add", "john", "--given-name", "John", "--surname", "Doe", "--email", "john@example.com").succeed(t)
	added.prints(t, "john of the directory "+id+" (carrel.internal) can sign in now.", "Password, shown this once: ")
	first := regexp.MustCompile(`once: (\S+)`).FindStringSubmatch(added.out)[1]
	if !s.signsIn(t, id, "john", first) {
		t.Errorf("john cannot sign in with %q", first)
	}
	s.carrel(t, "user", "list").succeed(t).prints(t, "USER", "Administrator", "john", "John Doe", "yes")

	command{stdin: "Another-1-secret\n"}.run(t, "user", "passwd", "john", "--password-stdin", "--data", s.folder.Path).succeed(t)
	if s.signsIn(t, id, "john", first) || !s.signsIn(t, id, "john", "Another-1-secret") {
		t.Error("the password is not the new one")
	}

	s.carrel(t, "user", "disable", "john").succeed(t).prints(t, "john is disabled\n")
	if s.signsIn(t, id, "john", "Another-1-secret") {
		t.Error("a disabled user can sign in")
	}
	var users []map[string]any
	must(t, json.Unmarshal([]byte(s.carrel(t, "user", "list", "-o", "json").succeed(t).out), &users))
	for _, u := range users {
		if want := u["user"] != "john"; u["enabled"] != want {
			t.Errorf("got %v", u)
		}
	}
	s.carrel(t, "user", "passwd", "john", "--password", "Yet-an0ther").succeed(t)
	if !s.signsIn(t, id, "john", "Yet-an0ther") {
		t.Error("a new password does not enable the user")
	}
	s.carrel(t, "user", "delete", "john", "jane").succeed(t).prints(t, "john is deleted\njane is deleted\n")
	s.carrel(t, "user", "delete", "john").fail(t, cli.ExitFailure, "john: ")
}

func TestAUserIsMadeWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.quickstart(t)
	s.carrel(t, "user", "add", "john", "--password", "weak").fail(t, cli.ExitFailure, "A password has 8 to 64 characters")
	s.carrel(t, "user", "add", "john", "--password", "x", "--password-stdin").fail(t, cli.ExitUsage, "exclude each other")
	s.carrel(t, "user", "add", "jane").fail(t, cli.ExitFailure, "(ConflictException)")
	if list := s.carrel(t, "user", "list").succeed(t); strings.Contains(list.out, "john") {
		t.Errorf("a user with a bad password was made: %s", list.out)
	}
}

func TestTheDirectoryIsSaidByIDOrNameWhereThereAreSeveral(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.carrel(t, "user", "list").fail(t, cli.ExitFailure, "make one with: carrel directory quickstart")
	first := s.quickstart(t, "one.example.com", "--user", "ann")["directory_id"]
	second := s.quickstart(t, "two.example.com", "--user", "bob")["directory_id"]
	s.carrel(t, "user", "list").fail(t, cli.ExitUsage, first+" (one.example.com), "+second+" (two.example.com)")
	s.carrel(t, "user", "list", "--directory", first).succeed(t).prints(t, "ann")
	s.carrel(t, "user", "list", "--directory", "TWO.example.com").succeed(t).prints(t, "bob")
	s.carrel(t, "user", "list", "--directory", "d-0000000000").fail(t, cli.ExitFailure, "there is no directory d-0000000000")
}
