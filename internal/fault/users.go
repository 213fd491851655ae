package fault

import (
	"context"

	"carrel/internal/directory"
	"carrel/internal/workspaces"
)

// Users returns directories in which the users that rules name cannot be found by operations.
// Work that is under way knows them.
func (f *Faults) Users(real directory.Directories) directory.Directories { return users{f, real} }

type users struct {
	faults *Faults
	real   directory.Directories
}

// Of implements [directory.Directories].
func (u users) Of(scope workspaces.Scope, id string) directory.Directory {
	return usersOf{Directory: u.real.Of(scope, id), faults: u.faults, scope: scope, id: id}
}

type usersOf struct {
	directory.Directory
	faults *Faults
	scope  workspaces.Scope
	id     string
}

// Lookup implements [directory.Directory].
func (u usersOf) Lookup(ctx context.Context, name string) (*workspaces.User, error) {
	operation, asked := ctx.Value(operationKey{}).(string)
	if asked && u.faults.misses(whom{Scope: u.scope, directory: u.id, user: name, operation: operation}) {
		return nil, directory.ErrNoUser
	}
	return u.Directory.Lookup(ctx, name)
}

// misses decides whether a user cannot be found. By probability it is always the same users.
func (f *Faults) misses(who whom) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, missing := f.clock.Now(), false
	for _, r := range f.rules {
		if r.Name == MissingUser && !r.over(now) && r.isFor(who) && r.strikes(who.Scope, workspaces.UserKey(who.user)) {
			missing = true
		}
	}
	return missing
}
