package incus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// client speaks Incus's REST API over its Unix socket, with Incus's own types. Incus's
// Go client is not used: it takes no context per call, opens an event socket for each
// operation and keeps it for a minute, and shares a transport that it changes without
// a lock; here every call ends with its context and nothing outlives it.
//
// Its methods may be called from any goroutine. Their errors wrap a compute error.
type client struct {
	http    http.Client
	project string
}

func newClient(socket, project string) *client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	// A kept connection would save 50 µs a call, and fail a POST that meets an Incus
	// which has restarted since.
	return &client{http: http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, project: project}
}

// get reads an object into out, which may be nil.
func (c *client) get(ctx context.Context, path string, out any) error {
	response, err := c.send(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	return decode(response, out)
}

// getTagged is get, and returns what tells this state of the object from later ones.
func (c *client) getTagged(ctx context.Context, path string, out any) (etag string, err error) {
	response, etag, err := c.sendTagged(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return "", err
	}
	return etag, decode(response, out)
}

// replace makes an object what body says, unless it has changed since it was read with the tag: see conflicts.
func (c *client) replace(ctx context.Context, path, etag string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%w: encode for %s: %w", compute.ErrFailed, path, err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "If-Match": {etag}}
	_, err = c.operate(ctx, http.MethodPut, path, header, bytes.NewReader(encoded))
	return err
}

// change sends a request that changes something and waits for it to be done. A
// context that ends meanwhile ends the wait, not the work.
func (c *client) change(ctx context.Context, method, path string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%w: encode for %s: %w", compute.ErrFailed, path, err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	_, err = c.operate(ctx, method, path, header, bytes.NewReader(encoded))
	return err
}

// operate is change for any kind of body. It returns the finished operation, which is
// empty where Incus did the work at once.
func (c *client) operate(ctx context.Context, method, path string, header http.Header, body io.Reader) (api.Operation, error) {
	response, err := c.send(ctx, method, path, header, body)
	if err != nil || response.Type != api.AsyncResponse {
		return api.Operation{}, err
	}
	var operation api.Operation
	if err := decode(response, &operation); err != nil {
		return api.Operation{}, err
	}
	return c.wait(ctx, operation.ID)
}

// wait returns an operation when it is over, with an error if it failed.
func (c *client) wait(ctx context.Context, id string) (api.Operation, error) {
	var operation api.Operation
	if err := c.get(ctx, "/operations/"+url.PathEscape(id)+"/wait", &operation); err != nil {
		return operation, err
	}
	if operation.StatusCode != api.Success {
		return operation, classify(errors.New(operation.Err))
	}
	return operation, nil
}

// What Incus calls operations that do not say what they work on.
const (
	copyingVolume = "Copying storage volume"
	makingImage   = "Downloading image" // also one that is published or uploaded
)

// settle waits until none of the operations that match is under way: a process that died,
// or a call whose context ended, may have left one behind.
func (c *client) settle(ctx context.Context, matches ...func(api.Operation) bool) error {
	operations, err := c.underWay(ctx, matches...)
	if err != nil {
		return err
	}
	for _, operation := range operations {
		// How it ended, and whether Incus still knows it, shows in what is there now.
		_, err := c.wait(ctx, operation.ID)
		if errors.Is(err, compute.ErrUnavailable) {
			return err
		}
	}
	return nil
}

// underWay returns the operations that are not over and match.
func (c *client) underWay(ctx context.Context, matches ...func(api.Operation) bool) ([]api.Operation, error) {
	var byStatus map[string][]api.Operation
	if err := c.get(ctx, "/operations?recursion=1", &byStatus); err != nil {
		return nil, err
	}
	var found []api.Operation
	for _, operations := range byStatus {
		for _, operation := range operations {
			matched := slices.ContainsFunc(matches, func(match func(api.Operation) bool) bool { return match(operation) })
			if matched && !operation.StatusCode.IsFinal() {
				found = append(found, operation)
			}
		}
	}
	return found, nil
}

// about matches operations on a desktop's instance or its user volume.
func about(id string) func(api.Operation) bool {
	return func(operation api.Operation) bool {
		for _, kind := range []string{"instances", "instances_snapshots", "storage_volumes"} {
			for _, resource := range operation.Resources[kind] {
				u, err := url.Parse(resource)
				if err == nil && (strings.HasSuffix(u.Path, "/instances/"+id) || strings.Contains(u.Path, "/instances/"+id+"/") ||
					strings.HasSuffix(u.Path, "/custom/"+homeVolume(id))) {
					return true
				}
			}
		}
		return false
	}
}

// described matches operations by what Incus calls them.
func described(description string) func(api.Operation) bool {
	return func(operation api.Operation) bool { return operation.Description == description }
}

// send sends one request and returns Incus's answer, or its error.
func (c *client) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*api.Response, error) {
	response, _, err := c.sendTagged(ctx, method, path, header, body)
	return response, err
}

// sendTagged is send, and returns the entity tag of what is answered.
func (c *client) sendTagged(ctx context.Context, method, path string, header http.Header, body io.Reader) (_ *api.Response, etag string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.address(path), body)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	request.Header = header
	reply, err := c.http.Do(request)
	if err != nil {
		return nil, "", unavailable(err)
	}
	defer reply.Body.Close()
	var response api.Response
	if err := json.NewDecoder(reply.Body).Decode(&response); err != nil {
		return nil, "", unavailable(err)
	}
	if response.Type == api.ErrorResponse {
		return nil, "", classify(api.StatusErrorf(reply.StatusCode, "%s", response.Error))
	}
	return &response, reply.Header.Get("ETag"), nil
}

// text reads a log of Incus's, the one kind of answer that is not JSON.
func (c *client) text(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(path), nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	reply, err := c.http.Do(request)
	if err != nil {
		return "", unavailable(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: %s", compute.ErrFailed, reply.Status)
	}
	content, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err != nil {
		return "", unavailable(err)
	}
	return string(content), nil
}

// address returns the URL of an API path, within the project.
func (c *client) address(path string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return "http://incus/1.0" + path + separator + "project=" + url.QueryEscape(c.project)
}

func decode(response *api.Response, out any) error {
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(response.Metadata, out); err != nil {
		return fmt.Errorf("%w: unexpected answer: %w", compute.ErrFailed, err)
	}
	return nil
}
