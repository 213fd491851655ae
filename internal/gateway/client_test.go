package gateway_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"carrel/internal/gateway"
)

func loopback() gateway.Proxies {
	return gateway.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
}

// TestAddresses asks from where somebody seems to come, by the page that refuses them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for why, c := range map[string]struct {
		proxies   gateway.Proxies
		forwarded []string
		want      string
	}{
		"direct":                       {nil, nil, "127.0.0.1"},
		"nobody is trusted":            {nil, []string{"203.0.113.5"}, "127.0.0.1"},
		"others are trusted":           {gateway.Proxies{netip.MustParsePrefix("10.0.0.0/8")}, []string{"203.0.113.5"}, "127.0.0.1"},
		"a proxy":                      {loopback(), []string{"198.51.100.7"}, "198.51.100.7"},
		"a proxy that tells nothing":   {loopback(), nil, "127.0.0.1"},
		"a client's invention":         {loopback(), []string{"203.0.113.5, 198.51.100.7"}, "198.51.100.7"},
		"two proxies":                  {loopback(), []string{"198.51.100.7, 10.1.2.3"}, "198.51.100.7"},
		"two proxies, two lines":       {loopback(), []string{"203.0.113.5", "198.51.100.7, 10.1.2.3"}, "198.51.100.7"},
		"proxies all the way":          {loopback(), []string{"10.1.2.4, 10.1.2.3"}, "10.1.2.4"},
		"rubbish":                      {loopback(), []string{"203.0.113.5, rubbish"}, "127.0.0.1"},
		"rubbish behind another proxy": {loopback(), []string{"203.0.113.5, rubbish, 10.1.2.3"}, "10.1.2.3"},
		"IPv6":                         {loopback(), []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv4 in IPv6":                 {loopback(), []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"a zone":                       {loopback(), []string{"fe80::1%eth0"}, "fe80::1"},
		"an empty part":                {loopback(), []string{"203.0.113.5,"}, "127.0.0.1"},
		"an address with a port":       {loopback(), []string{"203.0.113.5:80"}, "127.0.0.1"},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(config *gateway.Config) { config.Proxies = c.proxies })
			h.onlyFrom("192.0.2.0/24")
			b := h.browser()
			b.header["X-Forwarded-For"] = c.forwarded
			b.signIn("jane", password).want(t, http.StatusForbidden, "you come from "+c.want+".")
			b.signIn("jane", "wrong").want(t, http.StatusForbidden, "you come from "+c.want+".")
		})
	}
}

func TestAddressAllowed(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *gateway.Config) { c.Proxies = loopback() })
	h.onlyFrom("192.0.2.0/24", "2001:db8::/32")
	for address, want := range map[string]int{
		"192.0.2.200": http.StatusSeeOther, "2001:db8:1::5": http.StatusSeeOther, "192.0.3.1": http.StatusForbidden, "2001:db9::": http.StatusForbidden,
	} {
		b := h.browser()
		b.header.Set("X-Forwarded-For", address)
		b.signIn("jane", password).want(t, want)
	}
}

func TestSecureBehindAProxy(t *testing.T) {
	t.Parallel()
	for why, c := range map[string]struct {
		proxies gateway.Proxies
		proto   string
		secure  bool
	}{
		"trusted":         {loopback(), "https", true},
		"trusted, plain":  {loopback(), "http", false},
		"trusted, silent": {loopback(), "", false},
		"not trusted":     {nil, "https", false},
		"an invention":    {loopback(), "https, http", false},
	} {
		h := open(t, func(config *gateway.Config) { config.Proxies = c.proxies })
		b := h.browser()
		b.header.Set("X-Forwarded-For", "198.51.100.7")
		b.header.Set("X-Forwarded-Proto", c.proto)
		got := b.signIn("jane", password)
		got.want(t, http.StatusSeeOther)
		cookie := got.Header.Get("Set-Cookie")
		if secure := strings.HasPrefix(cookie, "__Host-carrel-session=") && strings.Contains(cookie, "; Secure"); secure != c.secure {
			t.Errorf("%s: %s", why, cookie)
		}
		if hsts := got.Header.Get("Strict-Transport-Security") != ""; hsts != c.secure {
			t.Errorf("%s: Strict-Transport-Security is %v", why, hsts)
		}
	}
}
