package fault

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// whom is somebody whom a rule may befall.
type whom struct {
	workspaces.Scope
	directory, user, operation string
}

// isFor tells whether the rule is for them.
func (r *rule) isFor(w whom) bool {
	return matches(r.Account, w.Account) && matches(r.Region, w.Region) && matches(r.Directory, w.directory) &&
		matches(r.Operation, w.operation) && matches(strings.ToLower(r.User), strings.ToLower(w.user))
}

func matches(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return pattern == "" || err == nil && ok
}

// strikes counts one more whom the rule is for, and tells whether it befalls them. Key is what the
// probability depends on; "": their number.
func (r *rule) strikes(scope workspaces.Scope, key string) bool {
	t := r.scopes[scope]
	if t == nil {
		t = new(tally)
		r.scopes[scope] = t
	}
	t.met++
	if key == "" {
		key = fmt.Sprint(t.met)
	}
	if r.Probability != nil && chance(r.Seed, scope, key) >= *r.Probability {
		return false
	}
	t.drawn++
	if t.drawn <= r.After || r.Count > 0 && t.drawn > r.After+r.Count {
		return false
	}
	r.Hits++
	return true
}

// chance returns a number from 0 up to 1 that is always the same for the same arguments.
func chance(seed uint64, scope workspaces.Scope, key string) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%s", scope.Account, scope.Region, key)
	return rand.New(rand.NewPCG(seed, h.Sum64())).Float64() //nolint:gosec // chance that has to repeat itself
}

// catchUp decides about the WorkSpaces that have been made since the rule last did, in the order
// in which they were made: engines come to them in any order.
func (f *Faults) catchUp(ctx context.Context, r *rule) error {
	return f.store.View(func(tx *store.Tx) error {
		return tx.WorkSpacesAfter(ctx, r.seen, func(w *workspaces.WorkSpace, seq int64) {
			r.seen = seq
			if r.isFor(whom{Scope: w.Scope, directory: w.DirectoryID, user: w.UserName}) && r.strikes(w.Scope, "") {
				r.struck[w.ID] = true
			}
		})
	})
}

// decide has all rules of desktops decide about the WorkSpaces that a request has made, which else may have gone when
// an engine comes to another: then those after it would have other numbers.
func (f *Faults) decide(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if slices.Contains([]string{StuckPending, ErrorAfterN, UnhealthyFlapping}, r.Name) && !r.over(f.clock.Now()) {
			_ = f.catchUp(ctx, r) // whoever comes to a desktop tries again, and can tell of it
		}
	}
}

// befalling returns the rule of one of the names that befalls a WorkSpace, nil where none does.
func (f *Faults) befalling(ctx context.Context, id string, names ...string) (*rule, error) {
	now := f.clock.Now()
	var found *rule
	for _, r := range f.rules {
		if r.over(now) || !slices.Contains(names, r.Name) {
			continue
		}
		if err := f.catchUp(ctx, r); err != nil {
			return nil, err
		}
		if found == nil && r.struck[id] {
			found = r
		}
	}
	return found, nil
}
