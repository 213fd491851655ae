package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"

	"carrel/internal/compute"
)

// awaitPool waits until a pool has a state.
func awaitPool(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await-pool ID STATE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspacesPools(context.Background(), &workspaces.DescribeWorkspacesPoolsInput{PoolIds: args[:1]})
		if err != nil {
			return err
		}
		state := "GONE"
		if len(out.WorkspacesPools) > 0 {
			state = string(out.WorkspacesPools[0].State)
		}
		if state != args[1] {
			return fmt.Errorf("%s is %s, not %s", args[0], state, args[1])
		}
		return nil
	})
}

// wantDesktops waits until the engine has so many desktops, all of which answer.
func wantDesktops(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: desktops N")
	}
	return eventually(func() error {
		all, err := s.desktops()
		if err != nil {
			return err
		}
		silent := slices.ContainsFunc(all, func(m compute.Machine) bool { return !m.Answers })
		if strconv.Itoa(len(all)) != args[0] || silent {
			return fmt.Errorf("the engine has %v", all)
		}
		return nil
	})
}
