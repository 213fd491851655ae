package agent_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"carrel/internal/agent"
)

func parse(environment map[string]string) (agent.Config, error) {
	return agent.ParseConfig(func(name string) string { return environment[name] })
}

func TestParseConfigNeedsOnlyTheUser(t *testing.T) {
	t.Parallel()
	got, err := parse(map[string]string{"CARREL_USER": "Jane.Doe"})
	if err != nil {
		t.Fatal(err)
	}
	want := agent.Config{
		User: "Jane.Doe", Account: "jane.doe", FullName: "Jane.Doe",
		UID: agent.DefaultUID, Geometry: agent.DefaultGeometry, Lang: agent.DefaultLang,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParseConfigTakesEverySetting(t *testing.T) {
	t.Parallel()
	got, err := parse(map[string]string{
		"CARREL_USER": "jane", "CARREL_FULLNAME": "Jane Doe", "CARREL_UID": "10002", "CARREL_HOSTNAME": "desk-7.example.com",
		"CARREL_GEOMETRY": "1920x1080", "CARREL_DNS": "10.0.0.1, fd00::1", "CARREL_LOCAL_ADMIN": "1",
		"LANG": "de_DE.UTF-8", "TZ": "Europe/Berlin",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := agent.Config{
		User: "jane", Account: "jane", FullName: "Jane Doe", UID: 10002, Hostname: "desk-7.example.com",
		Geometry: "1920x1080", DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")},
		LocalAdmin: true, Lang: "de_DE.UTF-8", Timezone: "Europe/Berlin",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParseConfigKeepsTheDefaultForABadValue(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"CARREL_UID":         {"0", "999", "65534", "-1", "ten"},
		"CARREL_HOSTNAME":    {"-a", "a-", "a..b", "a_b", "ü", "a b", strings.Repeat("a", 65)},
		"CARREL_GEOMETRY":    {"1280", "1280x", "1280X800", "319x800", "1280x8193", "-1280x800", "1280x800 "},
		"CARREL_DNS":         {"localhost", "10.0.0.1/24", "10.0.0"},
		"CARREL_LOCAL_ADMIN": {"yes", "true", "2"},
	} {
		for _, value := range values {
			want, err := parse(map[string]string{"CARREL_USER": "jane"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(map[string]string{"CARREL_USER": "jane", name: value})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: error %v does not name it", name, value, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s=%q: got %+v, want the defaults", name, value, got)
			}
		}
	}
}

func TestParseConfigReportsEveryProblem(t *testing.T) {
	t.Parallel()
	got, err := parse(map[string]string{"CARREL_UID": "0", "CARREL_DNS": "x,10.0.0.1"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"CARREL_USER", "CARREL_UID", "CARREL_DNS"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
	if got.Account != "" {
		t.Errorf("account %q for nobody", got.Account)
	}
	if len(got.DNS) != 1 {
		t.Errorf("resolvers %v: the good one was lost with the bad", got.DNS)
	}
}
