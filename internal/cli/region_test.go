package cli_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"carrel/internal/cli"
	"carrel/internal/installation"
	"carrel/internal/store"
)

// TestRegions gives a server a second region and marks regions as down beside it.
func TestRegions(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.carrel(t, "region", "down", "eu-west-3").fail(t, cli.ExitFailure, "no networks in eu-west-3; it has them in "+region)
	for range 2 { // as at every start
		more := installation.FirstStart{Folder: s.folder, Account: account, Region: region, OtherRegions: []string{"eu-west-3"}, Now: time.Now()}
		_, err := more.Do(t.Context(), s.store)
		must(t, err)
	}
	must(t, s.store.View(func(tx *store.Tx) error {
		subnets, err := tx.Subnets(t.Context())
		seen := make(map[string]int)
		var prefixes []netip.Prefix
		for _, n := range subnets {
			seen[n.Region]++
			for _, other := range prefixes {
				if other.Overlaps(n.Prefix) {
					t.Errorf("%v and %v", other, n.Prefix)
				}
			}
			prefixes = append(prefixes, n.Prefix)
		}
		if seen[region] != 2 || seen["eu-west-3"] != 2 || len(seen) != 2 {
			t.Errorf("got %v", seen)
		}
		return err
	}))
	s.carrel(t, "region", "list").succeed(t).prints(t, region, "eu-west-3", "up")
	for range 2 {
		s.carrel(t, "region", "down", "eu-west-3").succeed(t)
	}
	var list []map[string]any
	must(t, json.Unmarshal([]byte(s.carrel(t, "region", "list", "-o", "json").succeed(t).out), &list))
	if len(list) != 2 || list[0]["region"] != "eu-west-3" || list[0]["down_since"] == nil || list[1]["down_since"] != nil || list[1]["subnets"] != 2.0 {
		t.Errorf("got %v", list)
	}
	s.carrel(t, "region", "list").succeed(t).prints(t, "down since")
	s.carrel(t, "region", "up", "eu-west-3").succeed(t)
	must(t, s.store.View(func(tx *store.Tx) error {
		down, err := tx.IsRegionDown(t.Context(), "eu-west-3")
		if down {
			t.Error("it is down still")
		}
		return err
	}))
	s.carrel(t, "region", "up").fail(t, cli.ExitUsage, "accepts 1 arg")
}

func TestNetworksOfOtherRegions(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil, "--other-regions", "eu-west-1,eu-west-3", "--config", file(t, network("prefix: 10.7.0.0/16", "region: eu-west-3")))
	r.succeed(t)
	subnets, err := c.Subnets()
	must(t, err)
	if len(c.OtherRegions) != 2 || len(subnets) != 1 || subnets[0].Region != "eu-west-3" {
		t.Errorf("got %v %+v", c.OtherRegions, subnets)
	}
	for says, args := range map[string][]string{
		"--other-regions lists":            {"--other-regions", "Mars"},
		"beside --region":                  {"--other-regions", "us-east-1"},
		"number 1: a region looks like us": {"--config", file(t, network("prefix: 10.7.0.0/16", "region: mars"))},
	} {
		_, r := settings(t, nil, args...)
		r.fail(t, cli.ExitUsage, says)
	}
}
