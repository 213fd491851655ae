package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of scenarios about volumes; see doc.go.

// keep moves the clock on and waits for a snapshot of a WorkSpace that is newer than what it had.
func keep(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: keep ID DURATION")
	}
	before, err := s.kept(args[0])
	if err != nil {
		return err
	}
	if _, err := send(http.MethodPost, s.about.Endpoint+"/_carrel/clock", fmt.Sprintf(`{"advance": %q}`, args[1]), nil); err != nil {
		return err
	}
	return eventually(func() error {
		now, err := s.kept(args[0])
		if err == nil && !now.After(before) {
			err = fmt.Errorf("the volumes of %s were last kept at %v", args[0], now)
		}
		return err
	})
}

// kept is when the user volume of a WorkSpace was last kept, the zero time for never.
func (s *server) kept(id string) (at time.Time, err error) {
	out, err := s.client.DescribeWorkspaceSnapshots(context.Background(), &workspaces.DescribeWorkspaceSnapshotsInput{WorkspaceId: &id})
	if err != nil {
		return at, err
	}
	for _, snapshot := range out.RebuildSnapshots {
		at = *snapshot.SnapshotTime
	}
	return at, nil
}

// awaitModified waits for the end of a modification.
func awaitModified(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await-modified ID STATE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspaces(context.Background(), &workspaces.DescribeWorkspacesInput{WorkspaceIds: args[:1]})
		if err != nil || len(out.Workspaces) != 1 {
			return errors.Join(err, fmt.Errorf("%s is not there", args[0]))
		}
		w := out.Workspaces[0]
		switch {
		case len(w.ModificationStates) > 0 && w.ModificationStates[0].State == "UPDATE_FAILED":
			return final{fmt.Errorf("the modification of %s failed: %s", args[0], *w.ErrorMessage)}
		case len(w.ModificationStates) > 0 || string(w.State) != args[1]:
			return fmt.Errorf("%s is %s and being modified: %v", args[0], w.State, w.ModificationStates)
		}
		return nil
	})
}
