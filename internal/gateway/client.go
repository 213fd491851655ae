package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// client is who sent a request, as far as the network tells.
type client struct {
	address netip.Addr // invalid where the connection has none
	secure  bool       // the browser speaks TLS, to us or to a trusted proxy
	// approved: that TLS is of the kind that FIPS 140 approves. What a trusted proxy negotiates is its
	// administrator's affair, and taken to be.
	approved bool
}

// Proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
type Proxies []netip.Prefix

// client finds out who sent the request. Each proxy adds the address that it was spoken to
// from at the right of X-Forwarded-For, so that what stands left of the first address that
// is no proxy of ours may be anybody's invention.
func (p Proxies) client(r *http.Request) client {
	c := client{secure: r.TLS != nil, approved: approved(r.TLS)}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return c
	}
	c.address = plain(peer.Addr())
	addresses, protocols := forwarded(r, "X-Forwarded-For"), forwarded(r, "X-Forwarded-Proto")
	for i := 0; p.trusts(c.address); i++ {
		// A proxy that tells the protocol once tells it for the whole way.
		if n := len(protocols); n > 0 {
			c.secure = strings.EqualFold(protocols[max(n-1-i, 0)], "https")
			c.approved = c.secure
		}
		if i == len(addresses) {
			break
		}
		next, err := netip.ParseAddr(addresses[len(addresses)-1-i])
		if err != nil {
			break
		}
		c.address = plain(next)
	}
	return c
}

// Secure reports whether who sent the request speaks TLS, to us or to a trusted proxy.
func (p Proxies) Secure(r *http.Request) bool { return p.client(r).secure }

func (p Proxies) trusts(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// plain is an address without what does not tell hosts apart: an IPv4 one within IPv6, a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// forwarded returns the parts of a header that proxies append to.
func forwarded(r *http.Request, name string) []string {
	var parts []string
	for _, line := range r.Header.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			parts = append(parts, strings.TrimSpace(part))
		}
	}
	return parts
}
