package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// FuzzForwarded makes up what proxies and clients say. Whatever it is, the client is the peer
// or an address of the header with nothing but proxies to its right.
func FuzzForwarded(f *testing.F) {
	for _, seed := range [][2]string{
		{"198.51.100.7", "https"},
		{"203.0.113.5, 198.51.100.7, 10.1.2.3", "https, http"},
		{"", ""},
		{",,", ","},
		{"::ffff:10.0.0.1, ::1%x", "HTTPS"},
		{strings.Repeat("10.0.0.1,", 300), "http"},
		{"10.0.0.1\n10.0.0.2", "https\nhttp"},
	} {
		f.Add(seed[0], seed[1])
	}
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	f.Fuzz(func(t *testing.T, addresses, protocols string) {
		r := &http.Request{Header: http.Header{
			"X-Forwarded-For": strings.Split(addresses, "\n"), "X-Forwarded-Proto": strings.Split(protocols, "\n"),
		}}
		for _, peer := range []string{"192.0.2.1", "10.9.9.9"} {
			r.RemoteAddr = peer + ":1234"
			c := proxies.client(r)
			if peer == "192.0.2.1" && (c.address.String() != peer || c.secure) {
				t.Fatalf("a stranger's words are believed: %+v", c)
			}
			if c.address.String() == peer {
				continue
			}
			parts := forwarded(r, "X-Forwarded-For")
			for i := len(parts) - 1; ; i-- {
				if i < 0 {
					t.Fatalf("%v is not in %q, or not behind proxies alone", c.address, parts)
				}
				a, err := netip.ParseAddr(parts[i])
				if err != nil {
					t.Fatalf("%v lies behind %q", c.address, parts[i])
				}
				if plain(a) == c.address {
					break
				}
				if !proxies.trusts(plain(a)) {
					t.Fatalf("%v lies behind the stranger %v", c.address, a)
				}
			}
		}
	})
}
