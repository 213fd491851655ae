package cli_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carrel/internal/cli"
	"carrel/internal/installation"
	"carrel/internal/workspaces"
)

func TestEnvIsForAShellToEvaluate(t *testing.T) {
	t.Parallel()
	folder := installation.Folder{Path: filepath.Join(t.TempDir(), "it's here")}
	must(t, folder.Make())
	must(t, folder.PutCredentials(workspaces.AccessKey{ID: "AKIAEXAMPLE", Secret: "a+b/$(c)'d"}))
	must(t, folder.PutServer(installation.Server{
		Endpoint: "http://127.0.0.1:1", Region: "eu-west-1", VPCID: "vpc-1", SubnetIDs: []string{"subnet-1", "subnet-2"},
		Authority: "/a b/authority.pem",
	}))
	lines := command{}.run(t, "env", "--data", folder.Path).succeed(t).out
	shell := exec.CommandContext(t.Context(), "sh", "-c", lines+`echo "$AWS_ENDPOINT_URL|$AWS_ACCESS_KEY_ID|$AWS_SECRET_ACCESS_KEY|$AWS_REGION|`+
		`$AWS_DEFAULT_REGION|$CARREL_VPC_ID|$CARREL_SUBNET_IDS|$AWS_SESSION_TOKEN$AWS_PROFILE|$AWS_CA_BUNDLE"`)
	shell.Env = []string{"AWS_SESSION_TOKEN=x", "AWS_PROFILE=y", "AWS_REGION=z"}
	got, err := shell.CombinedOutput()
	must(t, err)
	if want := "http://127.0.0.1:1|AKIAEXAMPLE|a+b/$(c)'d|eu-west-1|eu-west-1|vpc-1|subnet-1,subnet-2||/a b/authority.pem\n"; string(got) != want {
		t.Errorf("got %s want %s", got, want)
	}
}

// TestAServerWithItsOwnAuthority speaks TLS to one whose authority only its folder knows.
func TestAServerWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	secure := httptest.NewTLSServer(s.http.Config.Handler)
	t.Cleanup(secure.Close)
	authority := filepath.Join(s.folder.Path, "authority.pem")
	must(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	about := installation.Server{Endpoint: secure.URL, Region: region, Account: account}
	must(t, s.folder.PutServer(about))
	s.carrel(t, "network", "list").fail(t, cli.ExitFailure, "certificate")
	about.Authority = authority
	must(t, s.folder.PutServer(about))
	s.carrel(t, "network", "list").succeed(t)
	s.carrel(t, "directory", "list").succeed(t)
	id, secret, err := s.folder.Key()
	must(t, err)
	env := []string{"AWS_ENDPOINT_URL=" + secure.URL, "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_REGION=" + region}
	command{env: env}.run(t, "directory", "list").fail(t, cli.ExitFailure, "certificate")
	command{env: append(env, "AWS_CA_BUNDLE="+authority)}.run(t, "directory", "list").succeed(t)
	command{env: append(env, "AWS_CA_BUNDLE=/none")}.run(t, "directory", "list").fail(t, cli.ExitFailure, "AWS_CA_BUNDLE")
}

func TestWithoutAServerEveryClientSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "none")
	for _, args := range []string{
		"env", "network list", "user list", "directory list", "directory quickstart", "watch", "screen ws-1 x.png",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			command{}.run(t, append(strings.Fields(args), "--data", folder)...).fail(t, cli.ExitFailure, "start one with: carrel serve --data "+folder)
		})
	}
}

func TestAServerThatIsGoneIsSaidPlainly(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.http.Close()
	for _, args := range []string{"network list", "user list", "watch"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			s.carrel(t, strings.Fields(args)...).fail(t, cli.ExitFailure,
				"carrel: no server answers at "+s.http.URL+"; start it with: carrel serve --data '"+s.folder.Path+"'\n")
		})
	}
}

// abroad is the environment of somebody who reaches the server by its address only.
func (s *server) abroad(t *testing.T) []string {
	t.Helper()
	id, secret, err := s.folder.Key()
	must(t, err)
	return []string{
		"AWS_ENDPOINT_URL=" + s.http.URL + "/", "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_DEFAULT_REGION=" + region,
		"CARREL_DATA=/nowhere",
	}
}

func TestTheEnvironmentNamesAServerElsewhere(t *testing.T) {
	t.Parallel()
	s, other := startServer(t), startServer(t)
	env := s.abroad(t)
	mine := command{env: env}.run(t, "network", "list").succeed(t)
	if want := s.carrel(t, "network", "list").succeed(t).out; mine.out != want {
		t.Errorf("got the networks %s, want %s", mine.out, want)
	}
	if named := (command{env: env}).run(t, "network", "list", "--data", other.folder.Path).succeed(t); named.out == mine.out {
		t.Error("--data lost to the environment")
	}
	command{env: env[:1]}.run(t, "network", "list").fail(t, cli.ExitFailure, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION are not all set")
	command{env: append(env, "AWS_SECRET_ACCESS_KEY=wrong")}.run(t, "network", "list").fail(t, cli.ExitFailure, "signature")
	command{env: append(env, "AWS_ACCESS_KEY_ID=AKIANOBODY")}.run(t, "user", "list").fail(t, cli.ExitFailure, "(UnrecognizedClientException)")
	command{env: append(env, "AWS_ENDPOINT_URL=http://127.0.0.1:1")}.run(t, "user", "list").fail(t, cli.ExitFailure, "see that AWS_ENDPOINT_URL is right")
}
