package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/control"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestSignOutInsideADesktop names the desktop by its id and by its session's.
func TestSignOutInsideADesktop(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Now()
	pool := &workspaces.Pool{Scope: workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}, ID: "wspool-lab000001", DirectoryID: "wsd-1"}
	desktop, _ := workspaces.NewPoolDesktop(pool, now)
	desktop.ID = "pd-1"
	session := workspaces.NewPoolSession(nil, pool, desktop, "jane", false, now)
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertPoolSession(t.Context(), session) }); err != nil {
		t.Fatal(err)
	}
	var asked string
	var fails error
	c := &control.Control{
		Store: s, ForTests: true, Signed: func(next http.Handler) http.Handler { return next },
		SignOut: func(_ context.Context, id string) error {
			asked = id
			return fails
		},
	}
	for _, test := range []struct {
		id, asked string
		fails     error
		status    int
	}{
		{"pd-1", "pd-1", nil, http.StatusNoContent},
		{session.ID, "pd-1", nil, http.StatusNoContent},
		{"ws-1", "ws-1", fmt.Errorf("ws-1: %w", compute.ErrNotFound), http.StatusNotFound},
		{"ws-1", "ws-1", fmt.Errorf("ws-1: %w", compute.ErrNotRunning), http.StatusConflict},
	} {
		fails = test.fails
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_carrel/desktops/"+test.id+"/sign-out", http.NoBody))
		if w.Code != test.status || asked != test.asked {
			t.Errorf("%s: %d, asked for %s", test.id, w.Code, asked)
		}
	}
	c.ForTests = false
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_carrel/desktops/pd-1/sign-out", http.NoBody))
	if w.Code != http.StatusNotFound {
		t.Errorf("without --control: %d", w.Code)
	}
}
