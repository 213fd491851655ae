package sidechannel_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carrel/internal/sidechannel"
)

// TestHandlerChecksNames asks for what the client does not. There are no files behind it that could be reached.
func TestHandlerChecksNames(t *testing.T) {
	t.Parallel()
	handler := sidechannel.Handler(nil, nil, nil)
	for target, want := range map[string]int{
		"/files/Desktop/a%2Fb": http.StatusBadRequest, "/files/Desktop/%00": http.StatusBadRequest, "/files/Desktop/%ff": http.StatusBadRequest,
		"/files/Desktop/..%2F..%2Fetc": http.StatusBadRequest, "/files/Desktop/" + strings.Repeat("x", 256): http.StatusBadRequest,
		"/files/etc/passwd": http.StatusNotFound, "/files/.ssh/id": http.StatusNotFound, "/files/Desktop/a/b": http.StatusNotFound,
		"/files/Desktop/": http.StatusNotFound, "/": http.StatusNotFound,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			reply := httptest.NewRecorder()
			handler.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody))
			if reply.Code != want {
				t.Errorf("%s %s: status %d, want %d", method, target, reply.Code, want)
			}
		}
	}
}
