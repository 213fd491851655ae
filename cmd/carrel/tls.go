package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"slices"

	"carrel/internal/certificate"
	"carrel/internal/installation"
)

// identity is how the server proves itself; nil: it does not speak TLS.
func (s *server) identity(folder installation.Folder) (*certificate.Identity, error) {
	switch c := s.config.TLS; {
	case c.Cert != "":
		return certificate.Files(c.Cert, c.Key)
	case len(c.ACME) > 0:
		return certificate.ACME(c.ACME, folder.TLS(), c.ACMEURL)
	case c.SelfSigned:
		hosts, err := ownHosts(s.config.Listen)
		if err != nil {
			return nil, err
		}
		return certificate.Own(folder.TLS(), hosts, s.real.Now)
	default:
		return nil, nil //nolint:nilnil // none is a way too
	}
}

// ownHosts are the names and addresses that this machine is known by.
func ownHosts(listen string) ([]string, error) {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	addresses, err := net.InterfaceAddrs()
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && !network.IP.IsLinkLocalUnicast() {
			hosts = append(hosts, network.IP.String())
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), err
}

// serveOn answers on the listener until the server is told to stop.
func serveOn(listener net.Listener, web *http.Server, identity *certificate.Identity) error {
	var err error
	if identity == nil {
		err = web.Serve(listener)
	} else {
		web.TLSConfig = identity.TLS
		err = web.ServeTLS(listener, "", "")
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// identified is an address under which the server's certificate is accepted.
func identified(address string, identity *certificate.Identity) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil || identity.Host == "" {
		return reachable(address)
	}
	if port == "443" {
		return identity.Host
	}
	return net.JoinHostPort(identity.Host, port)
}

// exposed reports whether others than this machine can reach the address.
func exposed(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}
