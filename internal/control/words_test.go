package control_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"carrel/internal/compute"
	"carrel/internal/control"
)

// lacking has no files, for whatever reason the name of the desktop tells.
type lacking struct{}

func (lacking) why(id string) error {
	return map[string]error{"gone": compute.ErrNotFound, "bare": fs.ErrNotExist, "odd": compute.ErrInvalid, "full": compute.ErrCapacity}[id]
}

func (l lacking) ReadFile(_ context.Context, id, _, _ string) ([]byte, error) { return nil, l.why(id) }

func (l lacking) WriteFile(_ context.Context, id, _, _ string, _ []byte) error { return l.why(id) }

// TestWordsOfRefusals sends every endpoint what it cannot take: what it answers is JSON with a sentence, in
// which nothing is Go's.
func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	ask := asking(t, func(c *control.Control) { c.Files = lacking{} })
	ofGo := regexp.MustCompile(`json:|http:|time:|compute:|store:|unmarshal|Go (struct|value)|[a-z]+\.[A-Z]|invalid character|EOF|%!`)
	endpoints := []string{
		"POST /_carrel/clock", "POST /_carrel/faults", "PUT /_carrel/regions/us-east-1", "DELETE /_carrel/faults/fault-9", "PATCH /_carrel/clock",
		"GET /_carrel/what", "GET /_carrel/desktops/gone/root/x", "GET /_carrel/desktops/bare/root/x", "PUT /_carrel/desktops/odd/root/x",
		"PUT /_carrel/desktops/full/home/x", "PUT /_carrel/connections/ws-000000000", "PUT /_carrel/connections/wspool-000000000",
	}
	bodies := []string{
		"", "{", "nothing", "7", "null", `"x"`, "[]x", `[7]`, `{"name": 7}`, `{"what": 1}`, `{"scale": "fast"}`, `{"freeze": "yes"}`, `{"advance": 1}`,
		`{"advance": "soon"}`, `{"advance": "-1h"}`, `{"scale": 1e9}`, `{"down": "yes"}`, `{"connected": "yes"}`, `{"connected": true}`, `{"connected": true, "user": "jane"}`, `{"name": "throttling", "rate": "fast"}`,
		`{"name": "throttling", "burst": 1.5}`, `{"name": "throttling", "seed": -1}`, `{"name": "stale-reads", "lag": "soon"}`,
		`{"name": "stuck-pending", "until": "soon"}`, `{"name": "stuck-pending", "user": 7}`, strings.Repeat(" ", 2<<20),
	}
	for _, endpoint := range endpoints {
		method, path, _ := strings.Cut(endpoint, " ")
		for _, body := range bodies {
			if endpoint == "POST /_carrel/faults" && body == "[]" {
				continue
			}
			status, text := ask(method, path, body)
			var said struct{ Message string }
			if err := json.Unmarshal([]byte(text), &said); err != nil || status < 400 || status >= 500 ||
				!strings.HasSuffix(said.Message, ".") || ofGo.MatchString(said.Message) {
				t.Errorf("%s with %.60q: %d %s", endpoint, body, status, text)
			}
		}
	}
}
