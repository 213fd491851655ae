package monitoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/workspaces"
)

// trimmed are examples of statistics by single values.
const trimmed = "tm90, WM(2%:98%), PR(:300), tc90, TS(10:100) and IQM"

// maxStatistics is how many periods a request may span. Source: GetMetricStatistics.
const maxStatistics = 1440

// GetMetricStatistics returns statistics of one metric, in the order of time.
func (s *Service) GetMetricStatistics(
	ctx context.Context, in *monitoring.GetMetricStatisticsInput,
) (*monitoring.GetMetricStatisticsOutput, error) {
	now := s.core.Clock.Now()
	if err := checkStatistics(in); err != nil {
		return nil, err
	}
	w := newWindow(in.StartTime.Time(), in.EndTime.Time(), *in.Period, now)
	if w.asked > maxStatistics {
		return nil, monitoring.InvalidParameterCombinationException.New(fmt.Sprintf("You have requested up to %d datapoints, which exceeds the limit of %d. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", w.asked, maxStatistics))
	}
	out := &monitoring.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []monitoring.Datapoint{}}
	ours, err := s.ours(*in.Namespace)
	if err != nil {
		return nil, err
	}
	metric := workspaces.Metric(*in.MetricName)
	dimension, one := dimensionOf(in.Dimensions)
	if !ours || !one || !has(metric, in.Unit) || !exists(metric, dimension) || w.tooFine(now) {
		return out, nil
	}
	of := newSeries(metric, dimension, w, len(in.ExtendedStatistics) > 0)
	if err := s.fill(ctx, []*series{of}); err != nil {
		return nil, err
	}
	asked := make(map[string]statistic)
	for _, name := range slices.Concat(in.Statistics, in.ExtendedStatistics) {
		asked[name], _ = statisticOf(name) // which has been checked
	}
	of.each(func(at time.Time, k known) {
		point := monitoring.Datapoint{Timestamp: api.At(at), Unit: new(metric.Unit())}
		tell(&point, in, asked, k)
		out.Datapoints = append(out.Datapoints, point)
	})
	return out, nil
}

// checkStatistics applies what the model cannot say.
func checkStatistics(in *monitoring.GetMetricStatisticsInput) error {
	if why := checkPeriod(*in.Period); why != "" {
		return monitoring.InvalidParameterValueException.New("The parameter Period " + why + ".")
	}
	switch {
	case len(in.Statistics)+len(in.ExtendedStatistics) == 0:
		return monitoring.MissingRequiredParameterException.New("One of the parameters Statistics and ExtendedStatistics is required.")
	case len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0:
		return monitoring.InvalidParameterCombinationException.New("The parameters Statistics and ExtendedStatistics cannot be given together.")
	case in.StartTime.Time().Equal(in.EndTime.Time()):
		return monitoring.InvalidParameterValueException.New("The parameter StartTime must not equal parameter EndTime.")
	case in.StartTime.Time().After(in.EndTime.Time()):
		return monitoring.InvalidParameterValueException.New("The parameter StartTime must be less than parameter EndTime.")
	}
	for _, name := range in.ExtendedStatistics {
		if of, is := statisticOf(name); !is || of.plain() {
			return monitoring.InvalidParameterValueException.New(fmt.Sprintf(
				"The value %s for parameter ExtendedStatistics is not a valid statistic; there are percentiles such as p95, and those such as %s.",
				clip(name), trimmed))
		}
	}
	return nil
}

// has reports whether there is a metric of the name that is measured in the unit, if one is named.
func has(m workspaces.Metric, unit *string) bool {
	return (slices.Contains(workspaces.Metrics(), m) || m.OfPools()) && (unit == nil || *unit == m.Unit())
}

// tell puts into a period's point the statistics that were asked for.
func tell(point *monitoring.Datapoint, in *monitoring.GetMetricStatisticsInput, asked map[string]statistic, k known) {
	for _, name := range in.Statistics {
		v, _ := asked[name].of(k)
		switch name {
		case monitoring.StatisticSampleCount:
			point.SampleCount = &v
		case monitoring.StatisticAverage:
			point.Average = &v
		case monitoring.StatisticSum:
			point.Sum = &v
		case monitoring.StatisticMinimum:
			point.Minimum = &v
		case monitoring.StatisticMaximum:
			point.Maximum = &v
		}
	}
	for _, name := range in.ExtendedStatistics {
		if v, tells := asked[name].of(k); tells {
			if point.ExtendedStatistics == nil {
				point.ExtendedStatistics = make(map[string]float64)
			}
			point.ExtendedStatistics[name] = v
		}
	}
}

// clip keeps what a message repeats short.
func clip(s string) string { return s[:min(len(s), 64)] }
