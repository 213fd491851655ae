package awsjson_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
)

// TestWholeReplies reads the replies of one connection, each of which arrives in one piece, be it long or short.
func TestWholeReplies(t *testing.T) {
	t.Parallel()
	var result *wsapi.DescribeWorkspacesResult
	server := httptest.NewUnstartedServer(newHandler(t, nil, api.Bind(wsapi.DescribeWorkspaces,
		func(context.Context, *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
			return result, nil
		})))
	server.Listener = awsjson.Whole(server.Listener)
	server.Config.ConnContext = awsjson.ConnContext
	server.Start()
	t.Cleanup(server.Close)
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()

	full := page()
	piece := make([]byte, 64<<10)
	for i := range 50 {
		result = &wsapi.DescribeWorkspacesResult{Workspaces: full.Workspaces[:i%26]}
		if err := jsonRequest(t, "WorkspacesService.DescribeWorkspaces", "{}", signedAs{}).Write(connection); err != nil {
			t.Fatal(err)
		}
		n, err := connection.Read(piece)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(piece[:n])), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reply.Body)
		if err != nil || reply.StatusCode != http.StatusOK || int64(len(body)) != reply.ContentLength || bytes.Count(body, []byte(`"WorkspaceId"`)) != i%26 {
			t.Fatalf("the first read has %d bytes of a reply of %d WorkSpaces with a body of %d: %v", n, i%26, reply.ContentLength, err)
		}
	}
}
