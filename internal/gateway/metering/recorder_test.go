package metering_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"carrel/internal/gateway"
	"carrel/internal/gateway/metering"
	"carrel/internal/gateway/stream"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

var here = workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}

// noon is a time of a sample.
func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{Scope: here, ID: "ws-1", DirectoryID: "d-1", UserName: "jane"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// measured returns the values that the store knows of a metric.
func measured(t *testing.T, s *store.Store, metric workspaces.Metric) (values []float64) {
	t.Helper()
	err := s.View(func(tx *store.Tx) error {
		return tx.Happenings(t.Context(), store.MetricFilter{Scope: here, To: noon().Add(time.Hour)}, func(h workspaces.Happening) {
			if h.Metric == metric {
				values = slices.AppendSeq(values, h.Measured.Values())
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// happened returns what the store knows, by metric and time.
func happened(t *testing.T, s *store.Store) map[workspaces.Metric]map[time.Time]workspaces.Summary {
	t.Helper()
	all := make(map[workspaces.Metric]map[time.Time]workspaces.Summary)
	err := s.View(func(tx *store.Tx) error {
		return tx.Happenings(t.Context(), store.MetricFilter{Scope: here, To: noon().Add(time.Hour)}, func(h workspaces.Happening) {
			if h.UserName != "jane" || h.DirectoryID != "d-1" {
				t.Errorf("%+v", h)
			}
			if all[h.Metric] == nil {
				all[h.Metric] = make(map[time.Time]workspaces.Summary)
			}
			all[h.Metric][h.At] = h.Summary
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func event(kind stream.EventKind, id string, at, took time.Duration) stream.Event {
	return stream.Event{Kind: kind, Desktop: gateway.Desktop{Scope: here, ID: id}, At: noon().Add(at), Took: took}
}

// TestRecorder: each event becomes a value of its metric, summed up by five minutes; those of WorkSpaces that are gone
// are left out, and at the end nothing is lost.
func TestRecorder(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := metering.New(s, slog.New(slog.DiscardHandler))
	for _, e := range []stream.Event{
		event(stream.Attempted, "ws-1", 0, 0), event(stream.Attempted, "ws-1", time.Minute, 0), event(stream.Attempted, "ws-1", 5*time.Minute, 0),
		event(stream.Attempted, "ws-gone", 0, 0), event(stream.Failed, "ws-1", 0, 0), event(stream.Succeeded, "ws-1", time.Minute, 0),
		event(stream.Launched, "ws-1", time.Minute, 1500*time.Millisecond), event(stream.Answered, "ws-1", time.Minute, 20*time.Millisecond),
		event(stream.Answered, "ws-1", 2*time.Minute, 2500*time.Microsecond), event(stream.Disconnected, "ws-1", 4*time.Minute, 3*time.Minute),
	} {
		r.Observe(e)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	r.Run(ended)
	got := happened(t, s)
	one := workspaces.Summary{N: 1, Sum: 1, Min: 1, Max: 1}
	for metric, want := range map[workspaces.Metric]workspaces.Summary{
		workspaces.MetricAttempt: {N: 2, Sum: 2, Min: 1, Max: 1}, workspaces.MetricFailure: one, workspaces.MetricSuccess: one, workspaces.MetricDisconnect: one,
		workspaces.MetricLaunch: {N: 1, Sum: 1.5, Min: 1.5, Max: 1.5}, workspaces.MetricLatency: {N: 2, Sum: 22.5, Min: 2.5, Max: 20},
	} {
		if got[metric][noon()] != want {
			t.Errorf("%s: %+v, want %+v", metric, got[metric][noon()], want)
		}
	}
	if got[workspaces.MetricAttempt][noon().Add(5*time.Minute)] != one {
		t.Errorf("%+v", got)
	}
	// What comes later is added.
	r.Observe(event(stream.Answered, "ws-1", 3*time.Minute, time.Millisecond))
	r.Run(ended)
	if got := happened(t, s)[workspaces.MetricLatency][noon()]; got != (workspaces.Summary{N: 3, Sum: 23.5, Min: 1, Max: 20}) {
		t.Errorf("%+v", got)
	}
	if got := measured(t, s, workspaces.MetricLatency); !slices.Equal(got, []float64{20, 2.5, 1}) {
		t.Errorf("latencies of %v", got)
	}
	if got := measured(t, s, workspaces.MetricAttempt); len(got) > 0 {
		t.Errorf("attempts of %v", got)
	}
}

// TestAtOnce: that a user connects is to be seen at once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := metering.New(s, slog.New(slog.DiscardHandler))
	go r.Run(t.Context())
	changed := s.Changed()
	r.Observe(event(stream.Attempted, "ws-1", 0, 0))
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was written")
	}
	if len(happened(t, s)) != 1 {
		t.Error("it was not the event")
	}
}

// TestNotWritten: what could not be written is said, and kept for the next time.
func TestNotWritten(t *testing.T) {
	t.Parallel()
	s := open(t)
	var log bytes.Buffer
	r := metering.New(s, slog.New(slog.NewTextHandler(&log, nil)))
	r.Observe(event(stream.Attempted, "ws-1", 0, 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	r.Run(ended)
	if !bytes.Contains(log.Bytes(), []byte("could not be noted")) {
		t.Errorf("%s", log.String())
	}
	r.Store = open(t)
	r.Run(ended)
	if got := happened(t, r.Store); got[workspaces.MetricAttempt][noon()].N != 1 {
		t.Errorf("%+v", got)
	}
}
