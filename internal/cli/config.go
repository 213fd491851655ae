package cli

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"carrel/internal/installation"
	"carrel/internal/workspaces"
)

// Config is everything that carrel serve can be told. A value comes from a flag, else from
// the environment (CARREL_ and the flag's name), else from the file, else it is the
// default. The file is YAML, with the flags' names as keys and networks beside them.
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

	CI      bool
	Instant bool
	Control bool

	Simulated SimulatedConfig
	Incus     IncusConfig
	Networks  []NetworkConfig
}

// SimulatedConfig says how simulated desktops behave.
type SimulatedConfig struct {
	Seed     uint64
	Delay    time.Duration // how long each step takes, of the clock's time
	Capacity int           // how many desktops run at once; 0: as many as you like
	Failures float64       // the share of creates that fail, 0 to 1
}

// IncusConfig says which Incus to use and how.
type IncusConfig struct {
	Socket   string
	Project  string
	Pool     string
	Parallel int
}

// NetworkConfig declares a subnet that desktops can be in.
type NetworkConfig struct {
	SubnetID string `yaml:"subnet-id"`
	VPCID    string `yaml:"vpc-id"`
	Zone     string `yaml:"zone"`
	Prefix   string `yaml:"prefix"`
	Gateway  string `yaml:"gateway"`
	Network  string `yaml:"network"` // the engine's name of an existing network
}

// flags declares the flags of serve. Everything that a process needs to find the data folder is
// declared for all commands, by the root.
func (c *Config) flags(f *pflag.FlagSet) {
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8383", "address to answer on")
	f.StringVar(&c.Engine, "engine", "auto", "what runs desktops: incus, simulated, or auto (Incus where it answers)")
	f.StringVar(&c.Account, "account", "123456789012", "the first account, 12 digits")
	f.StringVar(&c.Region, "region", "us-east-1", "the region of the default network and of carrel env")
	f.StringVar(&c.Limits, "limits", "open", "quotas and waits: open (for your own machines) or aws (the service's)")
	f.StringVar(&c.Auth, "auth", "keys", "who may ask: keys (signed with a known key) or any (for test suites)")
	f.StringVar(&c.Users, "users", "directory", "who can have a WorkSpace: directory (its users) or any name (for test suites)")
	f.StringVar(&c.Image, "image", "carrel/xfce", "the engine's image of the public bundles")
	f.StringVar(&c.LogLevel, "log-level", "info", "what is logged: debug, info, warn or error")
	f.BoolVar(&c.CI, "ci", false, "for test suites: --engine simulated --auth any --users any --instant --control, and data that is thrown away")
	f.BoolVar(&c.Instant, "instant", false, "send a reply only when the work that it started has settled")
	f.BoolVar(&c.Control, "control", false, "answer POST /_carrel/clock and /_carrel/reset")
	f.Uint64Var(&c.Simulated.Seed, "simulated-seed", 1, "what the simulated engine's chances are drawn from")
	f.DurationVar(&c.Simulated.Delay, "simulated-delay", 0, "how long a simulated desktop takes to start or stop")
	f.IntVar(&c.Simulated.Capacity, "simulated-capacity", 0, "how many simulated desktops can run at once; 0: any number")
	f.Float64Var(&c.Simulated.Failures, "simulated-failures", 0, "the share of simulated desktops that cannot be made, from 0 to 1")
	f.StringVar(&c.Incus.Socket, "incus-socket", "", "path of Incus's socket; empty: where Incus puts it")
	f.StringVar(&c.Incus.Project, "incus-project", "carrel", "the Incus project of the desktops")
	f.StringVar(&c.Incus.Pool, "incus-pool", "carrel", "the Incus storage pool of the volumes")
	f.IntVar(&c.Incus.Parallel, "incus-parallel", 4, "how many desktops Incus makes at once")
}

// notInFile are flags that say where the file is, or are for a single run.
func notInFile() []string { return []string{"config", "data", "ci", "help"} }

