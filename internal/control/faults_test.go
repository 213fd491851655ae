package control_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/clock"
	"carrel/internal/control"
	"carrel/internal/fault"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
)

// asking sends requests to a control for tests.
func asking(t *testing.T, change func(*control.Control)) func(method, path, body string) (int, string) {
	t.Helper()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &control.Control{
		Store: s, Clock: clock.New(), Log: slog.New(slog.DiscardHandler), ForTests: true,
		Signed: func(next http.Handler) http.Handler { return next },
		Reset:  func(context.Context) error { return nil },
	}
	c.Faults = fault.New(s, c.Clock)
	change(c)
	handler := c.Handler()
	return func(method, path, body string) (int, string) {
		reply := httptest.NewRecorder()
		handler.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
		return reply.Code, strings.TrimSpace(reply.Body.String())
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ask := asking(t, func(*control.Control) {})
	is := func(status int, says, method, path, body string) {
		t.Helper()
		got, text := ask(method, path, body)
		if got != status || !strings.Contains(text, says) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", method, path, body, got, text, status, says)
		}
	}
	const faults = "/_carrel/faults"
	is(200, "[]", "GET", faults, "")
	is(201, `"id":"fault-1"`, "POST", faults, `{"name": "stuck-pending", "count": 2}`)
	is(201, `"id":"fault-3"`, "POST", faults, `[{"name": "stale-reads"}, {"name": "throttling"}]`)
	is(400, "no fault", "POST", faults, `{"name": "gremlins"}`)
	is(400, "cannot be read", "POST", faults, strings.Repeat(" ", 1<<20))
	is(404, "no such fault as fault-9", "DELETE", faults+"/fault-9", "")
	is(204, "", "DELETE", faults+"/fault-2", "")
	_, text := ask("GET", faults, "")
	var set []struct {
		ID, Name string
		Hits     int
	}
	if err := json.Unmarshal([]byte(text), &set); err != nil || len(set) != 2 || set[0].Name != "stuck-pending" || set[1].ID != "fault-3" {
		t.Errorf("%s, %v", text, err)
	}
	is(204, "", "DELETE", faults, "")
	is(200, "[]", "GET", faults, "")

	for path, status := range map[string]int{"/_carrel/reset": 204, control.MotoReset: 200} {
		is(201, "", "POST", faults, `{"name": "missing-user"}`)
		is(status, "", "POST", path, "")
		is(200, "[]", "GET", faults, "")
	}
}

func TestNoFaultsOfRealEngines(t *testing.T) {
	t.Parallel()
	ask := asking(t, func(c *control.Control) { c.Faults, c.Reset = nil, nil })
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if status, text := ask(method, "/_carrel/faults", `{"name": "throttling"}`); status != 409 || !strings.Contains(text, "real engine") {
			t.Errorf("%s: %d %s", method, status, text)
		}
	}
	off := asking(t, func(c *control.Control) { c.ForTests = false })
	for _, path := range []string{"/_carrel/faults", control.MotoReset} {
		if status, _ := off("POST", path, `{"name": "throttling"}`); status != 404 {
			t.Errorf("without --control %s answers %d", path, status)
		}
	}
}
