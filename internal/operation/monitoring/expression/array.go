package expression

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// fill fills the slots that have no point: with a number, those of another series, the last point
// before them (REPEAT), or what lies on the line between two points (LINEAR).
func fill(w *World, args []*node) (Value, error) {
	v, err := w.value(args[0])
	if err == nil && v.IsNumber() {
		err = wants("time series", v)
	}
	if err != nil {
		return Value{}, err
	}
	var filler filler
	switch word := args[1]; {
	case word.kind == aName && word.text == "REPEAT":
		filler = repeat
	case word.kind == aName && word.text == "LINEAR":
		filler = line
	default:
		with, err := w.value(word)
		if err == nil && with.Array {
			err = wants("a number, a time series, REPEAT or LINEAR", with)
		}
		if err != nil {
			return Value{}, err
		}
		filler = func(_, _ *Point, at int64) (float64, bool) { return with.valueAt(at) }
	}
	for _, s := range v.Series {
		if err := w.spend(s.Slots); err != nil {
			return Value{}, err
		}
	}
	return everySeries(v, func(s *Series) *Series { return s.filled(filler) }), nil
}

// filler is what an empty slot is filled with, given the points around it, nil where there is none.
type filler func(before, behind *Point, at int64) (float64, bool)

// filled returns the series with what the filler has for its empty slots.
func (s *Series) filled(with filler) *Series {
	var points []Point
	var before *Point
	left := s.Points
	for i := range s.Slots {
		at := s.Start + i*s.Period
		for len(left) > 0 && left[0].At < at { // where a point is in no slot
			before, left = &left[0], left[1:]
		}
		if len(left) > 0 && left[0].At == at {
			points, before, left = append(points, left[0]), &left[0], left[1:]
			continue
		}
		var behind *Point
		if len(left) > 0 {
			behind = &left[0]
		}
		if v, has := with(before, behind, at); has {
			points = append(points, Point{at, v})
		}
	}
	return s.with(points)
}

func repeat(before, _ *Point, _ int64) (float64, bool) {
	if before == nil {
		return 0, false
	}
	return before.Value, true
}

func line(before, behind *Point, at int64) (float64, bool) {
	if before == nil || behind == nil {
		return 0, false
	}
	share := float64(at-before.At) / float64(behind.At-before.At)
	return before.Value + share*(behind.Value-before.Value), true
}

// choose is IF: where the condition is not 0 the second argument, else the third. Without a third there is no point then.
func choose(w *World, args []*node) (Value, error) {
	values := []Value{{}, {}, number(math.NaN())}
	for i, n := range args {
		v, err := w.value(n)
		if err != nil {
			return Value{}, err
		}
		values[i] = v
	}
	condition, then, otherwise := values[0], values[1], values[2]
	if condition.IsNumber() {
		if condition.Number != 0 {
			return then, nil
		}
		return otherwise, nil
	}
	if then.Array || otherwise.Array {
		return Value{}, wants("numbers and time series beside a time series", array())
	}
	return everySeries(condition, func(s *Series) *Series {
		chosen := *s
		for _, of := range []Value{then, otherwise} { // what it is of tells more than what it depends on
			if of.isSeries() {
				chosen.Label, chosen.Of = of.Series[0].Label, of.Series[0].Of
				break
			}
		}
		points := make([]Point, 0, len(s.Points))
		for _, p := range s.Points {
			v := otherwise
			if p.Value != 0 {
				v = then
			}
			if n, has := v.valueAt(p.At); has {
				points = append(points, Point{p.At, n})
			}
		}
		return chosen.with(points)
	}), nil
}

// valueAt is the number, or the series' value at a time.
func (v Value) valueAt(at int64) (n float64, has bool) {
	if v.IsNumber() {
		return v.Number, true
	}
	return v.Series[0].at(at)
}

// order is SORT: an array by a number of each series, ascending or descending, and no more than so many.
// Series without a point come last.
func order(w *World, args []*node) (Value, error) {
	v, err := w.arrayOf(args[0])
	if err != nil {
		return Value{}, err
	}
	by, known := map[string]func([]float64) float64{
		"AVG": average, "MIN": slices.Min[[]float64], "MAX": slices.Max[[]float64], "SUM": sum,
	}[args[1].text]
	direction, way := map[string]int{"ASC": 1, "DESC": -1}[args[2].text]
	if !known || !way || args[1].kind != aName || args[2].kind != aName {
		return Value{}, errors.New("SORT takes an array, one of AVG, MIN, MAX and SUM, one of ASC and DESC, and maybe how many")
	}
	key := make(map[*Series]float64)
	for _, s := range v.Series {
		if len(s.Points) > 0 {
			key[s] = by(s.values())
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(v.Series), func(a, b *Series) int {
		if len(a.Points) == 0 || len(b.Points) == 0 {
			return cmp.Compare(min(len(b.Points), 1), min(len(a.Points), 1))
		}
		return direction * cmp.Compare(key[a], key[b])
	})
	if len(args) == 4 {
		n, err := w.index(args[3], len(sorted))
		return array(sorted[:n]...), err
	}
	return array(sorted...), nil
}

// slice is SLICE: of an array those from a number on, up to but not including another, or, with one number, that one.
func slice(w *World, args []*node) (Value, error) {
	v, err := w.arrayOf(args[0])
	if err != nil {
		return Value{}, err
	}
	from, err := w.index(args[1], len(v.Series))
	if err != nil {
		return Value{}, err
	}
	if len(args) == 2 {
		if from == len(v.Series) {
			return single(&Series{Grid: w.Grid}), nil
		}
		return single(v.Series[from]), nil
	}
	to, err := w.index(args[2], len(v.Series))
	if err != nil {
		return Value{}, err
	}
	return array(v.Series[from:max(from, to)]...), nil
}

// index is an argument that counts series, at most so many.
func (w *World) index(n *node, most int) (int, error) {
	v, err := w.numberOf(n)
	if err != nil {
		return 0, err
	}
	if v < 0 || v != math.Trunc(v) {
		return 0, errors.New("series are counted from 0, in whole numbers")
	}
	return int(min(v, float64(most))), nil
}
