package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"carrel/internal/cli"
	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
)

func TestDoctorFindsAServerWell(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.carrel(t, "doctor", "--engine", "simulated").succeed(t).prints(t,
		"ok       data folder", "ok       database         SQLite", "ok       server           answers at "+s.http.URL,
		"ok       clocks           agree", "ok       access key", "ok       encryption       not in FIPS mode", "ok       desktops         0 running, on the engine simulated")
	command{env: s.abroad(t)}.run(t, "doctor").succeed(t).prints(t, "answers at "+s.http.URL, "ok       engine           simulated",
		"ok       desktops         0 running, on the engine simulated")
}

func TestDoctorSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.http.Close()
	r := s.carrel(t, "doctor", "--engine", "simulated")
	r.fail(t, cli.ExitFailure, "one thing that is needed is missing")
	r.prints(t, "missing  server           does not answer: Get \""+s.http.URL, "→ start it with: carrel serve --data '"+s.folder.Path+"'")
	r = s.carrel(t, "doctor", "--engine", "incus")
	r.fail(t, cli.ExitFailure, "missing")
	r.prints(t, "missing  Incus", "built without Incus", "→ apt install incus-base")
	r = command{}.run(t, "doctor", "--engine", "simulated", "--data", file(t, "in the way")+"/data", "--database", "postgres://someone@127.0.0.1:1/carrel")
	r.fail(t, cli.ExitFailure, "2 things that are needed are missing")
	r.prints(t, "missing  data folder", "→ name another folder with --data", "missing  database", "→ see that PostgreSQL runs", "warn     server")
}

func TestDoctorFindsAKeyThatIsRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id, _, err := s.folder.Key()
	must(t, err)
	s.carrel(t, "key", "delete", "--force", id).succeed(t)
	r := s.carrel(t, "doctor", "--engine", "simulated")
	r.fail(t, cli.ExitFailure, "one thing")
	r.prints(t, "missing  access key")
}

func TestDoctorLooksAtIncus(t *testing.T) {
	t.Parallel()
	about := compute.About{Name: "incus", Version: "6.0.4", SizesEnforced: true, ReachEnforced: true, DesktopsRunning: 3}
	var asked cli.Config
	c := command{parts: cli.Parts{Incus: func(_ context.Context, c *cli.Config) (compute.About, error) {
		asked = *c
		return about, nil
	}}}
	args := []string{"doctor", "--data", t.TempDir(), "--engine", "incus", "--incus-socket", "/run/x"}
	about.Problems = []string{"there is no desktop image: carrel image build makes one", "lxcfs does not run"}
	r := c.run(t, args...)
	r.prints(t, "ok       engine           incus 6.0.4", "ok       volume sizes     enforced", "ok       network          holds desktops to their security groups",
		"missing  desktop image    there is no carrel/xfce", "warn     incus            lxcfs does not run")
	if asked.Incus.Socket != "/run/x" || r.code != cli.ExitFailure || strings.Contains(r.out, "there is no desktop image:") || strings.Contains(r.out, "running") {
		t.Errorf("asked %+v, got %+v", asked, r)
	}
	about = compute.About{Name: "incus", Images: []compute.Image{{Name: "carrel/xfce", Serial: "abc"}}}
	r = c.run(t, args...)
	r.prints(t, "ok       desktop image    carrel/xfce, serial abc")
	if strings.Contains(r.out, "security groups") {
		t.Errorf("what nobody enforces is said to be: %s", r.out)
	}
}

func TestWithoutIncusAutoOnlyWarns(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := command{parts: cli.Parts{Incus: func(context.Context, *cli.Config) (compute.About, error) {
		return compute.About{}, fmt.Errorf("%w: no socket", compute.ErrUnavailable)
	}}}
	r := c.run(t, "doctor", "--data", s.folder.Path, "--output", "json").succeed(t)
	var findings []struct{ Status, What, Found, Advice string }
	must(t, json.Unmarshal([]byte(r.out), &findings))
	for _, f := range findings {
		if f.What == "Incus" {
			if f.Status != "warn" || !strings.Contains(f.Found, "only simulated") || f.Advice == "" {
				t.Errorf("got %+v", f)
			}
			return
		}
	}
	t.Errorf("got %s", r.out)
}

func TestDoctorLooksAtPostgreSQL(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	command{}.run(t, "doctor", "--engine", "simulated", "--data", t.TempDir(), "--database", url).succeed(t).prints(t, "ok       database         PostgreSQL ")
}

func TestDoctorLooksAtTheEncryptionThatDirectoriesAskFor(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.carrel(t, "directory", "quickstart", "--user", "jane").succeed(t)
	must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
		all, err := tx.EveryWorkspaceDirectory(t.Context())
		if err != nil {
			return err
		}
		all[0].Settings.EndpointMode = "FIPS_VALIDATED"
		_, err = tx.SaveWorkspaceDirectory(t.Context(), all[0], all[0].Generation)
		return err
	}))
	s.carrel(t, "doctor", "--engine", "simulated").succeed(t).prints(t, "warn     encryption", "FIPS_VALIDATED directories: 1", "→ GODEBUG=fips140=on carrel serve")
}
