package operation

import (
	"context"

	"carrel/internal/workspaces"
)

// chanceKey finds the Chance of a request in a context.
type chanceKey struct{}

// WithChance returns a context in which operations draw their ids from c.
func WithChance(ctx context.Context, c *workspaces.Chance) context.Context {
	return context.WithValue(ctx, chanceKey{}, c)
}

// Chance returns what the request's ids are drawn from; nil, the machine's own, where nobody
// has said otherwise.
func Chance(ctx context.Context) *workspaces.Chance {
	c, _ := ctx.Value(chanceKey{}).(*workspaces.Chance) // nil is the documented answer
	return c
}
