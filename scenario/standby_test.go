package scenario_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"
)

// awaitStandby waits until the standby WorkSpace of a primary has a state and the files of the primary's latest snapshot.
func awaitStandby(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await-standby PRIMARY STATE")
	}
	return eventually(func() error {
		kept, err := s.kept(args[0])
		if err != nil {
			return err
		}
		out, err := s.client.DescribeWorkspaces(context.Background(), &workspaces.DescribeWorkspacesInput{WorkspaceIds: args[:1]})
		if err != nil || len(out.Workspaces) != 1 || len(out.Workspaces[0].RelatedWorkspaces) != 1 {
			return errors.Join(err, fmt.Errorf("%s has no standby WorkSpace", args[0]))
		}
		w := out.Workspaces[0]
		recovered := w.StandbyWorkspacesProperties[0].RecoverySnapshotTime
		switch state := string(w.RelatedWorkspaces[0].State); {
		case state != args[1]:
			return fmt.Errorf("the standby WorkSpace of %s is %s, not %s", args[0], state, args[1])
		case kept.IsZero() || recovered == nil || !recovered.Equal(kept):
			return fmt.Errorf("the standby WorkSpace of %s has the files of %v, which were last kept at %v", args[0], recovered, kept)
		}
		return nil
	})
}

// signInAt signs a user in under a host name, which stays the browser's for the commands after it.
func signInAt(ts *testscript.TestScript, s *server, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: sign-in-at HOST USER PASSWORD")
	}
	s.host = args[0]
	return signIn(ts, s, []string{"", args[1], args[2]})
}
