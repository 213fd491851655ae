package moto_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/moto"
)

// TestThePageHasAllDifferences holds the page's table against the one of the program.
func TestThePageHasAllDifferences(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/automation.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[moto.Rule]bool)
	for _, d := range moto.Differences() {
		if seen[d.Rule] {
			t.Errorf("%s is there twice", d.Rule)
		}
		seen[d.Rule] = true
		if row := "| " + d.Service + " | " + d.Moto + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("docs/automation.md lacks the row:\n%s", row)
		}
	}
	for _, r := range []moto.Rule{
		moto.SmallRootVolumes, moto.SecondWorkSpaces, moto.WholeReplies, moto.UnknownDirectories, moto.AnyNetworkID, moto.DirectoryLimits,
		moto.OneDirectoryMore, moto.NoDomainControllers, moto.Words, moto.HyphenedResourceTypes,
	} {
		if !seen[r] {
			t.Errorf("nothing says what %q is", r)
		}
	}
}

func TestWays(t *testing.T) {
	t.Parallel()
	var never *moto.Ways
	if never.Keep(true) || never.Follow(moto.Words) {
		t.Error("ways that are never kept are")
	}
	w := new(moto.Ways)
	if w.Follow(moto.Words) || w.Keep(false) || !w.Keep(true) || w.Keep(true) || !w.Follow(moto.Words) || !w.Keep(false) || w.Follow(moto.Words) {
		t.Error("Keep does not tell what it has done")
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	changes := 0
	for range 20 {
		all.Go(func() {
			if w.Keep(true) {
				mu.Lock()
				defer mu.Unlock()
				changes++
			}
			_ = w.Follow(moto.SecondWorkSpaces)
		})
	}
	all.Wait()
	if changes != 1 {
		t.Errorf("%d of 20 began to keep moto's ways", changes)
	}
}

func bind[I, O any](op api.Operation[I, O]) api.Handler {
	return api.Bind(op, func(context.Context, *I) (*O, error) { return nil, nil })
}

const good = `"Name":"corp.example.com","Password":"TESTfoobar1","Size":"Small"`

// TestWords gives inputs to the model and to moto; "" is a good one.
func TestWords(t *testing.T) {
	t.Parallel()
	const password = `^(?=^.{8,64}$)((?=.*\d)(?=.*[A-Z])(?=.*[a-z])|(?=.*\d)(?=.*[^A-Za-z0-9\s])(?=.*[a-z])|` +
		`(?=.*[^A-Za-z0-9\s])(?=.*[A-Z])(?=.*[a-z])|(?=.*\d)(?=.*[A-Z])(?=.*[^A-Za-z0-9\s]))^.*$`
	const id = "failed to satisfy constraint: Member must satisfy regular expression pattern: ^d-[0-9a-f]{10}$"
	const subnets = "failed to satisfy constraint: Member must satisfy regular expression pattern: ^(subnet-[0-9a-f]{8}|subnet-[0-9a-f]{17})$"
	vpc := func(settings string) string { return `{` + good + `,"VpcSettings":` + settings + `}` }
	connect := func(settings string) string { return `{` + good + `,"ConnectSettings":` + settings + `}` }
	for name, c := range map[string]struct {
		op          api.Handler
		body        string
		model, moto string
	}{
		"good": {bind(ds.CreateDirectory), vpc(`{"VpcId":"vpc-12345678","SubnetIds":["subnet-12345678"]}`), "", ""},
		"an odd VPC": {
			bind(ds.CreateDirectory), vpc(`{"VpcId":"vpc-466844","SubnetIds":["subnet-12345678"]}`),
			"1 validation error detected: Value 'vpc-466844' at 'vpcSettings.vpcId' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: ^(vpc-[0-9a-f]{8}|vpc-[0-9a-f]{17})$", "",
		},
		"an odd VPC to connect from": {
			bind(ds.ConnectDirectory), connect(`{"VpcId":"vpc-466844","SubnetIds":["subnet-12345678"],"CustomerUserName":"a","CustomerDnsIps":["1.2.3.4"]}`),
			"1 validation error detected: Value 'vpc-466844' at 'connectSettings.vpcId' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: ^(vpc-[0-9a-f]{8}|vpc-[0-9a-f]{17})$", "",
		},
		"subnets": {
			bind(ds.CreateDirectory), vpc(`{"VpcId":"vpc-12345678","SubnetIds":["foo","bar"]}`),
			"2 validation errors detected: Value 'foo' at 'vpcSettings.subnetIds.1.member' " + subnets +
				"; Value 'bar' at 'vpcSettings.subnetIds.2.member' " + subnets,
			"1 validation error detected: Value '['foo', 'bar']' at 'vpcSettings.subnetIds' " + subnets,
		},
		"subnets of a connector": {
			bind(ds.ConnectDirectory), connect(`{"VpcId":"vpc-1","SubnetIds":["foo"],"CustomerUserName":"oops$","CustomerDnsIps":["1.2.3.4","1.2.3.450"]}`),
			"", // not looked at: see below
			"3 validation errors detected: Value '['foo']' at 'connectSettings.vpcSettings.subnetIds' " + subnets +
				"; Value 'oops$' at 'connectSettings.customerUserName' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: ^[a-zA-Z0-9._-]+$" +
				"; Value '['1.2.3.4', '1.2.3.450']' at 'connectSettings.customerDnsIps' failed to satisfy constraint: Member must satisfy " +
				`regular expression pattern: ^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$`,
		},
		"the order": {
			bind(ds.CreateMicrosoftAD),
			`{"Name":"bad_name","Password":"bad_password","Edition":"foo","VpcSettings":{"VpcId":"vpc-1","SubnetIds":["subnet-12345678"]}}`, "",
			"3 validation errors detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
				password + "; Value 'foo' at 'edition' failed to satisfy constraint: Member must satisfy enum value set: [Enterprise, Standard]; " +
				"Value 'bad_name' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
				`^([a-zA-Z0-9]+[\.-])+([a-zA-Z0-9])+$`,
		},
		"an id in a list": {
			bind(ds.DescribeDirectories), `{"DirectoryIds":["d-0123456789","foo","bar"]}`,
			"2 validation errors detected: Value 'foo' at 'directoryIds.2.member' " + id + "; Value 'bar' at 'directoryIds.3.member' " + id,
			"1 validation error detected: Value 'foo' at 'directoryId' " + id,
		},
		"a resource": {
			bind(ds.ListTagsForResource), `{"ResourceId":"foo"}`,
			"1 validation error detected: Value 'foo' at 'resourceId' failed to satisfy constraint: Member must satisfy regular expression " +
				"pattern: ^[d]-[0-9a-f]{10}$",
			"1 validation error detected: Value 'foo' at 'directoryId' " + id,
		},
		"a user who signs on": {
			bind(ds.EnableSso), `{"DirectoryId":"d-0123456789","UserName":"@x","Password":"` + strings.Repeat("x", 129) + `"}`, "",
			"2 validation errors detected: Value at 'ssoPassword' failed to satisfy constraint: Member must have length less than or equal to 128; " +
				"Value '@x' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9._-]+$",
		},
		"what moto does not look at": {
			bind(ds.CreateDirectory), `{` + good + `,"VpcSettings":{"VpcId":"vpc-1","SubnetIds":["subnet-12345678"]},"NetworkType":"x"}`, "",
			"1 validation error detected: Value 'x' at 'networkType' failed to satisfy constraint: " +
				"Member must satisfy enum value set: [Dual-stack, IPv4, IPv6]",
		},
		"what has to be there": {
			bind(ds.CreateDirectory), `{"Size":"Small"}`,
			"2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'password' failed to satisfy constraint: Member must not be null",
			"2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'password' failed to satisfy constraint: Member must not be null",
		},
		"subnets of a registration": {
			bind(wsapi.RegisterWorkspaceDirectory), `{"DirectoryId":"d-0123456789","SubnetIds":["subnet-1234567x"]}`,
			"1 validation error detected: Value 'subnet-1234567x' at 'subnetIds.1.member' failed to satisfy constraint: Member must satisfy " +
				"regular expression pattern: ^(subnet-([0-9a-f]{8}|[0-9a-f]{17}))$", "",
		},
	} {
		ways := new(moto.Ways)
		h := ways.Middleware()(c.op)
		if c.model != "" || c.moto == "" {
			wantMessage(t, name+", by the model", h, c.body, c.model)
		}
		ways.Keep(true)
		wantMessage(t, name+", by moto", h, c.body, c.moto)
	}
}

func wantMessage(t *testing.T, name string, h api.Handler, body, want string) {
	t.Helper()
	_, err := h.Decode(api.Payload{Body: []byte(body)})
	got := ""
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "ValidationException: ")
	}
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

func TestResourceTypes(t *testing.T) {
	t.Parallel()
	got := strings.Join(moto.ResourceTypes([]string{"workspaces", "workspaces-image", "ds:directory"}), " ")
	if got != "workspaces:workspace workspaces:workspaceimage ds:directory" {
		t.Error(got)
	}
}
