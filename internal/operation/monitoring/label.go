package monitoring

import (
	"strconv"
	"strings"

	"carrel/internal/api/monitoring"
	"carrel/internal/operation/monitoring/expression"
)

// labelOf is how a query's result is called: as it says, or by its metric. Source: the user
// guide, dynamic labels, as far as they speak of the metric itself.
func labelOf(q monitoring.MetricDataQuery) string {
	name := *q.MetricStat.Metric.MetricName
	if q.Label == nil {
		return name
	}
	properties := []string{
		"${LABEL}", name, "${PROP('MetricName')}", name, "${PROP('Namespace')}", *q.MetricStat.Metric.Namespace,
		"${PROP('Stat')}", *q.MetricStat.Stat, "${PROP('Period')}", strconv.Itoa(int(*q.MetricStat.Period)),
	}
	for _, d := range q.MetricStat.Metric.Dimensions {
		properties = append(properties, "${PROP('Dim."+*d.Name+"')}", *d.Value)
	}
	return strings.NewReplacer(properties...).Replace(*q.Label)
}

// labelOfSeries is how a series of a query's result is called: as it says, or by its id; where it may
// be one of several, with what tells them apart.
func labelOfSeries(of monitoring.MetricDataQuery, s *expression.Series, among bool) string {
	label := value(of.Label)
	metric, is := s.Of.(*query)
	switch dynamic := strings.Contains(label, "${"); {
	case is && (of.MetricStat != nil || dynamic):
		named := metric.MetricDataQuery
		named.Label = of.Label
		label = labelOf(named)
	case among && s.Label != "":
		label = strings.TrimSpace(label + " " + s.Label)
	case label == "":
		label = *of.Id
	}
	return withValues(label, s.Points)
}

// tellsValues reports whether a query's label tells values of its series, so that all have to be computed.
func tellsValues(q monitoring.MetricDataQuery) bool {
	return q.Label != nil && withValues(*q.Label, nil) != *q.Label
}

// withValues puts into a label what it tells of a series. Source: the user guide, dynamic labels.
func withValues(label string, points []expression.Point) string {
	if !strings.Contains(label, "${") {
		return label
	}
	told := map[string]string{"DATAPOINT_COUNT": strconv.Itoa(len(points))}
	for _, name := range []string{"AVG", "SUM", "MIN", "MAX", "FIRST", "LAST"} {
		told[name] = "--"
	}
	if n := len(points); n > 0 {
		var k known
		for _, p := range points {
			k.add(p.Value, 1)
		}
		for name, v := range map[string]float64{
			"AVG": k.Sum / float64(n), "SUM": k.Sum, "MIN": k.Min, "MAX": k.Max, "FIRST": points[0].Value, "LAST": points[n-1].Value,
		} {
			told[name] = strconv.FormatFloat(v, 'g', 6, 64)
		}
	}
	for name, text := range told {
		label = strings.ReplaceAll(label, "${"+name+"}", text)
	}
	return label
}
