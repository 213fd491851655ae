package cli

import (
	"errors"
	"os/exec"
	"testing"
	"testing/fstest"
	"time"
)

// examine has doctor look at a machine with these files.
func examine(engine string, files map[string]string) *doctor {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return &doctor{shared: &shared{config: Config{Engine: engine}}, machine: machine{root: root, uid: 1000, name: "jane"}}
}

func check(t *testing.T, got []finding, want ...status) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %v", got, want)
	}
	for i, f := range got {
		if f.Status != want[i] || f.Found == "" || (f.Status != statusOK) != (f.Advice != "") {
			t.Errorf("got %+v, want %s, with advice unless it is ok", f, want[i])
		}
	}
}

func TestKernel(t *testing.T) {
	t.Parallel()
	const release, spaces, ids = "proc/sys/kernel/osrelease", "proc/sys/user/max_user_namespaces", "etc/subuid"
	for name, test := range map[string]struct {
		engine string
		files  map[string]string
		want   []status
	}{
		"new":            {"incus", map[string]string{release: "6.18.0\n", spaces: "9\n"}, []status{statusOK, statusOK}},
		"no fast quotas": {"incus", map[string]string{release: "6.1.0-18-amd64\n", spaces: "9\n"}, []status{statusWarn, statusOK}},
		"old":            {"incus", map[string]string{release: "5.4.0\n", spaces: "9\n"}, []status{statusMissing, statusOK}},
		"old, auto":      {"auto", map[string]string{release: "5.4.0\n", spaces: "9\n"}, []status{statusWarn, statusOK}},
		"no namespaces":  {"incus", map[string]string{release: "6.18.0\n", spaces: "0\n"}, []status{statusOK, statusMissing}},
		"no Linux":       {"incus", nil, []status{statusMissing}},
		"ids":            {"incus", map[string]string{release: "7.0", spaces: "9", ids: "jane:1:2\nroot:1000000:1000000000\n"}, []status{statusOK, statusOK, statusOK}},
		"few ids":        {"incus", map[string]string{release: "7.0", spaces: "9", ids: "root:100000:65536\n"}, []status{statusOK, statusOK, statusWarn}},
		"no ids of root": {"incus", map[string]string{release: "7.0", spaces: "9", ids: "jane:1:2\n"}, []status{statusOK, statusOK, statusWarn}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, examine(test.engine, test.files).kernel(t.Context()), test.want...)
		})
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	d := examine("incus", nil)
	check(t, d.user(t.Context()), statusMissing)
	d.machine.groups = []string{"users", "incus-admin"}
	check(t, d.user(t.Context()), statusWarn)
	d.machine.uid = 0
	check(t, d.user(t.Context()), statusOK)
	check(t, examine("auto", nil).user(t.Context()), statusWarn)
	check(t, examine("simulated", nil).user(t.Context()), statusOK)
}

func TestImageTools(t *testing.T) {
	t.Parallel()
	d := examine("incus", nil)
	d.machine.lookPath = func(string) (string, error) { return "", errors.Join(exec.ErrNotFound) }
	check(t, d.imageTools(t.Context()), statusWarn, statusWarn) // no test binary has an agent beside it
}

func TestClocks(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]status{
		0: statusOK, -time.Second: statusOK, 6 * time.Second: statusWarn, -time.Minute: statusWarn, 5 * time.Minute: statusMissing, -time.Hour: statusMissing,
	} {
		check(t, []finding{skewFinding(skew)}, want)
	}
}
