package monitoring

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"carrel/internal/api/monitoring"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	// maxListed is the size of a page. Source: ListMetrics.
	maxListed = 500
	// listed is how long a metric is listed after its last data. Source: ListMetrics.
	listed = 14 * day
	// recently is listed for RecentlyActive, PT3H.
	recently = 3 * time.Hour
)

// ListMetrics lists the metrics that have had data, by their dimensions and names.
func (s *Service) ListMetrics(ctx context.Context, in *monitoring.ListMetricsInput) (*monitoring.ListMetricsOutput, error) {
	if in.Namespace != nil {
		if ours, err := s.ours(*in.Namespace); !ours {
			return &monitoring.ListMetricsOutput{Metrics: []monitoring.Metric{}}, err
		}
	}
	about := aboutList(ctx, in)
	token := unlessEmpty(in.NextToken)
	after, err := cursor.Key(token, about...)
	if err != nil {
		return nil, err
	}
	since := listed
	if in.RecentlyActive != nil {
		since = recently
	}
	of := listOf{operation.Scope(ctx), since}
	found, err := s.list(ctx, of, token != nil)
	if err != nil {
		return nil, err
	}
	out := &monitoring.ListMetricsOutput{Metrics: []monitoring.Metric{}}
	if value(in.OwningAccount) != "" && *in.OwningAccount != operation.Scope(ctx).Account {
		return out, nil
	}
	for e := range found.after(after) {
		if !wanted(in, e) {
			continue
		}
		if len(out.Metrics) == maxListed {
			out.NextToken = cursor.Token(after, about...)
			break
		}
		out.Metrics = append(out.Metrics, monitoring.Metric{
			Namespace: new(workspaces.MetricsNamespace), MetricName: new(string(e.metric)),
			Dimensions: []monitoring.Dimension{{Name: &e.Name, Value: &e.Value}},
		})
		after = e.key()
	}
	return out, nil
}

// aboutList is what a list is of, for its tokens.
func aboutList(ctx context.Context, in *monitoring.ListMetricsInput) []string {
	of := []string{monitoring.ListMetrics.Name, value(in.MetricName), value(in.RecentlyActive)}
	for _, d := range in.Dimensions {
		of = append(of, *d.Name, value(d.Value))
	}
	return about(ctx, of...)
}

// wanted reports whether an entry is among what was asked for. A metric has one dimension, so
// that two different filters have nothing.
func wanted(in *monitoring.ListMetricsInput, e entry) bool {
	if in.MetricName != nil && *in.MetricName != string(e.metric) {
		return false
	}
	return !slices.ContainsFunc(in.Dimensions, func(f monitoring.DimensionFilter) bool {
		return *f.Name != e.Name || f.Value != nil && *f.Value != e.Value
	})
}

// entry is a metric in the list.
type entry struct {
	workspaces.Dimension
	metric workspaces.Metric
}

// key orders the list: separators sort before all that names hold.
func (e entry) key() string { return strings.Join([]string{e.Name, e.Value, string(e.metric)}, "\x01") }

// inventory is the metrics of a scope: its dimensions in order, each with its metrics, a bit
// for each of all.
type inventory []listedDimension

type listedDimension struct {
	workspaces.Dimension
	metrics bits
}

// bits are metrics.
type bits uint32

// all are the metrics of WorkSpaces and those of pools, each in the order of their names.
func all() []workspaces.Metric { return append(workspaces.Metrics(), workspaces.PoolMetrics()...) }

// bitOf is the bit of a metric.
func bitOf(m workspaces.Metric) bits { return 1 << slices.Index(all(), m) }

// bitsOf are the bits of those metrics that are wanted.
func bitsOf(wanted func(workspaces.Metric) bool) (of bits) {
	for _, m := range all() {
		if wanted(m) {
			of |= bitOf(m)
		}
	}
	return of
}

