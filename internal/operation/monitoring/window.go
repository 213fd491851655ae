package monitoring

import (
	"fmt"
	"time"

	"carrel/internal/workspaces"
)

// window is a time in periods, the last of which may be cut off.
type window struct {
	start, end time.Time
	period     time.Duration
	asked      int64 // how many periods were asked for, with those that nothing can be known of
}

// day is a day of the clock.
const day = 24 * time.Hour

// newWindow rounds the beginning down, the more the longer ago it is, and leaves out what
// metrics are not kept for, and the future.
// Source: StartTime of GetMetricData and GetMetricStatistics.
func newWindow(start, end time.Time, seconds int32, now time.Time) window {
	w := window{end: end, period: time.Duration(seconds) * time.Second}
	round := time.Minute
	switch age := now.Sub(start); {
	case age > 63*day:
		round = time.Hour
	case age > 15*day:
		round = 5 * time.Minute
	case w.period < time.Minute:
		round = w.period
	}
	w.start = start.Truncate(round)
	step := int64(seconds) // in seconds: a Duration cannot span the years that may be asked for
	w.asked = (end.Unix() - w.start.Unix() + step - 1) / step
	if forgotten := now.Add(-workspaces.MetricsKept).Unix() - w.start.Unix(); forgotten > 0 {
		w.start = time.Unix(w.start.Unix()+forgotten/step*step, 0).UTC()
	}
	if ahead := now.Add(w.period); w.end.After(ahead) {
		w.end = ahead
	}
	return w
}

// checkPeriod returns why a period cannot be asked for, "" where it can.
// Source: Period of GetMetricStatistics.
func checkPeriod(seconds int32) string {
	switch {
	case seconds == 1 || seconds == 5 || seconds == 10 || seconds == 20 || seconds == 30:
		return ""
	case seconds < 1 || seconds%60 != 0:
		return "must be 1, 5, 10, 20, 30 or a multiple of 60"
	case time.Duration(seconds)*time.Second > workspaces.MetricsKept:
		return fmt.Sprintf("must be at most %d", int(workspaces.MetricsKept.Seconds()))
	}
	return ""
}

// tooFine reports whether the service has forgotten what lies as far back as the window
// begins in periods of this length. Source: Period of GetMetricStatistics.
func (w window) tooFine(now time.Time) bool {
	switch age := now.Sub(w.start); {
	case age > 63*day:
		return w.period%time.Hour != 0
	case age > 15*day:
		return w.period%(5*time.Minute) != 0
	case age > 3*time.Hour:
		return w.period%time.Minute != 0
	}
	return false
}

// periods is how many periods the window has.
func (w window) periods() int64 {
	if !w.start.Before(w.end) {
		return 0
	}
	return int64((w.end.Sub(w.start) + w.period - 1) / w.period)
}

// at is when a period begins.
func (w window) at(i int64) time.Time { return w.start.Add(time.Duration(i) * w.period) }

// part is some of the window's periods: those from i on, up to but not including j.
func (w window) part(i, j int64) window {
	end := w.at(j)
	if end.After(w.end) {
		end = w.end
	}
	return window{start: w.at(i), end: end, period: w.period}
}

// clip leaves of a time what is within the window.
func (w window) clip(since, until time.Time) (from, to time.Time) {
	if until.After(w.end) {
		until = w.end
	}
	return latest(since, w.start), until
}
