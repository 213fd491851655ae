package control_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/clock"
	"carrel/internal/control"
)

// TestClockOfTests moves the clock as a test suite does.
func TestClockOfTests(t *testing.T) {
	t.Parallel()
	handler := (&control.Control{
		Clock: clock.New(), Log: slog.New(slog.DiscardHandler), ForTests: true,
		Signed: func(next http.Handler) http.Handler { return next },
	}).Handler()
	for _, c := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"freeze": true}`, http.StatusOK, `"scale":0`},
		{`{"advance": "1h"}`, http.StatusOK, `"scale":0`},
		{`{"freeze": false}`, http.StatusOK, `"scale":1`},
		{`{"scale": 60}`, http.StatusOK, `"scale":60`},
		{`{"scale": 0}`, http.StatusBadRequest, "scale"},
		{`{"advance": "-1h"}`, http.StatusBadRequest, "advance"},
		{`{"advance": "an hour"}`, http.StatusBadRequest, "advance"},
		{`{"forward": "1h"}`, http.StatusBadRequest, "forward"},
		{`{"reset": true}`, http.StatusConflict, "only forward"},
		{"", http.StatusBadRequest, "The clock takes"},
		{`{"scale": "fast"}`, http.StatusBadRequest, `scale is a number, not \"fast\"`},
		{`{"freeze": 1} `, http.StatusBadRequest, "freeze is true or false, not 1"},
	} {
		reply := httptest.NewRecorder()
		handler.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_carrel/clock", strings.NewReader(c.body)))
		if reply.Code != c.status || !strings.Contains(reply.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.body, reply.Code, reply.Body)
		}
	}
}
