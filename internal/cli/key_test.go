package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"carrel/internal/cli"
)

var keyPattern = regexp.MustCompile(`(?m)\A# Account (\d{12})\..*\n\[carrel-(AKIA\w{16})\]\naws_access_key_id = (AKIA\w{16})\naws_secret_access_key = (\S{40})\n\z`)

func TestAKeyLivesBesideARunningServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	created := keyPattern.FindStringSubmatch(s.carrel(t, "key", "create", "--account", "210987654321").succeed(t).out)
	if created == nil || created[1] != "210987654321" || created[2] != created[3] {
		t.Fatalf("got %q", created)
	}
	id, secret := created[3], created[4]
	env := append(s.abroad(t), "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret)
	command{env: env}.run(t, "network", "list").succeed(t)

	list := s.carrel(t, "key", "list").succeed(t)
	administrator, own, err := s.folder.Key()
	must(t, err)
	list.prints(t, id, "210987654321", administrator, "administrator, in "+s.folder.Credentials())
	if strings.Contains(list.out, secret) || strings.Contains(list.out, own) {
		t.Error("the list shows a secret")
	}
	if other := s.carrel(t, "key", "list", "--account", account).succeed(t); strings.Contains(other.out, id) {
		t.Errorf("the list of another account has the key: %s", other.out)
	}

	s.carrel(t, "key", "delete", id).succeed(t)
	command{env: env}.run(t, "network", "list").fail(t, cli.ExitFailure, "security token")
	s.carrel(t, "key", "delete", id).fail(t, cli.ExitFailure, "there is no key "+id)
}

func TestTheAdministratorsKeyIsNotDeletedByMistake(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id, _, err := s.folder.Key()
	must(t, err)
	s.carrel(t, "key", "delete", id).fail(t, cli.ExitFailure, "add --force")
	s.carrel(t, "network", "list").succeed(t)
	s.carrel(t, "key", "delete", "--force", id).succeed(t)
	s.carrel(t, "network", "list").fail(t, cli.ExitFailure, "security token")
	s.carrel(t, "key", "create").fail(t, cli.ExitFailure, "name the account with --account")
}

func TestAKeyIsOfTheAdministratorsAccountByDefault(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	var key map[string]string
	must(t, json.Unmarshal([]byte(s.carrel(t, "key", "create", "--output", "json").succeed(t).out), &key))
	if key["account"] != account || key["access_key_id"] == "" || len(key["secret_access_key"]) != 40 || key["created_at"] == "" {
		t.Errorf("got %v", key)
	}
	var list []map[string]any
	must(t, json.Unmarshal([]byte(s.carrel(t, "key", "list", "-o", "json").succeed(t).out), &list))
	if len(list) != 2 || list[0]["administrator"] != true || list[1]["administrator"] != false || list[1]["secret_access_key"] != nil {
		t.Errorf("got %v", list)
	}
}

func TestKeysWantADatabaseThatIsThere(t *testing.T) {
	t.Parallel()
	command{}.run(t, "key", "list", "--data", t.TempDir()).fail(t, cli.ExitFailure, "carrel serve makes it")
	command{}.run(t, "key", "create", "--account", "12").fail(t, cli.ExitUsage, "--account has 12 digits")
	command{}.run(t, "key", "delete").fail(t, cli.ExitUsage, "requires at least 1 arg")
}
