package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"carrel/internal/installation"
	"carrel/internal/workspaces"
)

// Config is everything that carrel serve can be told; layer.go says from where. Other commands
// have it too, for the settings that they share with the server.
type Config struct {
	Listen   string
	Data     string
	Database string // URL of a PostgreSQL; "": SQLite in the data folder
	Engine   string // auto, simulated, incus
	Account  string
	Region   string
	Limits   string // open, aws
	Auth     string // keys, any
	Users    string // directory, any
	Image    string // the engine's name of the public bundles' image
	LogLevel string
	// OtherRegions get a default network of their own, for standby WorkSpaces.
	OtherRegions []string

	Forward string // URL that requests for other services are passed on to; "": they are refused

	TrustedProxies []string // networks whose X-Forwarded-For is believed
	TLS            TLSConfig

	CI      bool
	Instant bool
	Control bool
	Faults  string // a file of faults; "": none at first
	Seed    uint64 // what ids are drawn from; 0: nobody can foresee them
	Journal string // the file that requests are written down in; "": none
	Replay  string // the journal to begin with; "": none

	Simulated   SimulatedConfig
	Incus       IncusConfig
	Maintenance MaintenanceConfig
	Networks    []NetworkConfig

	SecurityGroups []SecurityGroupConfig
	ImageSources   []ImageSourceConfig
	Applications   []ApplicationConfig
}

// SimulatedConfig says how simulated desktops behave.
type SimulatedConfig struct {
	Seed     uint64
	Delay    time.Duration // how long each step takes, of the clock's time
	Capacity int           // how many desktops run at once; 0: as many as you like
	Failures float64       // the share of creates that fail, 0 to 1
}

// TLSConfig says how the server proves itself: in one way, or, with none of them, not at all.
type TLSConfig struct {
	Cert, Key  string   // files
	ACME       []string // host names that an ACME authority certifies
	ACMEURL    string   // of the authority's directory; "": Let's Encrypt's
	SelfSigned bool     // by an authority of the installation's own
}

// On reports whether the server speaks TLS.
func (t TLSConfig) On() bool { return t.Cert != "" || len(t.ACME) > 0 || t.SelfSigned }

// check refuses what does not go together.
func (t TLSConfig) check() error {
	ways := 0
	for _, is := range []bool{t.Cert != "" || t.Key != "", len(t.ACME) > 0, t.SelfSigned} {
		if is {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("only one of --tls-cert with --tls-key, --tls-acme and --tls-self-signed can be given")
	case (t.Cert == "") != (t.Key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case t.ACMEURL != "" && len(t.ACME) == 0:
		return errors.New("--tls-acme-url is for --tls-acme")
	}
	return nil
}

// IncusConfig says which Incus to use and how.
type IncusConfig struct {
	Socket        string
	Project       string
	Pool          string
	EncryptedPool string // "": no encrypted volumes
	Parallel      int
}

// NetworkConfig declares a subnet that desktops can be in.
type NetworkConfig struct {
	SubnetID string `yaml:"subnet-id"`
	Region   string `yaml:"region"` // "": the server's
	VPCID    string `yaml:"vpc-id"`
	Zone     string `yaml:"zone"`
	Prefix   string `yaml:"prefix"`
	Gateway  string `yaml:"gateway"`
	Network  string `yaml:"network"`  // the engine's name of an existing network
	Internet string `yaml:"internet"` // who may leave it: always, for everybody, or enabled; "": always
}

// flags declares every setting, with its default.
func (c *Config) flags(f *pflag.FlagSet) {
	f.StringVar(&c.Data, "data", installation.DefaultPath(), "the data folder")
	f.StringVar(&c.Database, "database", "", "URL of a PostgreSQL database; empty: SQLite in the data folder")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8383", "address to answer on")
	f.StringVar(&c.Engine, "engine", "auto", "what runs desktops: incus, simulated, or auto (Incus where it answers)")
	f.StringVar(&c.Account, "account", "123456789012", "the first account, 12 digits")
	f.StringVar(&c.Region, "region", "us-east-1", "the region of the default network and of carrel env")
	f.StringSliceVar(&c.OtherRegions, "other-regions", nil, "further regions that get a default network, for example for standby WorkSpaces")
	f.StringVar(&c.Limits, "limits", "open", "quotas and waits: open (for your own machines) or aws (the service's)")
	f.StringVar(&c.Auth, "auth", "keys", "who may ask: keys (signed with a known key) or any (for test suites)")
	f.StringVar(&c.Users, "users", "directory", "who can have a WorkSpace: directory (its users) or any name (for test suites)")
	f.StringVar(&c.Image, "image", "carrel/xfce", "the engine's image of the public bundles")
	f.StringVar(&c.Forward, "forward", "", "pass requests for services that Carrel does not answer on to this URL, for example of another emulator")
	f.StringSliceVar(&c.TrustedProxies, "trusted-proxies", nil, "networks of reverse proxies, in CIDR notation, whose X-Forwarded-For and -Proto are believed")
	f.StringVar(&c.TLS.Cert, "tls-cert", "", "speak TLS with the certificate in this file, in PEM, and the key in --tls-key")
	f.StringVar(&c.TLS.Key, "tls-key", "", "file with the key of --tls-cert")
	f.StringSliceVar(&c.TLS.ACME, "tls-acme", nil, "speak TLS with a certificate for these hosts from an ACME authority; port 443 of each has to lead here")
	f.StringVar(&c.TLS.ACMEURL, "tls-acme-url", "", "the ACME authority's directory; empty: Let's Encrypt's")
	f.BoolVar(&c.TLS.SelfSigned, "tls-self-signed", false, "speak TLS with a certificate of this installation's own, for a first look")
	f.StringVar(&c.LogLevel, "log-level", "info", "what is logged: debug, info, warn or error")
	f.BoolVar(&c.CI, "ci", false, "for test suites: --engine simulated --auth any --users any --instant --control, and data that is thrown away")
	f.BoolVar(&c.Instant, "instant", false, "send a reply only when the work that it started has settled")
	f.BoolVar(&c.Control, "control", false, "answer POST /_carrel/clock, /_carrel/reset and /_carrel/faults")
	f.StringVar(&c.Faults, "faults", "", "a file, in YAML or JSON, of faults that simulated desktops and the API have from the start")
	f.Uint64Var(&c.Seed, "seed", 0, "have the same requests give the same ids in every run, for test suites; 0: ids that nobody can foresee")
	f.StringVar(&c.Journal, "journal", "", "a file that all requests are written down in, without passwords")
	f.StringVar(&c.Replay, "replay", "", "a journal whose requests are repeated before any others; simulated desktops only")
	f.Uint64Var(&c.Simulated.Seed, "simulated-seed", 1, "what the simulated engine's chances are drawn from")
	f.DurationVar(&c.Simulated.Delay, "simulated-delay", 0, "how long a simulated desktop takes to start or stop")
	f.IntVar(&c.Simulated.Capacity, "simulated-capacity", 0, "how many simulated desktops can run at once; 0: any number")
	f.Float64Var(&c.Simulated.Failures, "simulated-failures", 0, "the share of simulated desktops that cannot be made, from 0 to 1")
	f.StringVar(&c.Incus.Socket, "incus-socket", "", "path of Incus's socket; empty: where Incus puts it")
	f.StringVar(&c.Incus.Project, "incus-project", "carrel", "the Incus project of the desktops")
	f.StringVar(&c.Incus.Pool, "incus-pool", "carrel", "the Incus storage pool of the volumes")
	f.StringVar(&c.Incus.EncryptedPool, "incus-encrypted-pool", "", "the Incus storage pool, on encrypted storage, of encrypted volumes; empty: none can be had")
	f.IntVar(&c.Incus.Parallel, "incus-parallel", 4, "how many desktops Incus makes at once")
	c.Maintenance.flags(f)
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

func (c *Config) check() error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, choice := range []struct {
		name, value string
		values      []string
	}{
		{"engine", c.Engine, []string{"auto", "simulated", "incus"}},
		{"limits", c.Limits, []string{"open", "aws"}},
		{"auth", c.Auth, []string{"keys", "any"}},
		{"users", c.Users, []string{"directory", "any"}},
		{"log-level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
	} {
		if !slices.Contains(choice.values, choice.value) {
			refuse("--%s is one of %s, not %q", choice.name, strings.Join(choice.values, ", "), choice.value)
		}
	}
	if c.CI && c.Engine != "simulated" {
		refuse("--ci throws its data away and is for simulated desktops only, not for --engine %s", c.Engine)
	}
	if !accountPattern.MatchString(c.Account) {
		refuse("--account has 12 digits, not %q", c.Account)
	}
	if !regionPattern.MatchString(c.Region) {
		refuse("--region looks like us-east-1, not %q", c.Region)
	}
	for _, region := range c.OtherRegions {
		if !regionPattern.MatchString(region) || region == c.Region {
			refuse("--other-regions lists regions such as eu-west-1 beside --region, not %q", region)
		}
	}
	if c.Simulated.Failures < 0 || c.Simulated.Failures > 1 {
		refuse("--simulated-failures lies between 0 and 1")
	}
	if c.Simulated.Delay < 0 || c.Simulated.Capacity < 0 {
		refuse("--simulated-delay and --simulated-capacity cannot be negative")
	}
	if c.Replay != "" && (c.Engine != "simulated" || c.Replay == c.Journal) {
		refuse("--replay goes with --engine simulated or --ci, and reads another file than --journal writes")
	}
	if c.Incus.Parallel < 1 {
		refuse("--incus-parallel is at least 1")
	}
	_, err := c.Subnets()
	_, badProxy := c.Proxies()
	_, badSource := c.Sources()
	_, badGroup := c.Groups()
	_, badForward := c.ForwardTo()
	return errors.Join(append(problems, err, badProxy, badSource, badGroup, badForward, c.checkApplications(), c.checkFaults(), c.TLS.check(), c.Maintenance.check())...)
}

// ForwardTo returns where requests for other services go, nil for nowhere.
func (c *Config) ForwardTo() (*url.URL, error) {
	if c.Forward == "" {
		return nil, nil //nolint:nilnil // nowhere is no failure
	}
	to, err := url.Parse(c.Forward)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" || to.RawQuery != "" || to.Fragment != "" {
		return nil, fmt.Errorf("--forward is a URL such as http://127.0.0.1:5000, not %q", c.Forward)
	}
	return to, nil
}

// Proxies returns the networks of reverse proxies that are believed.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if address, e := netip.ParseAddr(text); e == nil {
			network, err = netip.PrefixFrom(address.WithZone(""), address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies lists networks such as 10.0.0.0/8 or addresses, not %q", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

var (
	subnetPattern = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
	vpcPattern    = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

// Subnets returns the declared networks.
func (c *Config) Subnets() ([]workspaces.Subnet, error) {
	var subnets []workspaces.Subnet
	for i, n := range c.Networks {
		prefix, err := netip.ParsePrefix(n.Prefix)
		if err != nil || !prefix.Addr().Is4() || prefix.Bits() > 28 || prefix.Bits() < 8 {
			return nil, fmt.Errorf("networks, number %d: prefix is an IPv4 network from /8 to /28, not %q", i+1, n.Prefix)
		}
		gateway := prefix.Masked().Addr().Next()
		if n.Gateway != "" {
			if gateway, err = netip.ParseAddr(n.Gateway); err != nil || !prefix.Contains(gateway) {
				return nil, fmt.Errorf("networks, number %d: gateway is an address within %s, not %q", i+1, n.Prefix, n.Gateway)
			}
		}
		if !subnetPattern.MatchString(n.SubnetID) || !vpcPattern.MatchString(n.VPCID) || n.Zone == "" {
			return nil, fmt.Errorf("networks, number %d: needs a zone, a vpc-id such as vpc-0a1b2c3d and a subnet-id such as subnet-0a1b2c3d", i+1)
		}
		if n.Region != "" && !regionPattern.MatchString(n.Region) {
			return nil, fmt.Errorf("networks, number %d: a region looks like us-east-1, not %q", i+1, n.Region)
		}
		if err := n.checkInternet(); err != nil {
			return nil, fmt.Errorf("networks, number %d: %w", i+1, err)
		}
		subnet := workspaces.Subnet{
			ID: n.SubnetID, VPCID: n.VPCID, Region: cmp.Or(n.Region, c.Region), Zone: n.Zone, Prefix: prefix.Masked(), Gateway: gateway,
			EngineNetwork: n.Network, Internet: cmp.Or(n.Internet, workspaces.InternetAlways),
		}
		if j := slices.IndexFunc(subnets, func(other workspaces.Subnet) bool { return collide(subnet, other) }); j >= 0 {
			return nil, fmt.Errorf("networks, number %d: %s, %s, collides with number %d: %s, %s", i+1, subnet.ID, subnet.Prefix, j+1, subnets[j].ID, subnets[j].Prefix)
		}
		subnets = append(subnets, subnet)
	}
	return subnets, nil
}

// checkInternet refuses what a network cannot say of who may leave it.
func (n NetworkConfig) checkInternet() error {
	switch {
	case n.Internet != "" && n.Internet != workspaces.InternetAlways && n.Internet != workspaces.InternetEnabled:
		return fmt.Errorf("internet is always or enabled, not %q", n.Internet)
	case n.Internet == workspaces.InternetEnabled && n.Network != "":
		return errors.New("internet: enabled is for networks that Carrel makes; who may leave " + n.Network + " is for its owner to say")
	}
	return nil
}

// collide reports whether two subnets cannot be beside each other: they are one, or have addresses in common in one
// VPC or on bridges that Carrel makes. Bridges that Incus has already may be apart.
func collide(a, b workspaces.Subnet) bool {
	together := a.VPCID == b.VPCID || a.EngineNetwork == b.EngineNetwork
	return a.ID == b.ID || together && a.Prefix.Overlaps(b.Prefix)
}

// LimitsOf returns the limits that the configuration asks for.
func (c *Config) LimitsOf() workspaces.Limits {
	limits := workspaces.OpenLimits()
	if c.Limits == "aws" {
		limits = workspaces.AWSLimits()
	}
	if c.Instant {
		limits = limits.Instantly()
	}
	return limits
}

// Folder returns the data folder.
func (c *Config) Folder() installation.Folder { return installation.Folder{Path: c.Data} }