// load fills in what no flag has said, from the environment and the file, and checks the whole.
func (c *Config) load(cmd *cobra.Command, file string) error {
	values, err := c.readFile(file, cmd.Flags())
	if err != nil {
		return err
	}
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			return
		}
		if v, ok := os.LookupEnv(environmentName(f.Name)); ok {
			if err := f.Value.Set(v); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", environmentName(f.Name), err))
			}
		} else if v, ok := values[f.Name]; ok {
			if err := f.Value.Set(v); err != nil {
				problems = append(problems, fmt.Errorf("%s: %s: %w", file, f.Name, err))
			}
		}
	})
	problems = append(problems, unknownEnvironment(cmd.Root()))
	if c.CI {
		c.Engine, c.Auth, c.Users, c.Instant, c.Control = "simulated", "any", "any", true, true
	}
	return errors.Join(append(problems, c.check())...)
}

func environmentName(flag string) string {
	return "CARREL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment applies the environment to the flags that all commands have.
func (s *shared) fromEnvironment(cmd *cobra.Command) error {
	for _, name := range []string{"data", "database"} {
		if v, ok := os.LookupEnv(environmentName(name)); ok && !cmd.Flags().Changed(name) {
			if err := cmd.Flags().Set(name, v); err != nil {
				return usageError{err}
			}
		}
	}
	return nil
}

// fileShape is the file: scalars by the flags' names, and the networks.
type fileShape struct {
	Networks []NetworkConfig      `yaml:"networks"`
	Scalars  map[string]yaml.Node `yaml:",inline"`
}

func (c *Config) readFile(path string, flags *pflag.FlagSet) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // the administrator's own path
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read from
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var shape fileShape
	if err := decoder.Decode(&shape); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.Networks = shape.Networks
	values := make(map[string]string, len(shape.Scalars))
	for key, node := range shape.Scalars {
		if flags.Lookup(key) == nil || slices.Contains(notInFile(), key) {
			return nil, fmt.Errorf("%s: line %d: there is no setting %q", path, node.Line, key)
		}
		if node.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("%s: line %d: %s takes a single value", path, node.Line, key)
		}
		values[key] = node.Value
	}
	return values, nil
}

// exported are the variables that carrel env prints for other programs.
func exported() []string {
	return []string{"CARREL_VPC_ID", "CARREL_SUBNET_IDS"}
}

// unknownEnvironment refuses variables that look like settings and are none, so that a
// misspelled one is not silently without effect.
func unknownEnvironment(root *cobra.Command) error {
	known := exported()
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, environmentName(f.Name)) })
		cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) { known = append(known, environmentName(f.Name)) })
	}
	var unknown []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CARREL_") && !strings.HasPrefix(name, "CARREL_TEST_") && !strings.HasPrefix(name, "CARREL_POOL_") &&
			!slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("there is no setting %s; carrel serve --help lists them", strings.Join(unknown, ", "))
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
	if !accountPattern.MatchString(c.Account) {
		refuse("--account has 12 digits, not %q", c.Account)
	}
	if !regionPattern.MatchString(c.Region) {
		refuse("--region looks like us-east-1, not %q", c.Region)
	}
	if c.Simulated.Failures < 0 || c.Simulated.Failures > 1 {
		refuse("--simulated-failures lies between 0 and 1")
	}
	if c.Simulated.Delay < 0 || c.Simulated.Capacity < 0 {
		refuse("--simulated-delay and --simulated-capacity cannot be negative")
	}
	if c.Incus.Parallel < 1 {
		refuse("--incus-parallel is at least 1")
	}
	_, err := c.Subnets()
	return errors.Join(append(problems, err)...)
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
		subnets = append(subnets, workspaces.Subnet{
			ID: n.SubnetID, VPCID: n.VPCID, Region: c.Region, Zone: n.Zone, Prefix: prefix.Masked(), Gateway: gateway, EngineNetwork: n.Network,
		})
	}
	return subnets, nil
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
