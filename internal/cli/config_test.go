package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/cli"
	"carrel/internal/compute"
	"carrel/internal/workspaces"
)

// settings runs carrel serve and returns the settings that a server would have got.
func settings(t *testing.T, env []string, args ...string) (cli.Config, result) {
	t.Helper()
	var got cli.Config
	serve := func(_ context.Context, c *cli.Config, _ *slog.Logger) error {
		got = *c
		return nil
	}
	r := command{parts: cli.Parts{Serve: serve}, env: env}.run(t, append([]string{"serve"}, args...)...)
	return got, r
}

// file writes a configuration and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carrel.yaml")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestDefaultsRunOnALaptop(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil)
	r.succeed(t)
	if c.Listen != "127.0.0.1:8383" || c.Engine != "auto" || c.Limits != "open" || c.Auth != "keys" || c.Users != "directory" ||
		c.Account != account || c.Region != region || c.Database != "" || c.CI || c.Instant || c.Control || c.Data == "" {
		t.Errorf("got %+v", c)
	}
}

func TestAFlagComesBeforeTheEnvironmentBeforeTheFileBeforeTheDefault(t *testing.T) {
	t.Parallel()
	config := file(t, "listen: file:1\nregion: eu-west-1\nlimits: aws\nincus-parallel: 7\nsimulated-delay: 3s\ndatabase: postgres://file/db\n")
	env := []string{"CARREL_LISTEN=env:1", "CARREL_REGION=eu-west-2", "CARREL_SIMULATED_DELAY=5s"}
	c, r := settings(t, env, "--config", config, "--listen", "flag:1")
	r.succeed(t)
	if c.Listen != "flag:1" {
		t.Errorf("the flag lost to %s", c.Listen)
	}
	if c.Region != "eu-west-2" || c.Simulated.Delay != 5*time.Second {
		t.Errorf("the environment lost to %s and %s", c.Region, c.Simulated.Delay)
	}
	if c.Limits != "aws" || c.Incus.Parallel != 7 || c.Database != "postgres://file/db" {
		t.Errorf("the file lost to %s, %d and %s", c.Limits, c.Incus.Parallel, c.Database)
	}
	if c.Auth != "keys" {
		t.Errorf("the default is not left where nothing is said: %s", c.Auth)
	}
}

func TestTheEnvironmentNamesTheFile(t *testing.T) {
	t.Parallel()
	c, r := settings(t, []string{"CARREL_CONFIG=" + file(t, "limits: aws"), "CARREL_DATA=/somewhere", "CARREL_DATABASE=", "CARREL_LIMITS="})
	r.succeed(t)
	if c.Limits != "aws" || c.Data != "/somewhere" {
		t.Errorf("got %s, %s", c.Limits, c.Data)
	}
}

func TestCISetsWhatNothingElseHasSaid(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil, "--ci")
	r.succeed(t)
	if c.Engine != "simulated" || c.Auth != "any" || c.Users != "any" || !c.Instant || !c.Control || c.LimitsOf().TerminatedStays != 0 {
		t.Errorf("got %+v", c)
	}
	if _, err := os.Stat(c.Data); err == nil {
		t.Errorf("the data folder %s is still there", c.Data)
	}
	own := t.TempDir()
	c, r = settings(t, []string{"CARREL_AUTH=keys"}, "--ci", "--instant=false", "--data", own, "--config", file(t, "users: directory"))
	r.succeed(t)
	if c.Auth != "keys" || c.Instant || c.Users != "directory" || c.Data != own || !c.Control {
		t.Errorf("got %+v", c)
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("the folder that was named has been thrown away: %v", err)
	}
}

func TestSettingsThatAreWrongAreUsageErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  []string
		file string
		args []string
		said string
	}{
		"flag":          {args: []string{"--lissten", "x"}, said: "unknown flag: --lissten"},
		"argument":      {args: []string{"now"}, said: "unknown command"},
		"variable":      {env: []string{"CARREL_LISSTEN=x", "CARREL_ENGIN=y"}, said: "there is no setting CARREL_ENGIN, CARREL_LISSTEN"},
		"key":           {file: "listen: x\nlissten: y\n", said: `line 2: there is no setting "lissten"`},
		"key for flags": {file: "data: /x\n", said: `there is no setting "data"`},
		"list":          {file: "listen: [x]\n", said: "line 1: listen takes a single value"},
		"no file":       {args: []string{"--config", "/no/such/file"}, said: "/no/such/file"},
		"no YAML":       {file: "a: b: c", said: "carrel.yaml"},
		"file's value":  {file: "incus-parallel: many\n", said: "incus-parallel: must be an integer"},
		"variable's":    {env: []string{"CARREL_CI=maybe"}, said: "CARREL_CI: must be true or false"},
		"engine":        {args: []string{"--engine", "qemu"}, said: `--engine is one of auto, simulated, incus, not "qemu"`},
		"limits":        {args: []string{"--limits", "none"}, said: "--limits is one of"},
		"auth":          {args: []string{"--auth", "no"}, said: "--auth is one of"},
		"users":         {args: []string{"--users", "no"}, said: "--users is one of"},
		"log level":     {args: []string{"--log-level", "loud"}, said: "--log-level is one of"},
		"account":       {args: []string{"--account", "12345"}, said: "--account has 12 digits"},
		"region":        {args: []string{"--region", "Mars"}, said: "--region looks like us-east-1"},
		"failures":      {args: []string{"--simulated-failures", "1.5"}, said: "between 0 and 1"},
		"delay":         {args: []string{"--simulated-delay", "-1s"}, said: "cannot be negative"},
		"parallel":      {args: []string{"--incus-parallel", "0"}, said: "--incus-parallel is at least 1"},
		"ci on Incus":   {args: []string{"--ci", "--engine", "incus"}, said: "--ci throws its data away"},
		"prefix":        {file: network("prefix: 10.0.0.0/31"), said: "networks, number 1: prefix"},
		"IPv6":          {file: network("prefix: fd00::/64"), said: "networks, number 1: prefix"},
		"gateway":       {file: network("prefix: 10.0.0.0/24", "gateway: 10.0.1.1"), said: "networks, number 1: gateway"},
		"subnet":        {file: strings.Replace(network("prefix: 10.0.0.0/24"), "subnet-0a1b2c3d", "subnet-x", 1), said: "networks, number 1: needs"},
		"one subnet twice": {
			file: network("prefix: 10.0.0.0/24") + "  - {subnet-id: subnet-0a1b2c3d, vpc-id: vpc-0a1b2c3e, zone: us-east-1b, prefix: 10.0.1.0/24, network: br0}\n",
			said: "networks, number 2: subnet-0a1b2c3d, 10.0.1.0/24, collides with number 1: subnet-0a1b2c3d, 10.0.0.0/24",
		},
		"subnets that overlap": {
			file: network("prefix: 10.0.0.0/16") + "  - {subnet-id: subnet-0a1b2c3e, vpc-id: vpc-0a1b2c3d, zone: us-east-1b, prefix: 10.0.1.0/24, network: br0}\n",
			said: "networks, number 2: subnet-0a1b2c3e",
		},
		"bridges that overlap": {
			file: network("prefix: 10.0.0.0/16") + "  - {subnet-id: subnet-0a1b2c3e, vpc-id: vpc-0a1b2c3e, zone: us-east-1b, prefix: 10.0.1.0/24}\n",
			said: "networks, number 2: subnet-0a1b2c3e",
		},
		"who may leave": {file: network("prefix: 10.0.0.0/24", "internet: never"), said: `networks, number 1: internet is always or enabled, not "never"`},
		"who may leave another's": {
			file: network("prefix: 10.0.0.0/24", "internet: enabled", "network: br0"), said: "who may leave br0 is for its owner to say",
		},
		"group":                  {file: group("id: sg-1"), said: `security-groups, number 1: id is sg-`},
		"group twice":            {file: group("id: sg-0a1b2c3d") + "  - id: sg-0a1b2c3d\n", said: "security-groups, number 2: there is another group sg-0a1b2c3d"},
		"group's key":            {file: group("id: sg-0a1b2c3d", "outgoing: []"), said: "outgoing"},
		"rule's key":             {file: group("id: sg-0a1b2c3d", "egress: [{cidr: 10.0.0.0/8, port: 1}]"), said: "port"},
		"protocol":               {file: group("id: sg-0a1b2c3d", "ingress: [{protocol: sctp, cidr: 10.0.0.0/8}]"), said: "ingress, number 1: protocol is tcp, udp or icmp"},
		"ports of all":           {file: group("id: sg-0a1b2c3d", "egress: [{ports: 80, cidr: 10.0.0.0/8}]"), said: "egress, number 1: ports need the protocol"},
		"ports of ICMP":          {file: group("id: sg-0a1b2c3d", "egress: [{protocol: icmp, ports: 8, cidr: 10.0.0.0/8}]"), said: "ports need the protocol"},
		"no port":                {file: group("id: sg-0a1b2c3d", "egress: [{protocol: tcp, ports: 0, cidr: 10.0.0.0/8}]"), said: "ports is one from 1 to 65535"},
		"ports down":             {file: group("id: sg-0a1b2c3d", "egress: [{protocol: udp, ports: 20-10, cidr: 10.0.0.0/8}]"), said: `a range such as 8000-8100, not "20-10"`},
		"large port":             {file: group("id: sg-0a1b2c3d", "egress: [{protocol: udp, ports: 65536, cidr: 10.0.0.0/8}]"), said: "ports is one from"},
		"no peer":                {file: group("id: sg-0a1b2c3d", "egress: [{protocol: udp, ports: 53}]"), said: `cidr is an IPv4 network such as 10.0.0.0/8, or 0.0.0.0/0 for all, not ""`},
		"IPv6 peer":              {file: group("id: sg-0a1b2c3d", "egress: [{cidr: fd00::/8}]"), said: "cidr is an IPv4 network"},
		"peer's bits":            {file: group("id: sg-0a1b2c3d", "egress: [{cidr: 10.1.2.3/8}]"), said: "such as 10.0.0.0/8, or an address, such as 10.1.2.3/32"},
		"network's key":          {file: network("prefix: 10.0.0.0/24", "gatewy: 10.0.0.1"), said: "gatewy"},
		"application's id":       {file: application("id: wsa-x", "packages: [gimp]"), said: "applications, number 1: id is wsa-"},
		"application's name":     {file: "applications:\n  - {id: wsa-12345678, packages: [gimp]}\n", said: "applications, number 1: needs a name"},
		"application's contents": {file: application("id: wsa-12345678"), said: "takes either packages"},
		"application's package":  {file: application("id: wsa-12345678", "packages: [\"gimp; reboot\"]"), said: "there is no package"},
		"application's account":  {file: application("id: wsa-12345678", "packages: [gimp]", "account: \"1\""), said: "account has 12 digits"},
		"application's license":  {file: application("id: wsa-12345678", "packages: [gimp]", "license: free"), said: "license is LICENSED or UNLICENSED"},
		"application's compute":  {file: application("id: wsa-12345678", "packages: [gimp]", "compute-types: [small]"), said: "there is no compute type"},
		"application's rival":    {file: application("id: wsa-12345678", "packages: [gimp]", "incompatible-with: [gimp]"), said: "there is no application"},
		"application's member":   {file: application("id: wsa-12345678", "package: gimp"), said: "package"},
		"another application":    {file: application("id: wsa-12345678", "packages: [gimp]") + "  - {id: wsa-12345678, name: b, packages: [gimp]}\n", said: "another application wsa-12345678"},
		"source's id":            {file: source("id: ami-x", "incus-image: x"), said: "image-sources, number 1: id is ami-"},
		"source's twin":          {file: source("id: ami-0a1b2c3d", "incus-image: x") + "  - {id: ami-0a1b2c3d, root-fs: /x}\n", said: "number 2: there is another source"},
		"no source":              {file: source("id: ami-0a1b2c3d"), said: "takes either incus-image"},
		"two sources":            {file: source("id: ami-0a1b2c3d", "incus-image: x", "root-fs: /x"), said: "takes either incus-image"},
		"source's path":          {file: source("id: ami-0a1b2c3d", "root-fs: x"), said: "root-fs is an absolute path, not x"},
		"source's key":           {file: source("id: ami-0a1b2c3d", "rootfs: /x"), said: "rootfs"},
		"proxies":                {args: []string{"--trusted-proxies", "10.0.0.0/8,proxy"}, said: `--trusted-proxies lists networks such as 10.0.0.0/8 or addresses, not "proxy"`},
		"half of TLS":            {args: []string{"--tls-cert", "x.pem"}, said: "--tls-cert and --tls-key go together"},
		"TLS twice":              {args: []string{"--tls-self-signed", "--tls-acme", "a.example.com"}, said: "only one of --tls-cert"},
		"ACME for nobody":        {args: []string{"--tls-acme-url", "https://ca"}, said: "--tls-acme-url is for --tls-acme"},
		"windows":                {args: []string{"--maintenance-windows", "true"}, said: `--maintenance-windows is one of auto, on, off, not "true"`},
		"time zone":              {file: "maintenance-time-zone: Europe/Atlantis\n", said: `--maintenance-time-zone is one such as Europe/Berlin, UTC or Local, not "Europe/Atlantis"`},
		"maintenance's limit":    {args: []string{"--maintenance-limit", "1h"}, said: "--maintenance-limit lies between 1s and 30m"},
		"maintenance's number":   {env: []string{"CARREL_MAINTENANCE_PARALLEL=0"}, said: "--maintenance-parallel is at least 1"},
		"several at once":        {args: []string{"--account", "1", "--region", "2"}, said: "--region looks like"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := test.args
			if test.file != "" {
				args = append(args, "--config", file(t, test.file))
			}
			_, r := settings(t, test.env, args...)
			r.fail(t, cli.ExitUsage, test.said)
		})
	}
}

