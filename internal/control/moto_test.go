package control_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"carrel/internal/control"
	"carrel/internal/moto"
)

// TestMotosWaysBeginAndEnd resets by either path, and reads in the log what that changed.
func TestMotosWaysBeginAndEnd(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var fails error
	ways := new(moto.Ways)
	ask := asking(t, func(c *control.Control) {
		c.Ways, c.Log = ways, slog.New(slog.NewTextHandler(&log, nil))
		c.Reset = func(context.Context) error { return fails }
	})
	for _, c := range []struct {
		path   string
		kept   bool
		says   string
		broken bool
	}{
		{"/_carrel/reset", false, "", false},
		{control.MotoReset, false, "a control request failed", true}, // what is not reset is not begun
		{control.MotoReset, true, "a reset by /_carrel/reset ends that", false},
		{control.MotoReset, true, "", false}, // which is said once
		{"/_carrel/reset", false, "no longer", false},
		{"/_carrel/reset", false, "", false},
		{control.MotoReset, true, "from now on", false},
	} {
		log.Reset()
		fails = nil
		if c.broken {
			fails = errors.New("broken")
		}
		ask("POST", c.path, "")
		if ways.Follow(moto.Words) != c.kept || !strings.Contains(log.String(), c.says) || c.says == "" && log.Len() > 0 {
			t.Errorf("%+v: %v, %q", c, !c.kept, log.String())
		}
	}
	plain := asking(t, func(*control.Control) {}) // without --ci
	if status, _ := plain("POST", control.MotoReset, ""); status != 200 {
		t.Errorf("got %d", status)
	}
}
