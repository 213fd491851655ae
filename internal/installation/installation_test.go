package installation_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"carrel/internal/installation"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// engine is what installations share: who has claimed which addresses.
type engine map[netip.Prefix]string

func (e engine) claim(who string) func(context.Context, netip.Prefix) (bool, error) {
	return func(_ context.Context, addresses netip.Prefix) (bool, error) {
		if e[addresses] == "" {
			e[addresses] = who
		}
		return e[addresses] == who, nil
	}
}

// TestDefaultNetworksOfTwoInstallations starts two on one engine, each of them twice, before either has made a desktop.
func TestDefaultNetworksOfTwoInstallations(t *testing.T) {
	t.Parallel()
	shared := engine{}
	var all []netip.Prefix
	for _, who := range []string{"first", "second"} {
		s, err := store.Open(t.Context(), storetest.SQLite(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		var had []workspaces.Subnet
		for range 2 {
			start := installation.FirstStart{
				Folder: installation.Folder{Path: t.TempDir()}, Account: "123456789012", Region: "us-east-1", Now: time.Now(), Claim: shared.claim(who),
			}
			id, err := installation.Identify(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := start.Do(t.Context(), s); err != nil || again != id {
				t.Fatalf("%v: it is %q and was %q", err, again, id)
			}
			var have []workspaces.Subnet
			err = s.View(func(tx *store.Tx) (err error) {
				have, err = tx.Subnets(t.Context())
				return err
			})
			if err != nil || had != nil && !slices.Equal(have, had) {
				t.Fatalf("%v: it has %v and had %v", err, have, had)
			}
			had = have
		}
		for _, subnet := range had {
			if slices.ContainsFunc(all, subnet.Prefix.Overlaps) || shared[subnet.Prefix] != who {
				t.Errorf("%s has %s, as another has", who, subnet.Prefix)
			}
			all = append(all, subnet.Prefix)
		}
	}
	if len(all) != 4 {
		t.Errorf("got %v", all)
	}
}
