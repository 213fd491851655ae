package monitoring

import (
	"cmp"
	"slices"

	"carrel/internal/workspaces"
)

// known is what is known of the samples of a period: their sum, and, as far as they are known
// one by one, the values.
type known struct {
	workspaces.Summary
	values distribution // in no order until it is asked
}

// distribution is samples by their values.
type distribution []weight

// weight is how often a value came.
type weight struct {
	value float64
	n     int64
}

// add adds n samples of a value.
func (k *known) add(value float64, n int64) {
	if n == 0 {
		return
	}
	k.Add(workspaces.Summary{N: n, Sum: value * float64(n), Min: value, Max: value})
	k.values = append(k.values, weight{value, n})
}

// distribution returns all values in order; false where they are not all known. Where they are
// all the same, the sum tells them.
func (k known) distribution() (distribution, bool) {
	if k.Min == k.Max {
		return distribution{{k.Min, k.N}}, true
	}
	if k.values.count() != k.N {
		return nil, false
	}
	slices.SortFunc(k.values, func(a, b weight) int { return cmp.Compare(a.value, b.value) })
	return k.values, true
}

func (d distribution) count() (n int64) {
	for _, w := range d {
		n += w.n
	}
	return n
}

// at returns the value of a rank, counted from 1.
func (d distribution) at(rank int64) (value float64) {
	for _, w := range d {
		value = w.value
		if rank -= w.n; rank <= 0 {
			break
		}
	}
	return value
}

// between returns the values of the ranks from low+1 to high.
func (d distribution) between(low, high int64) (part distribution) {
	behind := int64(0)
	for _, w := range d {
		from, to := max(behind, low), min(behind+w.n, high)
		if from < to {
			part = append(part, weight{w.value, to - from})
		}
		behind += w.n
	}
	return part
}

// countTo counts the values up to one.
func (d distribution) countTo(value float64) (n int64) {
	for _, w := range d {
		if w.value <= value {
			n += w.n
		}
	}
	return n
}

func (d distribution) sum() (sum float64) {
	for _, w := range d {
		sum += w.value * float64(w.n)
	}
	return sum
}
