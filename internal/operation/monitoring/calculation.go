package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation"
	"carrel/internal/operation/monitoring/expression"
	"carrel/internal/workspaces"
)

// Limits of a request with expressions, which is computed as a whole whatever page of it is asked for.
const (
	maxCalculated = 10 * maxPoints // periods of all metrics in it
	maxFound      = 500            // metrics of a search. Source: search expression quotas
)

// defaultPeriod is that of searches that name none, in seconds.
const defaultPeriod = 300

// calculation is a request with expressions.
type calculation struct {
	*Service
	in      *monitoring.GetMetricDataInput
	world   expression.World
	now     time.Time
	metrics []*query // of the request
	found   map[*expression.Search][]*query
	series  map[*query]*expression.Series
	parsed  map[string]*expression.Expression // by id
	values  map[string]*expression.Value      // by id; nil while it is computed
	limited bool                              // a search found more than it may
}

// calculate computes a request with expressions, and returns the queries that return data, with their points.
func (s *Service) calculate(ctx context.Context, in *monitoring.GetMetricDataInput) (all []query, messages []monitoring.MessageData, err error) {
	c := &calculation{
		Service: s, in: in, now: s.core.Clock.Now(), found: make(map[*expression.Search][]*query), series: make(map[*query]*expression.Series),
		parsed: make(map[string]*expression.Expression), values: make(map[string]*expression.Value),
	}
	for _, step := range []func(context.Context) error{c.parse, c.search, c.fetch} {
		if err := step(ctx); err != nil {
			return nil, nil, err
		}
	}
	if all, err = c.results(); err != nil {
		return nil, nil, err
	}
	if c.limited {
		messages = append(messages, monitoring.MessageData{
			Code: new("MaxMetricsExceeded"), Value: new(fmt.Sprintf("The maximum number of allowed metrics, %d, has been exceeded", maxFound)),
		})
	}
	return all, messages, nil
}

// wrongExpression refuses an expression.
func wrongExpression(id string, err error) error {
	if _, is := errors.AsType[*api.Exception](err); is { // it is another's that this one names
		return err
	}
	return invalid(fmt.Sprintf("Error in expression '%s': %v", clip(id), err))
}

// parse reads the expressions, and has the metrics of the request in order.
func (c *calculation) parse(ctx context.Context) error {
	for _, of := range c.in.MetricDataQueries {
		if of.Expression == nil {
			q := c.newQuery(ctx, of, c.in, c.now)
			c.metrics = append(c.metrics, &q)
			continue
		}
		if strings.HasPrefix(strings.ToUpper(*of.Expression), "SELECT") {
			return wrongExpression(*of.Id, errors.New("this endpoint has no Metrics Insights"))
		}
		e, err := c.language.Parse(*of.Expression)
		if err != nil {
			return wrongExpression(*of.Id, err)
		}
		c.parsed[*of.Id] = e
	}
	return nil
}

// search finds what the expressions search for among the metrics that had data in the last two weeks.
func (c *calculation) search(ctx context.Context) error {
	var list inventory
	for _, of := range c.in.MetricDataQueries {
		e, is := c.parsed[*of.Id]
		if !is {
			continue
		}
		for _, search := range e.Searches {
			if _, is := statisticOf(search.Statistic); !is {
				return wrongExpression(*of.Id, fmt.Errorf("%q is not a valid statistic", clip(search.Statistic)))
			}
			if search.Period == 0 {
				search.Period = value(of.Period)
			}
			if search.Period == 0 {
				search.Period = defaultPeriod
			}
			if why := checkPeriod(search.Period); why != "" {
				return wrongExpression(*of.Id, errors.New("the period of SEARCH "+why))
			}
			if list == nil {
				var err error
				if list, err = c.list(ctx, listOf{operation.Scope(ctx), listed}, unlessEmpty(c.in.NextToken) != nil); err != nil {
					return err
				}
			}
			c.find(ctx, of, search, list)
		}
	}
	return nil
}

// find finds a search's metrics in a list.
func (c *calculation) find(ctx context.Context, by monitoring.MetricDataQuery, search *expression.Search, list inventory) {
	names, values := make(map[workspaces.Metric]bool), make(map[string]bool)
	var entries []entry
	for e := range list.after("") {
		of := expression.Candidate{Namespace: workspaces.MetricsNamespace, Metric: string(e.metric), Dimensions: map[string]string{e.Name: e.Value}}
		other := of
		if e.metric.OfPools() {
			other.Namespace = workspaces.PoolMetricsNamespace
		}
		if !search.Finds(of) && !search.Finds(other) {
			continue
		}
		if len(entries) == maxFound {
			c.limited = true
			break
		}
		entries = append(entries, e)
		names[e.metric], values[e.Value] = true, true
	}
	for _, e := range entries {
		q := c.newQuery(ctx, monitoring.MetricDataQuery{Id: by.Id, MetricStat: &monitoring.MetricStat{
			Metric: &monitoring.Metric{
				Namespace: new(workspaces.MetricsNamespace), MetricName: new(string(e.metric)), Dimensions: []monitoring.Dimension{{Name: &e.Name, Value: &e.Value}},
			},
			Stat: &search.Statistic, Period: &search.Period,
		}}, c.in, c.now)
		switch { // what tells them apart
		case len(names) == 1:
			q.label = e.Value
		case len(values) > 1:
			q.label = e.Value + " " + string(e.metric)
		}
		c.found[search] = append(c.found[search], &q)
	}
}

