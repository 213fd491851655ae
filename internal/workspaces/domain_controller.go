package workspaces

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// ConditionalForwarder says whom a directory asks for the names of another domain. Nobody is
// asked here: it is a record.
type ConditionalForwarder struct {
	Domain    string
	Addresses []string // of name servers
}

// maxForwarderAddresses is how many name servers a forwarder can have. The model sets no limit; this is
// Carrel's own.
const maxForwarderAddresses = 10

// CheckForwarder refuses a forwarder without, or with too many, name servers.
func CheckForwarder(f ConditionalForwarder) error {
	if len(f.Addresses) == 0 || len(f.Addresses) > maxForwarderAddresses {
		return Errorf(CodeInvalidParameter, "A conditional forwarder has between 1 and %d DNS addresses.", maxForwarderAddresses)
	}
	return nil
}

// Forwarder returns the directory's forwarder for a domain; found is false where it has none.
func (d *Directory) Forwarder(domain string) (f ConditionalForwarder, found bool) {
	i := slices.IndexFunc(d.Details.Forwarders, func(f ConditionalForwarder) bool { return DomainKey(f.Domain) == DomainKey(domain) })
	if i < 0 {
		return f, false
	}
	return d.Details.Forwarders[i], true
}

// PutForwarder gives the directory a forwarder, in place of the one that it had for the domain.
func (d *Directory) PutForwarder(f ConditionalForwarder) {
	d.DropForwarder(f.Domain)
	d.Details.Forwarders = append(slices.Clone(d.Details.Forwarders), f)
	d.Generation++
}

// DropForwarder takes the forwarder for a domain away, and reports whether there was one.
func (d *Directory) DropForwarder(domain string) (dropped bool) {
	rest := slices.DeleteFunc(slices.Clone(d.Details.Forwarders), func(f ConditionalForwarder) bool { return DomainKey(f.Domain) == DomainKey(domain) })
	if dropped = len(rest) < len(d.Details.Forwarders); dropped {
		d.Details.Forwarders = rest
		d.Generation++
	}
	return dropped
}

// How many domain controllers a Microsoft AD has. Source: UpdateNumberOfDomainControllers; the
// service's quotas for the most.
const (
	fewestControllers = 2
	mostControllers   = 20
)

// DomainControllers is how many domain controllers the directory has; 0 where they are not its own to choose.
func (d *Directory) DomainControllers() int {
	if d.Type != MicrosoftAD {
		return 0
	}
	return max(d.Details.Controllers, fewestControllers)
}

// SetDomainControllers says how many domain controllers a Microsoft AD has from now on.
func (d *Directory) SetDomainControllers(n int) error {
	switch {
	case d.Type != MicrosoftAD:
		return Errorf(CodeDirectoryType, "The domain controllers of a directory of the type %s cannot be chosen.", d.Type)
	case n < fewestControllers:
		return Errorf(CodeInvalidParameter, "A directory has at least %d domain controllers.", fewestControllers)
	case n > mostControllers:
		return Errorf(CodeLimitExceeded, "A directory has at most %d domain controllers.", mostControllers)
	}
	d.Details.Controllers = n
	d.Generation++
	return nil
}

// DomainControllerID returns the id of one of the directory's controllers, from 0 on: dc- and 10
// hexadecimal digits, always the same.
func (d *Directory) DomainControllerID(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", d.ID, i))
	return "dc-" + hex.EncodeToString(sum[:5])
}
