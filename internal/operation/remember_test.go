package operation_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// counted counts how often an operation is really carried out.
type counted struct {
	api.Handler
	calls atomic.Int64
}

// Invoke carries the operation out.
func (c *counted) Invoke(ctx context.Context, input any) (any, error) {
	c.calls.Add(1)
	return c.Handler.Invoke(ctx, input)
}

// remembering is DescribeWorkspaces behind a memory, on a database.
func remembering(t *testing.T, database string) (*store.Store, *counted, func(scope workspaces.Scope, in *wsapi.DescribeWorkspacesRequest) []byte) {
	t.Helper()
	s, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	remember, err := operation.Remember(s)
	if err != nil {
		t.Fatal(err)
	}
	real := &counted{Handler: api.Bind(wsapi.DescribeWorkspaces, operation.WorkSpaces{Core: &operation.Core{Store: s}}.DescribeWorkspaces)}
	handler := remember(real)
	return s, real, func(scope workspaces.Scope, in *wsapi.DescribeWorkspacesRequest) []byte {
		output, err := handler.Invoke(api.WithCaller(t.Context(), api.Caller{Account: scope.Account, Region: scope.Region}), in)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if encoded, ok := output.(api.Encoded); ok {
			body.Write(encoded)
		} else if err := api.EncodeTo(&body, output); err != nil {
			t.Fatal(err)
		}
		return body.Bytes()
	}
}

func insert(t *testing.T, s *store.Store, scope workspaces.Scope, id string) *workspaces.WorkSpace {
	t.Helper()
	w := &workspaces.WorkSpace{Scope: scope, ID: id, DirectoryID: "d-0123456789", UserName: id}
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertWorkSpace(t.Context(), w) }); err != nil {
		t.Fatal(err)
	}
	return w
}

// A reply is given again until something of its account and region changes, and at once not
// after that.
func TestRememberedUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	s, real, describe := remembering(t, storetest.SQLite(t))
	here, there := workspaces.Scope{Account: account, Region: region}, workspaces.Scope{Account: stranger, Region: region}
	all := &wsapi.DescribeWorkspacesRequest{}
	w := insert(t, s, here, "ws-000000001")
	insert(t, s, there, "ws-000000002")

	ask := func(what string, scope workspaces.Scope, in *wsapi.DescribeWorkspacesRequest, holds string, fresh bool) {
		t.Helper()
		before := real.calls.Load()
		body := describe(scope, in)
		if !bytes.Contains(body, []byte(holds)) {
			t.Errorf("%s: %s does not hold %s", what, body, holds)
		}
		if got := real.calls.Load() > before; got != fresh {
			t.Errorf("%s: carried out anew %v, want %v", what, got, fresh)
		}
	}
	ask("first", here, all, "ws-000000001", true)
	ask("again", here, all, "ws-000000001", false)
	ask("somebody else", there, all, "ws-000000002", true)
	ask("another question", here, &wsapi.DescribeWorkspacesRequest{WorkspaceIds: []string{w.ID}}, w.ID, true)

	w.State, w.Generation = workspaces.Available, 1
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.SaveWorkSpace(t.Context(), w, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ask("after a change", here, all, "AVAILABLE", true)
	ask("the other question after a change", here, &wsapi.DescribeWorkspacesRequest{WorkspaceIds: []string{w.ID}}, "AVAILABLE", true)
	ask("somebody else, unchanged", there, all, "ws-000000002", false)

	err = s.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.DeleteWorkSpace(t.Context(), w.Ref())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ask("after the end", here, all, `"Workspaces":[]`, true)
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.Reset(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	ask("somebody else after a reset", there, all, `"Workspaces":[]`, true)
}

// Where another process may write, nothing is remembered.
func TestNothingIsRememberedOnASharedDatabase(t *testing.T) {
	t.Parallel()
	s, real, describe := remembering(t, storetest.Postgres(t))
	here := workspaces.Scope{Account: account, Region: region}
	insert(t, s, here, "ws-000000001")
	for range 2 {
		describe(here, &wsapi.DescribeWorkspacesRequest{})
	}
	if got := real.calls.Load(); got != 2 {
		t.Fatalf("carried out %d times, want 2", got)
	}
}
