package workspaces_test

import (
	"testing"

	"carrel/internal/workspaces"
)

func TestChanceOfASeed(t *testing.T) {
	t.Parallel()
	draw := func(c *workspaces.Chance) [5]any {
		return [5]any{
			workspaces.NewWorkSpaceID(c), workspaces.NewDirectoryID(c), workspaces.NewRegistrationCode(c, "us-east-1"), c.IntN(1 << 30),
			workspaces.NewClientAddInID(c),
		}
	}
	one, same, other := workspaces.NewChance(workspaces.Seed{1}), workspaces.NewChance(workspaces.Seed{1}), workspaces.NewChance(workspaces.Seed{2})
	first := draw(one)
	if got := draw(same); got != first {
		t.Errorf("the same seed gives %v and %v", first, got)
	}
	for name, c := range map[string]*workspaces.Chance{"a later draw": one, "another seed": other, "no seed": nil} {
		got := draw(c)
		for i := range got {
			if got[i] == first[i] {
				t.Errorf("%s: %v again", name, got[i])
			}
		}
	}
}