func TestTrustedProxiesAreNetworksAndAddresses(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil, "--config", file(t, "trusted-proxies: 10.1.2.3/8,192.0.2.1,fd00::/8\n"))
	r.succeed(t)
	got, err := c.Proxies()
	must(t, err)
	if text := fmt.Sprint(got); text != "[10.0.0.0/8 192.0.2.1/32 fd00::/8]" {
		t.Errorf("got %s", text)
	}
}

// network is a configuration file with one network.
func network(members ...string) string {
	return "networks:\n  - " + strings.Join(append([]string{"subnet-id: subnet-0a1b2c3d", "vpc-id: vpc-0a1b2c3d", "zone: us-east-1a"}, members...), "\n    ") + "\n"
}

// group is a configuration file with one security group.
func group(members ...string) string {
	return "security-groups:\n  - " + strings.Join(members, "\n    ") + "\n"
}

func TestSecurityGroupsComeFromTheFile(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil, "--config", file(t, group("id: sg-0a1b2c3d",
		"egress: [{protocol: tcp, ports: 443, cidr: 0.0.0.0/0}, {protocol: udp, ports: 5000-5010, cidr: 10.1.0.0/16}, {cidr: 192.168.1.5/32}]",
		"ingress: [{protocol: icmp, cidr: 10.0.0.0/8}]")+"  - id: sg-0a1b2c3d4e5f60718\n"))
	r.succeed(t)
	got, err := c.Groups()
	must(t, err)
	prefix := netip.MustParsePrefix
	want := []compute.SecurityGroup{
		{
			ID: "sg-0a1b2c3d",
			Egress: []compute.Rule{
				{Protocol: "tcp", First: 443, Last: 443, Peer: prefix("0.0.0.0/0")},
				{Protocol: "udp", First: 5000, Last: 5010, Peer: prefix("10.1.0.0/16")},
				{Peer: prefix("192.168.1.5/32")},
			},
			Ingress: []compute.Rule{{Protocol: "icmp", Peer: prefix("10.0.0.0/8")}},
		},
		{ID: "sg-0a1b2c3d4e5f60718"},
	}
	if !reflect.DeepEqual(got, want) || !slices.Equal(c.GroupIDs(), []string{want[0].ID, want[1].ID}) {
		t.Errorf("got %+v", got)
	}
}

