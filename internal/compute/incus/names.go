package incus

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"carrel/internal/compute"
)

// Tags on everything that the driver makes. Incus keeps all keys below "user."
// for whoever drives it.
const (
	tagInstallation = "user.carrel.installation" // whose it is
	tagDesktop      = "user.carrel.desktop"      // the desktop's id, on its instance and its volume
	tagSubnet       = "user.carrel.subnet"       // the subnet's id, on its network
	tagPrefix       = "user.carrel.prefix"       // a network's addresses, on its access list
	tagHeld         = "user.carrel.held"         // on an instance: what its network is to hold it to
	tagReach        = "user.carrel.reach."       // on a network's access list, with a desktop's id behind it: what it is held to

	// On a user volume: what the desktop is to have, which its instance may not have yet.
	tagCPU    = "user.carrel.cpu"
	tagMemory = "user.carrel.memory"
	tagRoot   = "user.carrel.root"

	tagCopying  = "user.carrel.copying"  // on a user volume that is being made from another one
	tagBegun    = "user.carrel.begun"    // on an instance: what has started it and not yet heard it answer
	tagCaptured = "user.carrel.captured" // on an instance that Capture has stopped and is to start again
)

// Properties of the images that this installation made.
const (
	propertyInstallation = "carrel.installation"
	propertyImage        = "carrel.image" // the name that it was made under
)

// desktopID is what Incus accepts as the name of an instance, short enough to leave
// room for what is appended to it.
var desktopID = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$`)

// homeVolume returns the name of a desktop's user volume.
func homeVolume(id string) string { return id + "-home" }

// networkName returns the name of a subnet's bridge. The kernel allows 15 bytes,
// fewer than a subnet's id has, so it is a hash. Bridges of different installations
// on one host differ. scripts/incus-up.sh counts on the prefix.
func networkName(installation, subnet string) string {
	sum := sha256.Sum256([]byte(installation + "/" + subnet))
	return "carrel" + strings.ToLower(base32.HexEncoding.EncodeToString(sum[:]))[:9]
}

// aclName returns the name of the access list of an installation's networks.
func aclName(installation string) string {
	sum := sha256.Sum256([]byte(installation))
	return "carrel-" + hex.EncodeToString(sum[:4])
}

// reachName returns the name of the access list that a network of ours has for itself.
func reachName(network string) string { return network + "-reach" }

// hardwareAddress derives a locally administered MAC from the address: an address
// that goes to another desktop keeps its MAC, and no neighbour is left with a stale
// entry. Measured: waits of 12 to 41 seconds without it.
func hardwareAddress(a netip.Addr) string {
	b := a.As4()
	return fmt.Sprintf("02:ca:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}

// printable replaces control characters. Incus writes an instance's environment into
// a configuration file of LXC line by line: a newline in somebody's full name would
// begin a new setting there.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// check refuses what this driver cannot make.
func (d *Driver) check(desktop compute.Desktop) error {
	if err := check(desktop); err != nil {
		return err
	}
	if d.encryptedPool == "" && (desktop.RootEncrypted || desktop.UserEncrypted) {
		return fmt.Errorf("%w: desktop %q: encrypted volumes need a storage pool on encrypted storage, named by --incus-encrypted-pool",
			compute.ErrInvalid, desktop.ID)
	}
	return nil
}

// check refuses what Incus would refuse later or, worse, would accept.
func check(d compute.Desktop) error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: desktop %q: %s", compute.ErrInvalid, d.ID, fmt.Sprintf(format, args...))
	}
	s := d.Subnet
	switch {
	case !desktopID.MatchString(d.ID):
		return invalid("not a usable id")
	case d.CPUs < 1 || d.MemoryMiB < 1 || d.RootGiB < 1 || d.UserGiB < 1:
		return invalid("processors, memory and volume sizes must be at least 1")
	case d.User.Name == "":
		return invalid("no user")
	case !s.Prefix.IsValid() || !s.Prefix.Addr().Is4():
		return invalid("subnet %q: %v is not an IPv4 prefix", s.ID, s.Prefix)
	case !s.Prefix.Contains(s.Gateway):
		return invalid("subnet %q: gateway %v lies outside %v", s.ID, s.Gateway, s.Prefix)
	case !s.Prefix.Contains(d.Address) || d.Address == s.Gateway:
		return invalid("address %v is not a desktop's in %v", d.Address, s.Prefix)
	}
	return nil
}
