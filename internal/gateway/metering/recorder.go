// Package metering writes what happens to users' connections into the store, where metrics are
// made of it. It imports what package stream tells, the domain and the store.
package metering

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"carrel/internal/gateway"
	"carrel/internal/gateway/stream"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// latencyPause is how long round trips are collected before they are written, in real time.
// Every stream has one every few seconds, and each write has the streams looked at.
const latencyPause = 15 * time.Second

// Recorder collects what happens and writes it. Methods may be called from any goroutine.
type Recorder struct {
	Store *store.Store
	Log   *slog.Logger
	// Note writes down what happens beside.
	Note store.Note

	mu      sync.Mutex
	pending map[key]collected
	urgent  chan struct{} // holds one when something waits that is to be written at once
}

// key is what happenings are summed up by.
type key struct {
	gateway.Desktop
	metric workspaces.Metric
	at     time.Time
}

// collected is what has happened of a key.
type collected struct {
	workspaces.Summary
	measured workspaces.Measured
}

func (c *collected) add(o collected) {
	c.Add(o.Summary)
	c.measured += o.measured
}

// New makes a Recorder. What it is told is written while Run runs.
func New(s *store.Store, log *slog.Logger) *Recorder {
	return &Recorder{Store: s, Log: log, Note: store.Unnoted, pending: make(map[key]collected), urgent: make(chan struct{}, 1)}
}

// Observe takes an event. It does not wait.
func (r *Recorder) Observe(e stream.Event) {
	metric, value := measured(e)
	one := collected{Summary: workspaces.Summary{N: 1, Sum: value, Min: value, Max: value}}
	if metric.Measured() {
		one.measured = workspaces.Measure(value)
	}
	r.mu.Lock()
	k := key{e.Desktop, metric, workspaces.SampledAt(e.At)}
	sum := r.pending[k]
	sum.add(one)
	r.pending[k] = sum
	r.mu.Unlock()
	if metric == workspaces.MetricLatency {
		return
	}
	select {
	case r.urgent <- struct{}{}:
	default: // it is about to be written
	}
}

// measured is the metric of an event and its value.
func measured(e stream.Event) (workspaces.Metric, float64) {
	switch e.Kind {
	case stream.Attempted:
		return workspaces.MetricAttempt, 1
	case stream.Succeeded:
		return workspaces.MetricSuccess, 1
	case stream.Failed:
		return workspaces.MetricFailure, 1
	case stream.Launched:
		return workspaces.MetricLaunch, e.Took.Seconds()
	case stream.Answered:
		return workspaces.MetricLatency, float64(e.Took.Microseconds()) / 1000
	case stream.Disconnected:
	}
	return workspaces.MetricDisconnect, 1
}

// Run writes what happens until the context ends, and then what is left.
func (r *Recorder) Run(ctx context.Context) {
	for r.rest(ctx) {
		if err := r.write(ctx); err != nil && ctx.Err() == nil { // the next time it may
			r.Log.WarnContext(ctx, "what happened to connections could not be noted yet", "error", err)
		}
	}
	if err := r.write(context.WithoutCancel(ctx)); err != nil {
		r.Log.WarnContext(ctx, "what happened to connections could not be noted", "error", err)
	}
}

// rest returns when it is time to write; false: it is over.
func (r *Recorder) rest(ctx context.Context) bool {
	timer := time.NewTimer(latencyPause) //nolint:forbidigo // how soon is written is no affair of the service's time
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-r.urgent:
	case <-timer.C:
	}
	return true
}

// write writes what has been collected. What could not be written is collected on.
func (r *Recorder) write(ctx context.Context) error {
	r.mu.Lock()
	taken := r.pending
	r.pending = make(map[key]collected)
	r.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	act := &store.Act{Kind: store.ActHappen}
	err := r.Note(ctx, act, func(ctx context.Context) error { return r.keep(ctx, taken, act) })
	if err == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, sum := range taken {
		sum.add(r.pending[k])
		r.pending[k] = sum
	}
	return err
}

// keep writes what has been collected into the store, and what that was into the act.
func (r *Recorder) keep(ctx context.Context, taken map[key]collected, act *store.Act) error {
	return r.Store.Update(ctx, func(tx *store.Tx) error {
		act.Happenings = nil // the transaction may run again
		for k, sum := range taken {
			w, found, err := tx.WorkSpace(ctx, k.Scope, k.ID)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			happening := workspaces.Happening{Traits: w.Traits(), Metric: k.metric, At: k.at, Summary: sum.Summary, Measured: sum.measured}
			if err := tx.Happened(ctx, happening); err != nil {
				return err
			}
			act.Happenings = append(act.Happenings, happening)
		}
		return nil
	})
}
