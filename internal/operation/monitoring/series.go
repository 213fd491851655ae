package monitoring

import (
	"context"
	"math"
	"time"

	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// series is one metric of one dimension over a window: what its samples would have been.
type series struct {
	window
	metric    workspaces.Metric
	dimension workspaces.Dimension

	all, ones cover                // of a metric of samples: all of them, and those that are 1
	summaries []workspaces.Summary // of any other, by period
}

func newSeries(m workspaces.Metric, d workspaces.Dimension, w window) *series {
	s := &series{window: w, metric: m, dimension: d}
	if n := w.periods(); m.Sampled() {
		s.all, s.ones = newCover(n), newCover(n)
	} else {
		s.summaries = make([]workspaces.Summary, n)
	}
	return s
}

// cover counts the samples of stays by period. The middle of a long stay is noted at its ends
// only, so that a stay costs the same however many periods it spans.
type cover struct {
	counts []int64 // in periods that a stay begins or ends in
	whole  []int64 // the change, from the period before, of how many stays span a period
}

func newCover(n int64) cover { return cover{make([]int64, n), make([]int64, n+1)} }

// add adds a stay, as far as it is within the window.
func (c cover) add(w window, since, until time.Time) {
	if since.Before(w.start) {
		since = w.start
	}
	if until.After(w.end) {
		until = w.end
	}
	if !since.Before(until) {
		return
	}
	i, j := int64(since.Sub(w.start)/w.period), int64((until.Sub(w.start)-1)/w.period)
	if i == j {
		c.counts[i] += samples(since, until)
		return
	}
	c.counts[i] += samples(since, w.at(i+1))
	c.whole[i+1]++
	c.whole[j]--
	c.counts[j] += samples(w.at(j), until)
}

// samples counts the times of samples from since on and before until.
func samples(since, until time.Time) int64 { return samplesBefore(until) - samplesBefore(since) }

func samplesBefore(t time.Time) int64 {
	step := workspaces.SampleEvery.Microseconds()
	return (t.UnixMicro() + step - 1) / step
}

// stay adds what a WorkSpace of the series has been.
func (s *series) stay(stay workspaces.Stay) {
	if stay.Sampled() {
		s.all.add(s.window, stay.Since, stay.Until)
	}
	if stay.Of() == s.metric {
		s.ones.add(s.window, stay.Since, stay.Until)
	}
}

// happened adds what has happened to a WorkSpace of the series.
func (s *series) happened(h workspaces.Happening) {
	if !h.At.Before(s.start) && h.At.Before(s.end) {
		s.summaries[h.At.Sub(s.start)/s.period].Add(h.Summary)
	}
}

// each calls f on every period that has samples, in the order of time.
func (s *series) each(f func(at time.Time, known workspaces.Summary)) {
	var all, ones int64
	for i := range s.periods() {
		var known workspaces.Summary
		if s.metric.Sampled() {
			all, ones = all+s.all.whole[i], ones+s.ones.whole[i]
			whole := samples(s.at(i), s.at(i+1))
			known = sampled(s.all.counts[i]+all*whole, s.ones.counts[i]+ones*whole)
		} else {
			known = s.summaries[i]
		}
		if known.N > 0 {
			f(s.at(i), known)
		}
	}
}

// sampled sums up samples of which some are 1 and the others 0.
func sampled(n, ones int64) workspaces.Summary {
	ones = min(n, ones)
	s := workspaces.Summary{N: n, Sum: float64(ones)}
	if ones > 0 {
		s.Max = 1
	}
	if ones == n {
		s.Min = 1
	}
	return s
}

// percentile returns a percentile of what was summed up; false where the sum does not tell.
// Samples of 0 and 1 tell all; of others it is the service's rule for sums: there has to be
// one value only.
func (s *series) percentile(known workspaces.Summary, percent float64) (float64, bool) {
	switch {
	case known.Min == known.Max:
		return known.Min, true
	case !s.metric.Sampled():
		return 0, false
	case math.Ceil(percent/100*float64(known.N)) > float64(known.N)-known.Sum:
		return 1, true
	default:
		return 0, true
	}
}

// fill has the store's past and present counted in all the series, in one reading.
func (s *Service) fill(ctx context.Context, all []*series) error {
	if len(all) == 0 {
		return nil
	}
	now := s.core.Clock.Now()
	filter := filterOf(ctx, all)
	by := make(map[workspaces.Dimension][]*series)
	for _, one := range all {
		by[one.dimension] = append(by[one.dimension], one)
	}
	if soon := now.Add(time.Microsecond); filter.To.After(soon) {
		filter.To = soon // a sample of now has been taken
	}
	return s.core.Store.View(func(tx *store.Tx) error {
		err := tx.Stays(ctx, filter, func(stay workspaces.Stay) {
			for _, d := range stay.Dimensions() {
				for _, one := range by[d] {
					if one.metric.Sampled() {
						one.stay(stay)
					}
				}
			}
		})
		if err != nil {
			return err
		}
		return tx.Happenings(ctx, filter, func(h workspaces.Happening) {
			for _, d := range h.Dimensions() {
				for _, one := range by[d] {
					if one.metric == h.Metric {
						one.happened(h)
					}
				}
			}
		})
	})
}

// filterOf is what has to be read for the series: where all are of WorkSpaces, or all of
// directories, only these.
func filterOf(ctx context.Context, all []*series) store.MetricFilter {
	f := store.MetricFilter{Scope: operation.Scope(ctx), From: all[0].start, To: all[0].end}
	for _, s := range all {
		if s.start.Before(f.From) {
			f.From = s.start
		}
		if s.end.After(f.To) {
			f.To = s.end
		}
		switch s.dimension.Name {
		case workspaces.DimensionWorkSpace:
			f.WorkSpaceIDs = append(f.WorkSpaceIDs, s.dimension.Value)
		case workspaces.DimensionDirectory:
			f.DirectoryIDs = append(f.DirectoryIDs, s.dimension.Value)
		}
	}
	if len(f.WorkSpaceIDs) < len(all) {
		f.WorkSpaceIDs = nil
	}
	if len(f.DirectoryIDs) < len(all) {
		f.DirectoryIDs = nil
	}
	return f
}
