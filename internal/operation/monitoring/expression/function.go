package expression

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// function is one that expressions may call, with at least and at most so many arguments.
type function struct {
	least, most int
	of          func(w *World, args []*node) (Value, error)
}

// functions are all but SEARCH, by name.
func functions() map[string]function {
	return map[string]function{
		"ABS": point(math.Abs), "CEIL": point(math.Ceil), "FLOOR": point(math.Floor), "LOG": point(math.Log), "LOG10": point(math.Log10),
		"SUM": reduction(sum), "AVG": reduction(average), "MIN": reduction(slices.Min[[]float64]), "MAX": reduction(slices.Max[[]float64]),
		"STDDEV": reduction(deviation), "DATAPOINT_COUNT": reduction(func(v []float64) float64 { return float64(len(v)) }),
		"RATE":      sequence(func(a, b Point) float64 { return (b.Value - a.Value) / float64(b.At-a.At) }),
		"DIFF":      sequence(func(a, b Point) float64 { return b.Value - a.Value }),
		"DIFF_TIME": sequence(func(a, b Point) float64 { return float64(b.At - a.At) }),
		"MINUTE":    calendar(time.Time.Minute), "HOUR": calendar(time.Time.Hour), "DATE": calendar(time.Time.Day), "YEAR": calendar(time.Time.Year),
		"MONTH":       calendar(func(t time.Time) int { return int(t.Month()) }),
		"DAY":         calendar(func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }), // Monday is 1
		"EPOCH":       calendar(func(t time.Time) int { return int(t.Unix()) }),
		"RUNNING_SUM": {1, 1, ofSeries(func(v Value) (Value, error) { return everySeries(v, runningSum), nil })},
		"PERIOD":      {1, 1, period}, "METRIC_COUNT": {1, 1, metricCount}, "METRICS": {0, 1, metrics}, "TIME_SERIES": {1, 1, timeSeries},
		"FILL": {2, 2, fill}, "IF": {2, 3, choose}, "SORT": {3, 4, order}, "SLICE": {2, 3, slice},
		"FIRST":        {1, 1, pick(func(all []*Series) *Series { return all[0] })},
		"LAST":         {1, 1, pick(func(all []*Series) *Series { return all[len(all)-1] })},
		"REMOVE_EMPTY": {1, 1, removeEmpty},
	}
}

// wants refuses what a function cannot take.
func wants(what string, got Value) error { return &misuse{takes: what, given: got} }

// point is a function of every point.
func point(f func(float64) float64) function {
	return function{1, 1, func(w *World, args []*node) (Value, error) {
		v, err := w.value(args[0])
		return each(v, func(_ int64, v float64) float64 { return f(v) }), err
	}}
}

// calendar is a function of every point's time, in UTC.
func calendar(f func(time.Time) int) function {
	return function{1, 1, ofSeries(func(v Value) (Value, error) {
		return each(v, func(at int64, _ float64) float64 { return float64(f(time.Unix(at, 0).UTC())) }), nil
	})}
}

// ofSeries is a function of a series or an array.
func ofSeries(f func(Value) (Value, error)) func(w *World, args []*node) (Value, error) {
	return func(w *World, args []*node) (Value, error) {
		v, err := w.value(args[0])
		if err == nil && v.IsNumber() {
			err = wants("time series", v)
		}
		if err != nil {
			return Value{}, err
		}
		return f(v)
	}
}

// reduction is a function that makes a number of a series' values, and a series of an array's.
func reduction(f func([]float64) float64) function {
	return function{1, 1, ofSeries(func(v Value) (Value, error) {
		switch {
		case v.Array:
			return single(across(v, f)), nil
		case len(v.Series[0].Points) == 0:
			return number(math.NaN()), nil
		default:
			return number(f(v.Series[0].values())), nil
		}
	})}
}

func sum(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func average(values []float64) float64 { return sum(values) / float64(len(values)) }

func deviation(values []float64) float64 {
	mean, squares := average(values), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// sequence is a function of every point and the one before it.
func sequence(f func(before, now Point) float64) function {
	return function{1, 1, ofSeries(func(v Value) (Value, error) {
		return everySeries(v, func(s *Series) *Series {
			var points []Point
			for i := 1; i < len(s.Points); i++ {
				points = append(points, Point{s.Points[i].At, f(s.Points[i-1], s.Points[i])})
			}
			return s.with(points)
		}), nil
	})}
}

func runningSum(s *Series) *Series {
	points, sum := slices.Clone(s.Points), 0.0
	for i := range points {
		sum += points[i].Value
		points[i].Value = sum
	}
	return s.with(points)
}

func period(w *World, args []*node) (Value, error) {
	v, err := w.value(args[0])
	if err == nil && !v.isSeries() {
		err = wants("a time series", v)
	}
	if err != nil {
		return Value{}, err
	}
	return number(float64(v.Series[0].Period)), nil
}

// arrayOf is an argument that has to be an array.
func (w *World) arrayOf(n *node) (Value, error) {
	v, err := w.value(n)
	if err == nil && !v.Array {
		err = wants("an array of time series", v)
	}
	return v, err
}

// numberOf is an argument that has to be a number.
func (w *World) numberOf(n *node) (float64, error) {
	v, err := w.value(n)
	if err == nil && !v.IsNumber() {
		err = wants("a number", v)
	}
	return v.Number, err
}

func metricCount(w *World, args []*node) (Value, error) {
	v, err := w.arrayOf(args[0])
	return number(float64(len(v.Series))), err
}

// metrics are all of the request's, or those whose id has a text in it.
func metrics(w *World, args []*node) (Value, error) {
	with := ""
	if len(args) == 1 {
		if args[0].kind != aText {
			return Value{}, errors.New("METRICS takes a part of ids, in quotes")
		}
		with = args[0].text
	}
	all := array()
	for i, s := range w.Metrics {
		if strings.Contains(w.IDs[i], with) {
			all.Series = append(all.Series, s)
		}
	}
	return all, nil
}

func timeSeries(w *World, args []*node) (Value, error) {
	n, err := w.numberOf(args[0])
	if err != nil {
		return Value{}, err
	}
	if err := w.spend(w.Grid.Slots); err != nil {
		return Value{}, err
	}
	s := &Series{Grid: w.Grid}
	for i := range w.Grid.Slots {
		s.Points = append(s.Points, Point{w.Grid.Start + i*w.Grid.Period, n})
	}
	return single(s.with(s.Points)), nil
}

// pick is a function that takes one series of an array.
func pick(f func([]*Series) *Series) func(w *World, args []*node) (Value, error) {
	return func(w *World, args []*node) (Value, error) {
		v, err := w.arrayOf(args[0])
		if err != nil {
			return Value{}, err
		}
		if len(v.Series) == 0 {
			return single(&Series{Grid: w.Grid}), nil
		}
		return single(f(v.Series)), nil
	}
}

func removeEmpty(w *World, args []*node) (Value, error) {
	v, err := w.arrayOf(args[0])
	if err != nil {
		return Value{}, err
	}
	return array(slices.DeleteFunc(slices.Clone(v.Series), func(s *Series) bool { return len(s.Points) == 0 })...), nil
}
