package awsjson_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	stsapi "carrel/internal/api/sts"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
)

func TestRecordedRequestsOfBotocore(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		bound  api.Handler
		status int
		body   string
	}{
		"workspaces-describe": {
			describe(), 200,
			`{"Workspaces":[{"WorkspaceId":"ws-123456789","UserName":"123456789012 eu-central-1 ` + userARN + `"}]}`,
		},
		"workspaces-create": {
			api.Bind(wsapi.CreateWorkspaces,
				func(_ context.Context, in *wsapi.CreateWorkspacesRequest) (*wsapi.CreateWorkspacesResult, error) {
					return &wsapi.CreateWorkspacesResult{
						FailedRequests:  []wsapi.FailedCreateWorkspaceRequest{},
						PendingRequests: []wsapi.Workspace{{UserName: in.Workspaces[0].UserName}},
					}, nil
				}), 200,
			`{"FailedRequests":[],"PendingRequests":[{"UserName":"zoë"}]}`,
		},
		"workspaces-no-input": {
			api.Bind(wsapi.DescribeAccount,
				func(context.Context, *wsapi.DescribeAccountRequest) (*wsapi.DescribeAccountResult, error) {
					return nil, nil
				}),
			200, `{}`,
		},
		"workspaces-token": {describe(), 400, `{"__type":"UnrecognizedClientException","message":"The security token included ` +
			`in the request is invalid. Session tokens are not issued here; sign with the access key alone."}`},
		"ds-create": {
			dsapi.CreateDirectory.Refuse(dsapi.DirectoryLimitExceededException.New("Too many.").With("RequestId", "r-1")), 400,
			`{"__type":"DirectoryLimitExceededException","Message":"Too many.","RequestId":"r-1"}`,
		},
		"ds-data-create-user": {
			api.Bind(dsdataapi.CreateUser,
				func(_ context.Context, in *dsdataapi.CreateUserRequest) (*dsdataapi.CreateUserResult, error) {
					return &dsdataapi.CreateUserResult{DirectoryId: in.DirectoryId, SAMAccountName: in.SAMAccountName}, nil
				}), 200,
			`{"DirectoryId":"d-926722edaf","SAMAccountName":"jo.doe"}`,
		},
		"sts-get-caller-identity": {
			api.Bind(stsapi.GetCallerIdentity,
				func(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
					return &stsapi.GetCallerIdentityResponse{Arn: new(api.CallerFrom(ctx).UserARN)}, nil
				}), 200,
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>` +
				userARN + `</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata>` +
				`</GetCallerIdentityResponse>`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(newHandler(t, nil, test.bound), recorded(t, name))
			id := w.Header().Get("x-amzn-RequestId")
			body := strings.ReplaceAll(w.Body.String(), id, "ID")
			if w.Code != test.status || body != test.body || id == "" {
				t.Errorf("got %d %s (request id %q), want %d %s", w.Code, body, id, test.status, test.body)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const describeTarget = "WorkspacesService.DescribeWorkspaces"
	tests := map[string]struct {
		request func(t *testing.T) *http.Request
		status  int
		want    string
	}{
		"unknown operation": {func(t *testing.T) *http.Request {
			return jsonRequest(t, "WorkspacesService.Nap", "{}", signedAs{})
		}, 400, `"__type":"UnknownOperationException"`},
		"unknown service": {func(t *testing.T) *http.Request {
			return jsonRequest(t, "DynamoDB_20120810.ListTables", "{}", signedAs{})
		}, 400, `"__type":"UnknownOperationException"`},
		"no target": {func(t *testing.T) *http.Request {
			return jsonRequest(t, "", "{}", signedAs{})
		}, 400, `"__type":"UnknownOperationException"`},
		"GET": {func(t *testing.T) *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("X-Amz-Target", describeTarget)
			sign(t, r, "", signedAs{})
			return r
		}, 400, `"__type":"UnknownOperationException"`},
		"broken JSON": {func(t *testing.T) *http.Request {
			return jsonRequest(t, describeTarget, `{"Limit":`, signedAs{})
		}, 400, `{"__type":"SerializationException","message":"The request is no valid JSON (at byte 9)."}`},
		"wrong type": {func(t *testing.T) *http.Request {
			return jsonRequest(t, describeTarget, `{"Limit":"many"}`, signedAs{})
		}, 400, `{"__type":"SerializationException","message":"The value at /Limit cannot be read from a JSON string."}`},
		"constraint": {func(t *testing.T) *http.Request {
			return jsonRequest(t, describeTarget, `{"Limit":26}`, signedAs{})
		}, 400, `{"__type":"ValidationException","message":"1 validation error detected: Value '26' at 'limit' failed to ` +
			`satisfy constraint: Member must have value less than or equal to 25"}`},
		"REST-JSON constraint in the query": {func(t *testing.T) *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/Users/DescribeUser?DirectoryId=%ff", strings.NewReader(`{"SAMAccountName":"jo"}`))
			sign(t, r, `{"SAMAccountName":"jo"}`, signedAs{service: "ds-data"})
			return r
		}, 400, "Value '�' at 'directoryId'"},
		"REST-JSON without an operation": {func(t *testing.T) *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/Users/Nap", strings.NewReader(`{}`))
			sign(t, r, `{}`, signedAs{service: "ds-data"})
			return r
		}, 400, `{"Message":"This endpoint does not answer`},
		"Query action that is known by name only": {func(t *testing.T) *http.Request {
			return form(t, "Action=AssumeRole&Version=2011-06-15")
		}, 400, `<Code>NotYetException</Code>`},
		"unknown Query action": {func(t *testing.T) *http.Request {
			return form(t, "Action=Nap&Version=2011-06-15")
		}, 400, `<Code>InvalidAction</Code>`},
		"too large": {func(t *testing.T) *http.Request {
			return jsonRequest(t, describeTarget, strings.Repeat(" ", awsjson.MaxBody+1), signedAs{})
		}, 413, `"__type":"RequestEntityTooLargeException"`},
		"too large and chunked": {func(t *testing.T) *http.Request {
			body := strings.Repeat(" ", awsjson.MaxBody+1)
			r := jsonRequest(t, describeTarget, body, signedAs{})
			r.ContentLength = -1
			return r
		}, 413, `"__type":"RequestEntityTooLargeException"`},
		"cut off": {func(t *testing.T) *http.Request {
			r := jsonRequest(t, describeTarget, "{}", signedAs{})
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), brokenReader{}))
			return r
		}, 400, `"__type":"SerializationException"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(newHandler(t, nil, describe()), test.request(t))
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("got %d %s, want %d and %s in it", w.Code, w.Body, test.status, test.want)
			}
			if w.Header().Get("x-amzn-RequestId") == "" {
				t.Error("no request id")
			}
		})
	}
}

func form(t *testing.T, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sign(t, r, body, signedAs{service: "sts"})
	return r
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestRESTJSONException(t *testing.T) {
	t.Parallel()
	exception := dsdataapi.ThrottlingException.New("Slow down.").With("RetryAfterSeconds", 7)
	w := serve(newHandler(t, nil, dsdataapi.CreateUser.Refuse(exception)), recorded(t, "ds-data-create-user"))
	want := http.Header{
		"X-Amzn-Errortype": {"ThrottlingException"}, "Retry-After": {"7"}, "Content-Type": {"application/json"},
	}
	for name, values := range want {
		if got := w.Header().Get(name); got != values[0] {
			t.Errorf("%s: got %q, want %q", name, got, values[0])
		}
	}
	if w.Code != http.StatusTooManyRequests || w.Body.String() != `{"Message":"Slow down."}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestFaultsAreHidden(t *testing.T) {
	t.Parallel()
	tests := map[string]func() (*wsapi.DescribeWorkspacesResult, error){
		"error": func() (*wsapi.DescribeWorkspacesResult, error) { return nil, errors.New("secret of the store") },
		"panic": func() (*wsapi.DescribeWorkspacesResult, error) { panic("secret of the store") },
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := newHandler(t, func(c *awsjson.Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) },
				api.Bind(wsapi.DescribeWorkspaces,
					func(context.Context, *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
						return fail()
					}))
			w := serve(h, jsonRequest(t, "WorkspacesService.DescribeWorkspaces", "{}", signedAs{}))
			id := w.Header().Get("x-amzn-RequestId")
			if w.Code != 500 || !strings.Contains(w.Body.String(), `"InternalServerException"`) ||
				!strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if !strings.Contains(log.String(), "secret of the store") || !strings.Contains(log.String(), id) {
				t.Errorf("the log does not say what happened: %s", &log)
			}
		})
	}
}

