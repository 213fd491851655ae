package incus_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

// TestClaim has two installations claim the same addresses at once.
func TestClaim(t *testing.T) {
	t.Parallel()
	a, b := open(t), open(t)
	want := a.newSubnet().Prefix
	var got atomic.Int32
	var together sync.WaitGroup
	for _, e := range []*engine{a, b} {
		together.Go(func() {
			if own, err := e.Claim(t.Context(), want); err != nil {
				t.Error(err)
			} else if own {
				got.Add(1)
			}
		})
	}
	together.Wait()
	if got.Load() != 1 {
		t.Errorf("%d installations have the same addresses", got.Load())
	}
	loser := b
	if own, err := b.Claim(t.Context(), want); err != nil {
		t.Fatal(err)
	} else if own {
		loser = a
	}
	within := netip.PrefixFrom(want.Addr(), want.Bits()+2)
	for _, addresses := range []netip.Prefix{want, within} {
		if own, err := loser.Claim(t.Context(), addresses); err != nil || own {
			t.Errorf("%s is claimed twice: %v", addresses, err)
		}
	}
	winner := a
	if loser == a {
		winner = b
	}
	for range 2 {
		if own, err := winner.Claim(t.Context(), want); err != nil || !own {
			t.Errorf("what was claimed is not kept: %v", err)
		}
	}
	if err := winner.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if own, err := loser.Claim(t.Context(), want); err != nil || !own {
		t.Errorf("a claim stays behind an installation that is gone: %v", err)
	}
}
