package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/internal/cli"
	"carrel/internal/saml/samltest"
)

func TestADirectorysIdentityProvider(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	idp := samltest.New(t, time.Now())
	metadata := filepath.Join(t.TempDir(), "idp.xml")
	must(t, os.WriteFile(metadata, []byte(idp.Metadata()), 0o600))
	set := []string{"saml", "set", "--metadata", metadata, "--address", "https://desktops.example.com/"}
	s.carrel(t, set...).fail(t, cli.ExitFailure, "no directory is registered with WorkSpaces yet")
	s.carrel(t, "directory", "quickstart", "--user", "jane").succeed(t)

	s.carrel(t, "saml", "show").fail(t, cli.ExitFailure, "has no identity provider; carrel saml set gives it one")
	s.carrel(t, "saml", "set", "--metadata", metadata).fail(t, cli.ExitUsage, "needs --metadata and --address")
	s.carrel(t, "saml", "set", "--directory", "d-0000000000", "--metadata", metadata).fail(t, cli.ExitFailure, "no directory d-0000000000")
	for _, address := range []string{"desktops.example.com", "ftp://desktops.example.com", "https://desktops.example.com/portal", "https://a?b"} {
		s.carrel(t, "saml", "set", "--metadata", metadata, "--address", address).fail(t, cli.ExitUsage, "--address is like https://desktops.example.com")
	}
	broken := filepath.Join(t.TempDir(), "page.html")
	must(t, os.WriteFile(broken, []byte("<html></html>"), 0o600))
	s.carrel(t, "saml", "set", "--metadata", broken, "--address", "https://a").fail(t, cli.ExitFailure, "page.html: this is no SAML metadata")

	made := s.carrel(t, set...).succeed(t)
	made.prints(t, idp.URL+"/metadata", "https://desktops.example.com/saml/", "/acs", "CN=identity provider", "modify-saml-properties", idp.SSO())
	var shown map[string]any
	show := func() {
		must(t, json.Unmarshal([]byte(s.carrel(t, "saml", "show", "--output", "json").succeed(t).out), &shown))
	}
	show()
	entity := shown["entity_id"]
	s.carrel(t, "saml", "set", "--user-attribute", "uid").succeed(t)
	show()
	if shown["entity_id"] != entity || shown["user_attribute"] != "uid" || !strings.HasPrefix(fmt.Sprint(entity), "https://desktops.example.com/saml/") {
		t.Errorf("got %v after %v", shown, entity)
	}
	s.carrel(t, "saml", "remove").succeed(t)
	s.carrel(t, "saml", "remove").fail(t, cli.ExitFailure, "has no identity provider")
}