func TestWrappedExceptionIsShown(t *testing.T) {
	t.Parallel()
	exception := wsapi.ResourceNotFoundException.New("No such thing.").With("ResourceId", "ws-1")
	h := newHandler(t, nil, api.Bind(wsapi.DescribeWorkspaces,
		func(context.Context, *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
			return nil, errors.Join(errors.New("context"), exception)
		}))
	w := serve(h, jsonRequest(t, "WorkspacesService.DescribeWorkspaces", "{}", signedAs{}))
	const want = `{"__type":"ResourceNotFoundException","message":"No such thing.","ResourceId":"ws-1"}`
	if w.Code != 400 || w.Body.String() != want {
		t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
	}
}

// counting is a middleware as others write it: it embeds the handler and replaces Invoke.
type counting struct {
	api.Handler
	name  string
	calls *[]string
}

func (c counting) Invoke(ctx context.Context, input any) (any, error) {
	*c.calls = append(*c.calls, c.name+" "+c.Spec().Name)
	return c.Handler.Invoke(ctx, input)
}

func TestMiddlewareAndObserver(t *testing.T) {
	t.Parallel()
	var calls []string
	var seen []awsjson.Exchange
	var log bytes.Buffer
	clock := noon()
	h := newHandler(t, func(c *awsjson.Config) {
		for _, name := range []string{"outer", "inner"} {
			c.Middleware = append(c.Middleware, func(h api.Handler) api.Handler { return counting{h, name, &calls} })
		}
		c.Observe = func(x awsjson.Exchange) { seen = append(seen, x) }
		c.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, describe())
	serve(h, jsonRequest(t, "WorkspacesService.DescribeWorkspaces", "{}", signedAs{}))
	serve(h, jsonRequest(t, "WorkspacesService.Nap", "{}", signedAs{secret: "wrong"}))

	if got := strings.Join(calls, ","); got != "outer DescribeWorkspaces,inner DescribeWorkspaces" {
		t.Errorf("middleware ran as %s", got)
	}
	if len(seen) != 2 {
		t.Fatalf("observed %d exchanges", len(seen))
	}
	if x := seen[0]; x.Service != "workspaces" || x.Operation != "DescribeWorkspaces" || x.Status != 200 ||
		x.Caller.Account != account || x.Duration != time.Second || x.Exception != "" || x.RequestID == "" {
		t.Errorf("first: %+v", x)
	}
	if x := seen[1]; x.Operation != "" || x.Status != 400 || x.Exception != "InvalidSignatureException" || x.Caller.Account != "" {
		t.Errorf("second: %+v", x)
	}
	var line map[string]any
	if err := json.Unmarshal(bytes.SplitN(log.Bytes(), []byte("\n"), 2)[0], &line); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"level": "DEBUG", "service": "workspaces", "operation": "DescribeWorkspaces", "account": account,
		"region": "eu-central-1", "status": 200.0, "request_id": seen[0].RequestID,
	} {
		if line[field] != want {
			t.Errorf("log: %s is %v, want %v", field, line[field], want)
		}
	}
}

