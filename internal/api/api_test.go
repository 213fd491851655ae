package api_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	wsapi "carrel/internal/api/workspaces"
)

func TestBind(t *testing.T) {
	t.Parallel()
	type caller struct{ account, id string }
	var got caller
	handler := api.Bind(wsapi.TerminateWorkspaces,
		func(ctx context.Context, in *wsapi.TerminateWorkspacesRequest) (*wsapi.TerminateWorkspacesResult, error) {
			got = caller{api.CallerFrom(ctx).Account, *in.TerminateWorkspaceRequests[0].WorkspaceId}
			return nil, nil
		})
	input, err := handler.Decode(api.Payload{Body: []byte(`{"TerminateWorkspaceRequests":[{"WorkspaceId":"ws-123456789"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	output, err := handler.Invoke(api.WithCaller(t.Context(), api.Caller{Account: "123456789012"}), input)
	if err != nil || got != (caller{"123456789012", "ws-123456789"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if result, ok := output.(*wsapi.TerminateWorkspacesResult); !ok || result == nil {
		t.Errorf("a nil output became %#v", output)
	}
	if _, err := handler.Invoke(t.Context(), &wsapi.CreateTagsRequest{}); err == nil {
		t.Error("invoked with the input of another operation")
	}
	if name := handler.Spec().Name; name != "TerminateWorkspaces" {
		t.Errorf("spec of %s", name)
	}
	if (api.CallerFrom(t.Context()) != api.Caller{}) {
		t.Error("a caller out of nowhere")
	}
}

func TestRefuseChecksTheInputFirst(t *testing.T) {
	t.Parallel()
	exception := wsapi.OperationNotSupportedException.New("Not here.")
	handler := wsapi.CreateTags.Refuse(exception)
	if _, err := handler.Decode(api.Payload{Body: []byte(`{}`)}); err == nil {
		t.Error("input was not checked")
	}
	input, err := handler.Decode(api.Payload{Body: []byte(`{"ResourceId":"ws-123456789","Tags":[]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handler.Invoke(t.Context(), input); !errors.Is(err, exception) {
		t.Errorf("got %v", err)
	}
}

func TestQueryMembers(t *testing.T) {
	t.Parallel()
	handler := dsdataapi.DescribeUser.Refuse(nil)
	// DirectoryId belongs into the query; in the body it is an unknown member.
	input, err := handler.Decode(api.Payload{
		Body: []byte(`{"SAMAccountName":"jo","DirectoryId":"d-0000000000"}`), Query: url.Values{"DirectoryId": {"d-926722edaf"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if in, ok := input.(*dsdataapi.DescribeUserRequest); !ok || *in.DirectoryId != "d-926722edaf" {
		t.Errorf("got %+v", input)
	}
	if _, err := handler.Decode(api.Payload{Body: []byte(`{"SAMAccountName":"jo","DirectoryId":"d-0000000000"}`)}); err == nil {
		t.Error("DirectoryId was taken from the body")
	}
}

func TestServiceTables(t *testing.T) {
	t.Parallel()
	op, ok := wsapi.Service.Operation("CreateWorkspaces")
	if !ok || !op.Spec().Declares("ResourceLimitExceededException") || op.Spec().Declares("ConflictException") {
		t.Errorf("CreateWorkspaces: %+v", op)
	}
	if _, ok := wsapi.Service.Operation("Nap"); ok {
		t.Error("found an operation that does not exist")
	}
	if _, ok := wsapi.Service.Exception("NapException"); ok {
		t.Error("found an exception that does not exist")
	}
	for _, test := range []struct {
		service *api.Service
		name    string
		status  int
	}{
		{wsapi.Service, "ResourceNotFoundException", 400},
		{wsapi.Service, "InternalServerException", 500},
		{dsapi.Service, "EntityDoesNotExistException", 400},
		{dsapi.Service, "ServiceException", 500},
		{dsdataapi.Service, "ResourceNotFoundException", 404},
		{dsdataapi.Service, "ConflictException", 409},
	} {
		if shape, ok := test.service.Exception(test.name); !ok || shape.Status != test.status {
			t.Errorf("%s %s: got %d, want %d", test.service.Name, test.name, shape.Status, test.status)
		}
	}
}

func TestException(t *testing.T) {
	t.Parallel()
	plain := wsapi.ResourceNotFoundException.New("Gone.")
	with := plain.With("ResourceId", "ws-1").With("Other", 2)
	if len(plain.Members) != 0 || len(with.Members) != 2 || with.Members["ResourceId"] != "ws-1" {
		t.Errorf("got %v and %v", plain.Members, with.Members)
	}
	if got := with.Error(); got != "ResourceNotFoundException: Gone." {
		t.Errorf("got %q", got)
	}
	if got := (&api.Exception{Name: "X"}); got.Error() != "X" || got.HTTPStatus() != 400 {
		t.Errorf("got %q, %d", got, got.HTTPStatus())
	}
	if got := dsdataapi.ThrottlingException.Header("RetryAfterSeconds"); got != "Retry-After" {
		t.Errorf("got %q", got)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1662526214.744": "2022-09-07T04:50:14.744Z", "0": "1970-01-01T00:00:00Z", "-1.5": "1969-12-31T23:59:58.5Z",
		"1662526214": "2022-09-07T04:50:14Z", "253402300799": "9999-12-31T23:59:59Z",
	} {
		var read api.Timestamp
		if err := json.Unmarshal([]byte(text), &read); err != nil {
			t.Fatal(err)
		}
		if got := read.Time().Format(time.RFC3339Nano); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if written, err := json.Marshal(api.At(read.Time())); err != nil || !bytes.Equal(written, []byte(text)) {
			t.Errorf("%s: wrote %s, %v", text, written, err)
		}
	}
	for _, text := range []string{`"2022-09-07T04:50:14Z"`, `1e300`, `-1e300`, `{}`, `true`} {
		if err := json.Unmarshal([]byte(text), new(api.Timestamp)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	if api.At(time.Time{}) != nil || !(*api.Timestamp)(nil).Time().IsZero() {
		t.Error("the zero time and nil do not stand for each other")
	}
}

func TestAbsentAndEmpty(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		`{}`: wsapi.CreateWorkspacesResult{},
		`{"FailedRequests":[],"PendingRequests":[{"WorkspaceId":""}]}`: wsapi.CreateWorkspacesResult{
			FailedRequests: []wsapi.FailedCreateWorkspaceRequest{}, PendingRequests: []wsapi.Workspace{{WorkspaceId: new("")}},
		},
	} {
		if got, err := json.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
