package monitoring

import (
	"math"
	"regexp"
	"strconv"

	"carrel/internal/api/monitoring"
)

// statistic is one that can be asked for. Source: the user guide, CloudWatch statistics definitions.
type statistic struct {
	kind      string // the name of a plain one; else p, or what it does with the values between the bounds: TM, WM, PR, TC, TS
	low, high bound
}

// bound is where the values that count begin, exclusive, or end, inclusive.
type bound struct {
	at      float64
	percent bool // of all values; else a value
	none    bool
}

// maxStatisticName is how long a name may be.
const maxStatisticName = 64

// number is one with up to ten digits behind its point.
const number = `(\d{1,9}(?:\.\d{0,10})?)`

// statisticOf reads the name of a statistic, such as p99.9, tm90, TM(2%:98%) or PR(:300).
func statisticOf(name string) (s statistic, is bool) {
	switch name {
	case monitoring.StatisticSampleCount, monitoring.StatisticAverage, monitoring.StatisticSum, monitoring.StatisticMinimum, monitoring.StatisticMaximum:
		return statistic{kind: name}, true
	case "IQM":
		return statistic{"TM", bound{at: 25, percent: true}, bound{at: 75, percent: true}}, true
	}
	if len(name) > maxStatisticName {
		return s, false
	}
	if part := regexp.MustCompile(`^(p|tm|wm|tc|ts)` + number + `$`).FindStringSubmatch(name); part != nil {
		high, _ := boundOf(part[2] + "%")
		kinds := map[string]string{"p": "p", "tm": "TM", "wm": "WM", "tc": "TC", "ts": "TS"}
		return statistic{kinds[part[1]], bound{none: true}, high}, high.at <= 100
	}
	part := regexp.MustCompile(`^(TM|WM|PR|TC|TS)\((?:` + number + `(%)?)?:(?:` + number + `(%)?)?\)$`).FindStringSubmatch(name)
	if part == nil {
		return s, false
	}
	var percents, values int
	for i, b := range []*bound{&s.low, &s.high} {
		digits, sign := part[2+2*i], part[3+2*i]
		switch *b, _ = boundOf(digits + sign); {
		case b.percent:
			percents++
		case !b.none:
			values++
		}
	}
	s.kind = part[1]
	ordered := s.low.none || s.high.none || s.low.at < s.high.at
	within := percents == 0 || s.low.at <= 100 && s.high.at <= 100
	return s, ordered && within && (percents == 0) != (values == 0) && (s.kind != "PR" || percents == 0)
}

func boundOf(text string) (b bound, err error) {
	if text == "" {
		return bound{none: true}, nil
	}
	digits := text
	if last := len(text) - 1; text[last] == '%' {
		digits, b.percent = text[:last], true
	}
	b.at, err = strconv.ParseFloat(digits, 64)
	return b, err
}

// plain reports whether the statistic is one that a sum tells: the others have names of one or two letters.
func (s statistic) plain() bool { return len(s.kind) > 2 }

// of returns the statistic of what is known; false where that does not tell it.
func (s statistic) of(k known) (v float64, tells bool) {
	switch s.kind {
	case monitoring.StatisticSampleCount:
		return float64(k.N), true
	case monitoring.StatisticAverage:
		return k.Sum / float64(k.N), true
	case monitoring.StatisticSum:
		return k.Sum, true
	case monitoring.StatisticMinimum:
		return k.Min, true
	case monitoring.StatisticMaximum:
		return k.Max, true
	}
	all, tells := k.distribution()
	if !tells {
		return 0, false
	}
	low, high := s.low.rank(all, 0, math.Floor), s.high.rank(all, k.N, math.Ceil)
	if s.kind == "p" {
		return all.at(max(high, 1)), true
	}
	return s.within(all, low, high)
}

// rank is how many of the values lie below the bound, or at it. What a percentage leaves of a value is rounded.
func (b bound) rank(all distribution, none int64, round func(float64) float64) int64 {
	switch {
	case b.none:
		return none
	case b.percent:
		share := b.at / 100 * float64(all.count())
		if whole := math.Round(share); math.Abs(share-whole) < 1e-9 { // as 99.9 % of 1,000 is, which no float is
			share = whole
		}
		return int64(round(share))
	default:
		return all.countTo(b.at)
	}
}

// within returns the statistic of the values of the ranks behind low, up to high.
func (s statistic) within(all distribution, low, high int64) (v float64, tells bool) {
	inner := all.between(low, high)
	n := inner.count()
	switch s.kind {
	case "TC":
		return float64(n), true
	case "TS":
		return inner.sum(), true
	case "PR":
		return 100 * float64(n) / float64(all.count()), true
	case "WM":
		sum := inner.sum() + float64(low)*s.low.edge(all, low+1) + float64(all.count()-high)*s.high.edge(all, high)
		return sum / float64(all.count()), true
	default:
		return inner.sum() / float64(n), n > 0
	}
}

// edge is what a value outside of the bound counts as: the bound, or the outermost value that is
// within, which has the rank.
func (b bound) edge(all distribution, rank int64) float64 {
	if b.none || b.percent {
		return all.at(max(rank, 1))
	}
	return b.at
}
