package cli_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"carrel/internal/cli"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestQuickstartMakesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	r := s.carrel(t, "directory", "quickstart").succeed(t)
	var list []map[string]string
	must(t, json.Unmarshal([]byte(s.carrel(t, "directory", "list", "-o", "json").succeed(t).out), &list))
	if len(list) != 1 || list[0]["name"] != "carrel.internal" || list[0]["stage"] != "Active" || list[0]["state"] != "REGISTERED" {
		t.Fatalf("got %v", list)
	}
	id := list[0]["directory_id"]
	r.prints(t, id, list[0]["registration_code"], "jane, password ", "Administrator      password ",
		"aws workspaces create-workspaces --workspaces DirectoryId="+id+",UserName=jane,BundleId=wsb-carrelstd")

	r.prints(t, "In a browser       http://")
	if strings.Contains(r.out, "does not let browsers in") || !s.letsBrowsersIn(t, id) {
		t.Error("browsers are not let in")
	}

	again := s.quickstart(t)
	if again["web_access"] != "ALLOW" || again["portal"] != s.http.URL+"/?code="+url.QueryEscape(again["registration_code"]) {
		t.Errorf("got %v", again)
	}
	if again["directory_id"] != id || again["registration_code"] != list[0]["registration_code"] || again["password"] != "" ||
		again["administrator_password"] != "" {
		t.Errorf("the second run made something: %v", again)
	}
	s.carrel(t, "directory", "quickstart").succeed(t).prints(t, "jane, password as it was given", "Make a WorkSpace for jane next")
}

// TestQuickstartKnowsTheWorkSpace does not propose to make what there is.
func TestQuickstartKnowsTheWorkSpace(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id := s.quickstart(t)["directory_id"]
	must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{
			Scope: workspaces.Scope{Account: account, Region: region}, ID: "ws-0123456789", DirectoryID: id, UserName: "jane", State: workspaces.Stopped,
		})
	}))
	if got := s.quickstart(t)["workspace_id"]; got != "ws-0123456789" {
		t.Errorf("got %q", got)
	}
	r := s.carrel(t, "directory", "quickstart").succeed(t)
	r.prints(t, "jane has the WorkSpace ws-0123456789.")
	if strings.Contains(r.out, "create-workspaces") {
		t.Errorf("got %s", r.out)
	}
}

func TestQuickstartTakesUpWhatBrokeOff(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	made := s.quickstart(t)
	id := made["directory_id"]
	// As after a run that was killed before it had registered and after it had made a user.
	must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(t.Context(), workspaces.Scope{Account: account, Region: region}, id)
		if err == nil {
			_, err = tx.DeleteWorkspaceDirectory(t.Context(), d.Ref())
		}
		return err
	}))
	s.carrel(t, "user", "disable", "jane").succeed(t)
	again := s.quickstart(t, "--password", "Given-by-h4nd")
	if again["directory_id"] != id || again["registration_code"] == "" || again["registration_code"] == made["registration_code"] || again["password"] != "" {
		t.Errorf("got %v after %v", again, made)
	}
	if !s.signsIn(t, id, "jane", "Given-by-h4nd") {
		t.Error("jane cannot sign in")
	}
}

// TestQuickstartLeavesBrowsersOut denies browsers, which a later run must not undo.
func TestQuickstartLeavesBrowsersOut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id := s.quickstart(t)["directory_id"]
	must(t, s.store.Update(t.Context(), func(tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(t.Context(), workspaces.Scope{Account: account, Region: region}, id)
		if err == nil {
			d.Settings.Access.Web = workspaces.Deny
			_, err = tx.SaveWorkspaceDirectory(t.Context(), d, d.Generation)
		}
		return err
	}))
	s.carrel(t, "directory", "quickstart").succeed(t).prints(t, "--resource-id "+id+" --workspace-access-properties DeviceTypeWeb=ALLOW")
	if s.letsBrowsersIn(t, id) {
		t.Error("browsers are let in again")
	}
}

// letsBrowsersIn reports what the directory's settings say.
func (s *server) letsBrowsersIn(t *testing.T, id string) (lets bool) {
	t.Helper()
	must(t, s.store.View(func(tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(t.Context(), workspaces.Scope{Account: account, Region: region}, id)
		lets = err == nil && d.Settings.AllowsWeb()
		return err
	}))
	return lets
}

func TestQuickstartSaysWhichStepFailed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.carrel(t, "directory", "quickstart", "nodots").fail(t, cli.ExitFailure, "directory nodots: ")
	s.carrel(t, "directory", "quickstart", "--password", "weak").fail(t, cli.ExitFailure, "user jane: A password has 8 to 64 characters")
	s.carrel(t, "directory", "quickstart", "a.example.com", "b.example.com").fail(t, cli.ExitUsage, "accepts at most 1 arg")
}

func TestNetworksAreListed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	about, err := s.folder.Server()
	must(t, err)
	s.carrel(t, "network", "list").succeed(t).prints(t, "VPC", about.VPCID, about.SubnetIDs[0], about.SubnetIDs[1], region+"a", "/16")
	var list []map[string]string
	must(t, json.Unmarshal([]byte(s.carrel(t, "network", "list", "--output", "json").succeed(t).out), &list))
	if len(list) != 2 || list[0]["vpc_id"] != about.VPCID || list[0]["gateway"] == "" {
		t.Errorf("got %v", list)
	}
}

func TestEmptyListsAreListsToo(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, args := range []string{"directory list -o json", "watch --once -o json"} {
		if r := s.carrel(t, strings.Fields(args)...).succeed(t); r.out != "[]\n" {
			t.Errorf("%s: got %q", args, r.out)
		}
	}
}
