package workspaces

import (
	"net/netip"
	"slices"
	"time"
)

// Account is how an account is set up in a region for desktops under licenses of its own, on
// hardware that nobody else uses: dedicated tenancy, "bring your own license".
type Account struct {
	Scope
	DedicatedTenancy bool
	ManagementRange  netip.Prefix // a /16 for the desktops' management; only with DedicatedTenancy
}

// AccountModification enables dedicated tenancy for an account, or gives it another range.
type AccountModification struct {
	Scope
	ID              string
	ManagementRange netip.Prefix
	State           ModificationState
	StartedAt       time.Time
	ErrorCode       string
	ErrorMessage    string

	Generation int64
	Deadline   time.Time
	WakeAt     time.Time
}

// ModificationState is how far a modification of an account is.
type ModificationState string

// The states, as the API spells them.
const (
	ModificationPending   ModificationState = "PENDING"
	ModificationCompleted ModificationState = "COMPLETED"
	ModificationFailed    ModificationState = "FAILED"
)

// accountWork is how long a modification may be PENDING.
const accountWork = time.Hour

// NewAccountModification makes a modification, PENDING.
func NewAccountModification(c *Chance, s Scope, managementRange netip.Prefix, now time.Time) *AccountModification {
	return &AccountModification{
		Scope: s, ID: NewAccountModificationID(c), ManagementRange: managementRange, State: ModificationPending, StartedAt: now,
		Generation: 1, Deadline: now.Add(accountWork), WakeAt: now.Add(Watchdog),
	}
}

// Ref names the modification as it is now.
func (m *AccountModification) Ref() Ref {
	return Ref{Scope: m.Scope, ID: m.ID, Generation: m.Generation}
}

// Complete ends the modification and returns what the account has become.
func (m *AccountModification) Complete() Account {
	m.end(ModificationCompleted)
	return Account{Scope: m.Scope, DedicatedTenancy: true, ManagementRange: m.ManagementRange}
}

// Fail ends the modification without effect, with the reason.
func (m *AccountModification) Fail(code, message string) {
	m.end(ModificationFailed)
	m.ErrorCode, m.ErrorMessage = code, message
}

func (m *AccountModification) end(s ModificationState) {
	m.State, m.Deadline, m.WakeAt = s, time.Time{}, time.Time{}
	m.Generation++
}

// managementBits is the size of a management range. Source: ModifyAccount.
const managementBits = 16

// privateRanges are where management ranges come from: addresses that no host on the internet has.
func privateRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.18.0.0/15"),
	}
}

// IsManagementRange reports whether a range is of the size and of the addresses that a
// management range can have.
func IsManagementRange(p netip.Prefix) bool {
	return p.Bits() == managementBits && p == p.Masked() &&
		slices.ContainsFunc(privateRanges(), func(private netip.Prefix) bool { return private.Contains(p.Addr()) })
}

// ManagementRanges returns the management ranges within a range that are clear of those taken, in order.
func ManagementRanges(within netip.Prefix, taken []netip.Prefix) []netip.Prefix {
	within = within.Masked()
	var free []netip.Prefix
	for _, private := range privateRanges() {
		for a := private.Addr(); private.Contains(a); a = nextRange(a) {
			p := netip.PrefixFrom(a, managementBits)
			if within.Bits() <= managementBits && within.Contains(a) && !slices.ContainsFunc(taken, p.Overlaps) {
				free = append(free, p)
			}
		}
	}
	return free
}

// nextRange returns the first address of the range behind the one that begins with a.
func nextRange(a netip.Addr) netip.Addr {
	b := a.As4()
	if b[1]++; b[1] == 0 {
		b[0]++
	}
	return netip.AddrFrom4(b)
}
