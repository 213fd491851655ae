package control_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/clock"
	"carrel/internal/control"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
)

// TestRegionsOfTests marks a region as down and up as a test suite does.
func TestRegionsOfTests(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	handler := (&control.Control{
		Store: s, Clock: clock.New(), Log: slog.New(slog.DiscardHandler), ForTests: true,
		Signed: func(next http.Handler) http.Handler { return next },
	}).Handler()
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{http.MethodGet, "", "", http.StatusOK, "[]"},
		{http.MethodPut, "/eu-west-1", `{"down": true}`, http.StatusOK, `[{"region":"eu-west-1","down_since":"`},
		{http.MethodPut, "/eu-west-1", `{"down": 1}`, http.StatusBadRequest, "down is true or false, not 1"},
		{http.MethodPut, "/eu-west-1", `{}`, http.StatusBadRequest, "down is missing"},
		{http.MethodPut, "/Mars", `{"down": true}`, http.StatusBadRequest, `no region is called \"Mars\"`},
		{http.MethodGet, "", "", http.StatusOK, `"region":"eu-west-1"`},
		{http.MethodPut, "/eu-west-1", `{"down": false}`, http.StatusOK, "[]"},
	} {
		reply := httptest.NewRecorder()
		handler.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), c.method, "/_carrel/regions"+c.path, strings.NewReader(c.body)))
		if reply.Code != c.status || !strings.Contains(reply.Body.String(), c.says) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, reply.Code, reply.Body)
		}
	}
}
