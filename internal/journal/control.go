package journal

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// mostControl is more than any control endpoint takes in a body.
const mostControl = 1 << 20

// Control writes down what test suites do through the control endpoints: the clock, the reset, faults,
// regions that are down.
func (j *Journal) Control(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isControl(r) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, mostControl))
		if err != nil || len(body) == mostControl {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"The request was cut off, or holds more than any endpoint takes."}`+"\n") // the client has gone
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		j.mu.Lock()
		defer j.mu.Unlock()
		ctx, seed := j.chance(r.Context(), func() Record {
			return Record{Control: r.Method + " " + r.URL.Path, Input: body}
		})
		r = r.WithContext(ctx)
		j.settle(ctx)
		was, replayed := ctx.Value(replayedKey{}).(Record)
		said := &status{ResponseWriter: w, code: http.StatusOK}
		if !replayed || r.URL.Path != clockPath { // the times of a journal's lines hold all moves of the clock
			next.ServeHTTP(said, r)
		}
		refused := said.code == http.StatusConflict && isVisit(r) // which metrics may count
		if said.code >= http.StatusMultipleChoices && !refused {
			return
		}
		scale := j.clock.Scale()
		line := Record{Scale: &scale, Control: r.Method + " " + r.URL.Path}
		if isVisit(r) {
			line.Seed = seed
		}
		if refused {
			line.Error = &Failure{Name: http.StatusText(said.code)}
		}
		if replayed {
			j.clock.FreezeAt(was.At.Truncate(time.Microsecond))
			line.Scale = was.Scale
		}
		line.At = j.clock.Now()
		if json.Valid(body) { // else the endpoint has not looked at it
			line.Input = bytes.TrimSpace(body)
		}
		if j.file != nil {
			j.note(r.Context(), line)
		}
	})
}

const clockPath = "/_carrel/clock"

// replayedKey finds the line that a control request repeats in its context.
type replayedKey struct{}

// isVisit tells whether a request says who is connected.
func isVisit(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/_carrel/connections/")
}

// isControl tells whether a request is one that changes what comes after it.
func isControl(r *http.Request) bool {
	if r.Method == http.MethodPut {
		return isVisit(r) || strings.HasPrefix(r.URL.Path, "/_carrel/regions/")
	}
	if r.Method != http.MethodPost && r.Method != http.MethodDelete {
		return false
	}
	for _, path := range []string{clockPath, "/_carrel/reset", "/_carrel/faults", "/moto-api/reset"} {
		if r.URL.Path == path || path == "/_carrel/faults" && len(r.URL.Path) > len(path) && r.URL.Path[:len(path)+1] == path+"/" {
			return true
		}
	}
	return false
}

// status notes what was answered.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements [http.ResponseWriter].
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
