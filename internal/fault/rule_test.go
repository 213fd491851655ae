package fault_test

import (
	"strings"
	"testing"
	"time"

	"carrel/internal/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	rules, err := fault.Parse([]byte(`[
		{"name": "stuck-pending", "user": "jane*", "after": 1, "count": 2, "until": "2026-03-01T12:00:00Z"},
		{"name": "throttling"},
		{"name": "throttling", "probability": 0.5, "seed": 7},
		{"name": "stale-reads", "lag": "90s"},
		{"name": "exception", "error_code": "AccessDeniedException"}
	]`))
	if err != nil || len(rules) != 5 {
		t.Fatalf("%v, %v", rules, err)
	}
	if r := rules[0]; r.User != "jane*" || r.After != 1 || r.Count != 2 || !r.Until.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", r)
	}
	if r := rules[1]; r.Rate != 2 || r.Burst != 5 {
		t.Errorf("the service's own rate: %+v", r)
	}
	if r := rules[2]; r.Rate != 0 || *r.Probability != 0.5 || r.Seed != 7 {
		t.Errorf("%+v", r)
	}
	if r := rules[3]; time.Duration(r.Lag) != 90*time.Second {
		t.Errorf("%+v", r)
	}
	if r := rules[4]; r.ErrorCode != "AccessDeniedException" || r.ErrorMessage == "" {
		t.Errorf("%+v", r)
	}
	if rules, err := fault.Parse([]byte(`{"name": "missing-user", "operation": "Create*"}`)); err != nil || len(rules) != 1 {
		t.Errorf("%v, %v", rules, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		``:                                                      "faults are JSON",
		`nothing`:                                               "a fault is JSON",
		`{}`:                                                    "needs a name: one of error-after-n, exception, missing-user",
		`{"name": 1}`:                                           "needs a name",
		`{"name": "gremlins"}`:                                  `no fault "gremlins"; there are error-after-n`,
		`{"name": "throttling", "user": "x"}`:                   `throttling takes no "user"; it takes account, after, burst`,
		`{"name": "stuck-pending", "lag": "1s"}`:                `takes no "lag"`,
		`{"name": "stuck-pending", "colour": 1}`:                `takes no "colour"`,
		`{"name": "stuck-pending", "user": "["}`:                "user is a pattern",
		`{"name": "stuck-pending", "after": -1}`:                "cannot be negative",
		`{"name": "stuck-pending", "after": "1"}`:               `stuck-pending: after is a whole number, not "1"`,
		`{"name": "stuck-pending", "until": "x"}`:               "stuck-pending: until is a time such as",
		`{"name": "throttling", "rate": "fast"}`:                `throttling: rate is a number, not "fast"`,
		`{"name": "throttling"`:                                 "it ends too soon",
		`7`:                                                     "it is 7",
		`{"name": "throttling", "rate": -1}`:                    "above 0",
		`{"name": "stale-reads", "lag": "-1s"}`:                 "lag is above 0",
		`{"name": "stale-reads", "lag": "48h"}`:                 "at most 24h",
		`{"name": "stale-reads", "lag": "soon"}`:                `stale-reads: lag is a duration such as "90s" or "10m", not "soon"`,
		`{"name": "stale-reads", "probability":2}`:              "between 0 and 1",
		`{"name": "throttling", "probability": 0.1, "rate": 1}`: "either a probability or a rate",
		`{"name": "unhealthy-flapping", "period": "1s"}`:        "at least 2s",
		`{"name": "exception", "operation": "Describe*"}`:       "error_code is the name of an exception",
		`{"name": "exception", "error_code": "X\r\nY: z"}`:      "error_code is the name of an exception",
		`[{"name": "throttling"}, {"name": "gremlins"}]`:        "fault number 2: there is no fault",
	} {
		rules, err := fault.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, %v, want an error that says %q", text, rules, err, says)
		}
	}
}
