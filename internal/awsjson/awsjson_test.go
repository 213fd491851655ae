package awsjson_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	stsapi "carrel/internal/api/sts"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
)

const (
	keyID   = "AKIDCARREL"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	account = "123456789012"
	userARN = "arn:aws:iam::123456789012:user/admin"
)

// noon is when requests of these tests are signed, unless they say otherwise.
func noon() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// keys is a KeySource with the one key of these tests.
type keys struct{}

func (keys) Key(_ context.Context, id string) (awsjson.Key, error) {
	if id != keyID {
		return awsjson.Key{}, awsjson.ErrUnknownKey
	}
	return awsjson.Key{Secret: secret, Account: account, UserARN: userARN, UserID: "AIDAADMIN"}, nil
}

// services returns the five services, with the operations given; all others refuse with NotYetException.
func services(bound ...api.Handler) []awsjson.ServiceHandlers {
	var all []awsjson.ServiceHandlers
	for _, service := range []*api.Service{wsapi.Service, dsapi.Service, dsdataapi.Service, stsapi.Service, monitoringapi.Service} {
		with := awsjson.ServiceHandlers{Service: service}
		for _, op := range service.Operations {
			handler := op.Refuse(&api.Exception{Name: "NotYetException", Message: "This operation has no code yet."})
			for _, b := range bound {
				if b.Spec().Name == op.Spec().Name && b.Spec().Service == service.Name {
					handler = b
				}
			}
			with.Handlers = append(with.Handlers, handler)
		}
		all = append(all, with)
	}
	return all
}

// newHandler returns a handler for the five services that logs to nowhere; change adjusts its configuration.
func newHandler(t testing.TB, change func(*awsjson.Config), bound ...api.Handler) *awsjson.Handler {
	t.Helper()
	config := awsjson.Config{
		Services:      services(bound...),
		Authenticator: awsjson.NewSigV4(keys{}, noon),
		Now:           noon,
		Logger:        slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	handler, err := awsjson.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// signedAs says how sign signs a request; its zero value is a good signature at noon.
type signedAs struct {
	service, region, secret, token string
	at                             time.Time
}

// jsonRequest returns an AWS JSON 1.1 request, signed by the SDK's signer.
func jsonRequest(t testing.TB, target, body string, as signedAs) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://carrel.test:8383/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	sign(t, r, body, as)
	return r
}

func sign(t testing.TB, r *http.Request, body string, as signedAs) {
	t.Helper()
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	if as.at.IsZero() {
		as.at = noon()
	}
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: or(as.secret, secret), SessionToken: as.token}
	err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]),
		or(as.service, "workspaces"), or(as.region, "eu-central-1"), as.at)
	if err != nil {
		t.Fatal(err)
	}
}

// recorded returns a request that botocore sent, as net/http reads it.
func recorded(t testing.TB, name string) *http.Request {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "botocore", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(content)))
	if err != nil {
		t.Fatal(err)
	}
	return r.WithContext(t.Context())
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// describe answers DescribeWorkspaces with one WorkSpace that names the caller.
func describe() api.Handler {
	return api.Bind(wsapi.DescribeWorkspaces,
		func(ctx context.Context, _ *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
			caller := api.CallerFrom(ctx)
			return &wsapi.DescribeWorkspacesResult{Workspaces: []wsapi.Workspace{{
				WorkspaceId: new("ws-123456789"), UserName: new(caller.Account + " " + caller.Region + " " + caller.UserARN),
			}}}, nil
		})
}
