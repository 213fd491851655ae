package reconcile

import "context"

// Heard is what has been heard of other processes.
type Heard = map[string]heard

// BuryStreams takes one look at the processes that carry streams.
func (r *Reconciler) BuryStreams(ctx context.Context, before Heard) (Heard, error) {
	return r.buryStreams(ctx, before)
}