// after returns the entries behind one with the key, in order; all behind "".
func (v inventory) after(key string) iter.Seq[entry] {
	name, rest, _ := strings.Cut(key, "\x01")
	value, metric, _ := strings.Cut(rest, "\x01")
	last := workspaces.Dimension{Name: name, Value: value}
	from, _ := slices.BinarySearchFunc(v, last, func(of listedDimension, d workspaces.Dimension) int {
		return workspaces.CompareDimensions(of.Dimension, d)
	})
	return func(yield func(entry) bool) {
		for _, of := range v[from:] {
			for i, m := range all() {
				behind := of.Dimension != last || string(m) > metric
				if of.metrics&(1<<i) != 0 && behind && !yield(entry{of.Dimension, m}) {
					return
				}
			}
		}
	}
}

// inventories keeps what was listed last, for the pages that follow: making it reads all
// WorkSpaces of the scope.
type inventories = lru.Cache[listOf, inventory]

// listOf is what an inventory is of.
type listOf struct {
	workspaces.Scope
	since time.Duration
}

// keptLists is how many lists are kept.
const keptLists = 8

// list returns the inventory; a later page may be of the list as it was.
func (s *Service) list(ctx context.Context, of listOf, later bool) (inventory, error) { //nolint:revive // a fact
	if kept, is := s.inventory.Get(of); is && later {
		return kept, nil
	}
	return s.take(ctx, of)
}

// take takes the inventory: the metrics with data within the list's time.
func (s *Service) take(ctx context.Context, of listOf) (inventory, error) {
	now := s.core.Clock.Now()
	found := make(map[workspaces.Dimension]bits)
	err := s.core.Store.View(func(tx *store.Tx) error {
		if err := takeDesks(ctx, tx, store.MetricFilter{Scope: of.Scope, From: now.Add(-of.since), To: now.Add(time.Microsecond)}, found); err != nil {
			return err
		}
		return takePools(ctx, tx, store.PoolMetricFilter{Scope: of.Scope, From: now.Add(-of.since), To: now.Add(time.Microsecond)}, found)
	})
	if err != nil {
		return nil, err
	}
	list := make(inventory, 0, len(found))
	for d, metrics := range found {
		if d.Value != "" { // else it has no such trait
			list = append(list, listedDimension{d, metrics})
		}
	}
	slices.SortFunc(list, func(a, b listedDimension) int { return workspaces.CompareDimensions(a.Dimension, b.Dimension) })
	s.inventory.Add(of, list)
	return list, nil
}

// takeDesks finds the metrics of WorkSpaces.
func takeDesks(ctx context.Context, tx *store.Tx, filter store.MetricFilter, found map[workspaces.Dimension]bits) error {
	states := bitsOf(workspaces.Metric.Sampled)
	err := tx.Stays(ctx, filter, func(stay workspaces.Stay) {
		if !stay.Sampled() || samples(latest(stay.Since, filter.From), stay.Until) == 0 {
			return
		}
		for _, d := range stay.Dimensions() {
			found[d] |= states
		}
	})
	if err != nil {
		return err
	}
	return tx.Happenings(ctx, filter, func(h workspaces.Happening) {
		for _, d := range h.Dimensions() {
			found[d] |= bitOf(h.Metric)
		}
	})
}

// takePools finds the metrics of pools.
func takePools(ctx context.Context, tx *store.Tx, filter store.PoolMetricFilter, found map[workspaces.Dimension]bits) error {
	refused := bitOf(workspaces.MetricPoolRefused)
	capacity := bitsOf(workspaces.Metric.OfPools) &^ refused
	err := tx.PoolStays(ctx, filter, func(stay workspaces.PoolStay) {
		first := samplesBefore(latest(stay.Since, filter.From), workspaces.PoolSampleEvery)
		if stay.DesktopID == "" && first < samplesBefore(stay.Until, workspaces.PoolSampleEvery) {
			found[workspaces.Dimension{Name: workspaces.DimensionPool, Value: stay.PoolID}] |= capacity
		}
	})
	if err != nil {
		return err
	}
	return tx.PoolRefusals(ctx, filter, func(r workspaces.PoolRefusals) {
		found[workspaces.Dimension{Name: workspaces.DimensionPool, Value: r.PoolID}] |= refused
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
