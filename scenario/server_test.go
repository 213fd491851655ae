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
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/coder/websocket"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/incus"
	"carrel/internal/installation"
	"carrel/internal/store"
)

// patience is how long a scenario waits for anything. Much less is usual; a busy machine
// may take longer.
const patience = 90 * time.Second

// server is a carrel serve, as a process of its own that can be killed and started again.
type server struct {
	engine   string
	database string // "": SQLite in the data folder
	dir      string // the data folder
	project  string // its own part of Incus
	process  *exec.Cmd
	log      bytes.Buffer // of all its processes; to be read when none runs
	ended    chan error

	// As of the last start:
	about  installation.Server
	key    aws.Credentials
	client *workspaces.Client

	host    string            // that the browser was given; "": the server's address
	browser *http.Client      // who is signed in to the portal; nil: nobody
	streams []*websocket.Conn // that are open, the oldest first
}

// start starts the server and returns when it answers.
func (s *server) start(args ...string) error {
	if s.process != nil {
		return errors.New("the server is running")
	}
	args = append([]string{
		"serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--engine", s.engine, "--incus-project", s.project,
		"--database", s.database,
		"--maintenance-windows", "off", // with a real engine they would be on, and scenarios move their clocks into them
	}, args...)
	if image := os.Getenv("CARREL_TEST_IMAGE"); image != "" {
		args = append(args, "--image", image)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "server.json")); err != nil {
		return err
	}
	s.process = exec.CommandContext(context.Background(), program, args...)
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
	s.key = aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	s.client = workspaces.New(workspaces.Options{
		Region: s.about.Region, BaseEndpoint: &s.about.Endpoint, Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) { return s.key, nil }),
	})
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
			return final{fmt.Errorf("the server ended: %w\n%s", err, s.log.String())}
		default:
		}
		about, err := folder.Server()
		if err != nil {
			return err
		}
		s.about = about
		_, err = send(http.MethodGet, about.Endpoint+"/healthz", "", nil)
		return err
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

// end kills the server if it runs, and takes away what it made in Incus.
func (s *server) end() error {
	var err error
	if s.process != nil {
		err = s.signal(syscall.SIGKILL)
	}
	if s.engine == "incus" {
		err = errors.Join(err, s.cleanIncus())
	}
	return err
}

// nothingLeft asks the server what its engine has, and Incus itself.
func (s *server) nothingLeft() error {
	err := eventually(s.noDesktops)
	if err != nil || s.engine == "simulated" {
		return err
	}
	return eventually(func() error {
		for _, path := range []string{"instances", "storage-pools/carrel/volumes/custom"} {
			var list []string
			if err := incusQuery("/1.0/"+path+"?project="+s.project, &list); err != nil {
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
func (s *server) noDesktops() error {
	machines, err := s.desktops()
	if err == nil && len(machines) > 0 {
		err = fmt.Errorf("the engine still has %v", machines)
	}
	return err
}

// desktops asks the server what desktops its engine has.
func (s *server) desktops() ([]compute.Machine, error) {
	body, err := send(http.MethodGet, s.about.Endpoint+"/_carrel/desktops", "", s.signed)
	if err != nil {
		return nil, err
	}
	var machines []compute.Machine
	return machines, json.Unmarshal(body, &machines)
}

// signed signs a request without a body.
func (s *server) signed(request *http.Request) error {
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of an empty body
	return v4.NewSigner().SignHTTP(request.Context(), s.key, request, nothing, "workspaces", s.about.Region, time.Now())
}

// send sends a request, signed where sign is not nil, and returns what was answered to it.
func send(method, url, body string, sign func(*http.Request) error) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err == nil && sign != nil {
		err = sign(request)
	}
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s", reply.Status, text)
	}
	return text, err
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
	driver, err := incus.Open(ctx, incus.Config{Project: s.project, Installation: id, Clock: clock.New()})
	if err != nil {
		return err
	}
	return eventually(func() error { return driver.Remove(ctx) })
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
