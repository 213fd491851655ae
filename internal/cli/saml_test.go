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
	"carrel/internal/control"
	"carrel/internal/saml/samltest"
	"carrel/internal/store"
	"carrel/internal/workspaces"
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
	made.prints(t, idp.URL+"/metadata", "https://desktops.example.com/saml/", "/acs", "/slo", "CN=identity provider", "modify-saml-properties", idp.SSO(),
		"Carrel's certificate \"CN=Carrel d-", fmt.Sprint("until ", time.Now().Year()+5))
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

// federate gives the server a directory with an identity provider, whose metadata is of a time, and returns its id.
func federate(t *testing.T, s *server, at time.Time) (directory string) {
	t.Helper()
	metadata := filepath.Join(t.TempDir(), "idp.xml")
	must(t, os.WriteFile(metadata, []byte(samltest.New(t, at).Metadata()), 0o600))
	directory = s.quickstart(t)["directory_id"]
	s.carrel(t, "saml", "set", "--metadata", metadata, "--address", "https://desktops.example.com/").succeed(t)
	return directory
}

func TestRenewingCarrelsCertificate(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	federate(t, s, time.Now())
	own := func() []control.Certificate {
		var shown struct {
			Own []control.Certificate `json:"own_certificates"`
		}
		must(t, json.Unmarshal([]byte(s.carrel(t, "saml", "show", "-o", "json").succeed(t).out), &shown))
		return shown.Own
	}
	pair := func() (p workspaces.SAMLProvider) {
		must(t, s.store.View(func(tx *store.Tx) error {
			all, err := tx.EverySAMLProvider(t.Context())
			p = *all[0]
			return err
		}))
		return p
	}
	first := pair().KeyPair
	s.carrel(t, "saml", "renew", "--finish").fail(t, cli.ExitFailure, "is being renewed; carrel saml renew begins it")
	s.carrel(t, "saml", "renew").succeed(t).prints(t, "Carrel's next certificate", "--finish")
	s.carrel(t, "saml", "renew").fail(t, cli.ExitFailure, "is being renewed already")
	s.carrel(t, "doctor", "--engine", "simulated").succeed(t).prints(t, "the next is published")
	next := pair()
	if len(own()) != 2 || next.KeyPair != first || next.NextKeyPair == "" || next.NextKeyPair == first {
		t.Errorf("got %+v", own())
	}
	s.carrel(t, "saml", "renew", "--finish").succeed(t)
	if done := pair(); len(own()) != 1 || done.KeyPair != next.NextKeyPair || done.NextKeyPair != "" {
		t.Errorf("got %+v", own())
	}
}

// TestTheDirectoryOfTheRegionIsMeant has directories in two regions.
func TestTheDirectoryOfTheRegionIsMeant(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id := federate(t, s, time.Now())
	elsewhere := func(region, id string) {
		must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
			all, err := tx.EveryWorkspaceDirectory(t.Context())
			if err != nil {
				return err
			}
			d := *all[0]
			d.Region, d.ID, d.RegistrationCode = region, id, "WS"+id
			return tx.InsertWorkspaceDirectory(t.Context(), &d)
		}))
	}
	elsewhere("eu-north-1", "d-00000000aa")
	s.carrel(t, "saml", "show").succeed(t).prints(t, "The users of "+id+" in "+region)
	s.carrel(t, "saml", "show", "--directory", "d-00000000aa").fail(t, cli.ExitFailure, "d-00000000aa has no identity provider")
	command{env: []string{"AWS_REGION=eu-north-1"}}.run(t, "saml", "show", "--data", s.folder.Path).fail(t, cli.ExitFailure, "d-00000000aa has no identity provider")
	elsewhere(region, "d-00000000bb")
	s.carrel(t, "saml", "show").fail(t, cli.ExitUsage, "say which, by its id, with --directory: "+id+" in "+region+", d-00000000bb in "+region)
}

// TestDoctorLooksAtCertificates has some that end at various times.
func TestDoctorLooksAtCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	enable := func(t *testing.T, s *server) {
		t.Helper()
		must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
			all, err := tx.EveryWorkspaceDirectory(t.Context())
			if err != nil {
				return err
			}
			all[0].Settings.SAML.Status = workspaces.Enabled
			_, err = tx.SaveWorkspaceDirectory(t.Context(), all[0], all[0].Generation)
			return err
		}))
	}
	for name, c := range map[string]struct {
		made   time.Time // the identity provider's certificate is good for ten years
		code   int
		prints []string
	}{
		"new":  {now, cli.ExitOK, []string{"ok       SAML             ", "signs as \"CN=identity provider\", until", ": Carrel signs as \"CN=Carrel d-"}},
		"soon": {now.AddDate(-10, 0, 20), cli.ExitOK, []string{"warn     SAML", "days from now", "→ have it publish its next certificate, then: carrel saml set --directory d-"}},
		"over": {now.AddDate(-10, 0, -2), cli.ExitFailure, []string{"missing  SAML", "which ended on", "nobody signs in by it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			federate(t, s, c.made)
			r := s.carrel(t, "doctor", "--engine", "simulated").succeed(t) // it is not used yet
			if name == "over" {
				r.prints(t, "warn     SAML", "which ended on")
			}
			enable(t, s)
			r = s.carrel(t, "doctor", "--engine", "simulated")
			r.prints(t, c.prints...)
			if r.code != c.code {
				t.Errorf("exit code %d\n%s", r.code, r.out)
			}
			s.carrel(t, "saml", "show").succeed(t).prints(t, "until", map[string]string{"soon": "days from now", "over": "which ended on"}[name])
			command{env: s.abroad(t)}.run(t, "doctor").prints(t, c.prints...)
		})
	}
}
