package workspaces_test

import (
	"strconv"
	"testing"
	"time"

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

// TestPoolDesktopsFollowFromTheirPool: whenever they are made, and with whatever between them.
func TestPoolDesktopsFollowFromTheirPool(t *testing.T) {
	t.Parallel()
	draw := func(seed workspaces.Seed, at ...int64) (ids []string) {
		p := workspaces.NewPool(workspaces.NewChance(seed), workspaces.Pool{}, time.Time{})
		for _, n := range at {
			p.Numbered = n - 1
			d, c := workspaces.NewPoolDesktop(p, time.Time{})
			ids = append(ids, d.ID+d.ComputerName+strconv.Itoa(c.IntN(1<<30)))
		}
		return ids
	}
	first := draw(workspaces.Seed{1}, 1, 2, 3)
	if got := draw(workspaces.Seed{1}, 1, 3, 2); got[0] != first[0] || got[1] != first[2] || got[2] != first[1] || got[0] == got[1] {
		t.Errorf("%v and %v", first, got)
	}
	if got := draw(workspaces.Seed{2}, 1); got[0] == first[0] {
		t.Errorf("two pools have %s", got)
	}
	p := workspaces.NewPool(nil, workspaces.Pool{}, time.Time{})
	p.Seed = workspaces.Seed{} // from before pools had one
	d, _ := workspaces.NewPoolDesktop(p, time.Time{})
	if e, _ := workspaces.NewPoolDesktop(&workspaces.Pool{}, time.Time{}); d.ID == e.ID {
		t.Errorf("two pools without a seed have %s", d.ID)
	}
}
