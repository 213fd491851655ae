package scenario_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"carrel/internal/store/storetest"
)

// program is the carrel that all scenarios run.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "carrel-scenario-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "carrel")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", program, "../cmd/carrel")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestSimulated(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params("simulated", files))
}

func TestIncus(t *testing.T) {
	if os.Getenv("CARREL_TEST_INCUS") != "1" {
		t.Skip("CARREL_TEST_INCUS is not 1: make test sets it, where it has started Incus")
	}
	t.Parallel()
	defer alone.Unlock()
	alone.Lock()
	files, err := filepath.Glob("testdata/*_engines.txtar")
	if err != nil {
		t.Fatal(err)
	}
	testscript.RunT(oneByOne{t}, params("incus", files))
}

// alone is held by whoever uses Incus. A server looks for networks that are free at its first
// start and makes them with its first desktop: two at once could choose the same.
var alone sync.Mutex

// oneByOne runs scripts one after the other.
type oneByOne struct{ *testing.T }

// Parallel does not.
func (oneByOne) Parallel() {}

// Run runs a script.
func (o oneByOne) Run(name string, f func(testscript.T)) {
	o.T.Run(name, func(t *testing.T) { f(oneByOne{t}) })
}

// Verbose reports whether everything is to be logged.
func (oneByOne) Verbose() bool { return testing.Verbose() }

// The three operations at the heart once more, with the state in PostgreSQL.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	p := params("simulated", []string{"testdata/heart_engines.txtar"})
	setup, url := p.Setup, storetest.Postgres(t)
	p.Setup = func(env *testscript.Env) error {
		err := setup(env)
		env.Values[serverKey{}].(*server).database = url //nolint:errcheck // setup put it there
		return err
	}
	testscript.Run(t, p)
}

// awsConfig leaves the checking of requests to the server. Releases of boto3 do not agree on what there must be and can be:
// EnableWorkDocs, which that of Debian 12 wants, is unknown to newer ones. And the first AWS CLI would fetch what an
// address leads to.
const awsConfig = "[default]\nparameter_validation = false\ncli_follow_urlparam = false\n"

func params(engine string, files []string) testscript.Params {
	modules, err := filepath.Abs(javaScript)
	return testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		Condition:           conditions(engine),
		Setup: func(env *testscript.Env) error {
			if err != nil {
				return err
			}
			s := &server{
				engine: engine, dir: filepath.Join(env.WorkDir, "data"),
				project: "carrel-" + strings.ReplaceAll(filepath.Base(env.WorkDir), "_", "-"),
			}
			env.Values[serverKey{}] = s
			env.Defer(func() {
				if err := s.end(); err != nil {
					env.T().Log("cleaning up: " + err.Error())
				}
				if env.T().(interface{ Failed() bool }).Failed() { //nolint:errcheck // a *testing.T has it
					env.T().Log("the server's log:\n" + s.log.String())
				}
			})
			// Python may live in the home folder; the AWS files there are kept out.
			env.Setenv("HOME", os.Getenv("HOME"))
			config := filepath.Join(env.WorkDir, "aws-config")
			env.Setenv("AWS_CONFIG_FILE", config)
			env.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(env.WorkDir, "aws-credentials"))
			env.Setenv("TF_CLI_CONFIG_FILE", os.Getenv("TF_CLI_CONFIG_FILE"))
			env.Setenv("TF_CLI_ARGS_init", initArguments())
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_PAGER", "")
			env.Setenv("AWS_DEFAULT_OUTPUT", "json")
			env.Setenv("ENGINE", engine)
			env.Setenv("PROJECT", s.project)
			env.Setenv("JAVASCRIPT", modules)
			// Where jane's home lies on the user volume.
			env.Setenv("USERHOME", map[string]string{"incus": "jane/"}[engine])
			env.Setenv("POOLHOME", map[string]string{"incus": "user/"}[engine]) // and that of a pool's desktop
			env.Setenv("CARREL_DATA", s.dir)
			env.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			return os.WriteFile(config, []byte(awsConfig), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":          command(serve),
			"shutdown":       command(shutdown),
			"crash":          command(crash),
			"await":          command(await),
			"await-modified": command(awaitModified),
			"keep":           command(keep),
			"control":        command(controlEndpoint),
			"nothing-left":   command(nothingLeft),
			"setenv-from":    command(setenvFrom),
			"put-file":       command(putFile),
			"file":           command(checkFile),
			"await-image":    command(awaitImage),

			"await-application": command(awaitApplication),

			"await-pool": command(awaitPool),
			"desktops":   command(wantDesktops),

			"sign-out-inside": command(signOutInside),

			"await-capacity": command(awaitCapacity),

			"await-standby": command(awaitStandby),
			"sign-in-at":    command(signInAt),

			"engine-image": command(engineImage),
			"sign-in":      command(signIn),
			"ask":          command(ask),
			"hear":         command(hear),
			"connect":      command(connect),
			"connection":   command(connection),
			"cut-off":      command(cutOff),
			"leave":        command(leave),
			"remains":      command(remains),
		},
	}
}

// serverKey finds the scenario's server.
type serverKey struct{}

// command makes a testscript command of f.
func command(f func(ts *testscript.TestScript, s *server, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := f(ts, ts.Value(serverKey{}).(*server), args) //nolint:errcheck // Setup put it there
		if neg {
			if err == nil {
				ts.Fatalf("succeeded and should not have")
			}
			return
		}
		ts.Check(err)
	}
}
