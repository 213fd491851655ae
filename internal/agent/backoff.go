package agent

import "time"

// How long to wait before something that died is started again: hardly at all the first time, since a person is
// waiting, and ever longer while it keeps dying, so that a broken session does not eat the member's processors.
const (
	shortestWait = 200 * time.Millisecond
	longestWait  = 10 * time.Second
	// What ran this long was healthy, and its death is a first one.
	healthyAfter = 30 * time.Second
)

// backoff counts deaths in a row. Its zero value is ready to use.
type backoff struct {
	next time.Duration
}

// after returns the wait that follows a run of the given length.
func (b *backoff) after(ran time.Duration) time.Duration {
	if b.next == 0 || ran >= healthyAfter {
		b.next = shortestWait
	}
	wait := b.next
	b.next = min(2*b.next, longestWait)
	return wait
}
