package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"carrel/internal/installation"
)

// server is a process that is measured.
type server struct {
	*client
	process   *exec.Cmd
	dir       string
	about     installation.Server
	directory string // a registered one
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = s.process.Wait()                          // it was told to
	_ = os.RemoveAll(s.dir)                       // it lies where the system cleans up
}

// startCarrel starts a server on a fresh folder and makes a registered directory. Requests
// are signed with a real key and verified.
func startCarrel(ctx context.Context, o options, flags ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "carrel-bench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--users", "any", "--log-level", "error"}, flags...)
	s.process = exec.CommandContext(ctx, o.carrel, args...)
	s.process.Stderr = os.Stderr
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	folder := installation.Folder{Path: dir}
	err = eventually(ctx, func() error {
		about, err := folder.Server()
		s.about = about
		return err
	})
	if err != nil {
		s.stop()
		return nil, err
	}
	id, secret, err := folder.Key()
	if err != nil {
		s.stop()
		return nil, err
	}
	s.client = newClient(s.about.Endpoint, id, secret)
	if s.directory, err = s.register(ctx, s.about.VPCID, s.about.SubnetIDs); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// register makes a directory and registers it, on any server that speaks the API.
func (c *client) register(ctx context.Context, vpc string, subnets []string) (string, error) {
	var made struct{ DirectoryId string }
	err := c.call(ctx, "ds", "DirectoryService_20150416.CreateDirectory", map[string]any{
		"Name": "bench.example.com", "Password": "Str0ng-enough", "Size": "Small",
		"VpcSettings": map[string]any{"VpcId": vpc, "SubnetIds": subnets},
	}, &made)
	if err != nil {
		return "", err
	}
	err = eventually(ctx, func() error {
		return c.call(ctx, "workspaces", "WorkspacesService.RegisterWorkspaceDirectory",
			map[string]any{"DirectoryId": made.DirectoryId, "SubnetIds": subnets}, nil)
	})
	if err != nil {
		return "", err
	}
	return made.DirectoryId, eventually(ctx, func() error {
		var reply struct{ Directories []struct{ State string } }
		err := c.call(ctx, "workspaces", "WorkspacesService.DescribeWorkspaceDirectories", struct{}{}, &reply)
		if err == nil && (len(reply.Directories) == 0 || reply.Directories[0].State != "REGISTERED") {
			err = errors.New("the directory is not registered yet")
		}
		return err
	})
}

// startMoto starts moto's server, nil where it is not installed.
func startMoto(ctx context.Context) (*server, error) {
	program, err := exec.LookPath("moto_server")
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // it is not installed, which is no failure
	}
	s := &server{process: exec.CommandContext(ctx, program, "-H", "127.0.0.1", "-p", "5098"), client: newClient("http://127.0.0.1:5098", "mock", "mock")}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	err = eventually(ctx, func() error {
		reply, err := http.Get(s.endpoint + "/moto-api/") //nolint:noctx // on this machine
		if err != nil {
			return err
		}
		return reply.Body.Close()
	})
	if err != nil {
		s.stop()
		return nil, err
	}
	if s.directory, err = s.motoDirectory(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// motoDirectory makes the network that moto wants to have first.
func (s *server) motoDirectory(ctx context.Context) (string, error) {
	ec2 := func(form string) (string, error) {
		out, err := s.post(ctx, "ec2", "", []byte(form+"&Version=2016-11-15"))
		return string(out), err
	}
	between := func(text, tag string) string {
		_, rest, _ := strings.Cut(text, "<"+tag+">")
		value, _, _ := strings.Cut(rest, "<")
		return value
	}
	out, err := ec2("Action=CreateVpc&CidrBlock=10.0.0.0/16")
	if err != nil {
		return "", err
	}
	vpc := between(out, "vpcId")
	var subnets []string
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		out, err := ec2(fmt.Sprintf("Action=CreateSubnet&VpcId=%s&CidrBlock=10.0.%d.0/24&AvailabilityZone=%s", vpc, i, zone))
		if err != nil {
			return "", err
		}
		subnets = append(subnets, between(out, "subnetId"))
	}
	return s.register(ctx, vpc, subnets)
}

// eventually tries until f succeeds, for half a minute.
func eventually(ctx context.Context, f func() error) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := f()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// createBody is a CreateWorkspaces of 25 users that nobody else has.
func createBody(directory, bundle, prefix string, count int) string {
	items := make([]string, count)
	for i := range items {
		items[i] = fmt.Sprintf(`{"DirectoryId":%q,"UserName":"%s-%d","BundleId":%q}`, directory, prefix, i, bundle)
	}
	return `{"Workspaces":[` + strings.Join(items, ",") + `]}`
}

// fill makes WorkSpaces until there are n, and waits until all have settled.
func (s *server) fill(ctx context.Context, bundle, prefix string, n int) ([]string, error) {
	ids := make([]string, 0, n)
	for len(ids) < n {
		var reply struct {
			PendingRequests []struct{ WorkspaceId string }
			FailedRequests  []struct{ ErrorMessage string }
		}
		count := min(25, n-len(ids))
		body := createBody(s.directory, bundle, fmt.Sprintf("%s%d", prefix, len(ids)), count)
		out, err := s.workspaces(ctx, "CreateWorkspaces", body)
		if err == nil {
			err = unmarshal(out, &reply)
		}
		if err == nil && len(reply.FailedRequests) > 0 {
			err = errors.New(reply.FailedRequests[0].ErrorMessage)
		}
		if err != nil {
			return nil, err
		}
		for _, w := range reply.PendingRequests {
			ids = append(ids, w.WorkspaceId)
		}
	}
	return ids, s.settled(ctx)
}
