package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/smithy-go"

	"carrel/internal/certificate"
	"carrel/internal/clock"
)

// remote is a server, and the key that its requests are signed with.
type remote struct {
	endpoint   string
	region     string
	accessKey  aws.Credentials
	unanswered string // what to do when nothing answers at the endpoint
	clock      *clock.Clock
	http       *http.Client
}

// remote finds the server to talk to: the one of the folder that --data names, else the one of
// AWS_ENDPOINT_URL, else the one of the default folder.
func (s *shared) remote() (*remote, error) {
	if !s.isAbroad() {
		return s.local()
	}
	endpoint := s.variable("AWS_ENDPOINT_URL")
	r := &remote{
		endpoint: strings.TrimRight(endpoint, "/"), region: s.variable("AWS_REGION"), clock: s.clock,
		accessKey:  aws.Credentials{AccessKeyID: s.variable("AWS_ACCESS_KEY_ID"), SecretAccessKey: s.variable("AWS_SECRET_ACCESS_KEY")},
		unanswered: "see that AWS_ENDPOINT_URL is right, and that carrel serve runs there",
	}
	// What carrel env printed names the folder's own server.
	if own, err := s.config.Folder().Server(); err == nil && own.Endpoint == r.endpoint {
		r.unanswered = s.howToStart()
	}
	var err error
	if r.http, err = trusting(s.variable("AWS_CA_BUNDLE")); err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	if r.region == "" {
		r.region = s.variable("AWS_DEFAULT_REGION")
	}
	if r.accessKey.AccessKeyID == "" || r.accessKey.SecretAccessKey == "" || r.region == "" {
		return nil, fmt.Errorf("AWS_ENDPOINT_URL names the server %s, but AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION are not all set; "+
			"set them, or unset AWS_ENDPOINT_URL to use the server of the data folder", endpoint)
	}
	return r, nil
}

// isAbroad reports whether the environment says which server is meant, and no flag does.
func (s *shared) isAbroad() bool {
	return s.variable("AWS_ENDPOINT_URL") != "" && !s.known.Changed("data")
}

// local is the server of the data folder.
func (s *shared) local() (*remote, error) {
	folder := s.config.Folder()
	server, err := folder.Server()
	if err != nil {
		return nil, err
	}
	id, secret, err := folder.Key()
	if err != nil {
		return nil, err
	}
	client, err := trusting(server.Authority)
	if err != nil {
		return nil, err
	}
	return &remote{
		endpoint: server.Endpoint, region: server.Region, clock: s.clock, http: client,
		accessKey:  aws.Credentials{AccessKeyID: id, SecretAccessKey: secret},
		unanswered: s.howToStart(),
	}, nil
}

// trusting is a client that trusts the authorities in the file too; "": those of the machine alone.
func trusting(file string) (*http.Client, error) {
	if file == "" {
		return http.DefaultClient, nil
	}
	trust, err := certificate.Trusting(file)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trust, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}}, nil
}

func (s *shared) howToStart() string {
	return "start it with: carrel serve --data " + quote(s.config.Data)
}

// attempts is how often a request is sent that fails in a way that may pass. A server on the
// next machine is there or is not: the SDK's usual patience would only hide that.
const attempts = 2

// config is the server for the SDK's clients.
func (r *remote) config() aws.Config {
	return aws.Config{
		Region: r.region, BaseEndpoint: &r.endpoint, RetryMaxAttempts: attempts,
		Credentials: credentials.StaticCredentialsProvider{Value: r.accessKey}, HTTPClient: readOnce{r.http},
	}
}

// readOnce sends requests with a body that can only be read. The SDK (smithy-go 1.28) closes its own once the reply has
// begun, which a server as near as this one may do before net/http has looked for more of the body than its length; that
// then counts as a failure to write, and the connection is closed under the reply.
type readOnce struct{ *http.Client }

// Do sends a request.
func (c readOnce) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
}

func (r *remote) workspaces() *workspaces.Client { return workspaces.NewFromConfig(r.config()) }

func (r *remote) directories() *directoryservice.Client {
	return directoryservice.NewFromConfig(r.config())
}

func (r *remote) users() *directoryservicedata.Client {
	return directoryservicedata.NewFromConfig(r.config())
}

// getTimeout is the longest that a plain request may take: the server gives a picture of a
// screen up during it.
const getTimeout = 20 * time.Second

// maxReply is the most that a plain reply may hold. A picture of the largest screen has less.
const maxReply = 64 << 20

// get sends a signed GET for a path under /_carrel/ and returns the body of its reply.
func (r *remote) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.endpoint+path, nil)
	if err != nil {
		return nil, err
	}
	empty := sha256.Sum256(nil)
	err = v4.NewSigner().SignHTTP(ctx, r.accessKey, request, hex.EncodeToString(empty[:]), "workspaces", r.region, r.clock.Now())
	if err != nil {
		return nil, err
	}
	response, err := r.http.Do(request)
	if err != nil {
		return nil, r.plain(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return nil, r.plain(err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response, body)
	}
	return body, nil
}

// refusal is what a reply that is not the thing asked for says.
func refusal(response *http.Response, body []byte) error {
	var said struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &said); err != nil || said.Message == "" {
		return fmt.Errorf("%s answers %s; is it a Carrel", response.Request.URL, response.Status)
	}
	return errors.New(said.Message)
}

// plain returns a client's error in the words of the server, or says what to do where none
// answers. The SDK's own text tells operation, status and request id first.
func (r *remote) plain(err error) error {
	if err == nil {
		return nil
	}
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Errorf("%s (%s)", said.ErrorMessage(), said.ErrorCode())
	}
	_, unresolved := errors.AsType[*net.DNSError](err)
	if errors.Is(err, syscall.ECONNREFUSED) || unresolved {
		return fmt.Errorf("no server answers at %s; %s", r.endpoint, r.unanswered)
	}
	return err
}
