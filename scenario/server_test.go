package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"

	"carrel/internal/clock"
	"carrel/internal/compute/incus"
	"carrel/internal/installation"
	"carrel/internal/store"
)

// patience is how long a scenario waits for anything. Much less is usual; a busy machine
// may take longer.
const patience = 90 * time.Second

// server is the carrel serve of one scenario.
type server struct {
	engine   string
	database string // "": SQLite in the data folder
	dir      string
	env      *testscript.Env
	process  *exec.Cmd
	log      bytes.Buffer
	about    installation.Server
	ended    chan error
}

// project is the scenario's own part of Incus.
func (s *server) project() string {
	return "carrel-" + strings.ReplaceAll(filepath.Base(s.env.WorkDir), "_", "-")
}

// serve starts the server and sets the environment for its clients.
func serve(ts *testscript.TestScript, s *server, args []string) error {
	if s.process != nil {
		return errors.New("the server is running")
	}
	args = append([]string{
		"serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--engine", s.engine, "--incus-project", s.project(),
		"--database", s.database,
	}, args...)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "server.json")); err != nil {
		return err
	}
	s.process = exec.Command(program, args...)
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	s.process.Env = clean(os.Environ())
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.process.Wait() }()
	if err := s.awaitStart(); err != nil {
		return err
	}
	id, secret, err := installation.Folder{Path: s.dir}.Key()
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.about.Endpoint, "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": s.about.Region,
		"AWS_DEFAULT_REGION": s.about.Region, "VPC": s.about.VPCID, "SUBNETS": strings.Join(s.about.SubnetIDs, ","),
		"SUBNET_A": s.about.SubnetIDs[0], "SUBNET_B": s.about.SubnetIDs[1],
	} {
		ts.Setenv(name, value)
	}
	return nil
}

// clean takes out what a developer's shell may have set for a Carrel of their own.
func clean(env []string) []string {
	var out []string
	for _, pair := range env {
		if !strings.HasPrefix(pair, "CARREL_") && !strings.HasPrefix(pair, "AWS_") {
			out = append(out, pair)
		}
	}
	return out
}

func (s *server) awaitStart() error {
	folder := installation.Folder{Path: s.dir}
	return eventually(func() error {
		select {
		case err := <-s.ended:
			s.ended <- err
			return final{fmt.Errorf("the server ended: %v\n%s", err, s.log.String())}
		default:
		}
		about, err := folder.Server()
		if err != nil {
			return err
		}
		s.about = about
		reply, err := http.Get(about.Endpoint + "/healthz")
		if err != nil {
			return err
		}
		return reply.Body.Close()
	})
}

// final is an error that waiting does not mend.
type final struct{ error }

// eventually waits until f succeeds.
func eventually(f func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := f()
		if _, ok := errors.AsType[final](err); err == nil || ok || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func shutdown(_ *testscript.TestScript, s *server, _ []string) error {
	return s.signal(syscall.SIGTERM)
}

func crash(_ *testscript.TestScript, s *server, _ []string) error { return s.signal(syscall.SIGKILL) }

func (s *server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("no server is running")
	}
	if err := s.process.Process.Signal(sig); err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		s.process = nil
		if sig == syscall.SIGTERM && err != nil {
			return fmt.Errorf("the server ended badly: %w\n%s", err, s.log.String())
		}
		return nil
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}

// end stops the server after the scenario, and cleans Incus.
func (s *server) end() {
	if s.env.T().(interface{ Failed() bool }).Failed() { //nolint:errcheck // a *testing.T has it
		s.env.T().Log("the server's log:\n" + s.log.String())
	}
	if s.process != nil {
		_ = s.signal(syscall.SIGKILL) //nolint:errcheck // it may have ended
	}
	if s.engine == "incus" {
		if err := s.cleanIncus(); err != nil {
			s.env.T().Log("cleaning Incus: " + err.Error())
		}
	}
}

