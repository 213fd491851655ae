package monitoring

import (
	"time"

	"carrel/internal/workspaces"
)

// cover counts the samples of stays by period. The middle of a long stay is noted at its ends
// only, so that a stay costs the same however many periods it spans.
type cover struct {
	counts []int64 // in periods that a stay begins or ends in
	whole  []int64 // the change, from the period before, of how many stays span a period
}

func newCover(n int64) cover { return cover{make([]int64, n), make([]int64, n+1)} }

// add adds a stay, as far as it is within the window.
func (c cover) add(w window, since, until time.Time) {
	since, until = w.clip(since, until)
	if !since.Before(until) {
		return
	}
	i, j := int64(since.Sub(w.start)/w.period), int64((until.Sub(w.start)-1)/w.period)
	if i == j {
		c.counts[i] += samples(since, until)
		return
	}
	c.counts[i] += samples(since, w.at(i+1))
	c.whole[i+1]++
	c.whole[j]--
	c.counts[j] += samples(w.at(j), until)
}

// samples counts the times of samples of WorkSpaces from since on and before until.
func samples(since, until time.Time) int64 {
	return samplesBefore(until, workspaces.SampleEvery) - samplesBefore(since, workspaces.SampleEvery)
}

// samplesBefore numbers the first sample that is not before t.
func samplesBefore(t time.Time, every time.Duration) int64 {
	step := every.Microseconds()
	return (t.UnixMicro() + step - 1) / step
}

// sampled is what samples tell of which some are 1 and the others 0.
func sampled(n, ones int64) known {
	ones = min(n, ones)
	var k known
	k.add(0, n-ones)
	k.add(1, ones)
	return k
}
