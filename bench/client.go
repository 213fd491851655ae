package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// connections is how many clients ask at once.
const connections = 4

// client is as thin as a client can be that signs its requests, since it shares the machine
// with the server that is measured: connections of its own, and a request that was signed
// once is sent again as it is.
type client struct {
	endpoint string
	region   string
	key      aws.Credentials
	signer   *v4.Signer
	free     chan *connection
	signed   sync.Map // service, target and body -> request, as it goes over the wire
}

// connection is one of the client's, dialed when it is first used.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func newClient(endpoint, id, secret string) *client {
	c := &client{
		endpoint: endpoint, region: "us-east-1", key: aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, signer: v4.NewSigner(),
		free: make(chan *connection, connections),
	}
	for range connections {
		c.free <- new(connection)
	}
	return c
}

// post sends a signed request and returns the body of the reply.
func (c *client) post(ctx context.Context, service, target string, body []byte) ([]byte, error) {
	request, err := c.request(ctx, service, target, body)
	if err != nil {
		return nil, err
	}
	conn := <-c.free
	defer func() { c.free <- conn }()
	if conn.Conn == nil {
		if conn.Conn, err = new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(c.endpoint, "http://")); err != nil {
			return nil, err
		}
		conn.reader = bufio.NewReaderSize(conn, 32<<10)
	}
	out, keep, err := conn.exchange(request)
	if err != nil || !keep {
		_ = conn.Close() // of no further use
		conn.Conn = nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	return out, nil
}

// exchange sends a request and reads its reply. Of the head it reads what it needs.
func (c *connection) exchange(request []byte) (body []byte, keep bool, err error) {
	if _, err := c.Write(request); err != nil {
		return nil, false, err
	}
	status, err := c.line()
	if err != nil {
		return nil, false, err
	}
	ok, length, keep := bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")), -1, true
	problem := string(status)
	for {
		line, err := c.line()
		if err != nil {
			return nil, false, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("Connection")):
			keep = !bytes.EqualFold(value, []byte("close"))
		}
		if err != nil {
			return nil, false, err
		}
	}
	if length < 0 {
		return nil, false, fmt.Errorf("%s: a reply without a length", problem)
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.reader, body)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %s", problem, body)
	}
	return body, keep, err
}

// line reads a line of the head of a reply.
func (c *connection) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// maxRemembered is the longest body whose signed request is kept.
const maxRemembered = 256

// request returns the signed request as it goes over the wire.
func (c *client) request(ctx context.Context, service, target string, body []byte) ([]byte, error) {
	name := target + string(body)
	if known, ok := c.signed.Load(name); ok && len(body) <= maxRemembered {
		return known.([]byte), nil //nolint:errcheck // nothing else is stored
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	content := "application/x-amz-json-1.1"
	if target == "" {
		content = "application/x-www-form-urlencoded"
	} else {
		request.Header.Set("X-Amz-Target", target)
	}
	request.Header.Set("Content-Type", content)
	sum := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, c.key, request, hex.EncodeToString(sum[:]), service, c.region, time.Now()); err != nil {
		return nil, err
	}
	var wire bytes.Buffer
	if err := request.Write(&wire); err != nil {
		return nil, err
	}
	if len(body) <= maxRemembered {
		c.signed.Store(name, wire.Bytes())
	}
	return wire.Bytes(), nil
}

// workspaces calls an operation of the service workspaces with a JSON text.
func (c *client) workspaces(ctx context.Context, operation, body string) ([]byte, error) {
	return c.post(ctx, "workspaces", "WorkspacesService."+operation, []byte(body))
}

// call is workspaces, and reads the reply.
func (c *client) call(ctx context.Context, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	reply, err := c.post(ctx, service, target, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(reply, out)
}

// rate is how often something was done and how long it took.
type rate struct {
	perSecond float64
	p50, p99  time.Duration
}

func (r rate) String() string {
	return fmt.Sprintf("%.0f/s, p50 %s, p99 %s", r.perSecond, r.p50.Round(10*time.Microsecond), r.p99.Round(10*time.Microsecond))
}

// measure does f from all connections for a while. The worker's number and a running
// number tell calls apart.
func measure(ctx context.Context, d time.Duration, f func(ctx context.Context, n int) error) (rate, error) {
	var next atomic.Int64
	times := make([][]time.Duration, connections)
	errs := make([]error, connections)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range connections {
		wg.Go(func() {
			for errs[i] == nil && time.Since(start) < d {
				t := time.Now()
				errs[i] = f(ctx, int(next.Add(1)))
				times[i] = append(times[i], time.Since(t))
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return rate{}, err
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return rate{
		perSecond: float64(len(all)) / took.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100],
	}, nil
}