// source is a configuration file with one source of images.
func source(members ...string) string {
	return "image-sources:\n  - " + strings.Join(members, "\n    ") + "\n"
}

func TestImageSourcesComeFromTheFile(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:imagebuilder:us-east-1:123456789012:image/desk/1.0.0/1"
	c, r := settings(t, nil, "--config", file(t, source("id: ami-0a1b2c3d", "incus-image: debian/12")+"  - {id: "+arn+", root-fs: /srv/desk.tar}\n"))
	r.succeed(t)
	got, err := c.Sources()
	want := []workspaces.ImageSource{{ID: "ami-0a1b2c3d", Image: "debian/12"}, {ID: arn, RootFS: "/srv/desk.tar"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// application is a file that declares one with the members.
func application(members ...string) string {
	return "applications:\n  - name: Gimp\n    " + strings.Join(members, "\n    ") + "\n"
}

func TestApplicationsComeFromTheFile(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	path := file(t, application("id: wsa-12345678", "packages: [gimp, gimp-data]", "description: Pictures", "compute-types: [POWER]")+
		"  - {id: wsa-87654321, name: Own, script: own.sh, account: \"123456789012\", license: LICENSED, uninstall-only: true,\n"+
		"     operating-systems: [UNKNOWN], incompatible-with: [wsa-12345678]}\n")
	c, r := settings(t, nil, "--config", path)
	r.succeed(t)
	if _, err := c.Catalogue(since); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its script: %v", err)
	}
	script := filepath.Join(filepath.Dir(path), "own.sh")
	must(t, os.WriteFile(script, []byte("echo $1\n"), 0o600))
	got, err := c.Catalogue(since)
	must(t, err)
	want := []workspaces.Application{
		{
			ID: "wsa-12345678", Name: "Gimp", Description: "Pictures", Owner: workspaces.Amazon, LicenseType: workspaces.Unlicensed,
			ComputeTypes: []string{"POWER"}, Script: workspaces.PackageScript([]string{"gimp", "gimp-data"}), CreatedAt: since,
		},
		{
			ID: "wsa-87654321", Name: "Own", Owner: "123456789012", LicenseType: workspaces.Licensed, OperatingSystems: []string{"UNKNOWN"},
			IncompatibleWith: []string{"wsa-12345678"}, UninstallOnly: true, Script: "echo $1\n", CreatedAt: since,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, bad := range []string{"", "a\x00b", strings.Repeat("#", 70_000)} {
		must(t, os.WriteFile(script, []byte(bad), 0o600))
		if _, err := c.Catalogue(since); err == nil || !strings.Contains(err.Error(), "own.sh is no script") {
			t.Errorf("with a script of %d bytes: %v", len(bad), err)
		}
	}
}

func TestNetworksComeFromTheFile(t *testing.T) {
	t.Parallel()
	c, r := settings(t, nil, "--region", "eu-west-1", "--config", file(t, network("prefix: 10.7.1.9/16", "network: br0")))
	r.succeed(t)
	subnets, err := c.Subnets()
	must(t, err)
	if len(subnets) != 1 {
		t.Fatalf("got %+v", subnets)
	}
	s := subnets[0]
	c, r = settings(t, nil, "--config", file(t, network("prefix: 10.7.0.0/16", "network: br0")+
		"  - {subnet-id: subnet-0a1b2c3e, vpc-id: vpc-0a1b2c3e, zone: us-east-1b, prefix: 10.7.0.0/16, network: br1}\n"))
	r.succeed(t)
	if apart, err := c.Subnets(); err != nil || len(apart) != 2 {
		t.Errorf("bridges that are apart: %v %+v", err, apart)
	}
	if s.Prefix != netip.MustParsePrefix("10.7.0.0/16") || s.Gateway != netip.MustParseAddr("10.7.0.1") || s.EngineNetwork != "br0" ||
		s.Internet != workspaces.InternetAlways || s.Region != "eu-west-1" || s.Zone != "us-east-1a" || s.VPCID != "vpc-0a1b2c3d" || s.ID != "subnet-0a1b2c3d" {
		t.Errorf("got %+v", s)
	}
}

func TestVariablesOfOtherPartsAreNoSettings(t *testing.T) {
	t.Parallel()
	_, r := settings(t, []string{"CARREL_VPC_ID=x", "CARREL_SUBNET_IDS=y", "CARREL_TEST_POSTGRES=z", "CARREL_POOL_SIZE=1", "CARREL_IMAGE_CACHE=/x"})
	r.succeed(t)
}

func TestServeEndsWellWhenItIsTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	serve := func(ctx context.Context, _ *cli.Config, _ *slog.Logger) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if r := (command{parts: cli.Parts{Serve: serve}}).runUntil(ctx, "serve"); r.code != cli.ExitOK || r.errOut != "" {
		t.Errorf("got %+v", r)
	}
}

func TestForward(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", "http://127.0.0.1:5000": "http://127.0.0.1:5000", "https://aws.example.com/all": "https://aws.example.com/all",
	} {
		c, r := settings(t, nil, "--forward", given)
		r.succeed(t)
		to, err := c.ForwardTo()
		if err != nil || to == nil != (want == "") || to != nil && to.String() != want {
			t.Errorf("%q: %v, %v", given, to, err)
		}
	}
	for _, given := range []string{"127.0.0.1:5000", "localhost", "ftp://example.com", "http://", "http://a/?b=c", "http://a b", "://"} {
		_, r := settings(t, nil, "--forward", given)
		r.fail(t, 2, "--forward is a URL")
	}
}
