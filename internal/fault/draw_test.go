package fault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/fault"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// engine makes every desktop.
type engine struct{ compute.Driver }

func (engine) Create(context.Context, compute.Desktop) (time.Time, error) { return time.Time{}, nil }

// TestDecidesAtOnce has a WorkSpace go before any engine comes to it: it counts among those that a rule is for all the same.
func TestDecidesAtOnce(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f := fault.New(s, clock.New())
	rules, err := fault.Parse([]byte(`{"name": "error-after-n", "after": 1, "count": 1, "error_code": "X"}`))
	if err == nil {
		_, err = f.Add(t.Context(), rules)
	}
	if err != nil {
		t.Fatal(err)
	}
	scope := workspaces.Scope{Account: "123456789012", Region: "us-east-1"}
	ctx := api.WithCaller(t.Context(), api.Caller{Account: scope.Account, Region: scope.Region})
	update := func(do func(*store.Tx) error) {
		t.Helper()
		if err := s.Update(ctx, do); err != nil {
			t.Fatal(err)
		}
	}
	create := func(id string) {
		handler := f.Middleware()(api.Bind(wsapi.CreateWorkspaces, func(ctx context.Context, _ *wsapi.CreateWorkspacesRequest) (*wsapi.CreateWorkspacesResult, error) {
			return &wsapi.CreateWorkspacesResult{}, s.Update(ctx, func(tx *store.Tx) error {
				return tx.InsertWorkSpace(ctx, &workspaces.WorkSpace{Scope: scope, ID: id, DirectoryID: "d-1", UserName: id, StandIn: true})
			})
		}))
		if _, err := handler.Invoke(ctx, &wsapi.CreateWorkspacesRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	create("ws-1")
	update(func(tx *store.Tx) error {
		_, err := tx.DeleteWorkSpace(ctx, workspaces.Ref{Scope: scope, ID: "ws-1"})
		return err
	})
	create("ws-2")
	create("ws-3")
	for id, struck := range map[string]bool{"ws-2": true, "ws-3": false} {
		_, err := f.Engine(engine{}).Create(ctx, compute.Desktop{ID: id})
		if refusal, is := errors.AsType[*compute.RefusalError](err); is != struck || !struck && err != nil {
			t.Errorf("%s: %v, %v", id, refusal, err)
		}
	}
}
