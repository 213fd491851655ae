package monitoring

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/operation/monitoring/expression"
	"carrel/internal/workspaces"
)

// Limits of a request. Source: GetMetricData.
const (
	maxQueries = 500
	maxPoints  = 100_800 // also how many periods are looked at for a page, whether or not they have data
)

// GetMetricData returns one statistic each of several metrics. Where a page does not hold all,
// the token says at which period of which query the next begins.
func (s *Service) GetMetricData(ctx context.Context, in *monitoring.GetMetricDataInput) (*monitoring.GetMetricDataOutput, error) {
	if err := checkQueries(in); err != nil {
		return nil, err
	}
	if err := s.checkNamespaces(in); err != nil {
		return nil, err
	}
	about, err := aboutData(ctx, in)
	if err != nil {
		return nil, err
	}
	queries, messages, err := s.queries(ctx, in)
	if err != nil {
		return nil, err
	}
	p := &page{queries: queries, descending: value(in.ScanBy) != monitoring.ScanByTimestampAscending, room: maxPoints}
	first, err := p.positionOf(in.NextToken, about)
	if err != nil {
		return nil, err
	}
	if in.MaxDatapoints != nil {
		p.room = int(*in.MaxDatapoints)
	}
	if err := s.fill(ctx, p.open(first)); err != nil {
		return nil, err
	}
	results, next := p.results(first)
	out := &monitoring.GetMetricDataOutput{MetricDataResults: results, Messages: append([]monitoring.MessageData{}, messages...)}
	if next != nil {
		out.NextToken = cursor.Token(p.keyOf(*next), about...)
	}
	return out, nil
}

// checkQueries applies what the model cannot say.
func checkQueries(in *monitoring.GetMetricDataInput) error {
	switch {
	case len(in.MetricDataQueries) == 0:
		return invalid("The parameter MetricDataQueries is required.")
	case len(in.MetricDataQueries) > maxQueries:
		return invalid(fmt.Sprintf("The collection MetricDataQueries must not have a size greater than %d.", maxQueries))
	case in.StartTime.Time().Equal(in.EndTime.Time()):
		return invalid("The parameter StartTime must not equal parameter EndTime.")
	case in.StartTime.Time().After(in.EndTime.Time()):
		return invalid("The parameter StartTime must be less than parameter EndTime.")
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxPoints):
		return invalid(fmt.Sprintf("The parameter MaxDatapoints must be between 1 and %d.", maxPoints))
	}
	ids := make(map[string]bool)
	for i, q := range in.MetricDataQueries {
		if why := checkQuery(q, "MetricDataQueries.member."+strconv.Itoa(i+1)); why != "" {
			return invalid(why)
		}
		if ids[*q.Id] {
			return invalid(fmt.Sprintf("The values for parameter id in MetricDataQueries are not unique: %s.", clip(*q.Id)))
		}
		ids[*q.Id] = true
	}
	return nil
}

// idPattern is what ids look like, so that expressions can name them. Source: MetricDataQuery.
const idPattern = `^[a-z][a-zA-Z0-9_]*$`

// checkQuery returns what is wrong with a query, "" where nothing is.
func checkQuery(q monitoring.MetricDataQuery, at string) string {
	switch good := regexp.MustCompile(idPattern); {
	case !good.MatchString(*q.Id):
		return fmt.Sprintf("The value %s for parameter %s.Id is not matching the expected pattern %s.", clip(*q.Id), at, idPattern)
	case (q.MetricStat == nil) == (q.Expression == nil):
		return fmt.Sprintf("Exactly one of the parameters %s.MetricStat and %s.Expression must be given.", at, at)
	case q.Expression != nil:
		if why := checkPeriod(cmp.Or(value(q.Period), defaultPeriod)); why != "" {
			return fmt.Sprintf("The parameter %s.Period %s.", at, why)
		}
		return ""
	case value(q.MetricStat.Metric.Namespace) == "" || value(q.MetricStat.Metric.MetricName) == "":
		return fmt.Sprintf("The parameters %s.MetricStat.Metric.Namespace and MetricName are required.", at)
	}
	if _, is := statisticOf(*q.MetricStat.Stat); !is {
		return fmt.Sprintf("The value %s for parameter %s.MetricStat.Stat is not a valid statistic.", clip(*q.MetricStat.Stat), at)
	}
	if why := checkPeriod(*q.MetricStat.Period); why != "" {
		return fmt.Sprintf("The parameter %s.MetricStat.Period %s.", at, why)
	}
	return ""
}

