package workspaces_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"carrel/internal/workspaces"
)

func TestParseIPRange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"192.0.2.0/24": "192.0.2.0/24", "192.0.2.7": "192.0.2.7/32", "192.0.2.7/32": "192.0.2.7/32", "0.0.0.0/0": "0.0.0.0/0",
		"2001:db8::/32": "2001:db8::/32", "2001:DB8::1": "2001:db8::1/128", "::/0": "::/0",
		"": "", " 192.0.2.7": "", "192.0.2": "", "192.0.2.0/33": "", "192.0.2.0/-1": "", "192.0.2.0/024": "", "192.0.2.01": "", "192.0.2.7/24": "",
		"2001:db8::1/32": "", "2001:db8::/129": "", "fe80::1%eth0": "", "fe80::%eth0/64": "", "::ffff:192.0.2.7": "", "::ffff:192.0.2.0/120": "",
		"192.0.2.0/255.255.255.0": "", "192.0.2.1-192.0.2.9": "", "example.com": "", "any": "", "192.0.2.0/24,198.51.100.0/24": "",
	} {
		got, err := workspaces.ParseIPRange(text)
		switch {
		case want == "" && workspaces.CodeOf(err) != workspaces.CodeInvalidParameter:
			t.Errorf("%q: %v, %v", text, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
	if _, err := workspaces.ParseIPRange("10.1.2.3/8"); err == nil || !strings.Contains(err.Error(), "10.0.0.0/8") {
		t.Errorf("it does not say what was meant: %v", err)
	}
}

func ipGroup(ranges ...string) *workspaces.IPGroup {
	g := &workspaces.IPGroup{ID: "wsipg-1", Name: "name"}
	for _, r := range ranges {
		g.Rules = append(g.Rules, workspaces.IPRule{Range: r})
	}
	return g
}

func TestIPGroupsAllow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		groups  workspaces.IPGroups
		address string
		want    bool
	}{
		"no groups":                    {nil, "203.0.113.9", true},
		"no groups, IPv6":              {workspaces.IPGroups{}, "2001:db8::1", true},
		"a group without rules":        {workspaces.IPGroups{ipGroup()}, "203.0.113.9", false},
		"a broken rule":                {workspaces.IPGroups{ipGroup("nonsense")}, "203.0.113.9", false},
		"in the range":                 {workspaces.IPGroups{ipGroup("203.0.113.0/24")}, "203.0.113.9", true},
		"the last of the range":        {workspaces.IPGroups{ipGroup("203.0.113.0/24")}, "203.0.113.255", true},
		"beside the range":             {workspaces.IPGroups{ipGroup("203.0.113.0/24")}, "203.0.114.0", false},
		"the address":                  {workspaces.IPGroups{ipGroup("203.0.113.9")}, "203.0.113.9", true},
		"another address":              {workspaces.IPGroups{ipGroup("203.0.113.9")}, "203.0.113.8", false},
		"the second rule":              {workspaces.IPGroups{ipGroup("198.51.100.0/24", "203.0.113.0/24")}, "203.0.113.9", true},
		"the second group":             {workspaces.IPGroups{ipGroup(), ipGroup("203.0.113.0/24")}, "203.0.113.9", true},
		"written as IPv6":              {workspaces.IPGroups{ipGroup("203.0.113.0/24")}, "::ffff:203.0.113.9", true},
		"IPv6":                         {workspaces.IPGroups{ipGroup("2001:db8::/32")}, "2001:db8:ffff::1", true},
		"IPv6 outside":                 {workspaces.IPGroups{ipGroup("2001:db8::/32")}, "2001:db9::1", false},
		"of an interface":              {workspaces.IPGroups{ipGroup("fe80::/64")}, "fe80::1%eth0", true},
		"all of IPv4 is not IPv6":      {workspaces.IPGroups{ipGroup("0.0.0.0/0")}, "2001:db8::1", false},
		"all of IPv6 is not IPv4":      {workspaces.IPGroups{ipGroup("::/0")}, "203.0.113.9", false},
		"all of IPv6 is not mapped v4": {workspaces.IPGroups{ipGroup("::/0")}, "::ffff:203.0.113.9", false},
	} {
		if got := c.groups.Allows(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (workspaces.IPGroups{ipGroup("0.0.0.0/0", "::/0")}).Allows(netip.Addr{}) {
		t.Error("nobody's address is let in")
	}
}

func TestIPGroupRules(t *testing.T) {
	t.Parallel()
	g := ipGroup("10.0.0.0/8")
	if err := g.Authorize([]workspaces.IPRule{{Range: "192.0.2.7", Description: "a"}, {Range: "10.0.0.0/8", Description: "b"}}); err != nil {
		t.Fatal(err)
	}
	want := []workspaces.IPRule{{Range: "10.0.0.0/8", Description: "b"}, {Range: "192.0.2.7", Description: "a"}}
	if !slices.Equal(g.Rules, want) {
		t.Errorf("got %v", g.Rules)
	}
	// A range is the same however it is written.
	if err := g.Authorize([]workspaces.IPRule{{Range: "192.0.2.7/32", Description: "c"}}); err != nil || len(g.Rules) != 2 {
		t.Errorf("%v, %v", g.Rules, err)
	}
	if g.Authorize([]workspaces.IPRule{{Range: "192.0.2.8"}, {Range: "192.0.2.8/32"}}) == nil {
		t.Error("one range twice")
	}
	for _, ranges := range [][]string{{"192.0.2.9"}, {"192.0.2.7", "192.0.2.7"}, {"nonsense"}} {
		again := *g
		again.Rules = slices.Clone(g.Rules)
		if err := again.Revoke(ranges); workspaces.CodeOf(err) != workspaces.CodeInvalidParameter {
			t.Errorf("revoked %v: %v", ranges, err)
		}
	}
	if err := g.Revoke([]string{"192.0.2.7", "10.0.0.0/8"}); err != nil || len(g.Rules) != 0 {
		t.Errorf("%v, %v", g.Rules, err)
	}
}
