package monitoring

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/workspaces"
)

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
	if !ours || !one || !has(metric, in.Unit) || w.tooFine(now) {
		return out, nil
	}
	of := newSeries(metric, dimension, w)
	if err := s.fill(ctx, []*series{of}); err != nil {
		return nil, err
	}
	of.each(func(at time.Time, known workspaces.Summary) {
		out.Datapoints = append(out.Datapoints, of.datapoint(in, at, known))
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
		if _, is := percentOf(name); !is {
			return monitoring.InvalidParameterValueException.New(fmt.Sprintf(
				"The value %s for parameter ExtendedStatistics is not a valid statistic here; there are percentiles such as p95.", clip(name)))
		}
	}
	return nil
}

// has reports whether there is a metric of the name that is measured in the unit, if one is named.
func has(m workspaces.Metric, unit *string) bool {
	return slices.Contains(workspaces.Metrics(), m) && (unit == nil || *unit == m.Unit())
}

// datapoint is a period's with the statistics that were asked for.
func (s *series) datapoint(in *monitoring.GetMetricStatisticsInput, at time.Time, known workspaces.Summary) monitoring.Datapoint {
	point := monitoring.Datapoint{Timestamp: api.At(at), Unit: new(s.metric.Unit())}
	for _, name := range in.Statistics {
		v, _ := s.statistic(known, name) // there are no others than these in the model
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
		if v, tells := s.statistic(known, name); tells {
			if point.ExtendedStatistics == nil {
				point.ExtendedStatistics = make(map[string]float64)
			}
			point.ExtendedStatistics[name] = v
		}
	}
	return point
}

// statistic returns a statistic of what was summed up; false where the sum does not tell.
func (s *series) statistic(known workspaces.Summary, name string) (v float64, tells bool) {
	switch name {
	case monitoring.StatisticSampleCount:
		return float64(known.N), true
	case monitoring.StatisticAverage:
		return known.Sum / float64(known.N), true
	case monitoring.StatisticSum:
		return known.Sum, true
	case monitoring.StatisticMinimum:
		return known.Min, true
	case monitoring.StatisticMaximum:
		return known.Max, true
	}
	percent, is := percentOf(name)
	if !is {
		return 0, false
	}
	return s.percentile(known, percent)
}

// percentOf reads the name of a percentile: p0 to p100, with a fraction of up to ten digits.
func percentOf(name string) (percent float64, is bool) {
	digits, is := strings.CutPrefix(name, "p")
	whole, fraction, _ := strings.Cut(digits, ".")
	if !is || len(whole) == 0 || len(whole) > 3 || len(fraction) > 10 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	percent, err := strconv.ParseFloat(digits, 64)
	return percent, err == nil && percent <= 100
}

// answered reports whether a name is one of a statistic that is answered.
func answered(statistic string) bool {
	if slices.Contains([]string{
		monitoring.StatisticSampleCount, monitoring.StatisticAverage, monitoring.StatisticSum, monitoring.StatisticMinimum, monitoring.StatisticMaximum,
	}, statistic) {
		return true
	}
	_, is := percentOf(statistic)
	return is
}

// clip keeps what a message repeats short.
func clip(s string) string { return s[:min(len(s), 64)] }
