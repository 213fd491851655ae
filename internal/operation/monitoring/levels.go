package monitoring

import (
	"maps"
	"slices"

	"carrel/internal/workspaces"
)

// levels are how a pool's capacity changes, by the number of the sample that shows it first. It costs
// what changes, however long it stays as it is.
type levels map[int64]level

// level is how many pools of the id are there, which is one or none, and what they have.
type level struct {
	there    int64
	capacity workspaces.PoolCapacity
}

// change adds or, with -1, takes away what a stay is of.
func (l *level) change(of workspaces.PoolStay, n int64) {
	if of.DesktopID == "" {
		l.there += n
	} else {
		l.capacity.Add(of.State, n)
	}
}

func (l *level) add(o level) {
	l.there += o.there
	l.capacity.Ready += o.capacity.Ready
	l.capacity.InUse += o.capacity.InUse
	l.capacity.Making += o.capacity.Making
}

// add adds a stay, as far as it is within the window.
func (l levels) add(w window, stay workspaces.PoolStay) {
	since, until := w.clip(stay.Since, stay.Until)
	first, behind := samplesBefore(since, workspaces.PoolSampleEvery), samplesBefore(until, workspaces.PoolSampleEvery)
	if first >= behind {
		return
	}
	for sample, n := range map[int64]int64{first: 1, behind: -1} {
		changed := l[sample]
		changed.change(stay, n)
		l[sample] = changed
	}
}

// each calls f on what the samples of every period tell of a metric, in the order of time.
func (l levels) each(w window, m workspaces.Metric, f func(i int64, k known)) {
	var now level
	changes := slices.Sorted(maps.Keys(l))
	for i := range w.periods() {
		var k known
		_, end := w.clip(w.at(i), w.at(i+1))
		at, behind := samplesBefore(w.at(i), workspaces.PoolSampleEvery), samplesBefore(end, workspaces.PoolSampleEvery)
		for at < behind {
			for len(changes) > 0 && changes[0] <= at {
				now.add(l[changes[0]])
				changes = changes[1:]
			}
			next := behind
			if len(changes) > 0 {
				next = min(next, changes[0])
			}
			if now.there > 0 {
				k.add(now.capacity.Of(m), next-at)
			}
			at = next
		}
		f(i, k)
	}
}
