package expression

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Point is a value at a time, in seconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// Grid is when a series may have points: every Period seconds from Start on, Slots times.
type Grid struct{ Start, Period, Slots int64 }

// Series is a time series. Its points are in the order of time, each in a slot of the grid, at most one in each.
type Series struct {
	Grid
	Points []Point
	Label  string // of the metric that it is made of; "" where these are several
	Of     any    // whose it is, as whoever had it computed knows it
}

// Value is what an expression gives: a number, a series, or an array of series.
type Value struct {
	Array  bool // it is one, of however many series
	Series []*Series
	Number float64 // where there is no series
}

// IsNumber reports whether the value is a number.
func (v Value) IsNumber() bool { return !v.Array && len(v.Series) == 0 }

func (v Value) isSeries() bool { return !v.Array && len(v.Series) == 1 }

func number(n float64) Value            { return Value{Number: n} }
func single(s *Series) Value            { return Value{Series: []*Series{s}} }
func array(all ...*Series) Value        { return Value{Array: true, Series: all} }
func like(v Value, all []*Series) Value { return Value{Array: v.Array, Series: all} }

// String names the value's type, for errors.
func (v Value) String() string {
	switch {
	case v.Array:
		return "TimeSeries[]"
	case v.IsNumber():
		return "Scalar"
	default:
		return "TimeSeries"
	}
}

// with returns a series with other points. Those that are no numbers are none.
func (s *Series) with(points []Point) *Series {
	of := *s
	of.Points = slices.DeleteFunc(points, func(p Point) bool { return math.IsNaN(p.Value) || math.IsInf(p.Value, 0) })
	return &of
}

// at returns the value at a time.
func (s *Series) at(at int64) (v float64, has bool) {
	i, has := slices.BinarySearchFunc(s.Points, at, func(p Point, at int64) int { return cmp.Compare(p.At, at) })
	if !has {
		return 0, false
	}
	return s.Points[i].Value, true
}

func (s *Series) values() []float64 {
	all := make([]float64, len(s.Points))
	for i, p := range s.Points {
		all[i] = p.Value
	}
	return all
}

// each applies f to every point of the value, or to the number.
func each(v Value, f func(at int64, v float64) float64) Value {
	if v.IsNumber() {
		return number(f(0, v.Number))
	}
	return everySeries(v, func(s *Series) *Series {
		points := make([]Point, len(s.Points))
		for i, p := range s.Points {
			points[i] = Point{p.At, f(p.At, p.Value)}
		}
		return s.with(points)
	})
}

func everySeries(v Value, f func(*Series) *Series) Value {
	all := make([]*Series, len(v.Series))
	for i, s := range v.Series {
		all[i] = f(s)
	}
	return like(v, all)
}

// combine applies f to the points of two values that are of the same time. A number is of all times, and a
// series is combined with every one of an array.
func combine(operator string, a, b Value, f func(a, b float64) float64) (Value, error) {
	switch {
	case a.IsNumber() && b.IsNumber():
		return number(f(a.Number, b.Number)), nil
	case b.IsNumber():
		return each(a, func(_ int64, v float64) float64 { return f(v, b.Number) }), nil
	case a.IsNumber():
		return each(b, func(_ int64, v float64) float64 { return f(a.Number, v) }), nil
	case a.isSeries() && b.isSeries():
		both := a.Series[0].join(b.Series[0], f)
		both.Label, both.Of = "", nil
		return single(both), nil
	case b.isSeries():
		return everySeries(a, func(s *Series) *Series { return s.join(b.Series[0], f) }), nil
	case a.isSeries():
		swapped := func(b, a float64) float64 { return f(a, b) }
		return everySeries(b, func(s *Series) *Series { return s.join(a.Series[0], swapped) }), nil
	default:
		return Value{}, fmt.Errorf("unsupported operand types for %s: '[%v, %v]'", operator, a, b)
	}
}

// join applies f to the points that two series have at the same time.
func (s *Series) join(o *Series, f func(a, b float64) float64) *Series {
	var points []Point
	for _, p := range s.Points {
		if v, has := o.at(p.At); has {
			points = append(points, Point{p.At, f(p.Value, v)})
		}
	}
	joined := s.with(points)
	if o.Period > s.Period {
		joined.Grid = o.Grid
	}
	return joined
}

// across gives of an array the series of what reduce makes of all values at each time.
func across(v Value, reduce func([]float64) float64) *Series {
	by := make(map[int64][]float64)
	sum := new(Series)
	for _, s := range v.Series {
		if s.Period > sum.Period {
			sum.Grid = s.Grid
		}
		for _, p := range s.Points {
			by[p.At] = append(by[p.At], p.Value)
		}
	}
	for at, values := range by {
		sum.Points = append(sum.Points, Point{at, reduce(values)})
	}
	slices.SortFunc(sum.Points, func(a, b Point) int { return cmp.Compare(a.At, b.At) })
	return sum.with(sum.Points)
}
