package awsjson_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-json-experiment/json"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
)

// page is a full page of WorkSpaces as DescribeWorkspaces answers it.
func page() *wsapi.DescribeWorkspacesResult {
	result := &wsapi.DescribeWorkspacesResult{}
	for i := range 25 {
		result.Workspaces = append(result.Workspaces, wsapi.Workspace{
			WorkspaceId: new(fmt.Sprintf("ws-%09d", i)), DirectoryId: new("d-926722edaf"), UserName: new(fmt.Sprintf("user%d", i)),
			IpAddress: new("10.0.0.7"), State: new(wsapi.WorkspaceStateAvailable), BundleId: new("wsb-gm4d5tx2v"),
			SubnetId: new("subnet-12345678"), ComputerName: new("WSAMZN-1234"),
			WorkspaceProperties: &wsapi.WorkspaceProperties{
				RunningMode: new(wsapi.RunningModeAutoStop), RunningModeAutoStopTimeoutInMinutes: new(int32(60)),
				RootVolumeSizeGib: new(int32(80)), UserVolumeSizeGib: new(int32(50)), ComputeTypeName: new(wsapi.ComputeStandard),
			},
			ModificationStates: []wsapi.ModificationState{},
		})
	}
	return result
}

// BenchmarkRequest measures all that the server does for one DescribeWorkspaces, from the parsed HTTP request to the
// written reply.
func BenchmarkRequest(b *testing.B) {
	full := page()
	for name, result := range map[string]*wsapi.DescribeWorkspacesResult{
		"of_1": {Workspaces: full.Workspaces[:1]}, "of_25": full,
	} {
		b.Run(name, func(b *testing.B) {
			h := newHandler(b, nil, api.Bind(wsapi.DescribeWorkspaces,
				func(context.Context, *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
					return result, nil
				}))
			body := []byte(`{"DirectoryId":"d-926722edaf","Limit":25}`)
			r := jsonRequest(b, target, string(body), signedAs{})
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(bytes.NewReader(body))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	body := []byte(`{"DirectoryId":"d-926722edaf","Limit":25}`)
	auth := awsjson.NewSigV4(keys{}, noon)
	r := jsonRequest(b, target, string(body), signedAs{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := auth.Authenticate(r, body, "workspaces"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	result := page()
	b.ReportAllocs()
	for b.Loop() {
		if err := json.MarshalWrite(io.Discard, result); err != nil {
			b.Fatal(err)
		}
	}
}