// checkNamespaces leaves a request to somebody else that is for none of our metrics.
func (s *Service) checkNamespaces(in *monitoring.GetMetricDataInput) error {
	var elsewhere error
	for _, q := range in.MetricDataQueries {
		namespace := "" // of none of ours
		switch {
		case q.MetricStat != nil:
			namespace = *q.MetricStat.Metric.Namespace
		case names(*q.Expression):
			namespace = workspaces.MetricsNamespace
		}
		ours, err := s.ours(namespace)
		if ours {
			return nil
		}
		elsewhere = err
	}
	return elsewhere
}

// names reports whether an expression names a namespace of ours.
func names(text string) bool {
	return strings.Contains(text, workspaces.MetricsNamespace) || strings.Contains(text, workspaces.PoolMetricsNamespace)
}

// query is one of a request's: its statistic of a metric, or what an expression has given.
type query struct {
	monitoring.MetricDataQuery
	window
	stat     statistic
	label    string
	n        int64 // how many periods there can be data of
	computed bool
	fixed    []expression.Point // where it is computed
}

// queries are those of a request that return data.
func (s *Service) queries(ctx context.Context, in *monitoring.GetMetricDataInput) (all []query, messages []monitoring.MessageData, err error) {
	if slices.ContainsFunc(in.MetricDataQueries, func(q monitoring.MetricDataQuery) bool { return q.Expression != nil || tellsValues(q) }) {
		return s.calculate(ctx, in)
	}
	now := s.core.Clock.Now()
	for _, of := range in.MetricDataQueries {
		if of.ReturnData == nil || *of.ReturnData {
			all = append(all, s.newQuery(ctx, of, in, now))
		}
	}
	return all, nil, nil
}

// newQuery is a query for a metric.
func (s *Service) newQuery(ctx context.Context, of monitoring.MetricDataQuery, in *monitoring.GetMetricDataInput, now time.Time) query {
	q := query{MetricDataQuery: of, window: newWindow(in.StartTime.Time(), in.EndTime.Time(), *of.MetricStat.Period, now), label: labelOf(of)}
	q.stat, _ = statisticOf(*of.MetricStat.Stat)
	if s.canHave(ctx, of) && !q.tooFine(now) {
		q.n = q.periods()
	}
	return q
}

// series returns the query's for a part of its window.
func (q *query) series(part window) *series {
	metric := q.MetricStat.Metric
	d, _ := dimensionOf(metric.Dimensions)
	return newSeries(workspaces.Metric(*metric.MetricName), d, part, !q.stat.plain())
}

// canHave reports whether there can be a metric such as the query's.
func (s *Service) canHave(ctx context.Context, q monitoring.MetricDataQuery) bool {
	of := q.MetricStat.Metric
	ours, _ := s.ours(*of.Namespace) // others may be asked for beside
	d, one := dimensionOf(of.Dimensions)
	m := workspaces.Metric(*of.MetricName)
	return ours && one && has(m, q.MetricStat.Unit) && exists(m, d) && (q.AccountId == nil || *q.AccountId == operation.Scope(ctx).Account)
}

// position is where a page begins: at a period of a query, counted from where the scan begins.
type position struct {
	query  int
	period int64
}

// keyOf writes a position for a token. The period is told by its time: which one it is counted
// from either end may have changed when the token comes back.
func (p *page) keyOf(at position) string {
	q := p.queries[at.query]
	return fmt.Sprintf("%d.%d", at.query, q.at(p.turned(q, at.period)).Unix())
}

// turned counts a period of a query from the other end where the scan begins there.
func (p *page) turned(q query, period int64) int64 {
	if p.descending {
		return q.n - 1 - period
	}
	return period
}

