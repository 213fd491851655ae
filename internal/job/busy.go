package job

import (
	"sync"

	"carrel/internal/workspaces"
)

// busy knows what is being worked on, so that two turns on the same thing never overlap.
// Nobody waits for a turn: whoever finds somebody at work leaves the ref there and goes.
// Its zero value is ready to use.
type busy struct {
	mu    sync.Mutex
	at    map[thing]struct{}       // what is being worked on
	notes map[thing]workspaces.Ref // the newest ref that was left meanwhile
}

// thing is what one turn of work is on. A directory and its registration have one id.
type thing struct {
	kind workspaces.Kind
	id   string
}

// begin reports whether the caller is the one at work now, and must call done in the end.
// If not, whoever is will find the ref when it is done.
func (b *busy) begin(t thing, ref workspaces.Ref) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.at[t]; !taken {
		if b.at == nil {
			b.at, b.notes = make(map[thing]struct{}), make(map[thing]workspaces.Ref)
		}
		b.at[t] = struct{}{}
		return true
	}
	if left, ok := b.notes[t]; !ok || left.Generation < ref.Generation {
		b.notes[t] = ref
	}
	return false
}

// done ends the caller's work, unless a ref was left: then there is another turn to take.
func (b *busy) done(t thing) (next workspaces.Ref, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next, more = b.notes[t]
	delete(b.notes, t)
	if !more {
		delete(b.at, t)
	}
	return next, more
}