// TestCallersEndpoint asks by plain HTTP, and as if by TLS to a proxy.
func TestCallersEndpoint(t *testing.T) {
	t.Parallel()
	for want, secure := range map[string]func(*http.Request) bool{
		"http://": nil, "https://": func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" },
	} {
		h := newHandler(t, func(c *awsjson.Config) { c.Secure = secure },
			api.Bind(wsapi.DescribeAccount, func(ctx context.Context, _ *wsapi.DescribeAccountRequest) (*wsapi.DescribeAccountResult, error) {
				return &wsapi.DescribeAccountResult{Message: new(api.CallerFrom(ctx).Endpoint)}, nil
			}))
		r := jsonRequest(t, "WorkspacesService.DescribeAccount", "{}", signedAs{})
		r.Header.Set("X-Forwarded-Proto", "https")
		if w := serve(h, r); !strings.Contains(w.Body.String(), `"`+want+r.Host+`"`) {
			t.Errorf("got %s, want %s%s", w.Body, want, r.Host)
		}
	}
}

func TestUnknownServicesArePassedOn(t *testing.T) {
	t.Parallel()
	passed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(append([]byte("passed on: "), body...))
	})
	h := newHandler(t, func(c *awsjson.Config) { c.Unknown = passed })
	tests := map[string]struct {
		request *http.Request
		ours    bool
	}{
		"other target":      {jsonRequest(t, "DynamoDB_20120810.ListTables", "{}", signedAs{service: "dynamodb"}), false},
		"other form":        {form(t, "Action=DescribeVpcs&Version=2016-11-15"), false},
		"unsigned":          {httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/bucket", nil), false},
		"our target":        {jsonRequest(t, "WorkspacesService.Nap", "{}", signedAs{}), true},
		"our scope":         {jsonRequest(t, "", "{}", signedAs{}), true},
		"our target, wrong": {jsonRequest(t, "WorkspacesService.Nap", "{}", signedAs{service: "dynamodb"}), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(h, test.request)
			if got := !strings.HasPrefix(w.Body.String(), "passed on: "); got != test.ours {
				t.Errorf("ours: got %v, want %v; %s", got, test.ours, w.Body)
			}
		})
	}
}

