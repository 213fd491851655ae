package monitoring

import (
	"context"
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
	detailed  bool // single values are asked for

	all, ones cover   // of a metric of WorkSpaces' states: all samples, and those that are 1
	levels    levels  // of one of pools' capacity
	happened  []known // of any other, by period
}

// newSeries returns a series that has nothing yet; detailed says that its statistics are of single values.
func newSeries(m workspaces.Metric, d workspaces.Dimension, w window, detailed bool) *series {
	s := &series{window: w, metric: m, dimension: d, detailed: detailed}
	switch n := w.periods(); {
	case m.Sampled():
		s.all, s.ones = newCover(n), newCover(n)
	case m.OfPools() && m != workspaces.MetricPoolRefused:
		s.levels = make(levels)
	default:
		s.happened = make([]known, n)
	}
	return s
}

// exists reports whether there can be a metric of the name that has the dimension.
func exists(m workspaces.Metric, d workspaces.Dimension) bool {
	return m.OfPools() == (d.Name == workspaces.DimensionPool)
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

// happen adds what has happened to a WorkSpace, or a pool, of the series.
func (s *series) happen(at time.Time, sum workspaces.Summary, values workspaces.Measured) {
	if at.Before(s.start) || !at.Before(s.end) {
		return
	}
	k := &s.happened[at.Sub(s.start)/s.period]
	k.Add(sum)
	if !s.detailed {
		return
	}
	for v := range values.Values() {
		k.values = append(k.values, weight{v, 1})
	}
}

// each calls f on every period that has samples, in the order of time.
func (s *series) each(f func(at time.Time, k known)) {
	known := func(i int64, k known) {
		if k.N > 0 {
			f(s.at(i), k)
		}
	}
	switch {
	case s.levels != nil:
		s.levels.each(s.window, s.metric, known)
	case s.metric.Sampled():
		var all, ones int64
		for i := range s.periods() {
			all, ones = all+s.all.whole[i], ones+s.ones.whole[i]
			whole := samples(s.at(i), s.at(i+1))
			known(i, sampled(s.all.counts[i]+all*whole, s.ones.counts[i]+ones*whole))
		}
	default:
		for i, k := range s.happened {
			known(int64(i), k)
		}
	}
}

// fill has the store's past and present counted in all the series, in one reading.
func (s *Service) fill(ctx context.Context, all []*series) error {
	var desks, pools []*series
	for _, one := range all {
		if one.metric.OfPools() {
			pools = append(pools, one)
		} else {
			desks = append(desks, one)
		}
	}
	return s.core.Store.View(func(tx *store.Tx) error {
		if err := s.fillDesks(ctx, tx, desks); err != nil {
			return err
		}
		return s.fillPools(ctx, tx, pools)
	})
}

// fillDesks fills series of WorkSpaces.
func (s *Service) fillDesks(ctx context.Context, tx *store.Tx, all []*series) error {
	if len(all) == 0 {
		return nil
	}
	by := byDimension(all)
	filter := store.MetricFilter{
		Scope: operation.Scope(ctx), WorkSpaceIDs: only(all, workspaces.DimensionWorkSpace), DirectoryIDs: only(all, workspaces.DimensionDirectory),
	}
	filter.From, filter.To = s.reading(all)
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
					one.happen(h.At, h.Summary, h.Measured)
				}
			}
		}
	})
}

// fillPools fills series of pools.
func (s *Service) fillPools(ctx context.Context, tx *store.Tx, all []*series) error {
	if len(all) == 0 {
		return nil
	}
	by := byDimension(all)
	filter := store.PoolMetricFilter{Scope: operation.Scope(ctx), PoolIDs: only(all, workspaces.DimensionPool)}
	filter.From, filter.To = s.reading(all)
	err := tx.PoolStays(ctx, filter, func(stay workspaces.PoolStay) {
		for _, one := range by[workspaces.Dimension{Name: workspaces.DimensionPool, Value: stay.PoolID}] {
			if one.levels != nil {
				one.levels.add(one.window, stay)
			}
		}
	})
	if err != nil {
		return err
	}
	return tx.PoolRefusals(ctx, filter, func(r workspaces.PoolRefusals) {
		for _, one := range by[workspaces.Dimension{Name: workspaces.DimensionPool, Value: r.PoolID}] {
			if one.metric == workspaces.MetricPoolRefused {
				one.happen(r.At, workspaces.Summary{N: r.N, Sum: float64(r.N), Min: 1, Max: 1}, "")
			}
		}
	})
}

func byDimension(all []*series) map[workspaces.Dimension][]*series {
	by := make(map[workspaces.Dimension][]*series)
	for _, one := range all {
		by[one.dimension] = append(by[one.dimension], one)
	}
	return by
}

// reading is the time that has to be read for the series, up to now: a sample of now has been taken.
func (s *Service) reading(all []*series) (from, to time.Time) {
	from, to = all[0].start, all[0].end
	for _, one := range all {
		if one.start.Before(from) {
			from = one.start
		}
		if one.end.After(to) {
			to = one.end
		}
	}
	if soon := s.core.Clock.Now().Add(time.Microsecond); to.After(soon) {
		to = soon
	}
	return from, to
}

// only returns the values of a dimension where it is that of all series, so that no more has to be read.
func only(all []*series, dimension string) (values []string) {
	for _, one := range all {
		if one.dimension.Name != dimension {
			return nil
		}
		values = append(values, one.dimension.Value)
	}
	return values
}
