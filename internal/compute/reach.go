package compute

import (
	"fmt"
	"net/netip"
	"slices"
)

// Reach is whom a desktop may exchange packets with, beside what every desktop of its network has: its name
// server, and nothing that the network closes to all. The zero Reach is everybody whom the network lets through.
// Its screen and side channel are not concerned: they do not come by the network.
type Reach struct {
	// Groups are the ids of the security groups that the desktop has, "" for none. With one, it may do what a rule of
	// any of them says, and nothing else.
	Groups [2]string
	// Offline desktops reach nothing outside of Inside, and there only what a group of theirs says.
	Offline bool
}

// Restricted reports whether anything is withheld from the desktop that others of its network have.
func (r Reach) Restricted() bool { return r != Reach{} }

// SecurityGroup is what desktops that have it may exchange with whom. An engine knows its groups from the start.
// Answers to what was let through are let through as well.
type SecurityGroup struct {
	ID      string // sg-…
	Egress  []Rule // whom desktops may open connections to
	Ingress []Rule // who may open connections to them
}

// Rule lets some packets through.
type Rule struct {
	Protocol    string // TCP, UDP, ICMP; "": any
	First, Last uint16 // the ports at the desktop's or the peer's end that the connection is opened to; 0: any
	Peer        netip.Prefix
}

// The protocols that a Rule can name.
const (
	TCP  = "tcp"
	UDP  = "udp"
	ICMP = "icmp"
)

// Inside is where an organisation's own machines are, as far as addresses tell: the networks that no packet leaves
// for the Internet from. Source: RFC 1918, RFC 6598.
func Inside() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	}
}

// CheckGroups returns an error wrapping ErrInvalid where the desktop is to have a security group that is not
// among the known ones.
func (r Reach) CheckGroups(known []SecurityGroup) error {
	for _, id := range r.Groups {
		if id != "" && !slices.ContainsFunc(known, func(g SecurityGroup) bool { return g.ID == id }) {
			return fmt.Errorf("%w: there is no security group %s; the configuration file declares them", ErrInvalid, id)
		}
	}
	return nil
}
