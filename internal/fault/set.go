package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"carrel/internal/clock"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Faults are the rules that are set. There are none at first.
type Faults struct {
	store *store.Store
	clock *clock.Clock

	mu      sync.Mutex
	last    int // the number of the newest rule
	rules   []*rule
	changed chan struct{} // closed and replaced when rules come or go
}

// New returns faults among what a store has, by the service's clock.
func New(s *store.Store, c *clock.Clock) *Faults {
	return &Faults{store: s, clock: c, changed: make(chan struct{})}
}

// Set is a rule that is set, as it is shown.
type Set struct {
	ID string `json:"id"`
	Rule
	Hits int `json:"hits"` // how often it has befallen somebody
}

// String is the rule in a line of the log.
func (s Set) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		return s.ID + " " + s.Name
	}
	return string(text)
}

// rule is a rule with what it has decided so far.
type rule struct {
	Set
	scopes  map[workspaces.Scope]*tally
	buckets map[bucket]*rate.Limiter

	since  time.Time       // when it was set
	seen   int64           // the number of the newest WorkSpace that it has decided about
	struck map[string]bool // the ids of the WorkSpaces that it befalls
	held   map[string]bool // the ids of those that it keeps from being made
}

// tally is what a rule has counted in an account and region.
type tally struct {
	met   int // who might have been befallen
	drawn int // whom the probability picked
}

// bucket is whose requests share a limit.
type bucket struct {
	workspaces.Scope
	operation string
}

// Add sets rules that Parse has read, and returns them as they are set: all or none. Errors:
// store.ErrNoHistory.
func (f *Faults) Add(ctx context.Context, rules []Rule) ([]Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.rules
	sets := make([]Set, len(rules))
	for i, r := range rules {
		f.last++
		added := &rule{
			Set: Set{ID: "fault-" + strconv.Itoa(f.last), Rule: r}, since: f.clock.Now(), scopes: make(map[workspaces.Scope]*tally),
			buckets: make(map[bucket]*rate.Limiter), struck: make(map[string]bool), held: make(map[string]bool),
		}
		if r.Name != UnhealthyFlapping { // which befalls those that are there as well
			added.seen = f.store.Seq()
		}
		f.rules = append(slices.Clip(f.rules), added)
		sets[i] = added.Set
	}
	if err := f.keepHistory(ctx); err != nil {
		f.rules = before
		return nil, err
	}
	f.tell()
	return sets, nil
}

// All returns the rules that are set and have not ended, in the order in which they were set.
func (f *Faults) All() []Set {
	f.mu.Lock()
	defer f.mu.Unlock()
	sets := []Set{}
	for _, r := range f.rules {
		if !r.over(f.clock.Now()) {
			sets = append(sets, r.Set)
		}
	}
	return sets
}

// Remove takes a rule away, or all where id is "". What it held up goes on. Errors: ErrNone, the
// store's.
func (f *Faults) Remove(ctx context.Context, id string) error {
	f.mu.Lock()
	kept := slices.DeleteFunc(slices.Clone(f.rules), func(r *rule) bool { return id == "" || r.ID == id })
	if len(kept) == len(f.rules) && id != "" {
		f.mu.Unlock()
		return fmt.Errorf("%w as %s", ErrNone, id)
	}
	f.rules = kept
	err := f.keepHistory(ctx)
	f.tell()
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.store.Update(ctx, func(tx *store.Tx) error {
		return tx.HastenAll(ctx, workspaces.KindWorkSpace, f.clock.Now())
	})
}

// keepHistory has the store keep as much of its past as the rules look at.
func (f *Faults) keepHistory(ctx context.Context) error {
	var lag time.Duration
	for _, r := range f.rules {
		lag = max(lag, time.Duration(r.Lag))
	}
	return f.store.KeepHistory(ctx, lag, f.clock.Now)
}

// tell wakes whoever looks at what the rules say.
func (f *Faults) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (r *rule) over(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }
