package main

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"

	"carrel/internal/certificate"
	"carrel/internal/installation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
	"carrel/web"
)

// announce tells clients on this machine and whoever reads the log where the server is and
// which switches it has that nobody would want in earnest.
func (s *server) announce(ctx context.Context, folder installation.Folder, address net.Addr, identity *certificate.Identity) error {
	about := installation.Server{Endpoint: "http://" + reachable(address.String()), Region: s.config.Region, Account: s.config.Account, PID: os.Getpid()}
	if identity != nil {
		about.Endpoint, about.Authority = "https://"+identified(address.String(), identity), identity.Authority
	} else if exposed(address) && len(s.config.TrustedProxies) == 0 {
		s.log.WarnContext(ctx, "passwords and screens cross the network in the open; see carrel serve --help for --tls-cert, --tls-acme and --tls-self-signed, "+
			"and for --trusted-proxies where a proxy speaks TLS", "address", address.String())
	}
	var down []store.RegionDown
	err := s.store.View(func(tx *store.Tx) error {
		subnets, err := tx.Subnets(ctx)
		if err != nil {
			return err
		}
		about.VPCID, about.SubnetIDs = networkFor(subnets, s.config.Region)
		down, err = tx.RegionsDown(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := folder.PutServer(about); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "carrel answers", "endpoint", about.Endpoint, "engine", s.engine.name, "why", s.engine.why, "limits", s.config.Limits,
		"data", s.config.Data)
	if m := s.runner.Maintenance; m.On {
		s.log.InfoContext(ctx, "WorkSpaces are kept up to date in their maintenance windows", "zone", m.Windows.Zone, "at once", m.Parallel)
	}
	for _, region := range down {
		s.log.WarnContext(ctx, "nobody is let in to a region that is down; carrel region up says that it is up again", "region", region.Name, "since", region.Since)
	}
	if !web.HasClient() {
		s.log.WarnContext(ctx, "users cannot open their desktops in a browser: the program was built without npm; install it, then: make build")
	}
	if unsafe := s.unsafe(); len(unsafe) > 0 {
		s.log.WarnContext(ctx, "this server is for tests only", "switches", strings.Join(unsafe, " "))
	}
	if s.engine.faults != nil {
		for _, set := range s.engine.faults.All() {
			s.log.WarnContext(ctx, "this server has a fault on purpose", "fault", set)
		}
	}
	return nil
}

// networkFor is the network of a region that clients are told of: the first in which a directory
// can be, which takes two subnets.
func networkFor(subnets []workspaces.Subnet, region string) (vpc string, ids []string) {
	of := make(map[string][]string)
	for _, subnet := range subnets {
		if subnet.Region != region {
			continue
		}
		of[subnet.VPCID] = append(of[subnet.VPCID], subnet.ID)
		if vpc == "" || len(of[vpc]) < 2 && len(of[subnet.VPCID]) >= 2 {
			vpc = subnet.VPCID
		}
	}
	return vpc, of[vpc]
}

// unsafe lists the switches that are on and are for tests only.
func (s *server) unsafe() []string {
	var on []string
	for name, is := range map[string]bool{
		"--ci": s.config.CI, "--auth any": s.config.Auth == "any", "--users any": s.config.Users == "any",
		"--instant": s.config.Instant, "--control": s.config.Control, "--faults": s.config.Faults != "",
		"--seed": s.config.Seed != 0, "--replay": s.config.Replay != "",
	} {
		if is {
			on = append(on, name)
		}
	}
	slices.Sort(on)
	return on
}

// reachable is an address that clients on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