func (p *page) positionOf(token *string, about []string) (at position, err error) {
	key, err := cursor.Key(unlessEmpty(token), about...)
	if err != nil || key == "" {
		return at, err
	}
	var seconds int64
	if _, err := fmt.Sscanf(key, "%d.%d", &at.query, &seconds); err != nil || at.query < 0 || at.query >= len(p.queries) {
		return at, monitoring.InvalidNextToken.New("The value for parameter NextToken is not one that this request was given.")
	}
	q := p.queries[at.query]
	at.period = p.turned(q, (seconds-q.start.Unix())/int64(q.period.Seconds()))
	at.period = min(max(at.period, 0), q.n) // what is as old may have been forgotten since
	return at, nil
}

// aboutData is all of the request but what may change from page to page.
func aboutData(ctx context.Context, in *monitoring.GetMetricDataInput) ([]string, error) {
	asked := *in
	asked.NextToken, asked.MaxDatapoints = nil, nil
	var text bytes.Buffer
	err := api.EncodeTo(&text, &asked)
	return about(ctx, monitoring.GetMetricData.Name, text.String()), err
}

// page is a part of an answer.
type page struct {
	queries    []query
	descending bool
	room       int    // for points
	parts      []part // by query
}

// part is what is looked at of a query: some of its periods.
type part struct {
	window
	series *series // nil where they are known
}

// open returns the series that are looked at for the page: as many periods as it may have points.
func (p *page) open(from position) (all []*series) {
	p.parts = make([]part, len(p.queries))
	for left, i := int64(maxPoints), from.query; i < len(p.queries) && left > 0; i++ {
		q := &p.queries[i]
		begin := int64(0)
		if i == from.query {
			begin = from.period
		}
		end := min(q.n, begin+left)
		if left -= end - begin; begin == end {
			continue
		}
		p.parts[i].window = q.part(begin, end)
		if p.descending {
			p.parts[i].window = q.part(q.n-end, q.n-begin)
		}
		if !q.computed {
			p.parts[i].series = q.series(p.parts[i].window)
			all = append(all, p.parts[i].series)
		}
	}
	return all
}

// results returns the page, and where the next begins; nil where there is none.
func (p *page) results(from position) (results []monitoring.MetricDataResult, next *position) {
	results = []monitoring.MetricDataResult{}
	for i := from.query; i < len(p.queries); i++ {
		q := p.queries[i]
		result := monitoring.MetricDataResult{
			Id: q.Id, Label: &q.label, StatusCode: new(monitoring.StatusCodeComplete), Timestamps: []api.Timestamp{}, Values: []float64{},
			Messages: []monitoring.MessageData{},
		}
		begin := int64(0)
		if i == from.query {
			begin = from.period
		}
		if next == nil {
			if done := p.take(&result, i, begin); done < q.n {
				next = &position{i, done}
			}
		}
		if next != nil {
			result.StatusCode = new(monitoring.StatusCodePartialData)
		}
		results = append(results, result)
	}
	return results, next
}

// take adds a query's points while there is room for them, and returns up to which period it got.
func (p *page) take(result *monitoring.MetricDataResult, i int, begin int64) (done int64) {
	part := p.parts[i]
	points := p.queries[i].points(part)
	for n := range points {
		if p.descending {
			n = len(points) - 1 - n
		}
		at := time.Unix(points[n].At, 0).UTC()
		if p.room == 0 {
			periods := int64(at.Sub(part.start) / part.period)
			if p.descending {
				periods = part.periods() - 1 - periods
			}
			return begin + periods
		}
		p.room--
		result.Timestamps = append(result.Timestamps, *api.At(at))
		result.Values = append(result.Values, points[n].Value)
	}
	return begin + part.periods()
}

// points are the query's in a part of its window.
func (q *query) points(p part) (points []expression.Point) {
	if p.series != nil {
		return p.series.points(q.stat)
	}
	for _, point := range q.fixed {
		if point.At >= p.start.Unix() && point.At < p.end.Unix() {
			points = append(points, point)
		}
	}
	return points
}

// points are a statistic of the series, where it is known.
func (s *series) points(of statistic) (points []expression.Point) {
	s.each(func(at time.Time, k known) {
		if v, tells := of.of(k); tells {
			points = append(points, expression.Point{At: at.Unix(), Value: v})
		}
	})
	return points
}
