package side

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestStaysWhileSomebodyIsThere has two callers come and go, one long after the other.
func TestStaysWhileSomebodyIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := false
		a := &attendance{idle: time.Minute, leave: func() { left = true }}
		a.begin()
		for _, step := range []struct {
			state http.ConnState
			left  bool // an hour after it
		}{
			{http.StateNew, false}, {http.StateActive, false}, {http.StateNew, false}, {http.StateClosed, false}, {http.StateClosed, true},
		} {
			a.note(nil, step.state)
			time.Sleep(time.Hour)
			synctest.Wait()
			if left != step.left {
				t.Fatalf("an hour after %v: left is %v", step.state, left)
			}
		}
	})
}
