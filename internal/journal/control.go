package journal

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// mostControl is the most that the body of a request to a control endpoint may hold to be written down.
const mostControl = 1 << 20

// Control writes down what test suites do through the control endpoints: the clock, the reset, faults,
// regions that are down.
func (j *Journal) Control(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isControl(r) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostControl))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		j.mu.Lock()
		defer j.mu.Unlock()
		was, replayed := r.Context().Value(replayedKey{}).(Record)
		said := &status{ResponseWriter: w, code: http.StatusOK}
		if !replayed || r.URL.Path != clockPath { // the times of a journal's lines hold all moves of the clock
			next.ServeHTTP(said, r)
		}
		if said.code >= http.StatusMultipleChoices {
			return
		}
		scale := j.clock.Scale()
		line := Record{Scale: &scale, Control: r.Method + " " + r.URL.Path}
		if replayed {
			j.clock.FreezeAt(was.At.Truncate(time.Microsecond))
			line.Scale = was.Scale
		}
		line.At = j.clock.Now()
		if body = bytes.TrimSpace(body); len(body) > 0 {
			line.Input = body
		}
		if j.file != nil {
			j.note(r.Context(), line)
		}
	})
}

const clockPath = "/_carrel/clock"

// replayedKey finds the line that a control request repeats in its context.
type replayedKey struct{}

// isControl tells whether a request is one that changes what comes after it.
func isControl(r *http.Request) bool {
	if r.Method == http.MethodPut {
		return strings.HasPrefix(r.URL.Path, "/_carrel/regions/")
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
