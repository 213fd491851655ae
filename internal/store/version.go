package store

import (
	"sync"

	"carrel/internal/workspaces"
)

// versions tell whether the WorkSpaces of an account have changed since somebody looked. Its
// regions count together: a standby WorkSpace is shown with its primary, and the other way round.
type versions struct {
	mu       sync.Mutex
	all      uint64 // grows when every account has changed
	accounts map[string]uint64
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
	return s.versions.all + s.versions.accounts[scope.Account], true
}

// touch notes that the transaction changes what the scope's WorkSpaces show.
func (t *Tx) touch(scope workspaces.Scope) {
	if t.touched == nil {
		t.touched = make(map[string]bool, 1)
	}
	t.touched[scope.Account] = true
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
	if v.accounts == nil {
		v.accounts = make(map[string]uint64)
	}
	for account := range tx.touched {
		v.accounts[account]++
	}
}
