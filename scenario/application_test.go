package scenario_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// awaitApplication waits until an application has a state in a WorkSpace.
func awaitApplication(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: await-application ID APPLICATION STATE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspaceAssociations(context.Background(), &workspaces.DescribeWorkspaceAssociationsInput{
			WorkspaceId: &args[0], AssociatedResourceTypes: []types.WorkSpaceAssociatedResourceType{types.WorkSpaceAssociatedResourceTypeApplication},
		})
		if err != nil {
			return err
		}
		for _, a := range out.Associations {
			switch {
			case *a.AssociatedResourceId != args[1]:
			case string(a.State) == args[2]:
				return nil
			case a.StateReason != nil:
				return final{fmt.Errorf("%s is %s: %s", args[1], a.State, *a.StateReason.ErrorMessage)}
			default:
				return fmt.Errorf("%s is %s", args[1], a.State)
			}
		}
		return fmt.Errorf("%s is not in %s", args[1], args[0])
	})
}
