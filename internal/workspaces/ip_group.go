package workspaces

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// IPGroup is an IP access control group: the addresses from which the WorkSpaces of the
// directories that it is associated with can be reached.
type IPGroup struct {
	Scope
	ID          string
	Name        string // unique in its scope
	Description string
	Rules       []IPRule
}

// IPRule lets the addresses of a range in.
type IPRule struct {
	Range       string // in CIDR notation, or a single address; as the client wrote it
	Description string
}

// maxIPGroupText is how many characters a group's name and each description can have. The
// model sets no limit; this is Carrel's own.
const maxIPGroupText = 255

// Check refuses groups with a name or rules that none may have.
func (g *IPGroup) Check() error {
	if strings.TrimSpace(g.Name) == "" || utf8.RuneCountInString(g.Name) > maxIPGroupText {
		return Errorf(CodeInvalidParameter, "An IP access control group needs a name of at most %d characters.", maxIPGroupText)
	}
	if utf8.RuneCountInString(g.Description) > maxIPGroupText {
		return Errorf(CodeInvalidParameter, "The description of an IP access control group has at most %d characters.", maxIPGroupText)
	}
	return checkIPRules(g.Rules)
}

func checkIPRules(rules []IPRule) error {
	seen := make(map[netip.Prefix]bool, len(rules))
	for _, r := range rules {
		prefix, err := ParseIPRange(r.Range)
		if err != nil {
			return err
		}
		if seen[prefix] {
			return Errorf(CodeInvalidParameter, "There are two rules for the range %s.", r.Range)
		}
		if utf8.RuneCountInString(r.Description) > maxIPGroupText {
			return Errorf(CodeInvalidParameter, "The description of a rule has at most %d characters.", maxIPGroupText)
		}
		seen[prefix] = true
	}
	return nil
}

// Authorize adds rules. A range that the group has already gets the new description.
func (g *IPGroup) Authorize(rules []IPRule) error {
	if err := checkIPRules(rules); err != nil {
		return err
	}
	for _, r := range rules {
		i, err := g.find(r.Range)
		switch {
		case err != nil:
			return err
		case i < 0:
			g.Rules = append(g.Rules, r)
		default:
			g.Rules[i] = r
		}
	}
	return nil
}

// Revoke takes the rules for these ranges away. A range that the group has no rule for is
// refused: who mistypes one must not believe that it is locked out.
func (g *IPGroup) Revoke(ranges []string) error {
	for _, text := range ranges {
		i, err := g.find(text)
		if err != nil {
			return err
		}
		if i < 0 {
			return Errorf(CodeInvalidParameter, "The IP access control group %s has no rule for the range %s.", g.ID, text)
		}
		g.Rules = slices.Delete(g.Rules, i, i+1)
	}
	return nil
}

// find returns where the rule for a range is, however the range is written; -1: nowhere.
func (g *IPGroup) find(text string) (int, error) {
	prefix, err := ParseIPRange(text)
	if err != nil {
		return -1, err
	}
	return slices.IndexFunc(g.Rules, func(r IPRule) bool {
		has, err := ParseIPRange(r.Range)
		return err == nil && has == prefix
	}), nil
}

// ParseIPRange reads what a rule can be for: a range in CIDR notation whose address is the
// range's first, or a single address, of IPv4 or IPv6.
func ParseIPRange(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		if address.Zone() != "" || address.Is4In6() {
			return netip.Prefix{}, Errorf(CodeInvalidParameter, "The address %s is of no use in a rule: write it as a plain IPv4 or IPv6 address.", text)
		}
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, Errorf(CodeInvalidParameter, "The rule %q is neither a range in CIDR notation, such as 192.0.2.0/24 or 2001:db8::/32, nor an address.", text)
	case prefix.Addr().Is4In6():
		return prefix, Errorf(CodeInvalidParameter, "The range %s is of no use in a rule: write it as a range of IPv4.", text)
	case prefix != prefix.Masked():
		return prefix, Errorf(CodeInvalidParameter, "The range %s does not begin with its first address; it would be %s.", text, prefix.Masked())
	}
	return prefix, nil
}

// IPGroups are the groups that are associated with one directory.
type IPGroups []*IPGroup

// Allows reports whether a client at the address may reach the directory's WorkSpaces. A
// directory without groups lets everybody in, one whose groups have no rules nobody.
// Source: the administration guide's page on IP access control groups (spec, section F).
func (groups IPGroups) Allows(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, g := range groups {
		for _, r := range g.Rules {
			if prefix, err := ParseIPRange(r.Range); err == nil && prefix.Contains(address) {
				return true
			}
		}
	}
	return len(groups) == 0
}
