package operation

import (
	"sync"

	"carrel/internal/workspaces"
)

// room is how many WorkSpaces each scope can still be given before they have to be counted
// again. Counting costs more the more there are, and a count that found room for a thousand
// proves it for the next thousand, whatever is terminated meanwhile. It is good only where
// no other process makes WorkSpaces. Its zero value knows of no room.
type room struct {
	mu   sync.Mutex
	left map[workspaces.Scope]int
}

// take reports whether there is room for n more, and takes it. What is taken for a
// transaction that fails is found again by the next count.
func (r *room) take(scope workspaces.Scope, n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left[scope] < n {
		return false
	}
	r.left[scope] -= n
	return true
}

// set notes what a count has found.
func (r *room) set(scope workspaces.Scope, left int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == nil {
		r.left = make(map[workspaces.Scope]int)
	}
	r.left[scope] = left
}
