package operation_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
)

// waysOfItems are those of operations that answer failures beside successes, and so with no exception.
func waysOfItems(t *testing.T) []way {
	t.Helper()
	s := start(t)
	c := s.client()
	home := s.home(t, "jane")
	var ways []way
	add := func(op api.Info, want string, do func() (code, message *string, err error)) {
		ways = append(ways, way{op, want, func() error {
			code, message, err := do()
			if err != nil {
				return err
			}
			return &smithy.OperationError{
				ServiceID: sdk.ServiceID, OperationName: op.Name, Err: &smithy.GenericAPIError{Code: *code, Message: *message},
			}
		}})
	}
	for _, of := range []struct {
		op   api.Info
		want string
		do   act
	}{
		{wsapi.StartWorkspaces.Spec(), wrongID, startWorkSpaces},
		{wsapi.StopWorkspaces.Spec(), wrongID, stopWorkSpaces},
		{wsapi.RebootWorkspaces.Spec(), wrongID, rebootWorkSpaces},
		{wsapi.RebuildWorkspaces.Spec(), wrongID, rebuildWorkSpaces},
		{wsapi.TerminateWorkspaces.Spec(), "400", terminateWorkSpaces},
	} {
		add(of.op, of.want, func() (code, message *string, err error) {
			failed, err := of.do(t, c, unknown)
			return failed[0].ErrorCode, failed[0].ErrorMessage, err
		})
	}
	add(wsapi.CreateWorkspaces.Spec(), "ResourceNotFound.User", func() (code, message *string, err error) {
		out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(home, "john")}})
		return out.FailedRequests[0].ErrorCode, out.FailedRequests[0].ErrorMessage, err
	})
	add(wsapi.CreateStandbyWorkspaces.Spec(), wrongID, func() (code, message *string, err error) {
		out, err := standBy(t, s.as(account, farRegion), standby(unknown, home))
		return out.FailedStandbyRequests[0].ErrorCode, out.FailedStandbyRequests[0].ErrorMessage, err
	})
	return ways
}

// waysOfReaders are those of operations that declare nothing that a token for pages could be refused with.
func waysOfReaders(t *testing.T) []way {
	t.Helper()
	c := start(t).client()
	return []way{
		{wsapi.DescribeAccountModifications.Spec(), validation, func() error {
			_, err := c.DescribeAccountModifications(t.Context(), &sdk.DescribeAccountModificationsInput{NextToken: new("x")})
			return err
		}},
		{wsapi.DescribeWorkspaceImages.Spec(), validation, func() error {
			_, err := c.DescribeWorkspaceImages(t.Context(), &sdk.DescribeWorkspaceImagesInput{NextToken: new("x")})
			return err
		}},
	}
}

// TestExceptionsOnPurpose has each operation answer every exception that it declares, those included
// that Carrel has no cause for, and one that it does not declare. The official SDK has to read them.
func TestExceptionsOnPurpose(t *testing.T) {
	t.Parallel()
	s, m := start(t, faulty), readModel(t)
	n := 0
	for _, op := range wsapi.Service.Operations {
		spec := op.Spec()
		for _, name := range append([]string{"ServiceUnavailable"}, spec.Exceptions...) {
			n++
			id := s.fault(t, `{"name": "exception", "operation": "`+spec.Name+`", "error_code": "`+name+`"}`)
			err := s.client().call(t, m, spec.Name)
			refused(t, err, name)
			shape, modelled := wsapi.Service.Exception(name)
			if !modelled {
				shape.Status = http.StatusServiceUnavailable
			}
			if reply, ok := errors.AsType[*awshttp.ResponseError](err); !ok || reply.HTTPStatusCode() != shape.Status {
				t.Errorf("%s: %v, want the status %d", spec.Name, err, shape.Status)
			}
			s.mend(t, id)
		}
	}
	if n < 369+91 {
		t.Errorf("only %d were answered", n)
	}
	if err := s.client().call(t, m, "DescribeAccount"); err != nil {
		t.Errorf("with no fault left: %v", err)
	}
}

// call calls an operation by the SDK, with the least that its model allows.
func (c client) call(t *testing.T, m *model, operation string) error {
	t.Helper()
	method := reflect.ValueOf(c.Client).MethodByName(operation)
	in := reflect.New(method.Type().In(1).Elem())
	if custom, ok := reflect.TypeAssert[*sdk.ImportCustomWorkspaceImageInput](in); ok { // whose source JSON cannot be read into
		*custom = *customOf(&types.ImageSourceIdentifierMemberImageBuildVersionArn{Value: builder}, "imported")
	} else if text, err := json.Marshal(m.request(operation, false)); err != nil || json.Unmarshal(text, in.Interface()) != nil {
		t.Fatalf("%s is no input of the SDK's %s", text, operation)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	err, _ := reflect.TypeAssert[error](results[1])
	return err
}
