package gateway

import (
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"carrel/internal/clock"
)

// How often one may try to sign in: a burst, then one attempt per interval. Many people may
// share an address, and nobody mistypes a password that often.
const (
	addressBurst = 30
	addressEvery = 2 * time.Second
	userBurst    = 8
	userEvery    = 15 * time.Second
	// remembered is how many of either are kept in mind; those seen longest ago are forgotten.
	remembered = 1 << 14
)

// attempts limits how often is tried to sign in. It follows the machine's time: to move the
// service's own must neither lock out nor let in.
type attempts struct {
	clock *clock.Clock

	mu        sync.Mutex
	addresses *lru.Cache[netip.Addr, *rate.Limiter]
	lookers   *lru.Cache[netip.Addr, *rate.Limiter] // apart: any site can make a browser look, and must not keep people out by it
	users     *lru.Cache[string, *rate.Limiter]
}

func newAttempts(clk *clock.Clock) (*attempts, error) {
	addresses, err := lru.New[netip.Addr, *rate.Limiter](remembered)
	if err != nil {
		return nil, err
	}
	lookers, err := lru.New[netip.Addr, *rate.Limiter](remembered)
	if err != nil {
		return nil, err
	}
	users, err := lru.New[string, *rate.Limiter](remembered)
	if err != nil {
		return nil, err
	}
	return &attempts{clock: clk, addresses: addresses, lookers: lookers, users: users}, nil
}

// begin counts an attempt, or returns how long to wait before the next is allowed.
func (a *attempts) begin(from netip.Addr, user string) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if wait = take(limiter(a.addresses, network(from), addressEvery, addressBurst), now); wait > 0 {
		return wait
	}
	return take(limiter(a.users, user, userEvery, userBurst), now)
}

// take counts an attempt, or returns how long to wait before there can be another.
func take(l *rate.Limiter, now time.Time) (wait time.Duration) {
	one := l.ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// look counts a look at whose a registration code is, or returns how long to wait before the next is
// allowed. There may be as many from an address as attempts to sign in.
func (a *attempts) look(from netip.Addr) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return take(limiter(a.lookers, network(from), addressEvery, addressBurst), a.clock.Now())
}

// arrive counts an arrival with an identity provider's response, or returns how long to wait before
// the next is allowed. It counts as an attempt of the address.
func (a *attempts) arrive(from netip.Addr) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return take(limiter(a.addresses, network(from), addressEvery, addressBurst), a.clock.Now())
}

// succeeded forgets the attempts on a user who has shown that they are the user. Those from
// the address stay counted: its next attempt may be on somebody else.
func (a *attempts) succeeded(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users.Remove(user)
}

func limiter[K comparable](of *lru.Cache[K, *rate.Limiter], key K, every time.Duration, burst int) *rate.Limiter {
	l, found := of.Get(key)
	if !found {
		l = rate.NewLimiter(rate.Every(every), burst)
		of.Add(key, l)
	}
	return l
}

// network is what one household or machine has: an IPv4 address, or an IPv6 network of 64 bits.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}