// fetch has all metrics' points read.
func (c *calculation) fetch(ctx context.Context) error {
	all := slices.Clone(c.metrics)
	for _, found := range c.found {
		all = append(all, found...)
	}
	var periods int64
	for _, q := range all {
		if periods += q.periods(); periods > maxCalculated {
			return invalid(fmt.Sprintf("The metrics of a request with expressions must not have more than %d periods.", maxCalculated))
		}
	}
	tallies := make(map[*query]*series)
	var read []*series
	for _, q := range all {
		if q.n > 0 {
			tallies[q] = q.series(q.window)
			read = append(read, tallies[q])
		}
	}
	if err := c.fill(ctx, read); err != nil {
		return err
	}
	for _, q := range all {
		c.series[q] = &expression.Series{Grid: gridOf(q.window), Label: q.label, Of: q}
		if tally := tallies[q]; tally != nil {
			c.series[q].Points = tally.points(q.stat)
		}
	}
	return nil
}

func gridOf(w window) expression.Grid {
	return expression.Grid{Start: w.start.Unix(), Period: int64(w.period / time.Second), Slots: w.periods()}
}

// results evaluates the expressions, and returns what is asked for of them and of the metrics.
func (c *calculation) results() (all []query, err error) {
	c.world = expression.World{Value: c.valueOf, Found: func(s *expression.Search) (found []*expression.Series) {
		for _, q := range c.found[s] {
			found = append(found, c.series[q])
		}
		return found
	}}
	for _, q := range c.metrics {
		c.world.Metrics, c.world.IDs = append(c.world.Metrics, c.series[q]), append(c.world.IDs, *q.Id)
		c.values[*q.Id] = &expression.Value{Series: []*expression.Series{c.series[q]}}
	}
	for _, of := range c.in.MetricDataQueries {
		v, err := c.valueOf(*of.Id)
		if err != nil {
			return nil, wrongExpression(*of.Id, err)
		}
		switch {
		case of.ReturnData != nil && !*of.ReturnData:
			continue
		case v.IsNumber():
			return nil, wrongExpression(*of.Id, errors.New("the result is a scalar, and has to be a time series or an array of them"))
		}
		for _, s := range v.Series {
			all = append(all, calculated(of, s, v.Array))
		}
	}
	return all, nil
}

// valueOf is what an id stands for.
func (c *calculation) valueOf(id string) (expression.Value, error) {
	if v, known := c.values[id]; known {
		if v == nil {
			return expression.Value{}, fmt.Errorf("'%s' depends on itself", clip(id))
		}
		return *v, nil
	}
	e, known := c.parsed[id]
	if !known {
		return expression.Value{}, fmt.Errorf("there is no metric or expression with the id '%s'", clip(id))
	}
	c.values[id] = nil
	before := c.world.Grid
	c.world.Grid = c.gridFor(id)
	v, err := e.Evaluate(&c.world)
	c.world.Grid = before
	if err != nil {
		return v, wrongExpression(id, err)
	}
	c.values[id] = &v
	return v, nil
}

// gridFor is the grid of what an expression makes of numbers: of its own period, or the shortest in the request.
func (c *calculation) gridFor(id string) expression.Grid {
	i := slices.IndexFunc(c.in.MetricDataQueries, func(q monitoring.MetricDataQuery) bool { return *q.Id == id })
	period := value(c.in.MetricDataQueries[i].Period)
	if period == 0 {
		for _, q := range c.metrics {
			if own := *q.MetricStat.Period; period == 0 || own < period {
				period = own
			}
		}
	}
	if period == 0 {
		period = defaultPeriod
	}
	return gridOf(newWindow(c.in.StartTime.Time(), c.in.EndTime.Time(), period, c.now))
}

// calculated is a series of a query's result.
func calculated(of monitoring.MetricDataQuery, s *expression.Series, among bool) query {
	start := time.Unix(s.Start, 0).UTC()
	period := time.Duration(s.Period) * time.Second
	return query{
		MetricDataQuery: of, window: window{start: start, end: start.Add(time.Duration(s.Slots) * period), period: period}, n: s.Slots,
		computed: true, fixed: s.Points, label: labelOfSeries(of, s, among),
	}
}
