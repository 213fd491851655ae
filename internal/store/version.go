package store

import (
	"sync"

	"carrel/internal/workspaces"
)

// versions tell whether the WorkSpaces of a scope have changed since somebody looked.
type versions struct {
	mu     sync.Mutex
	all    uint64 // grows when every scope has changed
	scopes map[workspaces.Scope]uint64
}

// WorkSpacesVersion returns a number that grows with every change of a scope's WorkSpaces,
// before the Update that makes the change returns: who reads it, then the WorkSpaces, and
// later finds it unchanged, still has what an Update that has returned would show them. It
// is known only where no other process writes; see Alone.
func (s *Store) WorkSpacesVersion(scope workspaces.Scope) (version uint64, known bool) {
	if !s.Alone() {
		return 0, false
	}
	s.versions.mu.Lock()
	defer s.versions.mu.Unlock()
	return s.versions.all + s.versions.scopes[scope], true
}

// touch notes that the transaction changes what the scope's WorkSpaces show.
func (t *Tx) touch(scope workspaces.Scope) {
	if t.touched == nil {
		t.touched = make(map[workspaces.Scope]bool, 1)
	}
	t.touched[scope] = true
}

// grow counts what a committed transaction has changed.
func (v *versions) grow(tx *Tx) {
	if len(tx.touched) == 0 && !tx.touchedAll {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if tx.touchedAll {
		v.all++
	}
	if v.scopes == nil {
		v.scopes = make(map[workspaces.Scope]uint64)
	}
	for scope := range tx.touched {
		v.scopes[scope]++
	}
}