// client is the Go SDK's, pointed at the scenario's server.
func (s *server) client(ts *testscript.TestScript) *workspaces.Client {
	return workspaces.New(workspaces.Options{
		Region: ts.Getenv("AWS_REGION"), BaseEndpoint: &s.about.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(ts.Getenv("AWS_ACCESS_KEY_ID"), ts.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
}

func await(ts *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await ID STATE")
	}
	id, want := args[0], args[1]
	client := s.client(ts)
	return eventually(func() error {
		out, err := client.DescribeWorkspaces(context.Background(), &workspaces.DescribeWorkspacesInput{WorkspaceIds: []string{id}})
		if err != nil {
			return err
		}
		state, message := "GONE", ""
		if len(out.Workspaces) > 0 {
			state, message = string(out.Workspaces[0].State), aws.ToString(out.Workspaces[0].ErrorMessage)
		}
		switch {
		case state == want:
			return nil
		case state == "ERROR":
			return final{fmt.Errorf("%s is in ERROR: %s", id, message)}
		default:
			return fmt.Errorf("%s is %s, not %s", id, state, want)
		}
	})
}

func controlEndpoint(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: control PATH BODY")
	}
	reply, err := http.Post(s.about.Endpoint+"/_carrel/"+args[0], "application/json", strings.NewReader(args[1]))
	if err != nil {
		return err
	}
	defer reply.Body.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", reply.Status, body)
	}
	return err
}

// nothingLeft asks the server what its engine has, and Incus itself.
func nothingLeft(ts *testscript.TestScript, s *server, _ []string) error {
	err := eventually(func() error { return s.noDesktops(ts) })
	if err != nil || s.engine == "simulated" {
		return err
	}
	return eventually(func() error {
		for _, path := range []string{"instances", "storage-pools/carrel/volumes/custom"} {
			var list []string
			if err := incusQuery("/1.0/"+path+"?project="+s.project(), &list); err != nil {
				return err
			}
			if len(list) > 0 {
				return fmt.Errorf("Incus still has %v", list)
			}
		}
		return nil
	})
}

// noDesktops fails if the server's engine has any desktop.
func (s *server) noDesktops(ts *testscript.TestScript) error {
	request, err := http.NewRequest(http.MethodGet, s.about.Endpoint+"/_carrel/desktops", nil)
	if err != nil {
		return err
	}
	key := aws.Credentials{AccessKeyID: ts.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: ts.Getenv("AWS_SECRET_ACCESS_KEY")}
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of an empty body
	err = v4.NewSigner().SignHTTP(context.Background(), key, request, nothing, "workspaces", s.about.Region, time.Now())
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close() //nolint:errcheck // only read from
	var machines []map[string]any
	if err := json.NewDecoder(reply.Body).Decode(&machines); err != nil {
		return fmt.Errorf("%s: %w", reply.Status, err)
	}
	if len(machines) > 0 {
		return fmt.Errorf("the engine still has %v", machines)
	}
	return nil
}

// cleanIncus takes away what a scenario made in Incus, whatever became of it: also the
// bridges, which belong to the machine and not to the project.
func (s *server) cleanIncus() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	state, err := store.Open(ctx, installation.Folder{Path: s.dir}.Database())
	if err != nil {
		return err
	}
	var id string
	err = state.View(func(tx *store.Tx) (err error) {
		id, err = tx.Setting(ctx, "installation")
		return err
	})
	if err = errors.Join(err, state.Close()); err != nil {
		return err
	}
	driver, err := incus.Open(ctx, incus.Config{Project: s.project(), Installation: id, Clock: clock.New()})
	if err != nil {
		return err
	}
	return driver.Remove(ctx)
}

func incusQuery(path string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "incus", "query", path).Output()
	if err != nil {
		return fmt.Errorf("incus query %s: %w", path, err)
	}
	return json.Unmarshal(out, into)
}
