package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"
)

// The commands that scenarios have beside testscript's own; see doc.go.

// serve starts the server and sets the environment for its clients.
func serve(ts *testscript.TestScript, s *server, args []string) error {
	if err := s.start(args...); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.about.Endpoint, "AWS_ACCESS_KEY_ID": s.key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.key.SecretAccessKey,
		"AWS_REGION": s.about.Region, "AWS_DEFAULT_REGION": s.about.Region, "VPC": s.about.VPCID,
		"SUBNETS": strings.Join(s.about.SubnetIDs, ","), "SUBNET_A": s.about.SubnetIDs[0], "SUBNET_B": s.about.SubnetIDs[1],
	} {
		ts.Setenv(name, value)
	}
	return nil
}

func shutdown(_ *testscript.TestScript, s *server, _ []string) error {
	return s.signal(syscall.SIGTERM)
}

func crash(_ *testscript.TestScript, s *server, _ []string) error { return s.signal(syscall.SIGKILL) }

func nothingLeft(_ *testscript.TestScript, s *server, _ []string) error { return s.nothingLeft() }

func await(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await ID STATE")
	}
	id, want := args[0], args[1]
	return eventually(func() error {
		out, err := s.client.DescribeWorkspaces(context.Background(), &workspaces.DescribeWorkspacesInput{WorkspaceIds: []string{id}})
		if err != nil {
			return err
		}
		state, message := "GONE", ""
		if len(out.Workspaces) > 0 {
			state, message = string(out.Workspaces[0].State), aws.ToString(out.Workspaces[0].ErrorMessage)
		}
		switch state {
		case want:
			return nil
		case "ERROR":
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
	_, err := send(http.MethodPost, s.about.Endpoint+"/_carrel/"+args[0], args[1], nil)
	return err
}

// setenvFrom sets a variable to what a file holds, such as the last command's stdout.
func setenvFrom(ts *testscript.TestScript, _ *server, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: setenv-from NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
	return nil
}
