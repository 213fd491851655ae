package monitoring

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/internal/workspaces"
)

// TestStatistics takes every statistic of the values 1 to 10, and of others.
func TestStatistics(t *testing.T) {
	t.Parallel()
	var ten, hundred, none known
	for v := range 10 {
		ten.add(float64(10-v), 1)
		hundred.add(float64(10-v), 100)
	}
	none.Add(workspaces.Summary{N: 3, Sum: 6, Min: 1, Max: 3}) // of which no value is known
	one := known{Summary: workspaces.Summary{N: 3, Sum: 6, Min: 2, Max: 2}}
	unknown := math.NaN()
	for name, want := range map[string][4]float64{
		"SampleCount": {10, 1000, 3, 3}, "Sum": {55, 5500, 6, 6}, "Average": {5.5, 5.5, 2, 2}, "Minimum": {1, 1, 1, 2}, "Maximum": {10, 10, 3, 2},
		"p0": {1, 1, unknown, 2}, "p50": {5, 5, unknown, 2}, "p99.9": {10, 10, unknown, 2}, "p90": {9, 9, unknown, 2}, "p100": {10, 10, unknown, 2}, "p10.0": {1, 1, unknown, 2},
		"tm90": {5, 5, unknown, 2}, "TM(10%:90%)": {5.5, 5.5, unknown, 2}, "TM(2:5)": {4, 4, unknown, unknown}, "TM(:95%)": {5.5, 5000. / 950, unknown, 2}, "IQM": {5.5, 5.5, unknown, 2},
		"TM(3:)":      {7, 7, unknown, unknown},
		"wm90":        {5.4, 5.4, unknown, 2},
		"WM(10%:90%)": {5.5, 5.5, unknown, 2},
		"WM(2.5:8)":   {(2.5*2 + 3 + 4 + 5 + 6 + 7 + 8*3) / 10, 5.4, unknown, 2.5},
		"PR(:3)":      {30, 30, unknown, 100}, "PR(3:5)": {20, 20, unknown, 0}, "PR(7:)": {30, 30, unknown, 0},
		"tc90": {9, 900, unknown, 3}, "TC(2:4)": {2, 200, unknown, 0}, "ts90": {45, 4500, unknown, 6}, "TS(80%:)": {19, 1900, unknown, 2},
	} {
		s, is := statisticOf(name)
		if !is {
			t.Errorf("%s is no statistic", name)
			continue
		}
		for i, k := range []known{ten, hundred, none, one} {
			k.values = slices.Clone(k.values)
			got, tells := s.of(k)
			if tells == math.IsNaN(want[i]) || tells && math.Abs(got-want[i]) > 1e-9 {
				t.Errorf("%s of %v: %v %v, want %v", name, k, got, tells, want[i])
			}
		}
	}
	for _, name := range []string{
		"", "p", "p101", "p-1", "P50", "p1e1", "pNaN", "TM90", "tm(1:2)", "TM(1)", "TM(:)", "TM(5:1)", "TM(5%:1)", "TM(5%:101%)", "PR(1%:2%)", "XX(1:2)", "sum",
		"p50.12345678901", "TM(1:2", "PR(:1)x", "p50\n",
	} {
		if _, is := statisticOf(name); is {
			t.Errorf("%q is a statistic", name)
		}
	}
}

// FuzzStatistic: no name panics, nor does what it names of any values.
func FuzzStatistic(f *testing.F) {
	for _, name := range []string{"p99.9", "tm90", "TM(2%:98%)", "WM(150:1000)", "PR(:300)", "tc0", "TS(10%:)", "IQM", "wm100"} {
		f.Add(name, 12.5, int64(3))
	}
	f.Fuzz(func(t *testing.T, name string, value float64, n int64) {
		s, is := statisticOf(name)
		if !is {
			return
		}
		var k known
		k.add(value, n&0xffff+1)
		k.add(1, 1)
		if v, tells := s.of(k); tells && math.IsNaN(v) && !math.IsNaN(value) && !math.IsInf(value*float64(n), 0) && math.Abs(value) < 1e300 {
			t.Errorf("%s of %v is no number", name, k)
		}
	})
}

// TestLevelsAgreeWithSampling lets a pool and its desktops be there for some time, and has a sampler look every minute.
func TestLevelsAgreeWithSampling(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string) time.Time {
			return began.Add(time.Duration(rapid.IntRange(0, 1800).Draw(t, label)) * time.Second)
		}
		w := window{start: at("start"), end: at("end"), period: time.Duration(rapid.SampledFrom([]int{1, 30, 60, 300, 420, 3600}).Draw(t, "period")) * time.Second}
		m := rapid.SampledFrom([]workspaces.Metric{workspaces.MetricPoolDesired, workspaces.MetricPoolUtilization, workspaces.MetricPoolPending}).Draw(t, "metric")
		s := newSeries(m, workspaces.Dimension{}, w, false)
		stays := []workspaces.PoolStay{{Since: at("created"), Until: at("deleted")}}
		for i := range rapid.IntRange(0, 6).Draw(t, "desktops") {
			stays = append(stays, workspaces.PoolStay{
				DesktopID: fmt.Sprint(i), Since: at("since"), Until: at("until"),
				State: rapid.SampledFrom([]workspaces.PoolDesktopState{workspaces.PoolDesktopMaking, workspaces.PoolDesktopReady, workspaces.PoolDesktopInUse}).Draw(t, "state"),
			})
		}
		for _, stay := range stays {
			s.levels.add(w, stay)
		}
		want := make(map[time.Time]workspaces.Summary)
		for tick := began; tick.Before(w.end); tick = tick.Add(time.Minute) {
			var c workspaces.PoolCapacity
			there := false
			for _, stay := range stays {
				switch in := !tick.Before(stay.Since) && tick.Before(stay.Until); {
				case in && stay.DesktopID == "":
					there = true
				case in:
					c.Add(stay.State, 1)
				}
			}
			if v := c.Of(m); there && !tick.Before(w.start) {
				period := w.start.Add(tick.Sub(w.start).Truncate(w.period))
				sum := want[period]
				sum.Add(workspaces.Summary{N: 1, Sum: v, Min: v, Max: v})
				want[period] = sum
			}
		}
		s.each(func(at time.Time, k known) {
			if got := k.Summary; got.N != want[at].N || got.Min != want[at].Min || got.Max != want[at].Max || math.Abs(got.Sum-want[at].Sum) > 1e-6 {
				t.Errorf("at %v: %+v, sampled %+v", at.Sub(began), k, want[at])
			}
			delete(want, at)
		})
		if len(want) > 0 {
			t.Errorf("not found: %+v", want)
		}
	})
}