func TestNewRefusesContradictions(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*awsjson.Config){
		"no authenticator":  func(c *awsjson.Config) { c.Authenticator = nil },
		"service twice":     func(c *awsjson.Config) { c.Services = append(c.Services, c.Services[0]) },
		"operation twice":   func(c *awsjson.Config) { c.Services[0].Handlers = append(c.Services[0].Handlers, describe()) },
		"foreign operation": func(c *awsjson.Config) { c.Services[1].Handlers = append(c.Services[1].Handlers, describe()) },
		"unknown protocol": func(c *awsjson.Config) {
			c.Services = []awsjson.ServiceHandlers{{Service: &api.Service{Name: "ec2", Protocol: "ec2"}}}
		},
		"target twice": func(c *awsjson.Config) {
			c.Services = append(c.Services, awsjson.ServiceHandlers{
				Service: &api.Service{Name: "x", Protocol: api.JSON11, TargetPrefix: wsapi.Service.TargetPrefix},
			})
		},
		"version twice": func(c *awsjson.Config) {
			c.Services = append(c.Services, awsjson.ServiceHandlers{
				Service: &api.Service{Name: "x", Protocol: api.Query, Version: stsapi.Service.Version},
			})
		},
		"path twice": func(c *awsjson.Config) {
			other := *dsdataapi.Service
			other.Name = "x"
			c.Services = append(c.Services, awsjson.ServiceHandlers{Service: &other})
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := awsjson.Config{
				Services: services(), Authenticator: awsjson.AnyKey{}, Now: noon, Logger: slog.New(slog.DiscardHandler),
			}
			change(&config)
			if _, err := awsjson.New(config); err == nil {
				t.Error("accepted")
			}
		})
	}
}
