package expression

import (
	"errors"
	"fmt"
	"math"
)

// World is what expressions are about.
type World struct {
	// Value is what an id stands for: a metric's series, or what an expression gives.
	Value func(id string) (Value, error)
	// Metrics are the series of the request's metrics, by the order of their ids in IDs.
	Metrics []*Series
	IDs     []string
	// Found are the series that a search has found.
	Found func(*Search) []*Series
	// Grid is that of a series that is made of a number.
	Grid Grid

	points int64 // that were looked at
}

// Limits of what one request may compute, which the service has too, and does not tell.
const (
	maxSeries = 500        // of an array
	maxPoints = 20_000_000 // in all values of all parts of all expressions
)

// spend refuses to look at more points than a request may.
func (w *World) spend(points int64) error {
	if w.points += points; w.points > maxPoints {
		return fmt.Errorf("the expressions of the request look at more than %d points", maxPoints)
	}
	return nil
}

// misuse is that a function cannot take an argument.
type misuse struct {
	function string // set where it is called
	takes    string
	given    Value
}

func (m *misuse) Error() string {
	return fmt.Sprintf("unsupported operand type for %s: it takes %s, and not '[%v]'", m.function, m.takes, m.given)
}

// Evaluate computes the expression. The error says what is wrong with it, to whoever wrote it.
func (e *Expression) Evaluate(w *World) (Value, error) { return w.value(e.root) }

// value computes a part of an expression.
func (w *World) value(n *node) (Value, error) {
	v, err := w.compute(n)
	if m, is := errors.AsType[*misuse](err); is && m.function == "" {
		m.function = n.text
	}
	points := int64(1)
	for _, s := range v.Series {
		points += int64(len(s.Points))
	}
	if err == nil {
		err = w.spend(points)
	}
	return v, err
}

func (w *World) compute(n *node) (Value, error) {
	switch n.kind {
	case aNumber:
		return number(n.number), nil
	case aName:
		return w.Value(n.text)
	case aList:
		return w.list(n)
	case aCall:
		if n.search != nil {
			return array(w.Found(n.search)...), nil
		}
		return functions()[n.text].of(w, n.args)
	case anOperator:
		return w.operate(n)
	default:
		return Value{}, fmt.Errorf("'%s' stands where no text can", clip(n.text))
	}
}

// list makes an array of series, and of arrays.
func (w *World) list(n *node) (Value, error) {
	all := array()
	for _, of := range n.args {
		v, err := w.value(of)
		if err != nil {
			return Value{}, err
		}
		if v.IsNumber() {
			return Value{}, errors.New("a list takes time series, and no numbers")
		}
		if all.Series = append(all.Series, v.Series...); len(all.Series) > maxSeries {
			return Value{}, fmt.Errorf("an array has at most %d time series", maxSeries)
		}
	}
	return all, nil
}

func (w *World) operate(n *node) (Value, error) {
	a, err := w.value(n.args[0])
	if err != nil {
		return Value{}, err
	}
	if len(n.args) == 1 {
		return each(a, func(_ int64, v float64) float64 { return -v }), nil
	}
	b, err := w.value(n.args[1])
	if err != nil {
		return Value{}, err
	}
	return combine(n.text, a, b, operators(n.text))
}

// operators are what operators of two arguments do. What is no number, as a quotient of 0, is no point.
func operators(sign string) func(a, b float64) float64 {
	truth := func(is func(a, b float64) bool) func(a, b float64) float64 {
		return func(a, b float64) float64 {
			if is(a, b) {
				return 1
			}
			return 0
		}
	}
	return map[string]func(a, b float64) float64{
		"+": func(a, b float64) float64 { return a + b }, "-": func(a, b float64) float64 { return a - b },
		"*": func(a, b float64) float64 { return a * b }, "/": func(a, b float64) float64 { return a / b }, "^": math.Pow,
		"<": truth(func(a, b float64) bool { return a < b }), "<=": truth(func(a, b float64) bool { return a <= b }),
		">": truth(func(a, b float64) bool { return a > b }), ">=": truth(func(a, b float64) bool { return a >= b }),
		"==": truth(func(a, b float64) bool { return a == b }), "!=": truth(func(a, b float64) bool { return a != b }),
		"AND": truth(func(a, b float64) bool { return a != 0 && b != 0 }), "&&": truth(func(a, b float64) bool { return a != 0 && b != 0 }),
		"OR": truth(func(a, b float64) bool { return a != 0 || b != 0 }), "||": truth(func(a, b float64) bool { return a != 0 || b != 0 }),
	}[sign]
}
