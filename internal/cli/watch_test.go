package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/cli"
)

// workspaces is a client of the server.
func (s *server) workspaces(t *testing.T) *sdk.Client {
	t.Helper()
	id, secret, err := s.folder.Key()
	must(t, err)
	return sdk.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &s.http.URL, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

// create makes a WorkSpace for a user and returns its id.
func (s *server) create(t *testing.T, directory, user string) string {
	t.Helper()
	out, err := s.workspaces(t).CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{
		{DirectoryId: &directory, UserName: &user, BundleId: aws.String("wsb-carrelstd")},
	}})
	must(t, err)
	if len(out.PendingRequests) != 1 {
		t.Fatalf("got %+v", out.FailedRequests)
	}
	return *out.PendingRequests[0].WorkspaceId
}

// await returns when the WorkSpace is AVAILABLE.
func (s *server) await(t *testing.T, id string) {
	t.Helper()
	for range 3000 {
		out, err := s.workspaces(t).DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{WorkspaceIds: []string{id}})
		must(t, err)
		if len(out.Workspaces) == 1 && out.Workspaces[0].State == types.WorkspaceStateAvailable {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not become AVAILABLE", id)
}

func TestWatchOnceIsATable(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	d := s.quickstart(t)["directory_id"]
	s.carrel(t, "user", "add", "john").succeed(t)
	jane, john := s.create(t, d, "jane"), s.create(t, d, "john")
	s.await(t, jane)
	s.await(t, john)
	s.carrel(t, "watch", "--once").succeed(t).prints(t, "WORKSPACE", jane, "jane", john, "AVAILABLE", "STANDARD", "ALWAYS_ON")
	var list []map[string]string
	must(t, json.Unmarshal([]byte(s.carrel(t, "watch", "--once", "-o", "json", "--user", "john").succeed(t).out), &list))
	if len(list) != 1 || list[0]["workspace_id"] != john || list[0]["state"] != "AVAILABLE" || list[0]["ip_address"] == "" || list[0]["directory_id"] != d {
		t.Errorf("got %v", list)
	}
	s.carrel(t, "watch", "--output", "json").fail(t, cli.ExitUsage, "--output json goes with --once")
}

// until is a writer that ends a context when something has been written to it.
type until struct {
	written bytes.Buffer
	text    string
	end     context.CancelFunc
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.written.Write(p)
	if strings.Contains(u.written.String(), u.text) {
		u.end()
	}
	return n, err
}

func TestWatchPrintsALineForEachChange(t *testing.T) {
	t.Parallel()
	s := startSlowServer(t, 300*time.Millisecond)
	id := s.create(t, s.quickstart(t)["directory_id"], "jane")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &until{text: "AVAILABLE", end: cancel}
	var errOut bytes.Buffer
	code := cli.Run(ctx, cli.Parts{Env: []string{}, Out: out, Err: &errOut}, []string{"watch", "--data", s.folder.Path})
	want := regexp.MustCompile(`(?m)\A\d\d:\d\d:\d\d  ` + id + `  jane  PENDING\n\d\d:\d\d:\d\d  ` + id + `  jane  PENDING -> AVAILABLE after 0:0\d  10\.[\d.]+\n\z`)
	if code != cli.ExitOK || !want.MatchString(out.written.String()) || errOut.Len() > 0 {
		t.Errorf("got exit code %d, %q, %q", code, out.written.String(), errOut.String())
	}
}

func TestScreenIsAPictureInAFile(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	id := s.create(t, s.quickstart(t)["directory_id"], "jane")
	s.await(t, id)
	path := filepath.Join(t.TempDir(), "desktop.png")
	must(t, os.WriteFile(path, []byte("an older one"), 0o600))
	s.carrel(t, "screen", id, path).succeed(t)
	picture, err := os.ReadFile(path)
	must(t, err)
	img, err := png.Decode(bytes.NewReader(picture))
	must(t, err)
	if img.Bounds().Dx() < 640 {
		t.Errorf("got a picture of %s", img.Bounds())
	}
	if r := s.carrel(t, "screen", id, "-").succeed(t); !strings.HasPrefix(r.out, "\x89PNG") {
		t.Errorf("got %.20q", r.out)
	}
	must(t, os.WriteFile(path, []byte("kept"), 0o600))
	s.carrel(t, "screen", "ws-000000000", path).fail(t, cli.ExitFailure, "WorkSpace ws-000000000 could not be found.")
	s.carrel(t, "screen", id, filepath.Join(path, "x.png")).fail(t, cli.ExitFailure, "not a directory")
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if kept, _ := os.ReadFile(path); string(kept) != "kept" || len(left) != 1 {
		t.Errorf("a failure left %q and %d files", kept, len(left))
	}
}

func TestShellsCompleteWhatTheServerHas(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	d := s.quickstart(t)["directory_id"]
	id := s.create(t, d, "jane")
	key, _, err := s.folder.Key()
	must(t, err)
	for words, want := range map[string]string{
		"screen ":                 id + "\tjane ",
		"screen " + id + " ":      "png\n:8",
		"user list --directory ":  d + "\tcarrel.internal",
		"user delete ":            "jane",
		"user delete jane j":      ":4",
		"key delete ":             key + "\t" + account,
		"watch --output ":         "json",
		"user passwd --directory": "--directory",
	} {
		args := append([]string{"__complete"}, strings.Split(words, " ")...)
		c := command{env: []string{"CARREL_DATA=" + s.folder.Path}}
		if r := c.run(t, args...); !strings.Contains(r.out, want) {
			t.Errorf("%q: got %q, want something with %q", words, r.out, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		command{}.run(t, "completion", shell).succeed(t).prints(t, "completion", "carrel")
	}
}
