package cli

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"carrel/internal/compute"
)

// SecurityGroupConfig declares what desktops may exchange with whom whose directory names the group. What no rule
// says is refused.
type SecurityGroupConfig struct {
	ID      string       `yaml:"id"`
	Egress  []RuleConfig `yaml:"egress"`  // whom desktops may open connections to
	Ingress []RuleConfig `yaml:"ingress"` // who may open connections to them
}

// RuleConfig lets some packets through.
type RuleConfig struct {
	Protocol string `yaml:"protocol"` // tcp, udp or icmp; "": any
	Ports    string `yaml:"ports"`    // one, or a range such as 8000-8100; "": any
	CIDR     string `yaml:"cidr"`     // the network at the other end
}

var groupPattern = regexp.MustCompile(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`)

// Groups returns the declared security groups.
func (c *Config) Groups() ([]compute.SecurityGroup, error) {
	groups := make([]compute.SecurityGroup, 0, len(c.SecurityGroups))
	for i, declared := range c.SecurityGroups {
		refuse := func(format string, args ...any) error {
			return fmt.Errorf("security-groups, number %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		if !groupPattern.MatchString(declared.ID) {
			return nil, refuse("id is sg- and 8 or 17 hexadecimal digits, such as sg-0a1b2c3d, not %q", declared.ID)
		}
		if slices.ContainsFunc(groups, func(other compute.SecurityGroup) bool { return other.ID == declared.ID }) {
			return nil, refuse("there is another group %s", declared.ID)
		}
		group := compute.SecurityGroup{ID: declared.ID}
		for _, direction := range []struct {
			name     string
			declared []RuleConfig
			rules    *[]compute.Rule
		}{{"egress", declared.Egress, &group.Egress}, {"ingress", declared.Ingress, &group.Ingress}} {
			for j, r := range direction.declared {
				rule, err := r.rule()
				if err != nil {
					return nil, refuse("%s, number %d: %s", direction.name, j+1, err)
				}
				*direction.rules = append(*direction.rules, rule)
			}
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// GroupIDs returns the ids of the declared security groups.
func (c *Config) GroupIDs() []string {
	ids := make([]string, len(c.SecurityGroups))
	for i, g := range c.SecurityGroups {
		ids[i] = g.ID
	}
	return ids
}

// rule returns the rule that is declared.
func (r RuleConfig) rule() (rule compute.Rule, err error) {
	rule.Protocol = r.Protocol
	switch r.Protocol {
	case compute.TCP, compute.UDP:
		if rule.First, rule.Last, err = ports(r.Ports); err != nil {
			return rule, err
		}
	case compute.ICMP, "":
		if r.Ports != "" {
			return rule, fmt.Errorf("ports need the protocol tcp or udp")
		}
	default:
		return rule, fmt.Errorf("protocol is tcp, udp or icmp, or is not said for any, not %q", r.Protocol)
	}
	rule.Peer, err = netip.ParsePrefix(r.CIDR)
	switch {
	case err != nil || !rule.Peer.Addr().Is4():
		return rule, fmt.Errorf("cidr is an IPv4 network such as 10.0.0.0/8, or 0.0.0.0/0 for all, not %q", r.CIDR)
	case rule.Peer != rule.Peer.Masked():
		return rule, fmt.Errorf("cidr is a network, such as %s, or an address, such as %s/32, not %s", rule.Peer.Masked(), rule.Peer.Addr(), r.CIDR)
	}
	return rule, nil
}

// ports reads a port or a range of them; "" is all.
func ports(text string) (first, last uint16, err error) {
	if text == "" {
		return 0, 0, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	lower, errLower := strconv.ParseUint(from, 10, 16)
	upper, errUpper := strconv.ParseUint(to, 10, 16)
	if errLower != nil || errUpper != nil || lower < 1 || lower > upper {
		return 0, 0, fmt.Errorf("ports is one from 1 to 65535, or a range such as 8000-8100, not %q", text)
	}
	return uint16(lower), uint16(upper), nil
}
