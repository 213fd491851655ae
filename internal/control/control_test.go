package control_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/control"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// noted is an engine that notes whose screens it is asked for, and has none.
type noted struct {
	compute.Driver
	dialled []string
}

func (n *noted) Dial(_ context.Context, id string) (net.Conn, error) {
	n.dialled = append(n.dialled, id)
	return nil, compute.ErrNotRunning
}

// files are those of all desktops.
type files struct{}

func (files) ReadFile(context.Context, string, string, string) ([]byte, error) { return nil, nil }

func (files) WriteFile(context.Context, string, string, string, []byte) error { return nil }

// TestScreensAreTheirAccounts asks for a picture of a screen as everybody who might.
func TestScreensAreTheirAccounts(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	own := workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{Scope: own, ID: "ws-000000001", UserName: "jane", State: workspaces.Available})
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := simulated.Open(simulated.Config{AnyImage: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	driver := &noted{Driver: engine}
	var caller api.Caller // who has signed; nobody where it has no account
	handler := (&control.Control{
		Store: s, Clock: clock.New(), Driver: driver, Log: slog.New(slog.DiscardHandler), Files: files{},
		Signed: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if caller.Account == "" {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				next.ServeHTTP(w, r.WithContext(api.WithCaller(r.Context(), caller)))
			})
		},
	}).Handler()
	ask := func(method, path string) int {
		reply := httptest.NewRecorder()
		handler.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		return reply.Code
	}
	const screen = "/_carrel/workspaces/ws-000000001/screen.png"
	for _, path := range []string{screen, "/_carrel/networks", "/_carrel/engine", "/_carrel/desktops"} {
		if got := ask(http.MethodGet, path); got != http.StatusForbidden {
			t.Errorf("%s without a signature: %d", path, got)
		}
	}
	for _, other := range []api.Caller{{Account: "210987654321", Region: own.Region}, {Account: own.Account, Region: "us-east-1"}} {
		caller = other
		if got := ask(http.MethodGet, screen); got != http.StatusNotFound {
			t.Errorf("as %+v: %d", other, got)
		}
	}
	if len(driver.dialled) > 0 {
		t.Errorf("screens that were asked for: %v", driver.dialled)
	}
	caller = api.Caller{Account: own.Account, Region: own.Region}
	if got := ask(http.MethodGet, screen); got != http.StatusConflict || len(driver.dialled) != 1 {
		t.Errorf("as the account: %d, %v", got, driver.dialled)
	}
	// What test suites have is not there for others, signed or not.
	for _, path := range []string{"clock", "reset", "regions", "regions/us-east-1", "desktops/ws-000000001", "desktops/ws-000000001/user/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			if got := ask(method, "/_carrel/"+path); got != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, got)
			}
		}
	}
}
