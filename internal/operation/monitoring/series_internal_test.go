package monitoring

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/workspaces"
)

// TestSeriesAgreeWithSampling lays stays over periods, and has a sampler look every five minutes: both find the same.
func TestSeriesAgreeWithSampling(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string) time.Time {
			return began.Add(time.Duration(rapid.IntRange(0, 3*3600).Draw(t, label)) * time.Second)
		}
		w := window{start: at("start"), end: at("end"), period: time.Duration(rapid.SampledFrom([]int{1, 60, 300, 420, 600, 3600, 86400}).Draw(t, "period")) * time.Second}
		s := newSeries(workspaces.MetricStopped, workspaces.Dimension{}, w, false)
		stays := make([]workspaces.Stay, rapid.IntRange(0, 6).Draw(t, "stays"))
		for i := range stays {
			stays[i] = workspaces.Stay{
				State:     rapid.SampledFrom([]workspaces.State{workspaces.Stopped, workspaces.Available, workspaces.Pending}).Draw(t, "state"),
				Connected: rapid.Bool().Draw(t, "connected"), Since: at("since"), Until: at("until"),
			}
			s.stay(stays[i])
		}
		want := make(map[time.Time]workspaces.Summary)
		for tick := began; tick.Before(w.end); tick = tick.Add(workspaces.SampleEvery) {
			for _, stay := range stays {
				if tick.Before(w.start) || tick.Before(stay.Since) || !tick.Before(stay.Until) || !stay.Sampled() {
					continue
				}
				sample := workspaces.Summary{N: 1}
				if stay.State == workspaces.Stopped {
					sample = workspaces.Summary{N: 1, Sum: 1, Min: 1, Max: 1}
				}
				period := w.start.Add(tick.Sub(w.start).Truncate(w.period))
				sum := want[period]
				sum.Add(sample)
				want[period] = sum
			}
		}
		s.each(func(at time.Time, k known) {
			if want[at] != k.Summary || k.values.count() != k.N {
				t.Errorf("at %v: %+v, sampled %+v", at.Sub(began), k, want[at])
			}
			delete(want, at)
		})
		if len(want) > 0 {
			t.Errorf("not found: %+v", want)
		}
	})
}
