// Package carrel_test keeps the house's rules: who may import whom, and that every package
// says what it is. See docs/architecture.md.
package carrel_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// room is a package of the project as go list tells it.
type room struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// forTests reports whether a package serves tests only: they put together what the
// program does.
func (r room) forTests() bool { return strings.HasSuffix(r.Name, "test") }

func rooms(t *testing.T) []room {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,GoFiles,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []room
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var r room
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

// within reports whether a package is, or lies below, one of the folders.
func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		f = "carrel/" + f
		return path == f || strings.HasPrefix(path, f+"/")
	})
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, r := range rooms(t) {
		if r.Doc == "" && len(r.GoFiles) > 0 {
			t.Errorf("%s has no package comment", r.ImportPath)
		}
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "models", "manager"}, r.Name) {
			t.Errorf("%s: a name that says nothing", r.ImportPath)
		}
	}
}

// Dependencies run one way: cmd -> {awsjson, operation, job, reconcile, gateway, cli, control} ->
// {store, compute, directory} -> workspaces.
func TestWhoImportsWhom(t *testing.T) {
	t.Parallel()
	forbidden := []struct {
		room    string
		imports []string
		why     string
	}{
		{"internal/workspaces", []string{"internal", "cmd"}, "the domain is a leaf"},
		{"internal/clock", []string{"internal", "cmd"}, "the clock is a leaf"},
		{"internal/api", []string{"internal/workspaces", "internal/store", "internal/operation", "internal/compute"}, "the wire types know no WorkSpaces"},
		{"internal/awsjson", []string{"internal/workspaces", "internal/store", "internal/operation", "internal/compute", "internal/job"}, "the wire knows no WorkSpaces"},
		{"internal/store", []string{"internal/operation", "internal/job", "internal/compute", "internal/api", "internal/directory"}, "the store serves all"},
		{"internal/plainjson", []string{"internal", "cmd"}, "how JSON is read is a leaf"},
		{"internal/sidechannel", []string{"internal", "cmd"}, "a protocol is a leaf"},
		{"internal/agent", []string{"internal/store", "internal/workspaces", "internal/operation", "internal/job", "internal/api", "internal/compute", "internal/rfb"}, "the agent is in every desktop, and stays small"},
		{"internal/compute", []string{"internal/store", "internal/workspaces", "internal/operation", "internal/job", "internal/api"}, "an engine knows machines only"},
		{"internal/forward", []string{"internal/workspaces", "internal/store", "internal/operation", "internal/compute", "internal/job"}, "what is passed on is nobody's business"},
		{"internal/journal", []string{"internal/job", "internal/awsjson", "internal/reconcile", "internal/gateway", "internal/compute"}, "a journal knows requests only"},
		{"internal/fault", []string{"internal/operation", "internal/job", "internal/awsjson", "internal/reconcile", "internal/gateway"}, "faults stand before the seams"},
		{"internal/operation", []string{"internal/compute", "internal/job", "internal/awsjson", "internal/reconcile"}, "an operation records intent; only jobs call drivers"},
		{"internal/job", []string{"internal/api", "internal/operation", "internal/awsjson", "internal/reconcile"}, "a job knows no wire"},
		{"internal/reconcile", []string{"internal/api", "internal/operation", "internal/awsjson"}, "repair knows no wire"},
		{"internal/directory", []string{"internal/api", "internal/operation", "internal/job", "internal/compute"}, "a directory knows users only"},
		{"internal/branding", []string{"internal/api", "internal/operation", "internal/job", "internal/awsjson", "internal/gateway", "internal/compute"}, "a picture on a page needs no more than the store"},
		{"internal/saml", []string{"internal/store", "internal/gateway", "internal/api", "internal/operation", "internal/job", "internal/compute"}, "whether a response is to be believed is no matter of who asks"},
		{"internal/gateway", []string{"internal/api", "internal/operation", "internal/job", "internal/awsjson", "internal/reconcile", "internal/cli"}, "the browser's side asks main for what others do"},
		{"web", []string{"internal", "cmd"}, "pages know nothing"},
		{"internal/cli", []string{"internal/operation", "internal/job", "internal/reconcile", "internal/awsjson"}, "commands are clients; main lends them parts"},
	}
	for _, r := range rooms(t) {
		for _, rule := range forbidden {
			if !within(r.ImportPath, rule.room) || r.forTests() {
				continue
			}
			for _, path := range r.Imports {
				if within(path, rule.imports...) && !within(path, rule.room) {
					t.Errorf("%s imports %s: %s", r.ImportPath, path, rule.why)
				}
			}
		}
	}
}

// The domain and the clock import the standard library and nothing else.
func TestLeavesImportOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, r := range rooms(t) {
		if r.ImportPath != "carrel/internal/workspaces" && r.ImportPath != "carrel/internal/clock" {
			continue
		}
		for _, path := range r.Imports {
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") {
				t.Errorf("%s imports %s", r.ImportPath, path)
			}
			if slices.Contains([]string{"net/http", "database/sql", "encoding/json", "log", "log/slog"}, path) {
				t.Errorf("%s imports %s, which is no business of a leaf", r.ImportPath, path)
			}
		}
	}
}
