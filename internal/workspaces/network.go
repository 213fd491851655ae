package workspaces

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// Subnet is a network that WorkSpaces get their addresses from. Networks belong to the
// installation: the administrator declares them, or the default one is made on first start.
type Subnet struct {
	ID            string
	VPCID         string
	Region        string
	Zone          string // availability zone, e.g. us-east-1a
	Prefix        netip.Prefix
	Gateway       netip.Addr
	EngineNetwork string // the engine's name of an existing network; "": the engine makes one
	Internet      string // who may leave it: InternetAlways or InternetEnabled
}

// Who may leave a subnet for the Internet.
const (
	InternetAlways  = "always"  // everybody
	InternetEnabled = "enabled" // WorkSpaces of directories that have EnableInternetAccess when they are made
)

// LetsOut reports whether WorkSpaces that are made with these properties may leave the subnet.
func (s Subnet) LetsOut(p CreationProperties) bool {
	return s.Internet != InternetEnabled || p.InternetAccess
}

// reservedHosts are the addresses at the start of a subnet that no WorkSpace gets:
// the network itself, the gateway, and the three that Amazon VPC keeps too.
const reservedHosts = 4

// Hosts returns the first and the last offset within the subnet that a WorkSpace can have.
func (s Subnet) Hosts() (first, last int64) {
	bits := s.Prefix.Addr().BitLen() - s.Prefix.Bits()
	return reservedHosts, int64(1)<<min(bits, 32) - 2
}

// Address returns the address at an offset within the subnet.
func (s Subnet) Address(offset int64) netip.Addr {
	a := s.Prefix.Masked().Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(offset)) //nolint:gosec // an offset lies within an IPv4 subnet
	return netip.AddrFrom4(a)
}

// DefaultNetwork makes the network of an installation that declares none: one VPC with a
// large subnet in each of two availability zones, clear of the networks that the machine
// has already.
func DefaultNetwork(c *Chance, region string, taken []netip.Prefix) []Subnet {
	vpc := NewVPCID(c)
	subnets := make([]Subnet, 0, 2)
	// 10.83 and on: few people number their networks from there.
	for second := byte(83); len(subnets) < 2 && second < 255; second++ {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, 0, 0}), 16)
		if slices.ContainsFunc(taken, prefix.Overlaps) {
			continue
		}
		subnets = append(subnets, Subnet{
			ID: NewSubnetID(c), VPCID: vpc, Region: region, Zone: zone(region, len(subnets)), Prefix: prefix,
			Gateway: prefix.Addr().Next(), Internet: InternetAlways,
		})
	}
	return subnets
}

// zone names the number'th availability zone of a region.
func zone(region string, number int) string { return region + "abcdef"[number:number+1] }

// MadeUpSubnet makes a network for an id that a test suite brought along, the number'th of
// the installation. Only simulated desktops live in it, so that it may overlap with others.
func MadeUpSubnet(id, region string, number int) Subnet {
	prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(number), 0, 0}), 16) //nolint:gosec // may overlap
	return Subnet{
		ID: id, VPCID: "vpc-" + strings.TrimPrefix(id, "subnet-"), Region: region, Zone: zone(region, number%2),
		Prefix: prefix, Gateway: prefix.Addr().Next(), Internet: InternetAlways,
	}
}

// Moved returns the subnet as one of another region, in the zone with the same letter.
func (s Subnet) Moved(region string) Subnet {
	s.Region, s.Zone = region, region+s.Zone[len(s.Zone)-1:]
	return s
}
