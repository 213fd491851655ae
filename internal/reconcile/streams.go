package reconcile

import (
	"context"
	"time"

	"carrel/internal/store"
)

const (
	// streamsEvery is how often the processes that carry streams are looked at, in real time.
	streamsEvery = 5 * time.Second
	// streamsSilence is how long the beat of a living one may stand still, in real time.
	streamsSilence = 30 * time.Second
)

// heard is the last beat that was seen of a process, and since when.
type heard struct {
	beat  int64
	since time.Time
}

// streams ends what other processes have noted of their streams when they died. Beats are
// counted, so that nobody's clock is compared with another's. Where this process has the
// database to itself, every other is dead.
func (r *Reconciler) streams(ctx context.Context) error {
	var before map[string]heard
	for {
		after, err := r.buryStreams(ctx, before)
		if err != nil {
			return err
		}
		before = after
		if err := r.Real.Sleep(ctx, streamsEvery); err != nil {
			return err
		}
	}
}

// buryStreams ends the streams of those that have been silent for too long, and returns what
// it has heard of the others.
func (r *Reconciler) buryStreams(ctx context.Context, before map[string]heard) (map[string]heard, error) {
	var others []store.StreamProcess
	err := r.Store.View(func(tx *store.Tx) (err error) {
		others, err = tx.OtherStreamProcesses(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	now, after := r.Real.Now(), make(map[string]heard, len(others))
	for _, p := range others {
		last, known := before[p.Process]
		if !known || last.beat != p.Beat {
			last = heard{p.Beat, now}
		}
		after[p.Process] = last
		if !r.Store.Alone() && now.Sub(last.since) < streamsSilence {
			continue
		}
		r.Log.WarnContext(ctx, "ending the streams of a process that has died", "process", p.Process, "seen", p.SeenAt)
		if err := r.Store.Update(ctx, func(tx *store.Tx) error { return tx.BuryStreamProcess(ctx, p) }); err != nil {
			return nil, err
		}
	}
	return after, nil
}
